# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Least privilege: with exactly the policies of docs/iam everything works; without one action its name is told.

The lab checks every call (--enforce-iam). A bare IAM user, whose only right is to assume the roles, runs everything.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import pytest
import yaml
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.modules import s3_bucket
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import sentence
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import Session
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.ensure import (
    ensure_policy,
    policy_options,
    wanted_policy,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.search import (
    describe_log_buckets,
    search_options,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.find import find_costs
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.service_access import (
    Wanted,
    describe_service_access,
    ensure_service_access,
)
from ansible_collections.cloudsec.org_trail.plugins.modules import (
    cloudtrail_coverage_info,
    cloudtrail_delegated_administrator,
    cloudtrail_drift_info,
    cloudtrail_log_bucket_info,
    cloudtrail_log_bucket_policy,
    cloudtrail_organization_trail,
    organizations_service_access,
)
from botocore.exceptions import ClientError

from lab.kernel.call import Call
from lab.services.iam.requested import action_of
from tests.ansible_run import PlaybookResult, run_playbook
from tests.iam_files import Policy, actions_of, documented_actions, filled, values_of, without
from tests.lab.organization_trail import refusal
from tests.lab_process import MEMBER_ROLE, Lab
from tests.trail_options import parameters_of
from tests.trail_run import CLOUDTRAIL, make_key, make_log_group, make_topic, open_session, run_trail, trust

ACTION = re.compile(r"\b(?:account|cloudtrail|iam|kms|organizations|s3|sns|sts):[A-Z]\w+")
REGIONS = ["eu-west-1", "us-east-1"]
NOT_SET = (
    "NoSuchEntity",
    "NoSuchLifecycleConfiguration",
    "ObjectLockConfigurationNotFoundError",
    "ReplicationConfigurationNotFoundError",
)
"""How AWS answers reads of what is not there: the service-linked role before trusted access, a bucket's settings."""
NEW_BUCKET = "org-trail-new"


# --- the roles ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Role:
    """A role of the example, and where it stands."""

    name: str
    account: str
    policies: tuple[str, ...]
    trust: str

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:role/{self.name}"


class World:
    """A lab with the roles of docs/iam and a bare user; ``user`` is the lab as that user sees it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.more: dict[str, str] = {}
        before = lab.client("cloudtrail").get_trail(Name=lab.trail_arn)["Trail"]
        self.old_bucket = str(before["S3BucketName"])
        self.user = self._make_user()
        management, archive = lab.management, lab.log_archive
        self.management = Role("OrgTrailManagement", management, ("management", "management_coverage"), "trust_caller")
        self.lookup = Role("OrgTrailLogArchiveLookup", archive, ("log_archive_lookup",), "trust_caller")
        self.administrator = Role("OrgTrailAdministrator", archive, ("administrator",), "trust_caller")
        self.delegation = Role("OrgTrailDelegation", management, ("management_delegation",), "trust_caller")
        self.repair = Role("OrgTrailLogArchiveRepair", archive, ("log_archive_repair",), "trust_caller")
        self.coverage = [
            Role("OrgTrailCoverage", account["Id"], ("member_coverage",), "trust_member")
            for account in lab.client("organizations").list_accounts()["Accounts"]
            if account["Id"] != management
        ]
        for role in (self.management, self.delegation, self.lookup, self.repair, self.administrator, *self.coverage):
            trust = json.dumps(filled(role.trust, self.values))
            lab.client("iam", role.account).create_role(RoleName=role.name, AssumeRolePolicyDocument=trust)
            self.grant(role)

    @property
    def values(self) -> dict[str, str]:
        """What the placeholders stand for in this lab."""
        robot = f"arn:aws:iam::{self.lab.management}:user/robot"
        return values_of(self.lab, AdministratorAccountId=self.lab.log_archive, CallerArn=robot, **self.more)

    def _make_user(self) -> Lab:
        """A user of management who may assume the roles and nothing else."""
        iam = self.lab.client("iam")
        iam.create_user(UserName="robot")
        caller = filled("caller", self.values)
        repair = f"arn:aws:iam::{self.lab.log_archive}:role/OrgTrailLogArchiveRepair"
        caller["Statement"][0]["Resource"].append(repair)  # as the README says for who may repair, too
        administrator = f"arn:aws:iam::{self.lab.log_archive}:role/OrgTrailAdministrator"
        delegation = f"arn:aws:iam::{self.lab.management}:role/OrgTrailDelegation"
        caller["Statement"][0]["Resource"] += [administrator, delegation]
        iam.put_user_policy(UserName="robot", PolicyName="p", PolicyDocument=json.dumps(caller))
        keys = iam.create_access_key(UserName="robot")["AccessKey"]
        user = copy.copy(self.lab)
        user.clients = {}
        user.environment = {
            **self.lab.environment,
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        }
        return user

    def policy(self, name: str) -> Policy:
        return filled(name, self.values)

    def grant(self, role: Role, removed: str = "", **values: str) -> None:
        """Give a role exactly its policies, without one action."""
        iam = self.lab.client("iam", role.account)
        for name in role.policies:
            policy = without(filled(name, {**self.values, **values}), removed)
            if policy["Statement"]:
                iam.put_role_policy(RoleName=role.name, PolicyName=name, PolicyDocument=json.dumps(policy))
            else:
                iam.delete_role_policy(RoleName=role.name, PolicyName=name)

    @contextlib.contextmanager
    def removed(self, role: Role, action: str, **values: str) -> Iterator[None]:
        self.grant(role, action, **values)
        yield
        self.grant(role)

    def reset(self) -> None:
        """The lesson's start: an account trail that logs everything into the old bucket, trusted access off."""
        trails, arn = self.lab.client("cloudtrail"), self.lab.trail_arn
        if not trails.describe_trails(trailNameList=[arn])["trailList"]:
            trails.create_trail(Name="default", S3BucketName=self.old_bucket, IsMultiRegionTrail=True)
        self.lab.client("organizations").disable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
        trails.update_trail(Name=arn, S3BucketName=self.old_bucket, EnableLogFileValidation=True)
        trails.start_logging(Name=arn)
        everything = {"ReadWriteType": "All", "IncludeManagementEvents": True}
        trails.put_event_selectors(TrailName=arn, EventSelectors=[everything])
        self.lab.control("POST", "options", {"service_linked_role": True})


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Lab("--enforce-iam") as lab:
        lab.control("POST", "options", {"lake_customer": True})
        yield World(lab)


# --- runs in this process -----------------------------------------------------------------------------


@dataclass
class Outcome:
    """How a run ended: whether it failed, what it said, and what it answered."""

    failed: bool
    text: str
    answer: Any = None

    @property
    def actions(self) -> set[str]:
        """The IAM actions that it names."""
        return set(ACTION.findall(self.text))


def outcome(run: Callable[[], tuple[Any, str]], caller: str) -> Outcome:
    try:
        answer, text = run()
    except AnsibleAWSError as error:
        return Outcome(True, sentence(error, caller))
    return Outcome(False, text, answer)


def session_of(world: World, role: Role) -> Session:
    params = {"assume_role_arn": role.arn, "assume_role_session_name": "tests", "assume_role_external_id": None}
    return open_session(world.user, params)


def look_up(world: World) -> Outcome:
    """The role log_bucket_lookup."""

    def run() -> tuple[Any, str]:
        options = search_options(parameters_of(cloudtrail_log_bucket_info.ARGUMENTS, select="admitted", health=True))
        answer = describe_log_buckets(session_of(world, world.lookup), options)
        weak = [one["found"] for one in answer["buckets"][0]["health"]["problems"]]
        unread = [one for one in weak if one.startswith("not readable")]
        return answer["buckets"][0], " ".join([*unread, answer["current_bucket_unread"]]).strip()

    return outcome(run, world.lookup.arn)


def convert(world: World, role: Role | None = None, **more: Any) -> Outcome:
    """The main job's tasks in management, or as another role: preflight, trusted access, the trail."""
    role = role or world.management
    options = {
        "assume_role_arn": role.arn,
        "assume_role_session_name": "tests",
        "s3_bucket_name": world.lab.bucket,
        "bucket_account_id": world.lab.log_archive,
        "expected_admitted_home_regions": [world.lab.home_region],
        **more,
    }

    def run() -> tuple[Any, str]:
        run_trail(world.user, options, check_mode=True)
        session = session_of(world, role)
        before = describe_service_access(session)
        ensure_service_access(session, before, Wanted(CLOUDTRAIL, "present", False), False)
        answer = run_trail(world.user, options)
        return answer, " ".join(answer["warnings"])

    return outcome(run, role.arn)


def mend_policy(world: World, bucket: str) -> Outcome:
    """The module cloudtrail_log_bucket_policy."""

    def run() -> tuple[Any, str]:
        options = parameters_of(
            cloudtrail_log_bucket_policy.ARGUMENTS, bucket=bucket, trail_arn=world.lab.trail_arn, tls_only=True
        )
        session = session_of(world, world.repair)
        wanted = wanted_policy(session, policy_options(options))
        writer = session.client("s3", once=True)
        change = ensure_policy(session.client("s3"), writer, session.account_id, wanted, False)
        return change.before != change.after, ""

    return outcome(run, world.repair.arn)


def run_main(world: World, main: Callable[[], None], options: dict[str, Any], keys: dict[str, Any]) -> Outcome:
    """A module as a whole, in this process. The text is a failure's message, else the warnings."""
    environment = {
        **world.lab.environment,
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    output = io.StringIO()
    warnings: list[str] = []

    def warn(_module: AnsibleModule, text: str, **_more: Any) -> None:
        warnings.append(text)

    with (
        mock.patch.object(AnsibleModule, "warn", warn),
        mock.patch.dict(os.environ, environment),
        patch_module_args({"region": world.lab.home_region, **options}),
        contextlib.redirect_stdout(output),
    ):
        try:
            main()
        except SystemExit:
            pass
        except ClientError as error:  # amazon.aws 10.1 does not catch each of them; Ansible then shows its text
            return Outcome(True, str(error))
    answer = json.loads(output.getvalue())
    failed = bool(answer.get("failed"))
    return Outcome(failed, answer["msg"] if failed else "\n".join(warnings), answer)


def keys_of(world: World, role: Role) -> dict[str, Any]:
    keys: dict[str, Any] = world.user.client("sts").assume_role(RoleArn=role.arn, RoleSessionName="tests")[
        "Credentials"
    ]
    return keys


def cover(world: World, role: Role | None = None, **more: Any) -> Outcome:
    """The module cloudtrail_coverage_info in management's role, or another. Its text is what its rows say."""
    options = {"trail_arn": world.lab.trail_arn, "role_name": "OrgTrailCoverage", "regions": REGIONS, **more}
    found = run_main(world, cloudtrail_coverage_info.main, options, keys_of(world, role or world.management))
    if not found.failed:
        unread = found.answer["management_events"].get("error", "")
        found.text = " ".join({row["reason"] for row in found.answer["exceptions"]} | {unread})
    return found


# --- everything works with exactly these policies -----------------------------------------------------


def write_inventory(world: World, folder: Path) -> Path:
    """Both hosts enter their account by a role; the shell's own credentials may do nothing but that."""
    hosts = {
        "management": ("management_account", world.lab.management, world.management.arn),
        "log_archive": ("security_audit", world.lab.log_archive, world.lookup.arn),
    }
    common = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    children = {
        group: {"hosts": {name: {"account_id": account, "assume_role_arn": role}}}
        for group, (name, account, role) in hosts.items()
    }
    path = folder / "inventory.yml"
    path.write_text(yaml.safe_dump({"all": {"vars": common, "children": children}}))
    return path


def enable(world: World, folder: Path) -> PlaybookResult:
    coverage = {"coverage_role_name": world.coverage[0].name, "coverage_report_dir": str(folder / "coverage")}
    arguments = ("-i", str(write_inventory(world, folder)), "-e", json.dumps(coverage))
    return run_playbook(world.user, "playbooks/enable_org_trail.yml", *arguments)


def test_the_main_job_converts_and_then_changes_nothing(world: World, tmp_path: Path) -> None:
    world.reset()
    world.lab.clear_journal()
    converted = enable(world, tmp_path).ok()
    assert converted.changed == 2
    [weak] = converted.warnings
    assert re.match(r"Settings of the log bucket \S+ are weaker than expected", weak)
    assert "not readable" not in weak
    assert enable(world, tmp_path).ok().changed == 0
    calls = world.lab.journal()
    assert {call["outcome"] for call in calls} <= {"ok", *NOT_SET}
    roles = {world.management.name, world.lookup.name, world.coverage[0].name}
    assert {call["principal"].split("/")[1] for call in calls} == {"robot", *roles}
    assert {call["operation"] for call in calls if call["principal"].endswith("robot")} <= {
        "AssumeRole",
        "GetCallerIdentity",
    }


def test_the_main_job_names_the_action_that_is_missing(world: World, tmp_path: Path) -> None:
    world.reset()
    with world.removed(world.management, "cloudtrail:UpdateTrail"):
        result = enable(world, tmp_path)
    assert result.rc != 0
    assert set(ACTION.findall(result.msg)) == {"cloudtrail:UpdateTrail"}
    assert world.management.arn.rpartition("/")[2] in result.msg


def test_the_role_log_bucket_makes_a_bucket_and_then_changes_nothing(world: World) -> None:
    world.grant(world.repair, LogBucketName=NEW_BUCKET)
    variables = {
        "log_bucket_name": NEW_BUCKET,
        "log_bucket_trail_arn": world.lab.trail_arn,
        "log_bucket_region": world.lab.home_region,
        "assume_role_arn": world.repair.arn,
    }
    task = {"name": "run", "ansible.builtin.include_role": {"name": "cloudsec.org_trail.log_bucket"}}
    first = run_playbook(world.user, [task], play={"vars": variables}).ok()
    assert first.changed > 0
    assert first.warnings == []
    assert run_playbook(world.user, [task], play={"vars": variables}).ok().changed == 0
    world.grant(world.repair)


# --- without one action -------------------------------------------------------------------------------

FAILS, WARNS = True, False


@pytest.mark.parametrize(
    ("action", "fails"),
    [
        ("organizations:DescribeOrganization", FAILS),
        ("s3:ListAllMyBuckets", FAILS),
        ("s3:GetBucketPolicy", FAILS),
        ("cloudtrail:DescribeTrails", WARNS),
        ("s3:GetBucketAcl", WARNS),
        ("s3:GetBucketLocation", WARNS),
        ("s3:GetBucketLogging", WARNS),
        ("s3:GetBucketNotification", WARNS),
        ("s3:GetBucketObjectLockConfiguration", WARNS),
        ("s3:GetBucketOwnershipControls", WARNS),
        ("s3:GetBucketPublicAccessBlock", WARNS),
        ("s3:GetBucketRequestPayment", WARNS),
        ("s3:GetBucketVersioning", WARNS),
        ("s3:GetEncryptionConfiguration", WARNS),
        ("s3:GetLifecycleConfiguration", WARNS),
        ("s3:GetReplicationConfiguration", WARNS),
    ],
)
def test_log_archive_lookup_without_one_action(world: World, action: str, fails: bool) -> None:
    with world.removed(world.lookup, action):
        found = look_up(world)
    assert (found.failed, found.actions) == (fails, {action}), found.text
    assert look_up(world).text == ""


def without_the_trail(world: World) -> None:
    world.lab.client("cloudtrail").delete_trail(Name=world.lab.trail_arn)


def without_logging(world: World) -> None:
    world.lab.client("cloudtrail").stop_logging(Name=world.lab.trail_arn)


def without_management_events(world: World) -> None:
    only_reads = {"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}
    world.lab.client("cloudtrail").put_event_selectors(TrailName=world.lab.trail_arn, EventSelectors=[only_reads])


def without_service_linked_role(world: World) -> None:
    """As some accounts are after EnableAWSServiceAccess (aws-facts 1.5)."""
    world.lab.control("POST", "options", {"service_linked_role": False})
    iam = world.lab.client("iam")
    with contextlib.suppress(iam.exceptions.NoSuchEntityException):
        iam.delete_role(RoleName="AWSServiceRoleForCloudTrail")


def as_it_was(world: World) -> None:
    """The lesson's start."""


MANAGEMENT = [
    ("organizations:DescribeOrganization", as_it_was, FAILS),
    ("organizations:ListAWSServiceAccessForOrganization", as_it_was, FAILS),
    ("organizations:EnableAWSServiceAccess", as_it_was, FAILS),
    ("organizations:DescribeAccount", as_it_was, WARNS),
    ("iam:GetRole", as_it_was, WARNS),
    ("iam:CreateServiceLinkedRole", without_service_linked_role, FAILS),
    ("cloudtrail:DescribeTrails", as_it_was, FAILS),
    ("cloudtrail:GetEventSelectors", as_it_was, FAILS),
    ("cloudtrail:GetTrailStatus", as_it_was, FAILS),
    ("cloudtrail:ListTrails", as_it_was, FAILS),
    ("cloudtrail:UpdateTrail", as_it_was, FAILS),
    ("cloudtrail:CreateTrail", without_the_trail, FAILS),
    ("cloudtrail:StartLogging", without_logging, FAILS),
    ("cloudtrail:PutEventSelectors", without_management_events, FAILS),
]


@pytest.mark.parametrize(
    ("action", "prepare", "fails"), MANAGEMENT, ids=[f"{row[0]} {row[1].__name__}" for row in MANAGEMENT]
)
def test_management_without_one_action(
    world: World, action: str, prepare: Callable[[World], None], fails: bool
) -> None:
    world.reset()
    prepare(world)
    with world.removed(world.management, action):
        found = convert(world)
    assert (found.failed, found.actions) == (fails, {action}), found.text
    mended = convert(world)
    assert not mended.failed, mended.text
    assert not convert(world).answer["changed"]


def test_every_action_of_management_is_in_the_table(world: World) -> None:
    assert {action for action, _prepare, _fails in MANAGEMENT} == actions_of(world.policy("management"))


@pytest.mark.parametrize(
    ("action", "more", "fails"),
    [
        ("organizations:DescribeOrganization", {}, FAILS),
        ("organizations:ListAccounts", {}, FAILS),
        ("account:ListRegions", {"regions": []}, FAILS),
        ("cloudtrail:GetEventSelectors", {}, WARNS),
        ("cloudtrail:GetTrailStatus", {}, WARNS),
        ("sts:AssumeRole", {}, WARNS),
    ],
)
def test_management_coverage_without_one_action(world: World, action: str, more: dict[str, Any], fails: bool) -> None:
    world.reset()
    convert(world)
    with world.removed(world.management, action):
        found = cover(world, **more)
    assert (found.failed, found.actions) == (fails, {action}), found.text
    assert cover(world).answer["summary"]["covered"] == len(REGIONS) * (len(world.coverage) + 1)


def test_coverage_without_lookup_events_tells_missing_from_pending_no_more(world: World) -> None:
    world.reset()
    convert(world)
    world.lab.control("POST", "options", {"member_propagation": "late"})
    rows = len(REGIONS) * len(world.coverage)
    assert cover(world).answer["summary"]["pending"] == rows
    with world.removed(world.management, "cloudtrail:LookupEvents"):
        assert cover(world).answer["summary"]["missing"] == rows
    world.lab.control("POST", "options", {"member_propagation": "immediate"})


def test_member_coverage_without_the_right_to_tell_its_regions(world: World) -> None:
    world.reset()
    convert(world)
    role, action = world.coverage[0], "account:ListRegions"
    with world.removed(role, action):
        found = cover(world, regions=[])
    untold = {one["id"]: one["regions_error"] for one in found.answer["accounts"] if "regions_error" in one}
    assert set(untold) == {role.account}
    assert action in untold[role.account]
    assert found.answer["exceptions"] == []


def test_member_coverage_without_its_action(world: World) -> None:
    world.reset()
    convert(world)
    role, action = world.coverage[0], "cloudtrail:GetTrailStatus"
    assert actions_of(world.policy("member_coverage")) == {action, "account:ListRegions"}
    with world.removed(role, action):
        found = cover(world)
    assert {row["account_id"] for row in found.answer["exceptions"]} == {role.account}
    assert {row["status"] for row in found.answer["exceptions"]} == {"denied"}
    assert found.actions == {action}


def test_without_the_right_to_assume_a_role(world: World) -> None:
    """In another account both sides must allow it; in its own, a trust policy that names the caller suffices."""
    iam = world.lab.client("iam")
    caller = iam.get_user_policy(UserName="robot", PolicyName="p")["PolicyDocument"]
    iam.delete_user_policy(UserName="robot", PolicyName="p")
    found = look_up(world)
    iam.put_user_policy(UserName="robot", PolicyName="p", PolicyDocument=json.dumps(caller))
    assert (found.failed, found.actions) == (True, {"sts:AssumeRole"})
    assert not look_up(world).failed


def test_the_roles_trust_nobody_else(world: World) -> None:
    """Management's administrator, whose policies allow everything, gets none of the members' roles."""
    for role in (world.lookup, world.repair, *world.coverage):
        assert refusal(world.lab.client("sts").assume_role, RoleArn=role.arn, RoleSessionName="tests") == "AccessDenied"


# --- options that need more ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def logs(world: World) -> dict[str, str]:
    """Makes what options name: a key, a topic, a log group with its role, an event data store; the group's options."""
    lab = world.lab
    logs = make_log_group(lab, "*", name="options")
    role = logs["cloud_watch_logs_role_arn"]
    managed = "arn:aws:iam::aws:policy/AWSCloudTrail_ReadOnlyAccess"
    lab.client("iam").attach_role_policy(RoleName=role.rpartition("/")[2], PolicyArn=managed)
    lab.client("cloudtrail").create_event_data_store(Name="options")
    key = make_key(lab, "alias/options")
    topic = make_topic(lab, "options")
    world.more = {
        "KmsKeyArn": key,
        "KmsKeyAccountId": lab.management,
        "SnsTopicArn": topic,
        "CloudWatchLogsRoleArn": role,
    }
    return logs


@pytest.fixture
def with_options(world: World, logs: dict[str, str]) -> Iterator[Role]:
    """Management's role with the policy for all options beside its own."""
    role = replace(world.management, policies=(*world.management.policies, "management_options"))
    yield role
    world.lab.client("iam").delete_role_policy(RoleName=role.name, PolicyName="management_options")


def tagged(world: World) -> None:
    tag = {"Key": "old", "Value": "x"}
    world.lab.client("cloudtrail").add_tags(ResourceId=world.lab.trail_arn, TagsList=[tag])


INSIGHTS = {"insight_selectors": [{"insight_type": "ApiCallRateInsight", "event_categories": ["Management"]}]}
AGGREGATION = {"aggregation_configurations": [{"event_category": "Data", "templates": ["API_ACTIVITY"]}]}
QUIETLY = {"on_problem": {"setting_lost": "ignore"}}
KEY = {"kms_key_id": "alias/options"}
LOGS: dict[str, Any] = {"logs": True}
OPTIONS: list[tuple[str, dict[str, Any], bool]] = [
    ("cloudtrail:GetInsightSelectors", INSIGHTS, FAILS),
    ("cloudtrail:PutInsightSelectors", INSIGHTS, FAILS),
    ("cloudtrail:GetEventConfiguration", AGGREGATION, FAILS),
    ("cloudtrail:PutEventConfiguration", AGGREGATION, FAILS),
    ("cloudtrail:AddTags", {"tags": {"new": "x"}, **QUIETLY}, FAILS),
    ("cloudtrail:ListTags", {"tags": {}, **QUIETLY}, FAILS),
    ("cloudtrail:RemoveTags", {"tags": {}, **QUIETLY}, FAILS),
    ("cloudtrail:StopLogging", {"logging": False}, FAILS),
    ("cloudtrail:DeleteTrail", {"state": "absent"}, FAILS),
    ("kms:DescribeKey", KEY, FAILS),
    ("kms:GetKeyPolicy", KEY, WARNS),
    ("sns:GetTopicAttributes", {"sns_topic_name": "options"}, WARNS),
    ("iam:ListRolePolicies", LOGS, WARNS),
    ("iam:GetRolePolicy", LOGS, WARNS),
    ("iam:ListAttachedRolePolicies", LOGS, WARNS),
    ("iam:GetPolicy", LOGS, WARNS),
    ("iam:GetPolicyVersion", LOGS, WARNS),
]
ACCESS_OFF = (
    "account:ListRegions",
    "cloudtrail:GetEventDataStore",
    "cloudtrail:GetTrail",
    "cloudtrail:ListEventDataStores",
    "cloudtrail:ListTrails",
    "organizations:DisableAWSServiceAccess",
)


@pytest.mark.parametrize(("action", "options", "fails"), OPTIONS)
def test_options_without_one_action(
    world: World, logs: dict[str, str], with_options: Role, action: str, options: dict[str, Any], fails: bool
) -> None:
    world.reset()
    without_the_trail(world)
    world.reset()
    tagged(world)
    given = logs if options is LOGS else options
    with world.removed(with_options, action):
        found = convert(world, **given)
    assert (found.failed, found.actions) == (fails, {action}), found.text
    mended = convert(world, **given)
    assert (mended.failed, mended.text) == (False, "")


@pytest.mark.parametrize("action", ACCESS_OFF)
def test_trusted_access_off_without_one_action(world: World, with_options: Role, action: str) -> None:
    world.reset()

    def turn_off() -> tuple[Any, str]:
        session = session_of(world, with_options)
        before = describe_service_access(session)
        return ensure_service_access(session, before, Wanted(CLOUDTRAIL, "absent", False), False), ""

    convert(world)
    trails = world.lab.client("cloudtrail")
    trails.update_trail(Name=world.lab.trail_arn, IsOrganizationTrail=False, S3BucketName=world.old_bucket)
    with world.removed(with_options, action):
        found = outcome(turn_off, with_options.arn)
    assert (found.failed, found.actions) == (FAILS, {action}), found.text
    mended = outcome(turn_off, with_options.arn)
    assert not mended.failed, mended.text


COSTS = "ce:GetCostAndUsage"


def test_costs_without_the_action(world: World, with_options: Role) -> None:
    with world.removed(with_options, COSTS):
        assert COSTS in find_costs(session_of(world, with_options)).problem
    assert find_costs(session_of(world, with_options)).problem == ""


def test_every_action_of_the_options_is_tried(world: World, logs: dict[str, str]) -> None:
    """PassRole is AWS's own check, DescribeAccount is management's, too; drift and delegation are elsewhere."""
    tried = {action for action, _options, _fails in OPTIONS} | {*ACCESS_OFF, COSTS} - {"cloudtrail:ListTrails"}
    drift = {"cloudtrail:LookupEvents", "organizations:ListDelegatedAdministrators"}
    delegation = {
        "cloudtrail:DeregisterOrganizationDelegatedAdmin",
        "organizations:DeregisterDelegatedAdministrator",
    }
    units = {"organizations:ListOrganizationalUnitsForParent", "organizations:ListRoots"}  # use_coverage_info
    untried = {"iam:PassRole", "organizations:DescribeAccount", *drift, *delegation, *units}
    assert tried | untried == actions_of(world.policy("management_options"))


# --- the delegated administrator ----------------------------------------------------------------------


def without_validation(world: World) -> None:
    world.lab.client("cloudtrail").update_trail(Name=world.lab.trail_arn, EnableLogFileValidation=False)


ADMINISTRATOR: list[tuple[str, Callable[[World], None] | None, bool]] = [
    ("organizations:DescribeOrganization", None, FAILS),
    ("organizations:ListAWSServiceAccessForOrganization", None, FAILS),
    ("organizations:ListDelegatedAdministrators", None, FAILS),
    ("organizations:DescribeAccount", None, WARNS),
    ("cloudtrail:DescribeTrails", None, FAILS),
    ("cloudtrail:ListTrails", None, FAILS),
    ("cloudtrail:GetEventSelectors", None, FAILS),
    ("cloudtrail:GetTrailStatus", None, FAILS),
    ("cloudtrail:CreateTrail", without_the_trail, FAILS),
    ("cloudtrail:PutEventSelectors", without_management_events, FAILS),
    ("cloudtrail:StartLogging", without_logging, FAILS),
    ("cloudtrail:UpdateTrail", without_validation, FAILS),
]
OF_COVERAGE = {"account:ListRegions", "cloudtrail:LookupEvents", "organizations:ListAccounts", "sts:AssumeRole"}
"""What the administrator needs for the coverage only."""


@pytest.fixture
def administered(world: World) -> Iterator[None]:
    """The lesson's trail as organization trail with the log archive's account as delegated administrator."""
    world.reset()
    convert(world)
    trails = world.lab.client("cloudtrail")
    trails.register_organization_delegated_admin(MemberAccountId=world.lab.log_archive)
    yield
    trails.deregister_organization_delegated_admin(DelegatedAdminAccountId=world.lab.log_archive)


@pytest.mark.usefixtures("administered")
@pytest.mark.parametrize(("action", "damage", "fails"), ADMINISTRATOR)
def test_the_administrator_without_one_action(
    world: World, action: str, damage: Callable[[World], None] | None, fails: bool
) -> None:
    role = world.administrator
    assert not convert(world, role).failed
    if damage:
        damage(world)
    with world.removed(role, action):
        found = convert(world, role)
    assert (found.failed, found.actions) == (fails, {action}), found.text
    mended = convert(world, role)
    assert (mended.failed, mended.text) == (False, "")


@pytest.fixture
def let_in(world: World) -> Iterator[None]:
    """Every account but the administrator's lets it in, management's too; members let management in again after."""
    administrator = world.administrator.account
    own = Role("OrgTrailCoverage", world.lab.management, ("member_coverage",), "trust_administrator")
    roles = [own, *(replace(one, trust=own.trust) for one in world.coverage if one.account != administrator)]
    trust = json.dumps(filled(own.trust, world.values))
    world.lab.client("iam").create_role(RoleName=own.name, AssumeRolePolicyDocument=trust)
    world.grant(own)
    for role in roles:
        world.lab.client("iam", role.account).update_assume_role_policy(RoleName=role.name, PolicyDocument=trust)
    yield
    iam = world.lab.client("iam")
    iam.delete_role_policy(RoleName=own.name, PolicyName="member_coverage")
    iam.delete_role(RoleName=own.name)
    for role in world.coverage:
        trust = json.dumps(filled(role.trust, world.values))
        world.lab.client("iam", role.account).update_assume_role_policy(RoleName=role.name, PolicyDocument=trust)


@pytest.mark.usefixtures("administered", "let_in")
def test_the_administrators_coverage_without_one_action(world: World) -> None:
    role, rows = world.administrator, len(REGIONS) * (len(world.coverage) + 1)
    assert cover(world, role).answer["summary"]["covered"] == rows
    cases: list[tuple[str, dict[str, Any], bool]] = [
        ("organizations:ListAccounts", {}, FAILS),
        ("account:ListRegions", {"regions": []}, FAILS),
        ("sts:AssumeRole", {}, WARNS),
    ]
    for action, more, fails in cases:
        with world.removed(role, action):
            found = cover(world, role, **more)
        assert (found.failed, found.actions) == (fails, {action}), found.text
    assert cover(world, role).answer["summary"]["covered"] == rows


@pytest.mark.usefixtures("administered")
def test_the_administrators_drift_without_event_history(world: World) -> None:
    arn = {"arn": world.lab.trail_arn}
    diff = {"before": {"logging": False}, "after": {"logging": True}}
    stopped = {"actions": [{}], "diff": diff, "trail": arn, "before": arn, "changed_fields": ["logging"]}
    role, action = world.administrator, "cloudtrail:LookupEvents"
    with world.removed(role, action):
        found = run_main(world, cloudtrail_drift_info.main, {"organization_trail": stopped}, keys_of(world, role))
    assert action in found.answer["drift"][0]["unattributed"]


def test_every_action_of_the_administrator_is_tried(world: World) -> None:
    tried = {action for action, _damage, _fails in ADMINISTRATOR}
    assert tried | OF_COVERAGE == actions_of(world.policy("administrator"))


DELEGATION = [
    "organizations:DescribeOrganization",
    "organizations:ListAWSServiceAccessForOrganization",
    "organizations:ListDelegatedAdministrators",
    "organizations:DescribeAccount",
    "organizations:RegisterDelegatedAdministrator",
    "cloudtrail:RegisterOrganizationDelegatedAdmin",
    "iam:CreateServiceLinkedRole",
    "iam:GetRole",
]


@pytest.fixture
def undelegated(world: World) -> Iterator[None]:
    """The lesson's trail as organization trail; nobody is administrator, and no service-linked role is there."""
    world.reset()
    convert(world)
    without_service_linked_role(world)
    yield
    trails = world.lab.client("cloudtrail")
    with contextlib.suppress(ClientError):  # not registered
        trails.deregister_organization_delegated_admin(DelegatedAdminAccountId=world.lab.log_archive)


def register(world: World) -> Outcome:
    options = {"member_account_id": world.lab.log_archive}
    return run_main(world, cloudtrail_delegated_administrator.main, options, keys_of(world, world.delegation))


@pytest.mark.usefixtures("undelegated")
@pytest.mark.parametrize("action", DELEGATION)
def test_delegation_without_one_action(world: World, action: str) -> None:
    with world.removed(world.delegation, action):
        found = register(world)
    assert (found.failed, found.actions) == (FAILS, {action}), found.text
    mended = register(world)
    assert (mended.failed, mended.text) == (False, "")


def test_every_action_of_delegation_is_tried(world: World) -> None:
    assert set(DELEGATION) == actions_of(world.policy("management_delegation"))


# --- repair of the log bucket -------------------------------------------------------------------------

SETTINGS = {
    "public_access": dict.fromkeys(
        ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets"), True
    ),
    "versioning": True,
    "encryption": "aws:kms",  # S3 encrypts with keys of its own unless told otherwise
    "object_ownership": "BucketOwnerEnforced",
}
"""What the role log_bucket hands to amazon.aws.s3_bucket for a bucket in which all of it is to be repaired."""

OURS = ("organizations:DescribeOrganization", "s3:GetBucketPolicy", "s3:PutBucketPolicy")
FAILING = (
    "s3:CreateBucket",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
)
WARNED_OF = {
    "s3:GetAccelerateConfiguration": "Failed to get bucket accelerate configuration (permission denied)",
    "s3:GetBucketAcl": "Failed to get bucket ACLs (permission denied)",
    "s3:GetBucketLogging": "Failed to get bucket logging configuration (permission denied)",
    "s3:GetBucketObjectLockConfiguration": "Failed to get bucket object lock settings (permission denied)",
    "s3:GetBucketRequestPayment": "Failed to get bucket request payment settings (permission denied)",
    "s3:GetBucketTagging": "Failed to get bucket tags (permission denied)",
    "s3:GetInventoryConfiguration": "Failed to get bucket inventory settings (permission denied)",
}
"""Reads without which amazon.aws.s3_bucket goes on, and its warning, which docs/iam/README.md quotes."""

AMAZON_AWS_10 = {
    "s3:GetAccelerateConfiguration": {"Failed to get bucket encryption settings (permission denied)"},
    "s3:GetBucketLogging": set[str](),
}
"""The warnings that amazon.aws 10 words otherwise, or does not give: it does not read what it need not change."""

READ_BY_US = (
    "s3:GetBucketLocation",
    "s3:GetBucketNotification",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
)
"""Only our look-up reads them; tested with the policy for the look-up."""


def weak_bucket(world: World, action: str) -> str:
    """A bucket that stands as it should not; none for the right to create one."""
    name = f"org-trail-{action.rpartition(':')[2].lower()}"
    s3 = world.lab.client("s3", world.lab.log_archive)
    if action != "s3:CreateBucket":
        s3.create_bucket(Bucket=name)
        s3.delete_public_access_block(Bucket=name)
        s3.delete_bucket_ownership_controls(Bucket=name)
        s3.delete_bucket_encryption(Bucket=name)
    return name


def mend_settings(world: World, bucket: str) -> Outcome:
    """What the role log_bucket does with amazon.aws.s3_bucket."""
    return run_main(world, s3_bucket.main, {"name": bucket, **SETTINGS}, keys_of(world, world.repair))


@pytest.mark.parametrize("action", [*FAILING, *WARNED_OF, "s3:ListBucket"])
def test_log_archive_repair_without_one_action(world: World, action: str) -> None:
    bucket = weak_bucket(world, action)
    with world.removed(world.repair, action, LogBucketName=bucket):
        found = mend_settings(world, bucket)
    assert found.failed == (action not in WARNED_OF), found.text
    if action == "s3:ListBucket":
        assert re.search(r"Failed to determine if bucket exi(sts|sits) \(permission denied\)", found.text)
    elif found.failed:
        assert found.actions == {action}
    else:
        assert set(found.text.splitlines()) in ({WARNED_OF[action]}, AMAZON_AWS_10.get(action))


def test_every_setting_is_repaired_without_a_warning(world: World) -> None:
    bucket = weak_bucket(world, "all")
    with world.removed(world.repair, "", LogBucketName=bucket):
        world.lab.clear_journal()
        first = mend_settings(world, bucket)
        assert (first.failed, first.text, first.answer["changed"]) == (False, "", True)
        written = {action_of_entry(entry) for entry in world.lab.journal(writes=True, service="s3")}
        assert written == {action for action in FAILING if "Put" in action}


@pytest.mark.parametrize("action", OURS)
def test_log_archive_repair_of_the_policy_without_one_action(world: World, action: str) -> None:
    bucket = weak_bucket(world, f"policy-{action.rpartition(':')[2]}")
    with world.removed(world.repair, action, LogBucketName=bucket):
        found = mend_policy(world, bucket)
    assert (found.failed, found.actions) == (True, {action}), found.text


def test_every_action_of_log_archive_repair_is_tried(world: World) -> None:
    tried = {*OURS, *FAILING, *WARNED_OF, *READ_BY_US, "s3:ListBucket"}
    assert tried == actions_of(world.policy("log_archive_repair"))


# --- as narrow as it says -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "operation", "allowed", "refused"),
    [
        (
            "organizations",
            "enable_aws_service_access",
            {"ServicePrincipal": CLOUDTRAIL},
            {"ServicePrincipal": "config.amazonaws.com"},
        ),
        ("organizations", "describe_account", {"AccountId": "ARCHIVE"}, {"AccountId": "MEMBER"}),
        ("organizations", "list_accounts", {}, None),
        ("cloudtrail", "get_trail_status", {"Name": "default"}, None),
        ("cloudtrail", "start_logging", {"Name": "default"}, {"Name": "other"}),
        ("cloudtrail", "stop_logging", None, {"Name": "default"}),
        ("cloudtrail", "delete_trail", None, {"Name": "default"}),
        ("iam", "get_role", {"RoleName": "AWSServiceRoleForCloudTrail"}, {"RoleName": "OrgTrailManagement"}),
        ("iam", "create_service_linked_role", None, {"AWSServiceName": "config.amazonaws.com"}),
        ("s3", "list_buckets", None, {}),
        (
            "sts",
            "assume_role",
            {"RoleArn": "arn:aws:iam::MEMBER:role/OrgTrailCoverage", "RoleSessionName": "tests"},
            {"RoleArn": "arn:aws:iam::MEMBER:role/OrganizationAccountAccessRole", "RoleSessionName": "tests"},
        ),
    ],
)
def test_management_may_no_more(
    world: World, service: str, operation: str, allowed: dict[str, str] | None, refused: dict[str, str] | None
) -> None:
    names = {"ARCHIVE": world.lab.log_archive, "MEMBER": world.coverage[0].account}
    if names["MEMBER"] == names["ARCHIVE"]:
        names["MEMBER"] = world.coverage[1].account
    convert(world)
    call = getattr(world.lab.client_with(keys_of(world, world.management), service), operation)
    for parameters, denied in ((allowed, False), (refused, True)):
        if parameters is not None:
            filled_in = json.loads(re.sub("ARCHIVE|MEMBER", lambda match: names[match[0]], json.dumps(parameters)))
            assert refusal(call, **filled_in).startswith("AccessDenied") == denied


def test_log_archive_roles_may_read_no_other_bucket(world: World) -> None:
    world.lab.client("s3", world.lab.log_archive).create_bucket(Bucket="somebody-elses")
    for role in (world.lookup, world.repair):
        s3 = world.lab.client_with(keys_of(world, role), "s3")
        assert not refusal(s3.get_bucket_policy, Bucket=world.lab.bucket)
        assert refusal(s3.get_bucket_policy, Bucket="somebody-elses") == "AccessDenied"
        assert refusal(s3.list_objects_v2, Bucket="somebody-elses") == "AccessDenied"
        assert refusal(s3.get_object, Bucket=world.lab.bucket, Key="x") == "AccessDenied"
        assert refusal(s3.delete_bucket, Bucket=world.lab.bucket) == "AccessDenied"
    assert not look_up(world).failed  # a bucket that it may not read stands in nobody's way


# --- documented is what is called ---------------------------------------------------------------------

UNCHECKED = {"sts:GetCallerIdentity"}
"""Needs no permission."""


def action_of_entry(entry: dict[str, Any]) -> str:
    """The IAM action of a call in the journal, by the lab's table of names."""
    return action_of(cast(Call, SimpleNamespace(**entry)))


@dataclass
class Recorder:
    """Runs modules as the lab's administrator, whom nothing is denied, and remembers their actions."""

    world: World
    seen: set[str]

    def __call__(self, module: Any, **options: Any) -> dict[str, Any]:
        keys = {**self.world.lab.client("sts").get_session_token()["Credentials"]}
        self.world.lab.clear_journal()
        arguments = copy.deepcopy(module.ARGUMENTS)  # a module is a process of its own; the next one starts afresh
        with mock.patch.object(module, "ARGUMENTS", arguments):
            found = run_main(self.world, module.main, options, keys)
        assert not found.failed, found.text
        calls = self.world.lab.journal()
        self.seen |= {action_of_entry(call) for call in calls} - UNCHECKED
        return dict(found.answer)


def use_log_bucket_info(world: World, run: Recorder) -> None:
    archive = {"assume_role_arn": f"arn:aws:iam::{world.lab.log_archive}:role/{MEMBER_ROLE}"}
    run(cloudtrail_log_bucket_info, health=True, select="one", **archive)
    run(cloudtrail_log_bucket_info, tags={"no": "such"}, **archive)
    bucket = weak_bucket(world, "only-encrypted")
    header = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}
    put_statement(world, bucket, Effect="Deny", Action="s3:PutObject", Condition=header)
    run(cloudtrail_log_bucket_info, name=bucket, **archive)


def use_log_bucket_policy(world: World, run: Recorder) -> None:
    archive = {"assume_role_arn": f"arn:aws:iam::{world.lab.log_archive}:role/{MEMBER_ROLE}"}
    bucket = weak_bucket(world, "only-a-policy")
    put_statement(world, bucket, Effect="Allow", Action="s3:GetObject")
    run(cloudtrail_log_bucket_policy, bucket=bucket, trail_arn=world.lab.trail_arn, **archive)
    world.lab.client("s3", world.lab.log_archive).delete_bucket_policy(Bucket=bucket)
    for state in ("present", "absent"):
        run(cloudtrail_log_bucket_policy, bucket=bucket, trail_arn=world.lab.trail_arn, state=state, **archive)


def put_statement(world: World, bucket: str, **statement: Any) -> None:
    """Give the bucket a policy of one statement for everybody and all objects."""
    everybody = {"Principal": "*", "Resource": f"arn:aws:s3:::{bucket}/*"}
    policy = {"Version": "2012-10-17", "Statement": {**everybody, **statement}}
    world.lab.client("s3", world.lab.log_archive).put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def use_service_access(world: World, run: Recorder) -> None:
    world.reset()
    world.lab.client("cloudtrail").create_event_data_store(Name="store")
    for state in ("present", "absent"):
        run(organizations_service_access, state=state)


def use_delegated_administrator(world: World, run: Recorder) -> None:
    world.reset()
    convert(world)
    member = world.lab.log_archive
    run(cloudtrail_delegated_administrator, member_account_id=member)
    proof = {"state": "proven", "trail_arn": world.lab.trail_arn, "member_account_id": member}
    run(cloudtrail_delegated_administrator, assume_role_arn=f"arn:aws:iam::{member}:role/{MEMBER_ROLE}", **proof)
    run(cloudtrail_delegated_administrator, member_account_id=member, state="absent")


def use_organization_trail(world: World, run: Recorder) -> None:
    world.reset()
    lab, bucket = world.lab, world.lab.bucket
    without_the_trail(world)
    without_service_linked_role(world)
    trust(lab)
    archive = f"arn:aws:iam::{lab.log_archive}:role/{MEMBER_ROLE}"
    run(cloudtrail_organization_trail, s3_bucket_name=bucket, log_archive_role_arn=archive)
    without_management_events(world)
    run(cloudtrail_organization_trail, logging=False)
    run(cloudtrail_organization_trail, is_organization_trail=False, s3_bucket_name=bucket)
    run(cloudtrail_organization_trail, s3_bucket_name=bucket, bucket_account_id=lab.log_archive)
    make_key(lab)
    logs = make_log_group(lab, "*")
    role = {"RoleName": logs["cloud_watch_logs_role_arn"].rpartition("/")[2]}
    lab.client("iam").attach_role_policy(**role, PolicyArn="arn:aws:iam::aws:policy/AWSCloudTrail_ReadOnlyAccess")
    run(cloudtrail_organization_trail, kms_key_id="alias/trail", sns_topic_name=make_topic(lab), **logs)
    insight = {"insight_type": "ApiCallRateInsight"}
    aggregation = {"templates": ["API_ACTIVITY"]}
    run(cloudtrail_organization_trail, tags={"a": "b"}, insight_selectors=[insight])
    run(cloudtrail_organization_trail, tags={}, aggregation_configurations=[aggregation])
    register = {"MemberAccountId": lab.log_archive}
    lab.client("cloudtrail").register_organization_delegated_admin(**register)
    run(cloudtrail_organization_trail, assume_role_arn=f"arn:aws:iam::{lab.log_archive}:role/{MEMBER_ROLE}")
    lab.client("cloudtrail").deregister_organization_delegated_admin(DelegatedAdminAccountId=lab.log_archive)
    run(cloudtrail_organization_trail, state="absent")


def use_coverage_info(world: World, run: Recorder) -> None:
    world.reset()
    convert(world)
    archive = f"arn:aws:iam::{world.lab.log_archive}:role/{MEMBER_ROLE}"
    world.lab.control("POST", "deliver", {"hours": 2})
    delivery = {"log_delivery": "digest", "log_archive_role_arn": archive, "event_history": True}
    run(cloudtrail_coverage_info, trail_arn=world.lab.trail_arn, regions=REGIONS, ou_names=True, **delivery)
    world.lab.control("POST", "members", [{"account": world.coverage[0].account, "missing": True}])
    world.lab.control("POST", "options", {"account_paths": False})  # as for a botocore that does not know them
    run(cloudtrail_coverage_info, trail_arn=world.lab.trail_arn)
    world.lab.control("POST", "options", {"account_paths": True})
    world.lab.control("POST", "members", [{"account": world.coverage[0].account, "missing": False}])


def use_drift_info(world: World, run: Recorder) -> None:
    world.reset()
    convert(world)
    without_logging(world)
    drifted = Recorder(world, set())(
        cloudtrail_organization_trail, _ansible_check_mode=True, s3_bucket_name=world.lab.bucket
    )
    archive = f"arn:aws:iam::{world.lab.log_archive}:role/{MEMBER_ROLE}"
    names = ("actions", "diff", "changed_fields", "before", "trail", "problems")
    found = {name: drifted[name] for name in names}
    outside = {"setting": "outside_access", "account_id": "999999999999", "weakened": False}
    outside |= {"found": "an Allow", "expected": "none", "fix": "Remove it."}
    run(
        cloudtrail_drift_info,
        organization_trail=found,
        log_bucket={"name": world.lab.bucket, "health": {"problems": [outside]}},
        log_archive_role_arn=archive,
        delegated_administrators=[],
    )


USES = {
    cloudtrail_log_bucket_info: use_log_bucket_info,
    cloudtrail_log_bucket_policy: use_log_bucket_policy,
    organizations_service_access: use_service_access,
    cloudtrail_delegated_administrator: use_delegated_administrator,
    cloudtrail_organization_trail: use_organization_trail,
    cloudtrail_coverage_info: use_coverage_info,
    cloudtrail_drift_info: use_drift_info,
}
CALLED_FOR_US = {
    "iam:CreateServiceLinkedRole",
    "iam:PassRole",
    "kms:Decrypt",
    "organizations:DeregisterDelegatedAdministrator",
    "organizations:RegisterDelegatedAdministrator",
}
"""AWS checks them when it acts on the caller's behalf; they are no calls of ours."""


@pytest.mark.parametrize("module", USES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_the_documentation_names_the_actions_that_are_seen(world: World, module: Any) -> None:
    needed, optional = documented_actions(module.DOCUMENTATION)
    seen: set[str] = set()
    USES[module](world, Recorder(world, seen))
    given = {"sts:AssumeRole"} - needed - optional  # that of assume_role_arn belongs to the caller, not to the role
    assert seen - given == (needed | optional) - CALLED_FOR_US
