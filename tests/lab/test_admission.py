# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's CloudTrail demands of bucket, key, topic and log group (aws-facts section 3), and S3 beside it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.lab.organization_trail import SERVICE, make_bucket, options, put_policy, refusal, refused, statements
from tests.lab_process import Lab

Policy = list[dict[str, Any]]
BUCKET = "admission-bucket"
OTHER_REGION = "eu-west-1"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--scenario", "lesson") as lab:
        lab.client("organizations").enable_aws_service_access(ServicePrincipal=SERVICE)
        make_bucket(lab, BUCKET, [])
        yield lab


def good(lab: Lab, prefix: str = "") -> Policy:
    return statements(BUCKET, lab.trail_arn, lab.organization_id, prefix)


def convert(lab: Lab, **fields: Any) -> tuple[str, str]:
    """Try to make the lesson's trail an organization trail in the bucket; undo it if that succeeds."""
    cloudtrail = lab.client("cloudtrail")
    before = cloudtrail.get_trail(Name="default")["Trail"]
    wanted = {"Name": "default", "IsOrganizationTrail": True, "S3BucketName": BUCKET, **fields}
    outcome = refused(cloudtrail.update_trail, **wanted)
    if outcome[0]:
        assert cloudtrail.get_trail(Name="default")["Trail"] == before
    else:
        back = {name: "" for name in fields if name in ("S3KeyPrefix", "KmsKeyId")}
        cloudtrail.update_trail(Name="default", IsOrganizationTrail=False, S3BucketName=before["S3BucketName"], **back)
    return outcome


# --- the bucket policy ------------------------------------------------------------------------------


def replaced(old: str, new: str) -> Callable[[Lab, Policy], Policy]:
    def change(lab: Lab, policy: Policy) -> Policy:
        names = {
            "ARN": lab.trail_arn,
            "MANAGEMENT": lab.management,
            "ARCHIVE": lab.log_archive,
            "ORGANIZATION": lab.organization_id,
        }
        before, after = old, new
        for name, value in names.items():
            before, after = before.replace(name, value), after.replace(name, value)
        text = json.dumps(policy)
        assert before in text
        return list(json.loads(text.replace(before, after)))

    return change


def without(sid: str) -> Callable[[Lab, Policy], Policy]:
    return lambda _lab, policy: [statement for statement in policy if sid not in statement["Sid"]]


def denying(condition: dict[str, Any], action: str = "s3:PutObject") -> Callable[[Lab, Policy], Policy]:
    """A Deny for everyone under a condition; O-ID stands for the organization's id."""

    def change(lab: Lab, policy: Policy) -> Policy:
        resources = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
        deny = {"Sid": "Deny", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resources}
        text = json.dumps({**deny, "Condition": condition}).replace("O-ID", lab.organization_id)
        return [*policy, json.loads(text)]

    return change


SSE_MISSING = {"Null": {"s3:x-amz-server-side-encryption": "true"}}
WRONG_KEY = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}
FOREIGN = {"StringNotEquals": {"aws:PrincipalOrgID": "O-ID"}}
SPARING = {**FOREIGN, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}
INSECURE = {"Bool": {"aws:SecureTransport": "false"}}

BROKEN = {
    "no policy at all": lambda _lab, _policy: [],
    "organization statement missing": without("OrganizationWrite"),
    "management statement missing": without("TrailWrite"),
    "acl check missing": without("AclCheck"),
    "arn:aws:s3::: missing from a Resource": replaced(
        f"arn:aws:s3:::{BUCKET}/AWSLogs/ORGANIZATION", f"{BUCKET}/AWSLogs/ORGANIZATION"
    ),
    "another organization": replaced("ORGANIZATION", "o-0123456789"),
    "SourceArn of another region": replaced("us-east-1", "us-west-2"),
    "SourceArn of another trail": replaced("trail/default", "trail/audit"),
    "SourceArn with the log archive's account": replaced("us-east-1:MANAGEMENT", "us-east-1:ARCHIVE"),
    "wrong partition in the Resource": replaced("arn:aws:s3", "arn:aws-us-gov:s3"),
    "prefix in the policy only": replaced("/AWSLogs/", "/central/AWSLogs/"),
    "another acl": replaced("bucket-owner-full-control", "private"),
    "another service": replaced(SERVICE, "config.amazonaws.com"),
    "misspelt action": replaced("s3:PutObject", "s3:PutObjects"),
    "an unknown condition operator": replaced('"StringEquals"', '"StringSounds"'),
    "Deny without SSE header": denying(SSE_MISSING),
    "Deny without KMS": denying(WRONG_KEY),
    "Deny outside the organization": denying(FOREIGN, "s3:*"),
    "Deny of everything": denying({}),
}
"""Ways to break the right policy (aws-facts 3.3)."""

REFUSED_BY_S3 = {"arn:aws:s3::: missing from a Resource", "wrong partition in the Resource"}

FITTING = {
    "as AWS writes it": lambda _lab, policy: policy,
    "SourceAccount instead of SourceArn": replaced('"aws:SourceArn": "ARN"', '"aws:SourceAccount": "MANAGEMENT"'),
    "one statement for all writes": lambda _lab, policy: [
        policy[0],
        {**policy[1], "Resource": f"arn:aws:s3:::{BUCKET}/AWSLogs/*"},
    ],
    "no conditions": lambda _lab, policy: [
        {key: value for key, value in statement.items() if key != "Condition"} for statement in policy
    ],
    "Deny of insecure transport": denying(INSECURE, "s3:*"),
    "Deny outside the organization that spares services": denying(SPARING, "s3:*"),
}


def test_fact_3_2_the_refusal_does_not_say_why(lab: Lab) -> None:
    """Whatever is wrong, the answer is the same."""
    for case in ("SourceArn of another trail", "another service", "Deny of everything"):
        put_past_s3(lab, BROKEN[case](lab, good(lab)))
        assert convert(lab)[1] == f"Incorrect S3 bucket policy is detected for bucket: {BUCKET}"


def put_past_s3(lab: Lab, policy: Policy) -> None:
    s3 = lab.client("s3", lab.log_archive)
    if policy:
        put_policy(lab, BUCKET, policy)
    else:
        s3.delete_bucket_policy(Bucket=BUCKET)


@pytest.mark.parametrize("case", sorted(set(BROKEN) - REFUSED_BY_S3))
def test_fact_3_3_admission_refuses_a_broken_policy(lab: Lab, case: str) -> None:
    put_past_s3(lab, BROKEN[case](lab, good(lab)))
    assert convert(lab) == (
        "InsufficientS3BucketPolicyException",
        f"Incorrect S3 bucket policy is detected for bucket: {BUCKET}",
    )


@pytest.mark.parametrize("case", sorted(REFUSED_BY_S3))
def test_fact_3_3_s3_refuses_a_resource_that_is_not_the_buckets(lab: Lab, case: str) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": BROKEN[case](lab, good(lab))})
    put = lab.client("s3", lab.log_archive).put_bucket_policy
    assert refusal(put, Bucket=BUCKET, Policy=document) == "MalformedPolicy"


@pytest.mark.parametrize("case", FITTING)
def test_fact_3_1_admission_accepts_a_fitting_policy(lab: Lab, case: str) -> None:
    put_policy(lab, BUCKET, FITTING[case](lab, copy.deepcopy(good(lab))))
    assert convert(lab) == ("", "")


BY_ORGANIZATION = {"StringEquals": {"aws:SourceOrgID": "O-ID"}}
BY_PATH = {"ForAnyValue:StringLike": {"aws:SourceOrgPaths": "O-ID/r-*"}}


@pytest.mark.parametrize("tells", [False, True])
def test_fact_3_8_what_the_acl_request_tells_of_the_organization(lab: Lab, tells: bool) -> None:
    def everywhere(condition: dict[str, Any], statements: Policy) -> Policy:
        text = json.dumps([{**statement, "Condition": condition} for statement in statements])
        return list(json.loads(text.replace("O-ID", lab.organization_id)))

    policy = good(lab)
    with options(lab, source_org_id_on_bucket_acl=tells):
        for condition in (BY_ORGANIZATION, BY_PATH):
            put_policy(lab, BUCKET, [policy[0], *everywhere(condition, policy[1:])])
            assert convert(lab) == ("", "")
            put_policy(lab, BUCKET, everywhere(condition, policy))
            assert (convert(lab)[0] == "") is tells


def test_fact_3_1_an_account_trail_needs_no_organization_statement(lab: Lab) -> None:
    put_policy(lab, BUCKET, good(lab)[:2])
    assert convert(lab)[0] == "InsufficientS3BucketPolicyException"
    assert convert(lab, IsOrganizationTrail=False) == ("", "")


@pytest.mark.parametrize(
    ("in_trail", "in_policy", "code"),
    [
        ("", "central", "InsufficientS3BucketPolicyException"),
        ("central", "", "InsufficientS3BucketPolicyException"),
        ("central", "central", ""),
    ],
)
def test_fact_3_4_prefix_in_policy_and_trail(lab: Lab, in_trail: str, in_policy: str, code: str) -> None:
    put_policy(lab, BUCKET, good(lab, in_policy))
    assert convert(lab, S3KeyPrefix=in_trail)[0] == code


def test_fact_3_4_policy_can_come_before_the_trail(lab: Lab) -> None:
    arn = f"arn:aws:cloudtrail:{OTHER_REGION}:{lab.management}:trail/to-come"
    make_bucket(lab, "bucket-to-come", statements("bucket-to-come", arn))
    cloudtrail = lab.client("cloudtrail", region=OTHER_REGION)
    assert refusal(cloudtrail.create_trail, Name="other", S3BucketName="bucket-to-come") == (
        "InsufficientS3BucketPolicyException"
    )
    assert cloudtrail.create_trail(Name="to-come", S3BucketName="bucket-to-come")["TrailARN"] == arn
    cloudtrail.delete_trail(Name="to-come")


@pytest.mark.parametrize(
    ("bucket", "code"),
    [
        ("no-such-bucket", "S3BucketDoesNotExistException"),
        ("Not_A_Bucket", "InvalidS3BucketNameException"),
        ("", "InvalidS3BucketNameException"),
    ],
)
def test_fact_1_6_bucket_exists(lab: Lab, bucket: str, code: str) -> None:
    assert convert(lab, S3BucketName=bucket)[0] == code


def test_prefix_has_at_most_200_characters(lab: Lab) -> None:
    assert convert(lab, S3KeyPrefix="p" * 201)[0] == "InvalidS3PrefixException"


@pytest.mark.parametrize("markers", [True, False])
def test_fact_3_6_markers(lab: Lab, markers: bool) -> None:
    name = f"markers-{str(markers).lower()}"
    make_bucket(lab, name, statements(name, lab.trail_arn, lab.organization_id))
    with options(lab, admission_markers=markers):
        assert convert(lab, S3BucketName=name) == ("", "")
    objects = lab.client("s3", lab.log_archive).list_objects_v2(Bucket=name).get("Contents", [])
    found = {(item["Key"], item["Size"]) for item in objects}
    expected = {
        (f"AWSLogs/{base}{lab.management}/{kind}/", 0)
        for base in ("", f"{lab.organization_id}/")
        for kind in ("CloudTrail", "CloudTrail-Digest")
    }
    assert found == (expected if markers else set())


# --- KMS --------------------------------------------------------------------------------------------

CONTEXT = {"StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": "arn:aws:cloudtrail:*:MANAGEMENT:trail/*"}}
SOURCE = {"StringEquals": {"aws:SourceArn": "ARN"}}


def key_statements(generate: dict[str, Any] | None, describe: bool = True, more: str = "") -> Policy:
    service = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Resource": "*"}
    made = [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::ARCHIVE:root"}, "Action": "kms:*", "Resource": "*"}]
    if generate is not None:
        made.append({**service, "Action": "kms:GenerateDataKey*", "Condition": generate})
    if describe:
        made.append({**service, "Action": "kms:DescribeKey"})
    if more:
        made.append({**service, "Action": more})
    return made


KEY_POLICIES = {
    "as AWS writes it": (key_statements({**CONTEXT, **SOURCE}), ""),
    "key owner only": (key_statements(None, describe=False), "InsufficientEncryptionPolicyException"),
    "no GenerateDataKey": (key_statements(None), "InsufficientEncryptionPolicyException"),
    "no DescribeKey": (key_statements(CONTEXT, describe=False), "InsufficientEncryptionPolicyException"),
    "another trail": (
        key_statements({"StringEquals": {"aws:SourceArn": "ARN-2"}}),
        "InsufficientEncryptionPolicyException",
    ),
    "log archive's id in the context": (
        key_statements(json.loads(json.dumps(CONTEXT).replace("MANAGEMENT", "ARCHIVE"))),
        "InsufficientEncryptionPolicyException",
    ),
}


def make_key(lab: Lab, policy: Policy, region: str = "") -> str:
    text = json.dumps({"Version": "2012-10-17", "Statement": policy})
    text = text.replace("ARN", lab.trail_arn).replace("MANAGEMENT", lab.management).replace("ARCHIVE", lab.log_archive)
    kms = lab.client("kms", lab.log_archive, region)
    return str(kms.create_key(Policy=text)["KeyMetadata"]["Arn"])


@pytest.mark.parametrize("case", KEY_POLICIES)
def test_fact_3_7_key_policy(lab: Lab, case: str) -> None:
    policy, code = KEY_POLICIES[case]
    put_policy(lab, BUCKET, good(lab))
    key = make_key(lab, policy)
    found, message = convert(lab, KmsKeyId=key)
    assert found == code
    if code:
        assert message == f"Insufficient permissions to access S3 bucket {BUCKET} or KMS key {key}."


@pytest.mark.parametrize("tells", [False, True])
def test_fact_3_8_what_the_calls_for_the_key_tell_of_the_organization(lab: Lab, tells: bool) -> None:
    put_policy(lab, BUCKET, good(lab))
    policy = key_statements(CONTEXT, describe=False)
    describe = {**policy[1], "Action": "kms:DescribeKey", "Condition": {"StringEquals": {"aws:SourceOrgID": "O-ID"}}}
    policy = json.loads(json.dumps([*policy, describe]).replace("O-ID", lab.organization_id))
    with options(lab, source_org_id_on_keys_and_topics=tells):
        assert (convert(lab, KmsKeyId=make_key(lab, policy))[0] == "") is tells


def test_fact_3_7_bucket_key_needs_decrypt(lab: Lab) -> None:
    name = "bucket-with-a-bucket-key"
    make_bucket(lab, name, statements(name, lab.trail_arn, lab.organization_id))
    encryption = {
        "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}]
    }
    lab.client("s3", lab.log_archive).put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=encryption)
    fitting, lacking = (
        make_key(lab, key_statements(CONTEXT, more="kms:Decrypt")),
        make_key(lab, key_statements(CONTEXT)),
    )
    assert convert(lab, S3BucketName=name, KmsKeyId=lacking)[0] == "InsufficientEncryptionPolicyException"
    assert convert(lab, S3BucketName=name, KmsKeyId=fitting)[0] == ""


def test_fact_3_7_key_exists_in_the_buckets_region_and_is_enabled(lab: Lab) -> None:
    put_policy(lab, BUCKET, good(lab))
    elsewhere = make_key(lab, key_statements(CONTEXT), OTHER_REGION)
    disabled = make_key(lab, key_statements(CONTEXT))
    lab.client("kms", lab.log_archive).disable_key(KeyId=disabled.rpartition("/")[2])
    unknown = f"arn:aws:kms:us-east-1:{lab.log_archive}:key/00000000-0000-0000-0000-000000000000"
    assert convert(lab, KmsKeyId=elsewhere)[0] == "KmsKeyNotFoundException"
    assert convert(lab, KmsKeyId=unknown)[0] == "KmsKeyNotFoundException"
    assert convert(lab, KmsKeyId=disabled)[0] == "KmsKeyDisabledException"
    assert convert(lab, KmsKeyId="arn:aws:s3:::bucket")[0] == "InvalidKmsKeyIdException"


# --- topic and log group ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"SnsTopicName": "no-such-topic"}, "InsufficientSnsTopicPolicyException"),
        ({"SnsTopicName": "closed-topic"}, "InsufficientSnsTopicPolicyException"),
        ({"SnsTopicName": "not a topic"}, "InvalidSnsTopicNameException"),
        ({"CloudWatchLogsRoleArn": "ROLE"}, "InvalidCloudWatchLogsLogGroupArnException"),
        ({"CloudWatchLogsLogGroupArn": "GROUP"}, "InvalidCloudWatchLogsRoleArnException"),
        (
            {"CloudWatchLogsLogGroupArn": "GROUP", "CloudWatchLogsRoleArn": "ROLE"},
            "InvalidCloudWatchLogsRoleArnException",
        ),
        (
            {"CloudWatchLogsLogGroupArn": "UNKNOWN", "CloudWatchLogsRoleArn": "ROLE"},
            "InvalidCloudWatchLogsLogGroupArnException",
        ),
    ],
)
def test_topic_and_log_group_are_checked(lab: Lab, fields: dict[str, str], code: str) -> None:
    put_policy(lab, BUCKET, good(lab))
    lab.client("sns").create_topic(Name="closed-topic")
    logs = lab.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix="trail-logs")["logGroups"]:
        logs.create_log_group(logGroupName="trail-logs")
    group = f"arn:aws:logs:us-east-1:{lab.management}:log-group:trail-logs"
    known = {"ROLE": f"arn:aws:iam::{lab.management}:role/unknown", "GROUP": f"{group}:*", "UNKNOWN": f"{group}-2:*"}
    assert convert(lab, **{name: known.get(value, value) for name, value in fields.items()})[0] == code


def make_role(lab: Lab, name: str, account: str = "") -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = lab.client("iam", account).create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
    return str(role["Arn"])


def test_fact_2_16_log_group_and_role_are_of_the_callers_account_and_the_home_region(lab: Lab) -> None:
    put_policy(lab, BUCKET, good(lab))
    groups, roles = {}, {}
    for account, region in (
        (lab.management, "us-east-1"),
        (lab.management, OTHER_REGION),
        (lab.log_archive, "us-east-1"),
    ):
        lab.client("logs", account, region).create_log_group(logGroupName="placed")
        groups[account, region] = f"arn:aws:logs:{region}:{account}:log-group:placed:*"
    for account in (lab.management, lab.log_archive):
        roles[account] = make_role(lab, "placed-logs", account)
    refusals = {
        (place, account): convert(lab, CloudWatchLogsLogGroupArn=group, CloudWatchLogsRoleArn=role)[0]
        for place, group in groups.items()
        for account, role in roles.items()
        if (place, account) != ((lab.management, "us-east-1"), lab.management)
    }
    assert refusals.pop(((lab.management, "us-east-1"), lab.log_archive)) == "InvalidCloudWatchLogsRoleArnException"
    assert set(refusals.values()) == {"InvalidCloudWatchLogsLogGroupArnException"}


def test_fact_2_17_what_was_written_a_moment_ago_does_not_count_yet(lab: Lab) -> None:
    lab.client("logs").create_log_group(logGroupName="late")
    group = f"arn:aws:logs:us-east-1:{lab.management}:log-group:late:*"
    with options(lab, policy_propagation_calls=1):
        put_policy(lab, BUCKET, good(lab))
        assert [convert(lab)[0] for _call in range(2)] == ["InsufficientS3BucketPolicyException", ""]
    for code in ("InvalidCloudWatchLogsRoleArnException", "InvalidCloudWatchLogsLogGroupArnException"):
        with options(lab, policy_propagation_calls=1, late_role_code=code):
            role = make_role(lab, f"late-{code}")
            logs = {"CloudWatchLogsLogGroupArn": group, "CloudWatchLogsRoleArn": role}
            cloudtrail = lab.client("cloudtrail")
            assert refused(cloudtrail.update_trail, Name="default", **logs) == (
                code,
                "Access denied. Check the permissions for your role.",
            )
            assert refusal(cloudtrail.update_trail, Name="default", **logs) == ""
            cloudtrail.update_trail(Name="default", CloudWatchLogsLogGroupArn="")


def make_topic(lab: Lab, name: str, account: str = "", source: str = "") -> str:
    topic = str(lab.client("sns", account).create_topic(Name=name)["TopicArn"])
    statement = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "SNS:Publish", "Resource": topic}
    condition = {"Condition": {"StringEquals": {"aws:SourceArn": source}}} if source else {}
    document = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, **condition}]})
    client = lab.client("sns", account)
    client.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document)
    return topic


def test_fact_2_18_the_topics_policy_admits_the_trail(lab: Lab) -> None:
    put_policy(lab, BUCKET, good(lab))
    update = lab.client("cloudtrail").update_trail
    for account in (lab.management, lab.log_archive):
        admitting = make_topic(lab, "admitting", account, lab.trail_arn)
        other = make_topic(lab, "other", account, lab.trail_arn.replace("default", "other"))
        assert refused(update, Name="default", SnsTopicName=other) == (
            "InsufficientSnsTopicPolicyException",
            "SNS Topic does not exist or the topic policy is incorrect!",
        )
        assert refusal(update, Name="default", SnsTopicName=admitting) == ""
    read = lab.client("sns").get_topic_attributes
    assert refusal(read, TopicArn=admitting) == "AuthorizationError"
    update(Name="default", SnsTopicName="")


# --- S3 beside it -----------------------------------------------------------------------------------


def one_statement(**elements: str) -> str:
    wanted = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    given = {name: value for name, value in {**wanted, **elements}.items() if value}
    return json.dumps({"Version": "2012-10-17", "Statement": [given]})


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "[]",
        '{"Version": "2012-10-17", "Statement": []}',
        one_statement(Effect="Alow"),
        one_statement(Principal=""),
        one_statement(Resource="arn:aws:s3:::another-bucket/*"),
        one_statement(Resource=f"{BUCKET}/*"),
    ],
)
def test_put_bucket_policy_refuses_a_malformed_document(lab: Lab, document: str) -> None:
    s3 = lab.client("s3", lab.log_archive)
    put_policy(lab, BUCKET, good(lab))
    assert refusal(s3.put_bucket_policy, Bucket=BUCKET, Policy=document) == "MalformedPolicy"
    assert json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"] == good(lab)


def test_put_bucket_policy_refuses_the_same_sid_twice(lab: Lab) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": [*good(lab), good(lab)[0]]})
    put = lab.client("s3", lab.log_archive).put_bucket_policy
    assert refused(put, Bucket=BUCKET, Policy=document) == (
        "MalformedPolicy",
        "Statement IDs (SID) in a single policy must be unique.",
    )


def test_put_bucket_policy_refuses_more_than_20_kib(lab: Lab) -> None:
    filler = [{**statement, "Sid": f"{number}"} for number in range(60) for statement in good(lab)[:1]]
    document = json.dumps({"Version": "2012-10-17", "Statement": filler})
    assert len(document) < 20 * 1024
    put = lab.client("s3", lab.log_archive).put_bucket_policy
    assert refusal(put, Bucket=BUCKET, Policy=document) == ""
    assert refusal(put, Bucket=BUCKET, Policy=document + " " * (20 * 1024)) == "PolicyTooLarge"


@pytest.mark.parametrize(("counted", "fits"), [("sent", False), ("normalized", True)])
def test_fact_3_11_how_s3_counts_a_policy(lab: Lab, counted: str, fits: bool) -> None:
    spaced = json.dumps({"Version": "2012-10-17", "Id": "é" * 4000, "Statement": good(lab)}, indent=8)
    assert len(spaced) > 20 * 1024  # each é is sent as \u00e9
    with options(lab, policy_size=counted):
        outcome = refusal(lab.client("s3", lab.log_archive).put_bucket_policy, Bucket=BUCKET, Policy=spaced)
    assert outcome == ("" if fits else "PolicyTooLarge")


def test_block_public_policy(lab: Lab) -> None:
    s3 = lab.client("s3", lab.log_archive)
    public = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [public]})
    assert refusal(s3.put_bucket_policy, Bucket=BUCKET, Policy=document) == "AccessDenied"
    s3.delete_public_access_block(Bucket=BUCKET)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=document)
    assert s3.get_bucket_policy_status(Bucket=BUCKET)["PolicyStatus"]["IsPublic"]
    put_policy(lab, BUCKET, good(lab))
    assert not s3.get_bucket_policy_status(Bucket=BUCKET)["PolicyStatus"]["IsPublic"]


def test_new_buckets_are_closed_and_encrypted(lab: Lab) -> None:
    s3 = lab.client("s3", lab.log_archive)
    s3.create_bucket(Bucket="a-new-bucket")
    block = s3.get_public_access_block(Bucket="a-new-bucket")["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    rules = s3.get_bucket_ownership_controls(Bucket="a-new-bucket")["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    s3.delete_bucket_encryption(Bucket="a-new-bucket")
    [rule] = s3.get_bucket_encryption(Bucket="a-new-bucket")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert refusal(s3.get_bucket_tagging, Bucket="a-new-bucket") == "NoSuchTagSet"
    assert refusal(s3.get_object_lock_configuration, Bucket="a-new-bucket") == "ObjectLockConfigurationNotFoundError"
    assert refusal(s3.get_bucket_lifecycle_configuration, Bucket="a-new-bucket") == "NoSuchLifecycleConfiguration"


def test_fact_3_5_expected_bucket_owner(lab: Lab) -> None:
    s3 = lab.client("s3", lab.log_archive)
    assert refusal(s3.get_bucket_policy, Bucket=BUCKET, ExpectedBucketOwner=lab.management) == "AccessDenied"
    assert refusal(s3.get_bucket_policy, Bucket=BUCKET, ExpectedBucketOwner=lab.log_archive) == ""


def test_list_buckets_in_pages_by_prefix_and_region(lab: Lab) -> None:
    s3 = lab.client("s3", lab.log_archive)
    names = [f"page-{number}" for number in range(5)]
    for number, name in enumerate(names):
        make_bucket(lab, name, [], region=OTHER_REGION if number % 2 else "")
    pages = s3.get_paginator("list_buckets").paginate(Prefix="page-", PaginationConfig={"PageSize": 2})
    listed = [[(bucket["Name"], bucket["BucketRegion"]) for bucket in page["Buckets"]] for page in pages]
    assert [len(page) for page in listed] == [2, 2, 1]
    assert [name for page in listed for name, _region in page] == names
    elsewhere = s3.list_buckets(BucketRegion=OTHER_REGION)["Buckets"]
    assert [bucket["Name"] for bucket in elsewhere] == ["page-1", "page-3"]
    assert all("BucketRegion" not in bucket for bucket in s3.list_buckets()["Buckets"])
    assert refusal(s3.list_buckets, ContinuationToken="%%%") == "InvalidArgument"
