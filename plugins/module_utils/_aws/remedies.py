# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about errors of AWS whose text does not say it."""

from __future__ import annotations

SCP_DENIES = "explicit deny in a service control policy"
NO_SCP_ALLOWS = "no service control policy allows"

DENIALS = {
    SCP_DENIES: "A service control policy denies {action}: let it spare {who}, or run with a role that it spares.",
    NO_SCP_ALLOWS: "No service control policy allows {action} in this account: let one allow it, or run elsewhere.",
    "resource control policy": "A resource control policy of the resource's organization denies {action}: let it "
    "spare {who}.",
    "BlockPublicPolicy": "The public access block refuses a policy that it takes for public: name principals, or add "
    "conditions, in its statements for everybody. Keep the block on.",
    "explicit deny in a resource-based policy": "The resource's own policy denies {action}: run with a role that "
    "this Deny spares, or let the resource's owner spare {who} in it.",
    "no resource-based policy allows": "The resource's own policy does not let {who} call {action}: allow it there, "
    "or run with a role of the account that owns the resource.",
    "permissions boundary": "The permissions boundary does not let {who} call {action}: allow it there, or run with "
    "another role.",
    "session policy": "The session policy with which the role was assumed does not allow {action}: sign in without it.",
    "VPC endpoint policy": "The policy of the VPC endpoint that the call went through does not allow {action}: allow "
    "it there.",
    "explicit deny in an identity-based policy": "A policy of {who} denies {action}: change that Deny, or run with "
    "another role.",
    "no identity-based policy allows": "{who} needs the permission {action}; allow it in {policy}.",
}
"""Words with which AWS says what denied a call, and what to do about that, the most telling words first.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""


def is_scp_denial(text: str) -> bool:
    """Whether AWS's text of a denial names service control policies as its cause (aws-facts 7.10)."""
    return SCP_DENIES in text or NO_SCP_ALLOWS in text


def denial_remedy(text: str, who: str, action: str) -> str:
    """What to do about a denial, by AWS's text.

    who: ARN of the caller, action: the IAM action; "" for what is not known.
    """
    need = "{who} needs the permission {action}" if action else "{who} lacks a permission"
    unnamed = (
        f"{need}; allow it, or find the policy that denies it: the resource's own, a permissions boundary, a VPC "
        "endpoint's, or a service control policy."
    )
    remedy = next((remedy for words, remedy in DENIALS.items() if words in text), unnamed)
    policy = "a policy of its own and in the key's" if action.startswith("kms:") else "a policy of its own"
    told = remedy.format(who=who or "the caller", action=action or "it", policy=policy)
    return told[0].upper() + told[1:] if told.startswith("the ") else told


NO_ORGANIZATION = (
    "This account belongs to no organization. Run against the management account of an organization, or create one "
    "first."
)
MANAGEMENT = "Run with credentials of the management account, or set assume_role_arn to a role in it."
NAME_BY_ARN = "Look at the trail's name and region with aws cloudtrail list-trails, and give its ARN as name."
RUN_AGAIN = "Run again in a few minutes."
MAY_NOT_COUNT_YET = (
    "What was written a moment ago may not count yet: then run again in a few minutes, or raise "
    "policy_propagation_timeout. Otherwise "
)
"""For refusals of what may well be right (aws-facts 2.17)."""

REMEDIES = {
    "AWSOrganizationsNotInUseException": NO_ORGANIZATION,
    "OrganizationsNotInUseException": NO_ORGANIZATION,
    "OrganizationNotInAllFeaturesModeException": "The organization has only consolidated billing. Enable all features "
    "in AWS Organizations first.",
    "NotOrganizationMasterAccountException": f"Only the organization's management account can do this. {MANAGEMENT}",
    "OperationNotPermittedException": f"Members may look at an organization trail, but not change it. {MANAGEMENT}",
    "CloudTrailAccessNotEnabledException": "Trusted access for cloudtrail.amazonaws.com is off. Turn it on first with "
    "the role trusted_access (or wait a few minutes if that was just done).",
    "InsufficientDependencyServiceAccessPermissionException": "CloudTrail's service-linked role is missing and the "
    "caller may not create it. Allow iam:CreateServiceLinkedRole for cloudtrail.amazonaws.com.",
    "InsufficientIAMAccessPermissionException": "A service-linked role of CloudTrail is missing and the caller may not "
    "create it. Allow iam:CreateServiceLinkedRole for cloudtrail.amazonaws.com and context.cloudtrail.amazonaws.com.",
    "NoManagementAccountSLRExistsException": "The management account lacks the role AWSServiceRoleForCloudTrail. "
    "Create it there: aws iam create-service-linked-role --aws-service-name cloudtrail.amazonaws.com",
    "InsufficientS3BucketPolicyException": f"{MAY_NOT_COUNT_YET}the bucket's policy does not admit this trail, or its "
    "key prefix. The module cloudtrail_log_bucket_info names the cause and cloudtrail_log_bucket_policy mends it. "
    "Where they find nothing, a resource control policy may keep CloudTrail out of the bucket: let it spare the trail.",
    "InsufficientEncryptionPolicyException": "Either the bucket's policy or the key's does not admit this trail. The "
    "module cloudtrail_log_bucket_info names the cause in the bucket's policy; the key's policy must allow "
    "cloudtrail.amazonaws.com kms:GenerateDataKey* and kms:DescribeKey.",
    "InsufficientSnsTopicPolicyException": "Let the policy of the SNS topic allow cloudtrail.amazonaws.com "
    "sns:Publish, with the condition aws:SourceArn for this trail, or correct sns_topic_name.",
    "InvalidSnsTopicNameException": "Correct sns_topic_name: the name of a topic in the trail's account and home "
    "region, or the ARN of one elsewhere.",
    "S3BucketDoesNotExistException": "Check s3_bucket_name; the role log_bucket creates a bucket.",
    "InvalidS3BucketNameException": "Correct s3_bucket_name: the bucket's name alone, without s3:// and without a "
    "prefix.",
    "InvalidS3PrefixException": "Correct s3_key_prefix: at most 200 characters.",
    "InvalidKmsKeyIdException": "Correct kms_key_id: the id, alias or ARN of a key.",
    "KmsKeyNotFoundException": "Set kms_key_id to a symmetric key that exists in the bucket's region, by its ARN when "
    "it is another account's.",
    "KmsKeyDisabledException": "Enable the KMS key, or set kms_key_id to another one.",
    "KmsException": "Look at the KMS key in its account: whether it is enabled, symmetric, in the bucket's region, and "
    "its policy allows cloudtrail.amazonaws.com kms:GenerateDataKey* and kms:DescribeKey.",
    "InvalidCloudWatchLogsLogGroupArnException": f"{MAY_NOT_COUNT_YET}correct cloud_watch_logs_log_group_arn: a log "
    "group that exists in the trail's account and home region.",
    "InvalidCloudWatchLogsRoleArnException": f"{MAY_NOT_COUNT_YET}correct cloud_watch_logs_role_arn: a role of the "
    "trail's account that cloudtrail.amazonaws.com may assume, and that may call logs:CreateLogStream and "
    "logs:PutLogEvents for the log group.",
    "CloudWatchLogsDeliveryUnavailableException": "CloudTrail delivers to no log group in this region. Leave "
    "cloud_watch_logs_log_group_arn and cloud_watch_logs_role_arn out, or have the trail in another home region.",
    "InvalidHomeRegionException": "The trail's home region is another one; name the trail by its ARN.",
    "InvalidTrailNameException": "Correct name: 3 to 128 letters, digits and single . _ - between them.",
    "TrailNotProvidedException": NAME_BY_ARN,
    "CloudTrailARNInvalidException": NAME_BY_ARN,
    "TrailNotFoundException": f"Somebody may have deleted the trail in the meantime. {NAME_BY_ARN}",
    "ResourceNotFoundException": f"Somebody may have deleted the trail in the meantime. {NAME_BY_ARN}",
    "ResourceTypeNotSupportedException": NAME_BY_ARN,
    "TrailAlreadyExistsException": "Somebody made a trail of this name in the meantime. Run again; then it is "
    "converted.",
    "MaximumNumberOfTrailsExceededException": "Delete a trail of that region that is no longer needed, choose another "
    "region, or convert an existing trail by setting its name.",
    "InvalidEventSelectorsException": "Correct event_selectors or advanced_event_selectors: at most five basic ones; "
    "in each advanced one eventCategory with one value, for data events also resources.type.",
    "InvalidInsightSelectorsException": "Correct insight_selectors. Insights need a trail that logs the events which "
    "they analyse.",
    "InvalidParameterCombinationException": "Two options exclude each other; AWS's text says which. Leave one out.",
    "InvalidParameterException": "AWS's text says which option it does not take. Correct it.",
    "InvalidTagParameterException": "Correct tags: keys of 1 to 128 characters that are not twice in it and do not "
    "begin with aws:, and values of at most 256.",
    "TagsLimitExceededException": "A trail has at most 50 tags. Give fewer in tags.",
    "UnsupportedOperationException": "AWS does not have this in the trail's region or partition. Leave the newest "
    "options out, or have the trail in another home region.",
    "CloudTrailInvalidClientTokenIdException": "Check the credentials, and that the trail's home region is enabled in "
    "the account.",
    "ConflictException": f"Somebody else changes the trail at this moment. {RUN_AGAIN}",
    "ThrottlingException": f"Somebody else uses up the account's rate. {RUN_AGAIN}",
}
"""By AWS's code (aws-facts 1.1 to 1.5, 2.7, 2.16 to 2.18)."""

REGISTRATION_REMEDIES = {
    f"{verb}OrganizationDelegatedAdmin": "CloudTrail asks AWS Organizations in the caller's name. Allow "
    f"organizations:{verb}DelegatedAdministrator for cloudtrail.amazonaws.com."
    for verb in ("Register", "Deregister")
}
"""By operation, for InsufficientDependencyServiceAccessPermissionException (aws-facts 11.3).

With a missing service-linked role these two answer InsufficientIAMAccessPermissionException instead.
"""


def code_remedy(code: str, operation: str) -> str:
    """What to do about a code of AWS that an operation answered; empty when nothing is known."""
    if code == "InsufficientDependencyServiceAccessPermissionException" and operation in REGISTRATION_REMEDIES:
        return REGISTRATION_REMEDIES[operation]
    return REMEDIES.get(code, "")
