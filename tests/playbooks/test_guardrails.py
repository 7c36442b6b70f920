# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""organizations_policy, the role guardrails and guard_org_trail.yml against the lab."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from lab.inventory import write_inventory
from tests.ansible_run import ROOT, PlaybookResult, run_module, run_playbook
from tests.iam_files import filled, without
from tests.lab.organization_trail import refused
from tests.lab_process import MEMBER_ROLE, Lab
from tests.playbooks.test_attacks import ATTACKS as CATALOGUE

DENY = {"Sid": "KeepMembership", "Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}
CONTENT = {"Version": "2012-10-17", "Statement": [DENY]}
RCP = {"Version": "2012-10-17", "Statement": [{**DENY, "Principal": "*", "Action": "s3:DeleteBucket"}]}
NAME = "org-trail-test"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def ours(lab: Lab) -> list[str]:
    """Names of the organization's policies that are not AWS's and not the lesson's."""
    organizations = lab.client("organizations")
    kinds = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
    policies = [one for kind in kinds for one in organizations.list_policies(Filter=kind)["Policies"]]
    return sorted(one["Name"] for one in policies if one["Name"].startswith("org-trail"))


def test_organizations_policy(lab: Lab) -> None:
    """The life of a policy: created, repaired, moved, deleted; what is not ours stays."""
    busy = {"operation": "AttachPolicy", "fault": "code:PolicyChangesInProgressException", "nth": 1}
    lab.control("POST", "faults", [busy])
    options: dict[str, Any] = {"name": NAME, "content": CONTENT, "targets": ["Workloads"]}
    lab.clear_journal()
    predicted = run_module(lab, "organizations_policy", options, "--check", "--diff")
    assert (predicted.changed, lab.journal(writes=True), ours(lab)) == (True, [], [])
    made = run_module(lab, "organizations_policy", options, "--diff")
    assert made.changed, made.msg
    assert made["targets"] == predicted["targets"] == made["attached"]
    assert made.diff[0]["after"]["statements"] == {"KeepMembership": DENY} == predicted.diff[0]["after"]["statements"]
    assert made["size"] == {"characters": len(json.dumps(CONTENT, separators=(",", ":"))), "limit": 10_240}
    assert made["policy"]["tags"] == {"ManagedBy": "cloudsec.org_trail"}
    lab.clear_journal()
    again = run_module(lab, "organizations_policy", {**options, "content": {**CONTENT, "Statement": DENY}})
    assert (again.changed, lab.journal(writes=True)) == (False, [])

    organizations, identifier = lab.client("organizations"), made["policy"]["id"]
    organizations.update_policy(PolicyId=identifier, Content=json.dumps({"Statement": {**DENY, "Action": "s3:*"}}))
    moved = run_module(lab, "organizations_policy", {**options, "targets": ["root", lab.log_archive]})
    assert (len(moved["attached"]), moved["detached"], moved["policy"]["content"]) == (2, made["targets"], CONTENT)
    kept = {**options, "purge_targets": False}
    assert len(run_module(lab, "organizations_policy", kept)["targets"]) == 3

    gone = run_module(lab, "organizations_policy", {"name": NAME, "state": "absent"})
    assert (gone.changed, gone["policy"], ours(lab)) == (True, {}, [])
    assert not run_module(lab, "organizations_policy", {"name": NAME, "state": "absent"}).changed


def test_organizations_policy_enables_its_type_and_waits(lab: Lab) -> None:
    lab.control("POST", "options", {"policy_type_propagation_calls": 2})
    options = {"name": f"{NAME}-rcp", "type": "resource_control_policy", "content": RCP, "targets": [lab.log_archive]}
    refused = run_module(lab, "organizations_policy", options)
    assert "The policy type RESOURCE_CONTROL_POLICY is not enabled" in refused.msg
    late = run_module(lab, "organizations_policy", {**options, "enable_type": True, "enable_type_timeout": 0})
    assert "is PENDING_ENABLE after 0 seconds" in late.msg
    made = run_module(lab, "organizations_policy", {**options, "enable_type": True})
    assert (made.changed, made["type_enabled"], made["targets"]) == (True, True, [lab.log_archive]), made.msg
    assert run_module(lab, "organizations_policy", {**options, "state": "absent"}).changed


def test_organizations_policy_leaves_alone_what_is_not_ours(lab: Lab) -> None:
    lab.clear_journal()
    for options, why in (
        ({"name": "DenyLeaveOrganization", "content": CONTENT}, "lacks the tag ManagedBy=cloudsec.org_trail"),
        ({"name": "DenyLeaveOrganization", "state": "absent"}, "lacks the tag ManagedBy=cloudsec.org_trail"),
        ({"name": "FullAWSAccess", "state": "absent"}, "lacks the tag"),
        ({"name": "aws-guardrails-lab", "state": "absent"}, "one of Control Tower's by its name"),
        ({"name": NAME, "content": {"Statement": []}}, "is malformed"),
        ({"name": NAME, "content": {**CONTENT, "Id": "x" * 10_240}}, "characters without white space"),
        ({"name": NAME, "content": CONTENT, "targets": ["Workloads/Nowhere"]}, "which the organization does not have"),
        ({"name": NAME, "content": CONTENT, "targets": ["111111111111"]}, "which the organization does not have"),
    ):
        assert why in run_module(lab, "organizations_policy", options).msg
    member = run_module(lab, "organizations_policy", {"name": NAME, "state": "absent"}, account=lab.log_archive)
    assert "expected its management account" in member.msg
    assert lab.journal(writes=True) == []


def test_organizations_policy_tells_of_a_full_target(lab: Lab) -> None:
    organizations = lab.client("organizations")
    for number in range(9):
        kind = {"Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": json.dumps(CONTENT)}
        policy = organizations.create_policy(Name=f"other {number}", **kind)["Policy"]["PolicySummary"]["Id"]
        organizations.attach_policy(PolicyId=policy, TargetId=lab.log_archive)
    full = run_module(lab, "organizations_policy", {"name": NAME, "content": CONTENT, "targets": [lab.log_archive]})
    assert "has 10 policies of the type service_control_policy" in full.msg
    assert ours(lab) == []


@pytest.mark.full
def test_docs_iam_allows_what_the_modules_call() -> None:
    """With exactly docs/iam/management_guardrails.json, in a lab that checks every call."""
    with Lab("--enforce-iam") as lab:
        values = {"Partition": "aws", "OrganizationId": lab.organization_id, "ManagementAccountId": lab.management}
        policy, iam = filled("management_guardrails", values), lab.client("iam")
        trust = {"Effect": "Allow", "Principal": {"AWS": lab.management}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": trust})
        role = iam.create_role(RoleName="OrgTrailManagement", AssumeRolePolicyDocument=document)["Role"]["Arn"]

        def grant(removed: str = "") -> None:
            narrowed = json.dumps(without(policy, removed))
            iam.put_role_policy(RoleName="OrgTrailManagement", PolicyName="p", PolicyDocument=narrowed)

        rcp = {"type": "resource_control_policy", "content": RCP, "enable_type": True}
        made = {"name": NAME, **rcp, "targets": ["Workloads", lab.log_archive], "assume_role_arn": role}
        for removed in (
            "EnablePolicyType",
            "CreatePolicy",
            "AttachPolicy",
            "DescribeAccount",
            "ListPoliciesForTarget",
            "",
        ):
            grant(f"organizations:{removed}")
            result = run_module(lab, "organizations_policy", made)
            assert (f"organizations:{removed}" in result.msg) if removed else result.changed, result.msg
        changed = {**made, "content": {**RCP, "Id": "changed"}, "targets": ["Workloads"], "tags": {"Team": "a"}}
        assert run_module(lab, "organizations_policy", changed).changed
        repair = f"arn:aws:iam::{lab.log_archive}:role/Repair"
        asked: dict[str, Any] = {
            "trail_arn": lab.trail_arn,
            "log_bucket": lab.bucket,
            "log_bucket_account_id": lab.log_archive,
        }
        asked |= {
            "repair_role_arn": repair,
            "exempt_principal_arns": [repair],
            "attached_to": [],
            "assume_role_arn": role,
        }
        assert len(run_module(lab, "cloudtrail_guardrails_info", asked)["outside"]) == 4
        assert run_module(lab, "organizations_policy", {**made, "state": "absent"}).changed


# --- the role and its playbook ------------------------------------------------------------------------

REPAIR = "OrgTrailRepair"
EVERYTHING = "arn:aws:iam::aws:policy/AdministratorAccess"


class Guarded:
    """A lab with the organization trail, a repair role in the log archive, and the playbooks' variables."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        lab.control("POST", "options", {"scp_arn_in_denials": True, "policy_type_propagation_calls": 1})
        self.organizations = lab.client("organizations")
        accounts = self.organizations.list_accounts()["Accounts"]
        self.members = [one["Id"] for one in accounts if one["Id"] not in (lab.management, lab.log_archive)]
        self.root = self.organizations.list_roots()["Roots"][0]["Id"]
        self.let_root_users_act()
        iam = lab.client("iam", lab.log_archive)
        trust = {"Effect": "Allow", "Principal": {"AWS": lab.management}, "Action": "sts:AssumeRole"}
        self.trust_policy = json.dumps({"Version": "2012-10-17", "Statement": trust})
        self.repair = iam.create_role(RoleName=REPAIR, AssumeRolePolicyDocument=self.trust_policy)["Role"]["Arn"]
        iam.attach_role_policy(RoleName=REPAIR, PolicyArn=EVERYTHING)
        self.own_trails()
        kms = lab.client("kms", lab.log_archive)
        self.archive_key: str = kms.create_key()["KeyMetadata"]["Arn"]
        self.key_policy: str = kms.get_key_policy(KeyId=self.archive_key, PolicyName="default")["Policy"]
        self.queues = {member: self.watch(member) for member in self.members}
        self.watched = {"guardrails_watch_rule_names": ["org-trail-*"], "guardrails_watch_queue_names": ["org-trail-*"]}
        self.outsider = ""
        self.run("enable_org_trail").ok()
        s3 = lab.client("s3", lab.log_archive)
        self.bucket_policy: str = s3.get_bucket_policy(Bucket=lab.bucket)["Policy"]

    def let_root_users_act(self) -> None:
        """The lesson's own policies would hide what ours do."""
        for policy in self.organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]:
            if policy["Name"].startswith("Deny"):
                self.organizations.detach_policy(PolicyId=policy["Id"], TargetId=self.root)

    def own_trails(self) -> None:
        """A trail of its own in each member, and its service-linked role."""
        for member in self.members:
            bucket, arn = f"own-{member}", f"arn:aws:cloudtrail:{self.lab.home_region}:{member}:trail/own"
            s3 = self.lab.client("s3", member)
            s3.create_bucket(Bucket=bucket)
            allow = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
            allow |= {"Action": "s3:*", "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}
            condition = {"StringEquals": {"aws:SourceArn": arn}}
            policy = {"Version": "2012-10-17", "Statement": {**allow, "Condition": condition}}
            s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
            self.lab.client("cloudtrail", member).create_trail(Name="own", S3BucketName=bucket)

    def watch(self, member: str) -> str:
        """A rule and a queue that watch the trail; the queue's address."""
        events, sqs = self.lab.client("events", member), self.lab.client("sqs", member)
        url: str = sqs.create_queue(QueueName="org-trail-drift")["QueueUrl"]
        events.put_rule(Name="org-trail-drift", EventPattern=json.dumps({"source": ["aws.cloudtrail"]}))
        target = {"Id": "queue", "Arn": f"arn:aws:sqs:{self.lab.home_region}:{member}:org-trail-drift"}
        events.put_targets(Rule="org-trail-drift", Targets=[target])
        return url

    def new_account(self) -> str:
        made = self.organizations.create_account(AccountName="Leaver", Email=f"{uuid4()}@example.com")
        request = {"CreateAccountRequestId": made["CreateAccountStatus"]["Id"]}
        return str(self.organizations.describe_create_account_status(**request)["CreateAccountStatus"]["AccountId"])

    def let_in(self, outsider: str) -> None:
        """A file that an account outside the organization may read by the bucket's policy."""
        s3, bucket = self.lab.client("s3", self.lab.log_archive), self.lab.bucket
        s3.put_object(Bucket=bucket, Key="AWSLogs/x", Body=b"")
        allow = {"Sid": "Outsider", "Effect": "Allow", "Principal": {"AWS": outsider}, "Action": "s3:GetObject"}
        document = json.loads(self.bucket_policy)
        statements = [*document["Statement"], {**allow, "Resource": f"arn:aws:s3:::{bucket}/*"}]
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**document, "Statement": statements}))

    def policies(self) -> list[dict[str, Any]]:
        kinds = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
        return [one for kind in kinds for one in self.organizations.list_policies(Filter=kind)["Policies"]]

    def goes_on(self) -> None:
        """Delivery, the repair with its role, the main job with its coverage, and the search for drift."""
        lab = self.lab
        options = {"bucket": lab.bucket, "trail_arn": lab.trail_arn, "organization_id": lab.organization_id}
        repair = {**options, "assume_role_arn": self.repair}
        s3 = lab.client("s3", lab.log_archive, role=REPAIR)
        s3.delete_bucket_policy(Bucket=lab.bucket)
        assert run_module(lab, "cloudtrail_log_bucket_policy", repair).changed
        lab.control("POST", "deliver", {"hours": 1})
        assert "LatestDeliveryError" not in lab.client("cloudtrail").get_trail_status(Name=lab.trail_arn)
        self.run("enable_org_trail", coverage_enabled=True).ok()
        self.run("detect_drift", detect_drift_report_dir=str(self.folder)).ok()

    def member_role(self, account: str) -> dict[str, str]:
        return {"id": account, "assume_role_arn": f"arn:aws:iam::{account}:role/{MEMBER_ROLE}"}

    def run(self, playbook: str, *arguments: str, **variables: Any) -> PlaybookResult:
        inventory = write_inventory(self.folder / "inventory.yml", self.lab.ready)
        given = {"coverage_enabled": False, "guardrails_repair_role_arn": self.repair, **variables}
        return run_playbook(
            self.lab, f"playbooks/{playbook}.yml", "-i", str(inventory), "-e", json.dumps(given), *arguments
        )

    def guard(self, *arguments: str, **variables: Any) -> PlaybookResult:
        return self.run("guard_org_trail", *arguments, **variables)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with Lab() as lab:
        yield Guarded(lab, tmp_path_factory.mktemp("guardrails"))


@dataclass(frozen=True)
class Attack:
    """What a principal does. ``undo`` makes it undone where nothing denied it.

    prepare: what makes it work where nothing denies it. catalogue: the rows of the attack catalogue that are done by
    this call, as a pattern of their titles; by default one of the same title.
    """

    title: str
    act: Callable[[Attacker], Any]
    undo: Callable[[Attacker], Any] = lambda _attacker: None
    prepare: Callable[[Attacker], Any] = lambda _attacker: None
    catalogue: str = ""


class Attacker:
    """A principal of an account with all its clients, and the world that it attacks."""

    def __init__(self, world: Guarded, account: str, *, root: bool = False) -> None:
        self.world, self.account, self.root = world, account, root
        self.lab = world.lab
        self.clients: dict[str, Any] = {}
        self.bucket = {"Bucket": world.lab.bucket}
        self.key = {"KeyId": world.archive_key.rpartition("/")[2]}
        self.trail = {"Name": f"arn:aws:cloudtrail:{world.lab.home_region}:{account}:trail/own"}

    def client(self, service: str) -> Any:
        if service not in self.clients:  # making a client takes longer than most calls do
            root = {"account": self.account}
            self.clients[service] = (
                self.lab.client_with(self.lab.control("POST", "root", root), service)
                if self.root
                else self.lab.client(service, self.account)
            )
        return self.clients[service]

    def __getattr__(self, service: str) -> Any:
        return self.client(service)

    def leave(self) -> None:
        """An account that nobody needs leaves the organization."""
        leaver = Attacker(self.world, self.world.new_account(), root=self.root)
        leaver.organizations.leave_organization()
        self.world.outsider = leaver.account

    def select(self, kind: str) -> None:
        selector = {"ReadWriteType": kind, "IncludeManagementEvents": True}
        self.cloudtrail.put_event_selectors(TrailName=self.trail["Name"], EventSelectors=[selector])

    def make_trail(self) -> None:
        self.cloudtrail.create_trail(Name="own", S3BucketName=f"own-{self.account}")

    def link(self) -> None:
        self.iam.create_service_linked_role(AWSServiceName=LINKED)

    def opt(self, verb: str) -> None:
        getattr(self.account_management, f"{verb}_region")(RegionName="eu-central-2")

    @property
    def account_management(self) -> Any:
        return self.client("account")

    def policy(self) -> str:
        return str(self.world.bucket_policy)

    def replicate(self) -> None:
        self.s3.put_bucket_versioning(**self.bucket, VersioningConfiguration={"Status": "Enabled"})

    def empty(self) -> None:
        for entry in self.s3.list_object_versions(**self.bucket).get("Versions", []):
            self.s3.delete_object(**self.bucket, Key=entry["Key"], VersionId=entry["VersionId"])
        for entry in self.s3.list_object_versions(**self.bucket).get("DeleteMarkers", []):
            self.s3.delete_object(**self.bucket, Key=entry["Key"], VersionId=entry["VersionId"])

    def make_bucket(self) -> None:
        self.s3.create_bucket(**self.bucket)
        self.s3.put_bucket_policy(**self.bucket, Policy=self.policy())


LINKED = "cloudtrail.amazonaws.com"
LINKED_ROLE = {"RoleName": "AWSServiceRoleForCloudTrail"}
INLINE = {"RoleName": MEMBER_ROLE, "PolicyName": "more"}
NOTHING = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}})
RULE = {"ID": "tidy", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
FILE = {"Key": "AWSLogs/file"}
BLOCK = {
    "BlockPublicAcls": False,
    "IgnorePublicAcls": False,
    "BlockPublicPolicy": False,
    "RestrictPublicBuckets": False,
}
DEFAULT_KEY = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
OWNERSHIP = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
COPY = {"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::copy"}}


def versioning(status: str) -> dict[str, Any]:
    return {"VersioningConfiguration": {"Status": status}}


OF_MEMBERS = [
    Attack("Leave the organization", Attacker.leave, catalogue="Remove an account from the organization.*"),
    Attack("Stop a trail", lambda a: a.cloudtrail.stop_logging(**a.trail)),
    Attack("Delete a trail", lambda a: a.cloudtrail.delete_trail(**a.trail), Attacker.make_trail),
    Attack("Update a trail", lambda a: a.cloudtrail.update_trail(**a.trail, IncludeGlobalServiceEvents=False)),
    Attack("Select fewer events", lambda a: a.select("ReadOnly")),
    Attack(
        "Turn Insights of a trail off",
        lambda a: a.cloudtrail.put_insight_selectors(TrailName=a.trail["Name"], InsightSelectors=[]),
    ),
    Attack(
        "Delete CloudTrail's service-linked role",
        lambda a: a.iam.delete_service_linked_role(**LINKED_ROLE),
        Attacker.link,
        Attacker.link,
    ),
    Attack("Disable a region", lambda a: a.opt("disable"), prepare=lambda a: a.opt("enable")),
    Attack(
        "Change the role of the coverage",
        lambda a: a.iam.put_role_policy(**INLINE, PolicyDocument=NOTHING),
        lambda a: Attacker(a.world, a.account, root=True).iam.delete_role_policy(**INLINE),
    ),
    Attack("Disable the rule that watches the trail", lambda a: a.events.disable_rule(Name="org-trail-drift")),
    Attack("Remove the rule's target", lambda a: a.events.remove_targets(Rule="org-trail-drift", Ids=["queue"])),
    Attack("Empty the rule's queue", lambda a: a.sqs.purge_queue(QueueUrl=a.world.queues[a.account])),
    Attack(
        "Change the rule's queue",
        lambda a: a.sqs.set_queue_attributes(
            QueueUrl=a.world.queues[a.account], Attributes={"MessageRetentionPeriod": "60"}
        ),
    ),
]
OF_THE_LOG_ARCHIVE = [
    Attack(
        "Let oneself into the role that is exempt",
        lambda a: a.iam.update_assume_role_policy(RoleName=REPAIR, PolicyDocument=a.world.trust_policy),
    ),
    Attack("Delete the bucket", lambda a: a.s3.delete_bucket(**a.bucket), Attacker.make_bucket, Attacker.empty),
    Attack(
        "Empty the bucket policy",
        lambda a: a.s3.delete_bucket_policy(**a.bucket),
        lambda a: a.s3.put_bucket_policy(**a.bucket, Policy=a.policy()),
    ),
    Attack(
        "Replace the bucket policy",
        lambda a: a.s3.put_bucket_policy(**a.bucket, Policy=a.policy()),
        catalogue="(?!Empty).*(in|of) the bucket policy.*|Let an account outside the organization into the bucket",
    ),
    Attack(
        "Let log files expire after a day",
        lambda a: a.s3.put_bucket_lifecycle_configuration(**a.bucket, LifecycleConfiguration={"Rules": [RULE]}),
        lambda a: a.s3.delete_bucket_lifecycle(**a.bucket),
        catalogue="Let (log files|noncurrent versions) expire after a day|Move log files to deep archive at once",
    ),
    Attack(
        "Suspend versioning of the bucket",
        lambda a: a.s3.put_bucket_versioning(**a.bucket, **versioning("Suspended")),
        lambda a: a.s3.put_bucket_versioning(**a.bucket, **versioning("Enabled")),
    ),
    Attack(
        "Open the bucket to the public",
        lambda a: a.s3.put_public_access_block(**a.bucket, PublicAccessBlockConfiguration=BLOCK),
        lambda a: a.s3.put_public_access_block(**a.bucket, PublicAccessBlockConfiguration=dict.fromkeys(BLOCK, True)),
    ),
    Attack(
        "Encrypt the bucket by default with a foreign key",
        lambda a: a.s3.put_bucket_encryption(**a.bucket, ServerSideEncryptionConfiguration=DEFAULT_KEY),
    ),
    Attack(
        "Copy the files to another bucket",
        lambda a: a.s3.put_bucket_replication(
            **a.bucket, ReplicationConfiguration={"Role": f"arn:aws:iam::{a.account}:role/copy", "Rules": [COPY]}
        ),
        lambda a: a.s3.delete_bucket_replication(**a.bucket),
        Attacker.replicate,
        "Remove the replication.*",
    ),
    Attack(
        "Grant access by the bucket's ACL",
        lambda a: a.s3.put_bucket_ownership_controls(**a.bucket, OwnershipControls=OWNERSHIP),
        lambda a: a.s3.put_bucket_ownership_controls(
            **a.bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        ),
    ),
    Attack(
        "Turn Requester Pays on",
        lambda a: a.s3.put_bucket_request_payment(**a.bucket, RequestPaymentConfiguration={"Payer": "Requester"}),
        lambda a: a.s3.put_bucket_request_payment(**a.bucket, RequestPaymentConfiguration={"Payer": "BucketOwner"}),
    ),
    Attack(
        "Delete a log file",
        lambda a: a.s3.delete_object(**a.bucket, **FILE),
        prepare=lambda a: a.s3.put_object(**a.bucket, **FILE, Body=b""),
    ),
    Attack("Delete a version of a log file", lambda a: a.s3.delete_object(**a.bucket, **FILE, VersionId="null")),
    Attack("Disable the KMS key", lambda a: a.kms.disable_key(**a.key), lambda a: a.kms.enable_key(**a.key)),
    Attack(
        "Schedule the KMS key for deletion",
        lambda a: a.kms.schedule_key_deletion(**a.key),
        lambda a: (a.kms.cancel_key_deletion(**a.key), a.kms.enable_key(**a.key)),
    ),
    Attack(
        "Change the KMS key's policy",
        lambda a: a.kms.put_key_policy(**a.key, PolicyName="default", Policy=a.world.key_policy),
    ),
]

ALL = (*OF_MEMBERS, *OF_THE_LOG_ARCHIVE)


def test_attacks_work_before_the_guardrails_and_are_denied_by_them(world: Guarded) -> None:
    """By a member's administrator and root user, and by the log archive's; AWS's denial names our policy."""
    lab = world.lab
    attackers = {
        "member administrator": (Attacker(world, world.members[0]), OF_MEMBERS),
        "member root user": (Attacker(world, world.members[1], root=True), OF_MEMBERS),
        "log archive administrator": (Attacker(world, lab.log_archive), OF_THE_LOG_ARCHIVE),
        "log archive root user": (Attacker(world, lab.log_archive, root=True), OF_THE_LOG_ARCHIVE),
    }
    for attacker, attacks in attackers.values():
        for attack in attacks:
            attack.prepare(attacker)
            assert refused(partial(attack.act, attacker)) == ("", ""), attack.title
            attack.undo(attacker)
    read = {"Bucket": lab.bucket, "Key": "AWSLogs/x"}
    world.let_in(world.outsider)
    outsider = lab.client("s3", world.outsider)
    assert refused(outsider.get_object, **read)[0] == ""
    world.guard(guardrails_kms_key_arn=world.archive_key, **world.watched).ok()
    arns = {summary["Name"]: summary["Arn"] for summary in world.policies()}
    prevented: dict[str, list[str]] = {}
    for who, (attacker, attacks) in attackers.items():
        for attack in attacks:
            code, message = refused(partial(attack.act, attacker))
            assert code in ("AccessDenied", "AccessDeniedException"), attack.title
            [name] = [name for name, arn in arns.items() if message.endswith(arn)]
            prevented.setdefault(who, []).append(attack.title)
            assert name.startswith("org-trail-")
    code, message = refused(outsider.get_object, **read)
    assert (code, message.endswith(arns["org-trail-resources"])) == ("AccessDenied", True)
    world.goes_on()
    world.guard(guardrails_state="absent").ok()
    check_page(prevented)


@pytest.mark.full
def test_the_playbook(world: Guarded) -> None:
    lab = world.lab
    prove = [world.member_role(account) for account in (*world.members, lab.log_archive)]
    lab.clear_journal()
    locked = world.guard(guardrails_exempt_principal_arns=[])
    assert "would deny s3:PutBucketOwnershipControls, s3:PutBucketPolicy" in locked.msg
    predicted = world.guard("--check").ok()
    assert (lab.journal(writes=True), ours(lab), predicted.changed > 0) == ([], [], True)
    canary = {
        "guardrails_canary": [world.members[0]],
        "guardrails_canary_prove_in_accounts": prove[:1],
        "guardrails_prove_in_accounts": prove,
    }
    for _run in range(2):
        told = world.guard(**canary, guardrails_canary_only=True).ok().results[-1].msg
        assert f"Proved in {world.members[0]}." in told
        assert set(told.rpartition("Outside: ")[2].rstrip(". ").split(", ")) >= {*world.members[1:], lab.log_archive}
    assert ours(lab) == ["org-trail-members"]
    tower = {"Effect": "Deny", "Action": "s3:PutBucketPolicy", "Resource": "*"}
    created = world.organizations.create_policy(
        Name="aws-guardrails-AbCdEf",
        Description="",
        Type="SERVICE_CONTROL_POLICY",
        Content=json.dumps({"Version": "2012-10-17", "Statement": [tower]}),
    )
    others = {"PolicyId": created["Policy"]["PolicySummary"]["Id"]}
    world.organizations.attach_policy(**others, TargetId=lab.log_archive)
    told = world.guard("--check").ok().results[-1].msg
    assert "Of other policies guard the bucket, too: aws-guardrails-AbCdEf." in told
    world.organizations.detach_policy(**others, TargetId=lab.log_archive)
    world.organizations.delete_policy(**others)
    done = world.guard(**canary).ok()
    assert ours(lab) == ["org-trail-log-archive", "org-trail-members", "org-trail-resources"]
    assert "Proved in " in done.results[-1].msg
    lab.clear_journal()
    again = world.guard(**canary).ok()
    writes = {entry["operation"] for entry in lab.journal(writes=True, service="organizations")}
    assert (again.changed, writes) == (0, set())

    report = {"guard_org_trail_report": True, "coverage_report_dir": str(world.folder), "guardrails_proof_timeout": 0}
    some = {"guardrails_targets": [world.members[0]], "guardrails_prove_in_accounts": prove[:2]}
    half = world.guard(**some, **report, coverage_enabled=True)
    assert f"The guardrails do not bind {world.members[1]}, expected every account that was asked" in half.msg
    accounts = json.loads((world.folder / "coverage.json").read_text())["accounts"]
    found = {one["id"]: one["guardrails"]["status"] for one in accounts if "guardrails" in one}
    statuses = dict.fromkeys(found, "not_looked_at") | {world.members[0]: "bound", world.members[1]: "not_bound"}
    assert (found, lab.management in found, len(found) > 2) == (statuses, False, True)
    assert "What members cannot do" in (world.folder / "coverage.html").read_text()
    assert world.guard(guardrails_state="absent").ok().results[-1].msg.strip() == "No guardrails."
    assert ours(lab) == []


@pytest.mark.full
def test_drift_is_named_and_repaired(world: Guarded) -> None:
    """Policies changed, detached and deleted, a type disabled, and an account that no policy binds."""
    organizations, folder = world.organizations, world.folder
    search = {"detect_drift_guardrails": True, "detect_drift_report_dir": str(folder)}
    some = {"guardrails_targets": ["Workloads", "Security"]}

    def drift(**variables: Any) -> dict[tuple[str, str], str]:
        written = world.lab.journal(writes=True)
        world.run("detect_drift", **search, **variables)
        assert world.lab.journal(writes=True) == written
        rows = json.loads((folder / "drift.json").read_text())["drift"]
        return {(row["object"].split(" ")[1], row["what"]): row["by"] for row in rows}

    world.guard(**some).ok()
    assert {what for _object, what in drift(**some)} == {"guardrails"}
    ids = {policy["Name"]: policy["Id"] for policy in world.policies()}
    members = {"PolicyId": ids["org-trail-members"]}
    organizations.update_policy(**members, Content=NOTHING.replace("Deny", "Allow"))
    organizations.detach_policy(
        **members, TargetId=organizations.list_targets_for_policy(**members)["Targets"][0]["TargetId"]
    )
    archive = {"PolicyId": ids["org-trail-log-archive"]}
    organizations.detach_policy(**archive, TargetId=world.lab.log_archive)
    organizations.delete_policy(**archive)
    organizations.disable_policy_type(RootId=world.root, PolicyType="RESOURCE_CONTROL_POLICY")
    attacker = world.lab.client("sts").get_caller_identity()["Arn"]
    found = drift(**some)
    found.pop(("Leaver", "guardrails"), None)  # made, and let go, by another test
    assert found == {
        ("org-trail-members", "statements"): attacker,
        ("org-trail-members", "targets"): attacker,
        ("org-trail-log-archive", "policy"): "",  # event history has a deleted policy's id, not its name
        ("of", "policy type"): attacker,
        ("org-trail-resources", "targets"): "",  # AWS detached it with the type
        ("Sandbox", "guardrails"): "",
    }
    world.guard().ok()
    assert drift() == {}
    world.guard(guardrails_state="absent").ok()


# --- the page -----------------------------------------------------------------------------------------

PAGE = ROOT / "docs" / "docsite" / "rst" / "guardrails.rst"
ATTACKS_PAGE = PAGE.with_name("attacks.rst")
MARK = ".. What follows is written by tests/playbooks/test_guardrails.py."


def check_page(prevented: dict[str, list[str]]) -> None:
    """The page's end tells what the test saw, and that of the attacks the sum. ``ORG_TRAIL_WRITE_DOCS=1`` writes it."""
    text = PAGE.read_text(encoding="utf-8")
    whole = text.partition(MARK)[0] + MARK + "\n\n" + "\n".join(page_lines(prevented)) + "\n"
    if os.environ.get("ORG_TRAIL_WRITE_DOCS"):
        PAGE.write_text(whole, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == whole
    member, archive = (len(of_the_catalogue(prevented[f"{who} administrator"])) for who in ("member", "log archive"))
    told = f"prevent {archive} of these rows, and {member} for those of another member"
    assert told in " ".join(ATTACKS_PAGE.read_text(encoding="utf-8").split())


def of_the_catalogue(prevented: Iterable[str]) -> set[str]:
    """The rows of the catalogue that some attacks stand for."""
    titles = {attack.title for attack in CATALOGUE}
    known = {one.title: {title for title in titles if re.fullmatch(one.catalogue or one.title, title)} for one in ALL}
    return set().union(*(known[title] for title in prevented))


def page_lines(prevented: dict[str, list[str]]) -> Iterator[str]:
    yield "Each row was tried in the lab. It works without the guardrails; with them AWS's denial names one of them."
    yield f"The catalogue has {len(CATALOGUE)} rows; those that the management account does are prevented by no policy:"
    yield "see :ref:`ansible_collections.cloudsec.org_trail.docsite.attacks`."
    yield ""
    for who, some in prevented.items():
        rows = len(of_the_catalogue(some))
        yield f"* {len(some)} by a {who}; rows of the catalogue that are prevented for them: {rows}"
    yield ""
    yield from (".. list-table::", "   :header-rows: 1", "   :widths: 50 25 25", "")
    yield from ("   * - What is done", "     - Denied to", "     - Rows of the catalogue")
    for title in dict.fromkeys(title for some in prevented.values() for title in some):
        yield f"   * - {title}"
        yield f"     - {', '.join(who for who, some in prevented.items() if title in some)}"
        yield f"     - {len(of_the_catalogue([title])) or ''}".rstrip()
