# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attack catalogue: every public way to blind an organization trail, and the rest that the API allows.

For each: detect_drift.yml names it; enable_org_trail.yml repairs it, or says what a person must do; when that is done,
a further run changes nothing. What is written is exactly the repair. The table in docs/docsite/rst/attacks.rst is made
from what these tests saw: ``ORG_TRAIL_WRITE_DOCS=1 python -m pytest tests/playbooks/test_attacks.py`` writes it.

Sources: MITRE ATT&CK T1562.008 (Impair Defenses: Disable or Modify Cloud Logs), Stratus Red Team's catalogue, and the
operations of CloudTrail, Organizations, S3, KMS, CloudWatch Logs and Account Management. Of Stratus's techniques for
AWS five are about CloudTrail or Organizations, all named aws.defense-evasion.…: cloudtrail-stop, cloudtrail-delete,
cloudtrail-event-selectors, cloudtrail-lifecycle-rule and organizations-leave.
https://stratus-red-team.cloud/attack-techniques/AWS/
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.statuses import FAIL_ON

from lab.inventory import write_inventory
from tests.ansible_run import ROOT, PlaybookResult, run_module, run_playbook
from tests.lab_process import Lab
from tests.main_job import MainJob, steps_of
from tests.trail_run import CLOUDTRAIL, make_key, make_log_group, make_topic

PAGE = ROOT / "docs" / "docsite" / "rst" / "attacks.rst"
STRATUS = "Stratus aws.defense-evasion."
OPT_IN_REGION = "eu-central-2"
OWN_REGION = "ap-east-1"


class World:
    """A lab with the organization trail turned on, with a key, a topic, a log group, insights and tags.

    user: the lab as it is seen by who runs the playbooks. Attackers, and persons who mend things, are management's
    administrator.
    """

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = self.user = lab
        self.folder = folder
        self.cloudtrail = lab.client("cloudtrail")
        self.organizations = lab.client("organizations")
        self.s3 = lab.client("s3", lab.log_archive)
        self.arn = lab.trail_arn
        key, topic = make_key(lab), make_topic(lab)
        self.key = key.rpartition("/")[2]
        self.foreign_key = make_key(lab, "alias/foreign")
        streams = (f"{lab.management}_*", f"{lab.organization_id}_*")
        options = {
            "kms_key_id": key,
            "sns_topic_name": topic,
            **make_log_group(lab, *streams),
            "insight_selectors": [{"insight_type": "ApiCallRateInsight"}],
            "tags": {"Owner": "security"},
        }
        self.variables = folder / "variables.json"
        wanted = {f"organization_trail_{name}": value for name, value in options.items()}
        self.variables.write_text(json.dumps({**wanted, "coverage_enabled": False}))
        steps = steps_of(self.turn_on())
        self.job = MainJob(self.user, steps)
        accounts = lab.client("organizations").list_accounts()["Accounts"]
        self.members = [account["Id"] for account in accounts if account["Id"] not in (lab.management, lab.log_archive)]
        for account in (lab.management, *self.members):
            self.opt("enable", account)
        self.policy: str = self.s3.get_bucket_policy(Bucket=lab.bucket)["Policy"]
        self.own_policy: str = lab.client("s3").get_bucket_policy(Bucket=self.own_bucket())["Policy"]

    def turn_on(self) -> PlaybookResult:
        """What begins it all; a run of enable_org_trail.yml."""
        return self.enable().ok()

    def inventory(self) -> Path:
        return write_inventory(self.folder / "inventory.yml", self.lab.ready)

    def run(self, playbook: str, **variables: Any) -> PlaybookResult:
        given = ("-e", f"@{self.variables}", "-e", json.dumps(variables))
        return run_playbook(self.user, f"playbooks/{playbook}.yml", "-i", str(self.inventory()), *given)

    def enable(self, **variables: Any) -> PlaybookResult:
        return self.run("enable_org_trail", **variables)

    def drift(self, **variables: Any) -> list[dict[str, Any]]:
        """What detect_drift.yml lists; it fails when, and only when, the list is not empty."""
        self.lab.clear_journal()
        result = self.run("detect_drift", detect_drift_report_dir=str(self.folder), **variables)
        document = json.loads((self.folder / "drift.json").read_text())
        assert self.lab.journal(writes=True) == []
        assert (result.rc != 0) == bool(document["drift"]), result.msg
        rows: list[dict[str, Any]] = document["drift"]
        return rows

    def written(self) -> list[str]:
        """What was written since the journal was emptied: the operations, UpdateTrail with what it changes."""
        return [
            " ".join([entry["operation"], *sorted({*entry["parameters"]} - {"Name"})])
            if entry["operation"] == "UpdateTrail"
            else entry["operation"]
            for entry in self.lab.journal(writes=True)
        ]

    def opt(self, verb: str, account: str, region: str = OPT_IN_REGION) -> None:
        """Enable or disable an opt-in region in an account."""
        other = {} if account == self.lab.management else {"AccountId": account}
        getattr(self.lab.client("account"), f"{verb}_region")(RegionName=region, **other)

    def coverage(self) -> dict[str, Any]:
        """Variables that make both playbooks ask the given accounts, of a trail that is older than a day."""
        lab = self.lab
        role = f"arn:aws:iam::{self.members[0]}:role/OrganizationAccountAccessRole"
        return {
            "coverage_enabled": True,
            "detect_drift_coverage": True,
            "coverage_accounts": [{"id": lab.management}, {"id": self.members[0], "assume_role_arn": role}],
            "coverage_regions": [lab.home_region, OPT_IN_REGION],
            "coverage_trail_changed_at": "2020-01-01T00:00:00Z",
            "coverage_fail_on": [*FAIL_ON, "region_disabled"],
        }

    def coverage_of_own_regions(self) -> dict[str, Any]:
        """Variables that make both playbooks ask the given accounts for their regions, too."""
        return {**self.coverage(), "coverage_regions": [], "coverage_fail_on": list(FAIL_ON)}

    def deliver(self) -> None:
        """Let CloudTrail deliver what happened, so that its status tells of failures."""
        self.lab.control("POST", "deliver", {"hours": 1})

    def update(self, **parameters: Any) -> None:
        self.cloudtrail.update_trail(Name=self.arn, **parameters)

    def select(self, **selector: Any) -> None:
        self.cloudtrail.put_event_selectors(TrailName=self.arn, EventSelectors=[selector])

    def own_bucket(self) -> str:
        """The bucket that the lesson's account trail had."""
        [bucket] = self.lab.client("s3").list_buckets()["Buckets"]
        return str(bucket["Name"])

    def create_trail(self, region: str, name: str) -> None:
        """A trail of the attacker's, in the bucket that the lesson's account trail had."""
        bucket, s3 = self.own_bucket(), self.lab.client("s3")
        arn = f":{region}:{self.lab.management}:trail/{name}"
        policy = self.own_policy.replace(f":{self.lab.home_region}:{self.lab.management}:trail/default", arn)
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
        self.lab.client("cloudtrail", region=region).create_trail(Name=name, S3BucketName=bucket)

    def put_policy(self, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
        document = json.loads(self.policy)
        policy = json.dumps({**document, "Statement": change(document["Statement"])})
        self.s3.put_bucket_policy(Bucket=self.lab.bucket, Policy=policy)


# What a person does, where the message asks for it.


def repair_policy(world: World) -> None:
    options = {"bucket": world.lab.bucket, "trail_arn": world.arn, "organization_id": world.lab.organization_id}
    assert run_module(world.lab, "cloudtrail_log_bucket_policy", options, account=world.lab.log_archive).changed


def restore_policy(world: World) -> None:
    world.s3.put_bucket_policy(Bucket=world.lab.bucket, Policy=world.policy)


def remove_lifecycle(world: World) -> None:
    world.s3.delete_bucket_lifecycle(Bucket=world.lab.bucket)


def resume_versioning(world: World) -> None:
    world.s3.put_bucket_versioning(Bucket=world.lab.bucket, VersioningConfiguration={"Status": "Enabled"})


def make_bucket_again(world: World) -> None:
    world.s3.create_bucket(Bucket=world.lab.bucket)
    restore_policy(world)


def remove_the_look_alike(world: World) -> None:
    world.s3.delete_bucket(Bucket="look-alike")
    repair_policy(world)


def delete_namesake(world: World) -> None:
    world.lab.client("cloudtrail", region="eu-west-1").delete_trail(Name="default")


def set_prefix(world: World) -> None:
    assert world.enable(organization_trail_s3_key_prefix="").ok().changed == 1
    restore_policy(world)


def deregister(world: World) -> None:
    world.cloudtrail.deregister_organization_delegated_admin(DelegatedAdminAccountId=world.members[0])


def enable_key(world: World) -> None:
    world.lab.client("kms").enable_key(KeyId=world.key)
    world.deliver()


def cancel_deletion(world: World) -> None:
    world.lab.client("kms").cancel_key_deletion(KeyId=world.key)
    enable_key(world)


def make_log_group_again(world: World) -> None:
    world.lab.client("logs").create_log_group(logGroupName="trail")
    world.deliver()


def expect_it_no_more(_world: World) -> None:
    """The account is taken out of coverage_accounts, or of detect_drift_delegated_administrators."""


def leave_the_region_of_its_own(world: World) -> None:
    world.lab.control("POST", "faults", [])
    world.opt("disable", world.members[0], OWN_REGION)


# What an attacker does, where it takes more than a call.


def delete_bucket(world: World) -> None:
    listed = world.s3.list_objects_v2(Bucket=world.lab.bucket).get("Contents", [])
    for entry in listed:
        world.s3.delete_object(Bucket=world.lab.bucket, Key=entry["Key"])
    world.s3.delete_bucket(Bucket=world.lab.bucket)


def expire_after_a_day(world: World) -> None:
    rule = {"ID": "tidy", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    world.s3.put_bucket_lifecycle_configuration(Bucket=world.lab.bucket, LifecycleConfiguration={"Rules": [rule]})


def expire_noncurrent_after_a_day(world: World) -> None:
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}}
    rules = [{**rule, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}}]
    world.s3.put_bucket_lifecycle_configuration(Bucket=world.lab.bucket, LifecycleConfiguration={"Rules": rules})


def freeze_at_once(world: World) -> None:
    rule = {"ID": "cold", "Status": "Enabled", "Filter": {"Prefix": ""}}
    rules = [{**rule, "Transitions": [{"Days": 0, "StorageClass": "DEEP_ARCHIVE"}]}]
    world.s3.put_bucket_lifecycle_configuration(Bucket=world.lab.bucket, LifecycleConfiguration={"Rules": rules})


def requester_pays(world: World, payer: str = "Requester") -> None:
    world.s3.put_bucket_request_payment(Bucket=world.lab.bucket, RequestPaymentConfiguration={"Payer": payer})


def encrypt_by_default(world: World, key: str = "") -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key} if key else {"SSEAlgorithm": "AES256"}
    rules = [{"ApplyServerSideEncryptionByDefault": default}]
    world.s3.put_bucket_encryption(Bucket=world.lab.bucket, ServerSideEncryptionConfiguration={"Rules": rules})


def grant_by_acl(world: World) -> None:
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    world.s3.put_bucket_ownership_controls(Bucket=world.lab.bucket, OwnershipControls=controls)
    world.s3.put_bucket_acl(Bucket=world.lab.bucket, GrantRead="id=0123456789abcdef")


def disable_acls(world: World) -> None:
    world.s3.put_bucket_acl(Bucket=world.lab.bucket, ACL="private")
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    world.s3.put_bucket_ownership_controls(Bucket=world.lab.bucket, OwnershipControls=controls)


def stop_replication(world: World) -> None:
    world.s3.delete_bucket_replication(Bucket=world.lab.bucket)


def replicate(world: World) -> None:
    resume_versioning(world)
    rule = {"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::the-copy"}}
    role = f"arn:aws:iam::{world.lab.log_archive}:role/copy"
    world.s3.put_bucket_replication(Bucket=world.lab.bucket, ReplicationConfiguration={"Role": role, "Rules": [rule]})


def statement_for(world: World, effect: str, principal: Any, action: str) -> None:
    """Add a statement about the whole bucket to its policy."""
    arn = f"arn:aws:s3:::{world.lab.bucket}"
    made = {"Sid": "Odd", "Effect": effect, "Principal": principal, "Action": action, "Resource": [arn, f"{arn}/*"]}
    world.put_policy(lambda statements: [*statements, made])


def suspend_versioning(world: World) -> None:
    world.s3.put_bucket_versioning(Bucket=world.lab.bucket, VersioningConfiguration={"Status": "Suspended"})


def deny_writes(world: World) -> None:
    deny = {
        "Sid": "Quiet",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{world.lab.bucket}/*",
    }
    world.put_policy(lambda statements: [*statements, deny])


def deny_files(world: World, pattern: str) -> None:
    """Nothing that admission writes is denied: AWS takes the trail, and these files are lost."""
    deny = {
        "Sid": "Silence",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{world.lab.bucket}/AWSLogs/*/{pattern.format(member=world.members[0])}",
    }
    world.put_policy(lambda statements: [*statements, deny])


def select_data_events_only(world: World) -> None:
    fields = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
    ]
    world.cloudtrail.put_event_selectors(TrailName=world.arn, AdvancedEventSelectors=[{"FieldSelectors": fields}])


def change_prefix(world: World) -> None:
    """The policy admits the other prefix, too, or AWS would refuse it."""
    admitted = json.loads(world.policy.replace("/AWSLogs/", "/elsewhere/AWSLogs/"))["Statement"]
    other = [{**one, "Sid": f"{one['Sid']}Elsewhere"} for one in admitted if one["Action"] == "s3:PutObject"]
    world.put_policy(lambda statements: [*statements, *other])
    world.update(S3KeyPrefix="elsewhere")


def disable_key(world: World) -> None:
    world.lab.client("kms").disable_key(KeyId=world.key)
    world.deliver()


def schedule_deletion(world: World) -> None:
    world.lab.client("kms").schedule_key_deletion(KeyId=world.key, PendingWindowInDays=7)
    world.deliver()


def delete_log_group(world: World) -> None:
    world.lab.client("logs").delete_log_group(logGroupName="trail")
    world.deliver()


def remove_account(world: World) -> None:
    world.organizations.remove_account_from_organization(AccountId=world.members[0])


def use_a_region_of_its_own(world: World) -> None:
    """Management has not enabled the region, and AWS's copy of the trail there is not made."""
    world.opt("enable", world.members[0], OWN_REGION)
    lost = {"service": "cloudtrail", "region": OWN_REGION, "fault": "code:TrailNotFoundException"}
    world.lab.control("POST", "faults", [lost])


def offer_a_look_alike(world: World) -> None:
    """A bucket that admits the trail, beside the trail's own, which no longer does."""
    world.s3.create_bucket(Bucket="look-alike")
    world.s3.put_bucket_policy(Bucket="look-alike", Policy=world.policy.replace(world.lab.bucket, "look-alike"))
    world.put_policy(lambda found: [one for one in found if "OrganizationWrite" not in one["Sid"]])


def trust_off_and_on(world: World) -> None:
    world.organizations.disable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
    world.organizations.enable_aws_service_access(ServicePrincipal=CLOUDTRAIL)


def take_the_administrator_away(world: World) -> None:
    world.cloudtrail.register_organization_delegated_admin(MemberAccountId=world.members[0])
    deregister(world)


def rename(world: World) -> None:
    world.cloudtrail.delete_trail(Name=world.arn)
    world.create_trail(world.lab.home_region, "decoy")


def make_namesake(world: World) -> None:
    world.update(IsMultiRegionTrail=False)
    world.create_trail("eu-west-1", "default")


@dataclass(frozen=True)
class Attack:
    """One technique.

    named: what detect_drift calls it (a part of each must appear). by_hand: what enable_org_trail.yml says where it
    cannot repair, "" where it repairs. remedy: what the person then does. quiet: enable_org_trail.yml succeeds, with a
    warning, where the trail itself is right. unseen: enable_org_trail.yml does not look there. repair: all that
    enable_org_trail.yml writes, after the remedy if there is one. variables: what the user set for both playbooks.
    """

    title: str
    act: Callable[[World], Any]
    named: tuple[str, ...]
    source: str = "MITRE T1562.008"
    by_hand: str = ""
    remedy: Callable[[World], None] | None = None
    quiet: bool = False
    unseen: bool = False
    repair: tuple[str, ...] = ()
    variables: Callable[[World], dict[str, Any]] = lambda _world: {}


@dataclass
class Seen:
    """What a test saw: the settings that detect_drift.yml named, and all that enable_org_trail.yml wrote."""

    drifted: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)


SEEN: dict[str, Seen] = {}

ATTACKS = [
    Attack(
        "Stop logging",
        lambda w: w.cloudtrail.stop_logging(Name=w.arn),
        ("logging",),
        STRATUS + "cloudtrail-stop",
        repair=("StartLogging",),
    ),
    Attack(
        "Delete the trail",
        lambda w: w.cloudtrail.delete_trail(Name=w.arn),
        ("trail",),
        STRATUS + "cloudtrail-delete",
        repair=("CreateTrail", "StartLogging", "PutInsightSelectors"),
    ),
    Attack(
        "Point the trail to another bucket, for this account only",
        lambda w: w.update(IsOrganizationTrail=False, S3BucketName=w.own_bucket(), KmsKeyId=""),
        ("s3_bucket_name", "is_organization_trail", "kms_key_id"),
        repair=("UpdateTrail IsOrganizationTrail KmsKeyId S3BucketName",),
    ),
    Attack(
        "Turn the organization flag off",
        lambda w: w.update(IsOrganizationTrail=False),
        ("is_organization_trail",),
        repair=("UpdateTrail IsOrganizationTrail",),
    ),
    Attack(
        "Log one region only",
        lambda w: w.update(IsMultiRegionTrail=False),
        ("is_multi_region_trail",),
        repair=("UpdateTrail IsMultiRegionTrail",),
    ),
    Attack(
        "Leave out global service events",
        lambda w: w.update(IsMultiRegionTrail=False, IncludeGlobalServiceEvents=False),
        ("include_global_service_events",),
        repair=("UpdateTrail IncludeGlobalServiceEvents IsMultiRegionTrail",),
    ),
    Attack(
        "Turn log file validation off",
        lambda w: w.update(EnableLogFileValidation=False),
        ("enable_log_file_validation",),
        repair=("UpdateTrail EnableLogFileValidation",),
    ),
    Attack(
        "Encrypt with a foreign KMS key",
        lambda w: w.update(KmsKeyId=w.foreign_key),
        ("kms_key_id",),
        repair=("UpdateTrail KmsKeyId",),
    ),
    Attack(
        "Remove the SNS topic",
        lambda w: w.update(SnsTopicName=""),
        ("sns_topic_name",),
        repair=("UpdateTrail SnsTopicName",),
    ),
    Attack(
        "Remove the CloudWatch Logs log group",
        lambda w: w.update(CloudWatchLogsLogGroupArn="", CloudWatchLogsRoleArn=""),
        ("cloud_watch_logs_log_group_arn", "cloud_watch_logs_role_arn"),
        repair=("UpdateTrail CloudWatchLogsLogGroupArn CloudWatchLogsRoleArn",),
    ),
    Attack(
        "Drop management events",
        lambda w: w.select(
            IncludeManagementEvents=False, DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::x/"]}]
        ),
        ("event_selectors",),
        STRATUS + "cloudtrail-event-selectors",
        repair=("PutEventSelectors",),
    ),
    Attack(
        "Log data events only, by an advanced event selector",
        select_data_events_only,
        ("event_selectors",),
        STRATUS + "cloudtrail-event-selectors",
        repair=("PutEventSelectors",),
    ),
    Attack(
        "Log read-only events",
        lambda w: w.select(ReadWriteType="ReadOnly"),
        ("event_selectors",),
        repair=("PutEventSelectors",),
    ),
    Attack(
        "Log write-only events",
        lambda w: w.select(ReadWriteType="WriteOnly"),
        ("event_selectors",),
        repair=("PutEventSelectors",),
    ),
    Attack(
        "Exclude an event source",
        lambda w: w.select(ReadWriteType="All", ExcludeManagementEventSources=["kms.amazonaws.com"]),
        ("event_selectors",),
        repair=("PutEventSelectors",),
    ),
    Attack(
        "Turn Insights off",
        lambda w: w.cloudtrail.put_insight_selectors(TrailName=w.arn, InsightSelectors=[]),
        ("insight_selectors",),
        repair=("PutInsightSelectors",),
    ),
    Attack(
        "Remove tags",
        lambda w: w.cloudtrail.remove_tags(ResourceId=w.arn, TagsList=[{"Key": "Owner", "Value": "security"}]),
        ("tags",),
        repair=("AddTags",),
    ),
    Attack(
        "Switch trusted access off",
        lambda w: w.organizations.disable_aws_service_access(ServicePrincipal=CLOUDTRAIL),
        ("trusted access", "is_organization_trail"),
        "aws-facts section 5",
        repair=("EnableAWSServiceAccess", "UpdateTrail IsOrganizationTrail"),
    ),
    Attack(
        "Switch trusted access off and on",
        trust_off_and_on,
        ("is_organization_trail",),
        "aws-facts section 5",
        repair=("UpdateTrail IsOrganizationTrail",),
    ),
    Attack(
        "Delete the trail, create one of another name",
        rename,
        ("trail",),
        repair=("CreateTrail", "StartLogging", "PutInsightSelectors"),
    ),
    Attack(
        "Register a delegated administrator of CloudTrail",
        lambda w: w.cloudtrail.register_organization_delegated_admin(MemberAccountId=w.members[0]),
        ("delegated administrator of cloudtrail.amazonaws.com", "RegisterOrganizationDelegatedAdmin", "user/admin"),
        "CloudTrail User Guide",
        remedy=deregister,
        unseen=True,
    ),
    Attack(
        "Take a delegated administrator's right away (with detect_drift_delegated_administrators)",
        take_the_administrator_away,
        ("not registered", "DeregisterOrganizationDelegatedAdmin", "user/admin"),
        "CloudTrail User Guide",
        remedy=expect_it_no_more,
        unseen=True,
        variables=lambda w: {"detect_drift_delegated_administrators": [w.members[0]]},
    ),
    Attack(
        "Empty the bucket policy",
        lambda w: w.s3.delete_bucket_policy(Bucket=w.lab.bucket),
        ("AWSCloudTrailOrganizationWrite20150319",),
        by_hand="cloudtrail_log_bucket_policy",
        remedy=restore_policy,
    ),
    Attack(
        "Remove one statement of the bucket policy",
        lambda w: w.put_policy(lambda found: [one for one in found if "OrganizationWrite" not in one["Sid"]]),
        ("AWSCloudTrailOrganizationWrite20150319",),
        by_hand="cloudtrail_log_bucket_policy",
        remedy=repair_policy,
    ),
    Attack(
        "Remove one statement of the bucket policy, and offer another bucket that admits the trail",
        offer_a_look_alike,
        ("AWSCloudTrailOrganizationWrite20150319",),
        by_hand="No other bucket is taken in its place",
        remedy=remove_the_look_alike,
    ),
    Attack("Deny writes in the bucket policy", deny_writes, ("Quiet",), by_hand="Quiet", remedy=restore_policy),
    *(
        Attack(
            f"Deny {what} in the bucket policy",
            partial(deny_files, pattern=pattern),
            ("Silence",),
            by_hand="Silence",
            remedy=restore_policy,
        )
        for what, pattern in {
            "one member's files": "{member}/*.gz",
            "one region's files": "CloudTrail/eu-west-1/*.json.gz",
            "digest files": "CloudTrail-Digest/*_CloudTrail-Digest_*",
            "the files of a month to come": "CloudTrail/*/2031/05/*",
        }.items()
    ),
    Attack("Delete the bucket", delete_bucket, ("bucket",), by_hand="log_bucket", remedy=make_bucket_again),
    Attack(
        "Let log files expire after a day",
        expire_after_a_day,
        ("lifecycle",),
        STRATUS + "cloudtrail-lifecycle-rule",
        by_hand="deletes log files after 1 days",
        remedy=remove_lifecycle,
        quiet=True,
    ),
    Attack(
        "Let noncurrent versions expire after a day",
        expire_noncurrent_after_a_day,
        ("lifecycle", "noncurrent versions"),
        by_hand="deletes noncurrent versions after 1 days",
        remedy=remove_lifecycle,
        quiet=True,
    ),
    Attack(
        "Move log files to deep archive at once",
        freeze_at_once,
        ("lifecycle", "DEEP_ARCHIVE"),
        by_hand="moves log files to DEEP_ARCHIVE after 0 days",
        remedy=remove_lifecycle,
        quiet=True,
    ),
    Attack(
        "Turn Requester Pays on",
        requester_pays,
        ("request_payment",),
        "aws-facts 3.10",
        by_hand="Requester Pays is on",
        remedy=lambda w: requester_pays(w, "BucketOwner"),
    ),
    Attack(
        "Deny reading in the bucket policy",
        lambda w: statement_for(w, "Deny", {"AWS": w.lab.log_archive}, "s3:GetObject"),
        ("readers",),
        by_hand="denies s3:GetObject to everybody",
        remedy=restore_policy,
        quiet=True,
    ),
    Attack(
        "Let an account outside the organization into the bucket",
        lambda w: statement_for(w, "Allow", {"AWS": "999999999999"}, "s3:*"),
        ("outside_access", "which is not in the organization"),
        remedy=restore_policy,
        unseen=True,
    ),
    Attack(
        "Encrypt the bucket by default with a foreign key",
        lambda w: encrypt_by_default(w, "arn:aws:kms:us-east-1:999999999999:key/1234abcd"),
        ("encryption", "which is not in the organization"),
        remedy=encrypt_by_default,
        unseen=True,
    ),
    Attack(
        "Grant access by the bucket's ACL",
        grant_by_acl,
        ("acl", "object_ownership"),
        by_hand="the ACL grants READ",
        remedy=disable_acls,
        quiet=True,
    ),
    Attack(
        "Remove the replication (with log_bucket_lookup_expected_health)",
        stop_replication,
        ("replication", "copies to the-copy"),
        by_hand="copies to the-copy",
        remedy=replicate,
        quiet=True,
        variables=lambda _world: {"log_bucket_lookup_expected_health": {"replication_buckets": ["the-copy"]}},
    ),
    Attack(
        "Suspend versioning of the bucket",
        suspend_versioning,
        ("versioning",),
        by_hand="ersioning",
        remedy=resume_versioning,
        quiet=True,
    ),
    Attack(
        "Make a second trail of the same name elsewhere",
        make_namesake,
        ("eu-west-1",),
        by_hand="eu-west-1",
        remedy=delete_namesake,
        repair=("UpdateTrail IsMultiRegionTrail",),
    ),
    Attack(
        "Change the key prefix",
        change_prefix,
        ("s3_key_prefix",),
        repair=("UpdateTrail S3KeyPrefix",),
        variables=lambda _world: {"organization_trail_s3_key_prefix": ""},
    ),
    Attack(
        "Change the key prefix of a trail for which none is set",
        change_prefix,
        ("could not be judged",),
        by_hand="prefix 'elsewhere'",
        remedy=set_prefix,
    ),
    Attack(
        "Delete the log group itself",
        delete_log_group,
        ("delivery_error", "ResourceNotFoundException for events to CloudWatch Logs"),
        by_hand="Make the log group again",
        remedy=make_log_group_again,
        quiet=True,
    ),
    Attack(
        "Disable the KMS key",
        disable_key,
        ("delivery_error", "KMS.DisabledException"),
        by_hand="Enable the trail's KMS key",
        remedy=enable_key,
        quiet=True,
    ),
    Attack(
        "Schedule the KMS key for deletion",
        schedule_deletion,
        ("delivery_error", "KMS.DisabledException"),
        by_hand="cancel its deletion",
        remedy=cancel_deletion,
        quiet=True,
    ),
    Attack(
        "Disable a region in a member (with detect_drift_coverage, and region_disabled in coverage_fail_on)",
        lambda w: w.opt("disable", w.members[0]),
        ("region_disabled", OPT_IN_REGION),
        by_hand="region disabled 1",
        remedy=lambda w: w.opt("enable", w.members[0]),
        variables=lambda w: w.coverage(),
    ),
    Attack(
        "Enable a region in one member only, to which the trail does not come (with detect_drift_coverage)",
        use_a_region_of_its_own,
        ("missing", OWN_REGION),
        "MITRE T1535",
        by_hand="rail missing",
        remedy=leave_the_region_of_its_own,
        variables=lambda w: w.coverage_of_own_regions(),
    ),
    Attack(
        "Give the hosts keys of an account that is not theirs",
        lambda _world: None,
        ("could not be judged",),
        "MITRE T1078.004",
        by_hand="999999999999",
        remedy=lambda _world: None,
        variables=lambda _world: {"account_id": "999999999999"},
    ),
    Attack(
        "Remove an account from the organization (with detect_drift_coverage and coverage_accounts)",
        remove_account,
        ("missing",),
        STRATUS + "organizations-leave",
        by_hand="rail missing",
        remedy=expect_it_no_more,
        variables=lambda w: w.coverage(),
    ),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Lab() as lab:
        world = World(lab, tmp_path_factory.mktemp("attacks"))
        yield world
        world.job.stop()


def withstand(world: World, attack: Attack, named: tuple[str, ...]) -> Seen:
    """Detect and repair an attack, by hand where the message asks for it. named: what detect_drift.yml calls it."""
    lab, variables = world.lab, attack.variables(world)
    attack.act(world)
    drift = world.drift(**variables)
    for name in named:
        assert name in json.dumps(drift)

    lab.clear_journal()
    done = world.enable(**variables)
    if "coverage_enabled" in variables:
        assert done.results[-1].task == "Show what changed"
    if attack.by_hand:
        assert (done.rc == 0) == attack.quiet, done.msg
        assert world.written() == []
        assert attack.by_hand in (json.dumps(done.warnings) if attack.quiet else done.msg)
        assert attack.remedy
        attack.remedy(world)
        lab.clear_journal()
        done = world.enable()
    done.ok()
    assert world.written() == list(attack.repair)

    if attack.unseen:
        assert attack.remedy
        attack.remedy(world)
    stand(world)
    return Seen(sorted({str(row["what"]) for row in drift}), list(attack.repair))


def stand(world: World) -> None:
    """A further run changes nothing, and the trail logs."""
    world.lab.clear_journal()
    assert world.job.run() == ""
    assert world.written() == []
    assert world.cloudtrail.get_trail_status(Name=world.arn)["IsLogging"]


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.title for attack in ATTACKS])
def test_attack(world: World, attack: Attack) -> None:
    SEEN[attack.title] = withstand(world, attack, attack.named)


def test_the_page_shows_what_was_seen() -> None:
    if len(SEEN) < len(ATTACKS):
        pytest.skip("needs all attacks in one run")
    if os.environ.get("ORG_TRAIL_WRITE_DOCS"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


def page() -> str:
    """docs/docsite/rst/attacks.rst."""
    lines = [
        "..",
        "  Copyright: Contributors to the cloudsec.org_trail collection",
        "  GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)",
        # REUSE-IgnoreStart
        "  SPDX-License-Identifier: GPL-3.0-or-later",
        # REUSE-IgnoreEnd
        "",
        ".. _ansible_collections.cloudsec.org_trail.docsite.attacks:",
        "",
        "What is detected and repaired",
        "=============================",
        "",
        "Each row is a test, and says what that test saw: what ``detect_drift.yml`` names, and all that",
        "``enable_org_trail.yml`` then writes. Where it does not repair, its message says what to do, or that of",
        "``detect_drift.yml``.",
        "",
        # test_guardrails.py proves the numbers.
        "For administrators and root users of the log archive :ref:`the guardrails",
        "<ansible_collections.cloudsec.org_trail.docsite.guardrails>` prevent 21 of these rows, and 1 for those of",
        "another member. What management's do, no policy of the organization prevents.",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "   :widths: 28 22 25 25",
        "",
        "   * - What is done",
        "     - Known from",
        "     - detect_drift.yml names",
        "     - enable_org_trail.yml",
    ]
    for attack in ATTACKS:
        seen = SEEN[attack.title]
        how = "warns, and says what to do" if attack.quiet else "refuses, and says what to do" if attack.by_hand else ""
        how = "does not look there" if attack.unseen else how
        wrote = f"{'repairs the rest' if how else 'repairs it'}: {', '.join(seen.written)}" if seen.written else ""
        lines += [
            f"   * - {attack.title}",
            f"     - {attack.source}",
            f"     - {', '.join(seen.drifted)}",
            f"     - {'; then '.join(filter(None, (how, wrote)))}",
        ]
    return "\n".join(lines) + "\n"
