# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worlds that the lab can start with. The same arguments give the same world, ids included."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from random import Random
from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import parse_trail_arn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.statements import required_statements
from moto.moto_api._internal import mock_random
from moto.s3.models import s3_backends

from lab.kernel import regions
from lab.kernel.world import World
from lab.services import s3
from lab.services.cloudtrail import trails
from lab.services.iam import api as iam
from lab.services.organizations import policies as organizations_policies
from lab.services.organizations import service_access as organizations_access
from lab.services.organizations import tree as organizations_tree
from lab.services.organizations.api import CLOUDTRAIL
from lab.services.organizations.state import SCP, Account, Organization, Unit, new_organization, word

SCENARIOS = ("lesson", "landing_zone", "empty")
MOST_ACCOUNTS = 10_000
"""AWS's own limit of an organization (aws-facts section 8)."""

ACCESS_KEY, SECRET_KEY = "AKIALABADMIN00000000", "not-a-secret-of-the-lab"
"""The secret is no common word: Ansible hides it wherever it stands in a module's answer."""

TEAM_SIZE = 250
BEGAN = datetime(2024, 1, 15, 9, 30, tzinfo=UTC)

CONTROL_TOWER_TRAIL = "aws-controltower-BaselineCloudTrail"
OPT_IN_REGION = "eu-central-2"

ODD_NAMES = ('Büro "Süd" & O\'Brien', "<script>alert(1)</script>", "開発 {{ lookup('env', 'HOME') }}")
"""Names that break whoever does not quote them."""


def build(world: World, scenario: str, accounts: int) -> dict[str, str]:
    """Fill the world and answer the environment variables of its administrator.

    ``accounts`` fills the organization up to so many accounts, management included.
    Raises ValueError for too many accounts and for an unknown home region.
    """
    if not 0 <= accounts <= MOST_ACCOUNTS:
        raise ValueError(f"an organization has at most {MOST_ACCOUNTS} accounts, found --accounts {accounts}.")
    world.random = Random(scenario)
    mock_random.seed(scenario)
    world.partition = regions.partition_of(world.home_region)
    world.management_account = new_account_id(world)
    iam.make_user(world, world.management_account, "admin", ACCESS_KEY, SECRET_KEY)
    {"lesson": lesson, "landing_zone": landing_zone, "empty": empty}[scenario](world)
    if world.organization:
        fill(world, world.organization, accounts)
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": "",
        "AWS_DEFAULT_REGION": regions.control_region(world),
        "AWS_REGION": regions.control_region(world),
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


# --- the worlds -------------------------------------------------------------------------------------


def empty(world: World) -> None:
    """One account that is in no organization."""


def lesson(world: World) -> None:
    """The lesson's world before its steps are taken (aws-facts 9.1)."""
    org = make_organization(world)
    security = organizations_tree.add_unit(world, org, org.root_id, "Security")
    workloads = organizations_tree.add_unit(world, org, org.root_id, "Workloads")
    sandbox = organizations_tree.add_unit(world, org, org.root_id, "Sandbox")
    archive = make_account(world, org, security, "SecurityAudit")
    make_account(world, org, workloads, "Production")
    make_account(world, org, workloads, "Development")
    make_account(world, org, sandbox, "Sandbox")
    attach_guardrails(world, org)
    make_default_trail(world)
    world.log_archive_account = archive.id
    world.log_bucket = make_log_bucket(world, f"aws-cloudtrail-logs-{archive.id}-{word(world.random, 8)}")


def landing_zone(world: World) -> None:
    """An organization that has grown: Control Tower's trail, renamed and closed accounts, buckets that nearly fit."""
    org = make_organization(world)
    units = {name: organizations_tree.add_unit(world, org, org.root_id, name) for name in LANDING_ZONE}
    for name in ("Production", "Development"):
        units[name] = organizations_tree.add_unit(world, org, units["Workloads"].id, name)
    made = {
        name: make_account(world, org, units[unit], name, state)
        for unit, name, state in (
            ("Security", "LogArchive", "ACTIVE"),  # the lesson's SecurityAudit, renamed (aws-facts 7.5)
            ("Security", "SecurityAudit", "ACTIVE"),
            ("Infrastructure", "Network", "ACTIVE"),
            ("Infrastructure", "SharedServices", "ACTIVE"),
            ("Production", "Shop", "ACTIVE"),
            ("Production", "Payments", "ACTIVE"),
            ("Development", "Shop-Dev", "ACTIVE"),
            *(("Sandbox", name, "ACTIVE") for name in ODD_NAMES),
            ("Suspended", "Old-Website", "SUSPENDED"),
            ("Suspended", "Acquired-2019", "CLOSED"),
            ("Suspended", "Trial", "PENDING_CLOSURE"),
        )
    }
    archive = world.log_archive_account = made["LogArchive"].id
    for account in (world.management_account, archive, made["Network"].id, made["Shop"].id):
        world.opted_in[account] = {OPT_IN_REGION} & set(regions.all_regions(world))
    attach_guardrails(world, org)
    add_control_tower(world, org)
    make_default_trail(world)
    world.log_bucket = make_log_bucket(world, f"aws-cloudtrail-logs-{archive}-{word(world.random, 8)}")
    make_unfit_buckets(world, org)


LANDING_ZONE = ("Security", "Infrastructure", "Workloads", "Sandbox", "Suspended")


def fill(world: World, org: Organization, accounts: int) -> None:
    """Add accounts, in teams of 250, until the organization has as many as asked for."""
    parent = next(unit.id for unit in org.units.values() if unit.name == "Workloads")
    team = None
    for number in range(1, accounts - len(org.accounts) + 1):
        if team is None or len(team.accounts) >= TEAM_SIZE:
            team = organizations_tree.add_unit(world, org, parent, f"Team {number // TEAM_SIZE + 1}")
        make_account(world, org, team, f"Workload-{number:05}")


# --- parts of them ----------------------------------------------------------------------------------


def new_account_id(world: World) -> str:
    return str(world.random.randrange(10**11, 10**12))


def make_organization(world: World) -> Organization:
    """An organization with all features and SCPs, whose only account is management."""
    management = world.management_account
    org = new_organization(world.random, management, "aws+management@example.com", world.partition)
    world.organization = org
    org.enable_policy_type(SCP)
    org.add_account(
        Account(management, "Management", org.management_email, org.root_id, BEGAN, joined_method="INVITED")
    )
    return org


def make_account(world: World, org: Organization, unit: Unit, name: str, state: str = "ACTIVE") -> Account:
    """A member with the role that management enters it by."""
    number = len(org.accounts)
    account = Account(new_account_id(world), name, f"aws+{number:05}@example.com", unit.id, BEGAN, state)
    organizations_tree.add_account(world, org, account)
    return account


def attach_guardrails(world: World, org: Organization) -> None:
    """The lesson's SCPs, attached to the root: nobody leaves, and no member's root user does anything."""
    deny_leaving = statement("DenyLeaveOrganization", "Deny", "organizations:LeaveOrganization")
    deny_root = statement("DenyMemberRoot", "Deny", "*")
    deny_root["Condition"] = {"StringLike": {"aws:PrincipalArn": f"arn:{world.partition}:iam::*:root"}}
    for one in (deny_leaving, deny_root):
        policy = organizations_policies.add_policy(world, org, one["Sid"], as_policy(one))
        org.attach(policy.id, org.root_id)


def statement(sid: str, effect: str, action: str | list[str], resource: str | list[str] = "*") -> dict[str, Any]:
    return {"Sid": sid, "Effect": effect, "Action": action, "Resource": resource}


def as_policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trail_arn(world: World, name: str = "default") -> str:
    return f"arn:{world.partition}:cloudtrail:{world.home_region}:{world.management_account}:trail/{name}"


def make_default_trail(world: World) -> None:
    """The account trail that the lesson converts, with its bucket in management."""
    management = world.management_account
    bucket = f"aws-cloudtrail-logs-{management}-{word(world.random, 8)}"
    # An account trail's bucket has two of the three statements (aws-facts section 3).
    make_bucket(world, management, bucket, required(world, bucket)[:2])
    trails.add_trail(
        world,
        management,
        world.home_region,
        "default",
        s3_bucket_name=bucket,
        is_multi_region_trail=True,
        log_file_validation_enabled=True,
    )


def required(world: World, bucket: str, trail: str = "default", prefix: str = "") -> list[dict[str, Any]]:
    assert world.organization
    arn = parse_trail_arn(trail_arn(world, trail))
    return required_statements(LogPlace(bucket, arn, world.organization.id, prefix))


def make_log_bucket(world: World, name: str) -> str:
    """The bucket in the log archive that admits the organization trail."""
    make_bucket(world, world.log_archive_account, name, required(world, name))
    return name


def make_bucket(world: World, account: str, name: str, statements: list[dict[str, Any]]) -> s3.Bucket:
    """A bucket in the home region, with AWS's defaults."""
    bucket: s3.Bucket = s3_backends[account][world.partition].create_bucket(name, world.home_region)
    if statements:
        bucket.policy = as_policy(*statements).encode()
    return bucket


def add_control_tower(world: World, org: Organization) -> None:
    """Control Tower's organization trail with its bucket, and the SCP that guards both (aws-facts 3.9, 7.7)."""
    archive = world.log_archive_account
    bucket = f"aws-controltower-logs-{archive}-{world.home_region}"
    make_bucket(world, archive, bucket, required(world, bucket, CONTROL_TOWER_TRAIL, prefix=org.id))
    organizations_access.set_trusted_access(world, CLOUDTRAIL)
    organizations_access.set_trusted_access(world, "controltower.amazonaws.com")
    trails.add_trail(
        world,
        world.management_account,
        world.home_region,
        CONTROL_TOWER_TRAIL,
        s3_bucket_name=bucket,
        s3_key_prefix=org.id,
        is_multi_region_trail=True,
        is_organization_trail=True,
        log_file_validation_enabled=True,
    )
    changes = ["DeleteTrail", "PutEventSelectors", "StopLogging", "UpdateTrail"]
    guard = statement(
        "GRCLOUDTRAILENABLED",
        "Deny",
        [f"cloudtrail:{change}" for change in changes],
        f"arn:{world.partition}:cloudtrail:*:*:trail/aws-controltower-*",
    )
    guard["Condition"] = {
        "ArnNotLike": {"aws:PrincipalARN": f"arn:{world.partition}:iam::*:role/AWSControlTowerExecution"}
    }
    guards_of_buckets = ["DeleteBucket", "PutBucketPolicy", "PutEncryptionConfiguration", "PutLifecycleConfiguration"]
    guards_of_buckets += ["PutBucketLogging", "PutReplicationConfiguration"]  # the last since landing zone 4.0
    buckets = statement(
        "GRLOGBUCKETCHANGESPROHIBITED",
        "Deny",
        [f"s3:{change}" for change in guards_of_buckets],
        f"arn:{world.partition}:s3:::aws-controltower*",
    )
    buckets["Condition"] = guard["Condition"]
    policy = organizations_policies.add_policy(world, org, "aws-guardrails-lab", as_policy(guard, buckets))
    org.attach(policy.id, org.root_id)
    principal = {"AWS": f"arn:{world.partition}:iam::{world.management_account}:root"}
    for account in org.accounts:
        if account != world.management_account:
            iam.make_role(world, account, "AWSControlTowerExecution", iam.trust_policy(principal), iam.ADMINISTRATOR)


def make_unfit_buckets(world: World, org: Organization) -> None:
    """Buckets beside the right one that look like it (aws-facts 3.3)."""
    archive = world.log_archive_account

    def name(what: str) -> str:
        return f"aws-cloudtrail-logs-{archive}-{what}"

    make_bucket(world, archive, name("no-organization"), required(world, name("no-organization"))[:2])
    make_bucket(world, archive, name("other-trail"), required(world, name("other-trail"), "audit"))
    make_bucket(world, archive, name("prefixed"), required(world, name("prefixed"), prefix="central"))
    encrypted = name("sse-only")
    deny = statement(
        "DenyUnencryptedObjectUploads", "Deny", "s3:PutObject", f"arn:{world.partition}:s3:::{encrypted}/*"
    )
    deny |= {"Principal": "*", "Condition": {"Null": {"s3:x-amz-server-side-encryption": "true"}}}
    make_bucket(world, archive, encrypted, [*required(world, encrypted), deny])
    make_bucket(world, archive, f"config-bucket-{archive}", [])
