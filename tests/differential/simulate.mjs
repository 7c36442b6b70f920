// Copyright: Contributors to the cloudsec.org_trail collection
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Reads a JSON list of {policy, principal, action, resource, context} from standard input and writes the
// list of iam-simulate's decisions. The caller's own policy allows everything and the accounts differ, so
// the resource policy alone decides.
import { text } from 'node:stream/consumers'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const everything = { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }

async function decide({ policy, principal, action, resource, context }) {
  const answer = await runSimulation(
    {
      request: {
        principal,
        action,
        resource: { resource, accountId: '999999999999' },
        contextVariables: context
      },
      identityPolicies: [{ name: 'everything', policy: everything }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: policy
    },
    {}
  )
  if (answer.resultType === 'single' && !answer.result.ignoredContextKeys?.length) {
    return answer.overallResult
  }
  return `not simulated: ${JSON.stringify(answer.errors ?? answer)}`
}

const answers = []
for (const one of JSON.parse(await text(process.stdin))) {
  answers.push(await decide(one))
}
process.stdout.write(JSON.stringify(answers))
