// Copyright: Contributors to the cloudsec.org_trail collection
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Reads a JSON list of {policy, principal, action, resource, context} from standard input and writes the
// list of iam-simulate's decisions. Unless a case names them (owner, identities, levels, boundaries, session), the
// caller's own policy allows everything and the accounts differ, so the resource policy alone decides.
import { text } from 'node:stream/consumers'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const everything = { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }

const named = policies => policies.map((policy, index) => ({ name: `p${index}`, policy }))

async function decide({ policy, principal, action, resource, context, ...more }) {
  const answer = await runSimulation(
    {
      request: {
        principal,
        action,
        resource: { resource, accountId: more.owner ?? '999999999999' },
        contextVariables: context
      },
      identityPolicies: named(more.identities ?? [everything]),
      serviceControlPolicies: (more.levels ?? []).map((policies, index) => ({
        orgIdentifier: `level${index}`,
        policies: named(policies)
      })),
      resourceControlPolicies: [],
      resourcePolicy: policy,
      ...(more.boundaries ? { permissionBoundaryPolicies: named(more.boundaries) } : {}),
      ...(more.session ? { sessionPolicy: more.session } : {})
    },
    {}
  )
  if (answer.resultType === 'single' && !answer.result.ignoredContextKeys?.length) {
    return answer.overallResult
  }
  if (answer.resultType === 'wildcard') {
    return answer.overallResult // of every kind of resource that the action knows
  }
  return `not simulated: ${JSON.stringify(answer.errors ?? answer)}`
}

const answers = []
for (const one of JSON.parse(await text(process.stdin))) {
  answers.push(await decide(one))
}
process.stdout.write(JSON.stringify(answers))
