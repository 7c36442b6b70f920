// Copyright: Contributors to the cloudsec.org_trail collection
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Turns on the organization trail by hand, as the lesson does, and writes what it saw as JSON to standard output.
// Arguments: the log archive account, the bucket there. AWS_ENDPOINT_URL, region and keys are in the environment.
import {
  CloudTrailClient,
  DescribeTrailsCommand,
  GetTrailCommand,
  GetTrailStatusCommand,
  LookupEventsCommand,
  StopLoggingCommand,
  UpdateTrailCommand
} from '@aws-sdk/client-cloudtrail'
import {
  DescribeOrganizationCommand,
  EnableAWSServiceAccessCommand,
  ListAWSServiceAccessForOrganizationCommand,
  OrganizationsClient,
  paginateListAccounts
} from '@aws-sdk/client-organizations'
import { GetBucketPolicyCommand, ListBucketsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'

const [logArchive, bucket] = process.argv.slice(2)
const seen = {}

// The name of the error that a call is refused with.
async function refusal(client, command) {
  try {
    await client.send(command)
  } catch (error) {
    return error.name
  }
  return 'nothing'
}

const sts = new STSClient({})
seen.caller = (await sts.send(new GetCallerIdentityCommand({}))).Account

const organizations = new OrganizationsClient({})
seen.organization = (await organizations.send(new DescribeOrganizationCommand({}))).Organization.Id
seen.accounts = 0
for await (const page of paginateListAccounts({ client: organizations }, {})) {
  seen.accounts += page.Accounts.length
}

const cloudtrail = new CloudTrailClient({})
const [trail] = (await cloudtrail.send(new DescribeTrailsCommand({}))).trailList
const conversion = new UpdateTrailCommand({ Name: trail.TrailARN, IsOrganizationTrail: true, S3BucketName: bucket })
seen.refusedBefore = await refusal(cloudtrail, conversion)

await organizations.send(new EnableAWSServiceAccessCommand({ ServicePrincipal: 'cloudtrail.amazonaws.com' }))
const access = await organizations.send(new ListAWSServiceAccessForOrganizationCommand({}))
seen.access = access.EnabledServicePrincipals.map(one => one.ServicePrincipal)

const session = await sts.send(
  new AssumeRoleCommand({
    RoleArn: `arn:aws:iam::${logArchive}:role/OrganizationAccountAccessRole`,
    RoleSessionName: 'lesson'
  })
)
const credentials = {
  accessKeyId: session.Credentials.AccessKeyId,
  secretAccessKey: session.Credentials.SecretAccessKey,
  sessionToken: session.Credentials.SessionToken
}
const s3 = new S3Client({ credentials })
seen.buckets = (await s3.send(new ListBucketsCommand({}))).Buckets.map(one => one.Name)
const policy = JSON.parse((await s3.send(new GetBucketPolicyCommand({ Bucket: bucket }))).Policy)
seen.statements = policy.Statement.length

await cloudtrail.send(conversion)
seen.trail = (await cloudtrail.send(new GetTrailCommand({ Name: trail.TrailARN }))).Trail
seen.logging = (await cloudtrail.send(new GetTrailStatusCommand({ Name: trail.TrailARN }))).IsLogging
seen.objects = (await s3.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents?.length ?? 0

const member = new CloudTrailClient({ credentials })
seen.memberTrails = (await member.send(new DescribeTrailsCommand({}))).trailList.map(one => one.TrailARN)
seen.memberStops = await refusal(member, new StopLoggingCommand({ Name: trail.TrailARN }))
const history = new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'UpdateTrail' }] })
seen.events = (await cloudtrail.send(history)).Events.map(one => JSON.parse(one.CloudTrailEvent).errorCode ?? 'ok')

process.stdout.write(JSON.stringify(seen))
