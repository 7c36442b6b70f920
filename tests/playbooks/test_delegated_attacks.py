# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attack catalogue met by CloudTrail's delegated administrator, for a week, after management's keys are revoked.

Whoever ran delegate_org_trail.yml in management has no keys any more. All runs that follow have those of a user of the
administrator's account, with the policies of docs/iam. The lab checks every call (--enforce-iam). What AWS reserves for
management is told, with the command to run there.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.inventory import write_inventory
from tests.ansible_run import PlaybookResult, run_playbook
from tests.iam_files import filled
from tests.lab.organization_trail import refusal
from tests.lab_process import Lab
from tests.playbooks.test_attacks import ATTACKS, Attack, World, stand, withstand

ROLE, MEMBER_ROLE = "OrgTrailAdministrator", "OrgTrailCoverage"
OPTIONS = ("InsightSelectors", "Tags", "KmsKey", "SnsTopic", "CloudWatchLogs", "AccountsInTheBucket")
"""Statements of management_options.json that the administrator's role has, too."""

HOURS_IN_A_WEEK = 7 * 24

RESERVED = {
    "Delete the trail",
    "Point the trail to another bucket, for this account only",
    "Turn the organization flag off",
    "Remove the CloudWatch Logs log group",
    "Switch trusted access off",
    "Switch trusted access off and on",
    "Delete the trail, create one of another name",
}
"""What management alone repairs: conversion, trusted access, and its own log group (aws-facts 11.1, 11.2)."""

UNATTRIBUTED = {"RegisterOrganizationDelegatedAdmin", "DeregisterOrganizationDelegatedAdmin", "user/admin"}
"""What only management's event history tells."""

SEEN_DIFFERENTLY: dict[str, dict[str, Any]] = {
    # An account trail of management is out of its sight (aws-facts 11.1).
    "Make a second trail of the same name elsewhere": {
        "named": ("is_multi_region_trail",),
        "by_hand": "",
        "unseen": True,
    },
    # Its role enters accounts of the organization only.
    "Remove an account from the organization (with detect_drift_coverage and coverage_accounts)": {
        "named": ("denied",),
        "by_hand": "denied",
    },
}
"""What the administrator says otherwise than management would, as fields of the attack."""

SHORT = ("Stop logging", "Switch trusted access off")


def allow(lab: Lab, account: str, role: str, policies: dict[str, Any], trusted: dict[str, Any]) -> None:
    """A role with exactly these policies."""
    iam = lab.client("iam", account)
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trusted))
    for name, policy in policies.items():
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))


def make_user(lab: Lab, account: str, name: str, *statements: dict[str, Any]) -> dict[str, str]:
    """The environment of a new user with these statements as its policy."""
    iam = lab.client("iam", account)
    iam.create_user(UserName=name)
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
    keys = iam.create_access_key(UserName=name)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": keys["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"]}


def seen_by(lab: Lab, keys: dict[str, str]) -> Lab:
    """The lab as the owner of these keys sees it."""
    user = copy.copy(lab)
    user.clients = {}
    user.environment = {**lab.environment, **keys}
    return user


class DelegatedWorld(World):
    """The lab after delegate_org_trail.yml, which management's operator ran once."""

    def turn_on(self) -> PlaybookResult:
        """Delegate, revoke the operator's keys, and run as the administrator for the first time."""
        lab = self.lab
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        operator = make_user(lab, lab.management, "operator", everything)
        self.user = seen_by(lab, operator)
        inventory = str(write_inventory(self.folder / "delegate.yml", lab.ready))
        given = ("-i", inventory, "-e", f"@{self.variables}")
        self.delegated = run_playbook(self.user, "playbooks/delegate_org_trail.yml", *given).ok()
        lab.client("iam").delete_access_key(UserName="operator", AccessKeyId=operator["AWS_ACCESS_KEY_ID"])
        assert refusal(self.user.client("cloudtrail").list_trails) == "UnrecognizedClientException"
        self.let_administrator_in()
        return self.enable().ok()

    def let_administrator_in(self) -> None:
        """The roles of docs/iam in the administrator's account and all others, and a user who may enter the former."""
        lab, role = self.lab, f"arn:aws:iam::{self.lab.log_archive}:role/{ROLE}"
        enter = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}
        self.user = seen_by(lab, make_user(lab, lab.log_archive, "security", enter))
        wanted = json.loads(self.variables.read_text())
        values = {
            "Partition": "aws",
            "OrganizationId": lab.organization_id,
            "ManagementAccountId": lab.management,
            "LogArchiveAccountId": lab.log_archive,
            "AdministratorAccountId": lab.log_archive,
            "HomeRegion": lab.home_region,
            "TrailName": "default",
            "LogBucketName": lab.bucket,
            "CallerArn": f"arn:aws:iam::{lab.log_archive}:user/security",
            "KmsKeyArn": wanted["organization_trail_kms_key_id"],
            "KmsKeyAccountId": lab.management,
            "SnsTopicArn": wanted["organization_trail_sns_topic_name"],
            "CloudWatchLogsRoleArn": wanted["organization_trail_cloud_watch_logs_role_arn"],
        }
        options = filled("management_options", values)
        options["Statement"] = [one for one in options["Statement"] if one["Sid"] in OPTIONS]
        policies = {name: filled(name, values) for name in ("administrator", "log_archive_lookup")}
        allow(lab, lab.log_archive, ROLE, {**policies, "options": options}, filled("trust_caller", values))
        coverage, trust = filled("member_coverage", values), filled("trust_administrator", values)
        lab.control("POST", "roles", {"name": MEMBER_ROLE, "trust": trust, "policy": coverage})
        allow(lab, lab.management, MEMBER_ROLE, {"coverage": coverage}, trust)  # which a StackSet leaves out

    def inventory(self) -> Path:
        """As write_inventory makes it, with the administrator as caller and with the roles of docs/iam."""
        document = yaml.safe_load(super().inventory().read_text())
        document["all"]["vars"] |= {"organization_trail_caller": "security_audit", "coverage_role_name": MEMBER_ROLE}
        document["all"]["vars"]["detect_drift_delegated_administrators"] = [self.lab.log_archive]
        archive = document["all"]["children"]["log_archive"]["hosts"]["security_audit"]
        archive["assume_role_arn"] = f"arn:aws:iam::{self.lab.log_archive}:role/{ROLE}"
        path = self.folder / "administrator.yml"
        path.write_text(yaml.safe_dump(document))
        return path

    def run(self, playbook: str, **variables: Any) -> PlaybookResult:
        """Run it, and see that nobody called but the administrator and the role that only reads."""
        self.lab.clear_journal()
        result = super().run(playbook, **variables)
        callers = {entry["principal"].split(":", 4)[4] for entry in self.lab.journal()}
        names = {"/".join(caller.split("/")[:2]).partition(":")[2] for caller in callers}
        assert names <= {"user/security", f"assumed-role/{ROLE}", f"assumed-role/{MEMBER_ROLE}"}
        return result

    def coverage(self) -> dict[str, Any]:
        """As there, by the role that lets the administrator in, and of a member that can be entered in any case."""
        document = json.dumps(super().coverage())
        given: dict[str, Any] = json.loads(document.replace("OrganizationAccountAccessRole", MEMBER_ROLE))
        other = self.members[1]
        given["coverage_accounts"].append({"id": other, "assume_role_arn": f"arn:aws:iam::{other}:role/{MEMBER_ROLE}"})
        return given

    def dynamic_inventory(self) -> Path:
        """The inventory plugin, which lists the accounts with the administrator's role."""
        role = f"arn:aws:iam::{self.lab.log_archive}:role/{ROLE}"
        path = self.folder / "organizations_accounts.yml"
        plugin = {"plugin": "cloudsec.org_trail.organizations_accounts", "rate_share": 0.0}
        path.write_text(json.dumps({**plugin, "role_name": ROLE, "assume_role_arn": role}))
        return path

    def as_management(self, playbook: str) -> PlaybookResult:
        """What the message says to run in management, by somebody who may."""
        inventory = str(write_inventory(self.folder / "management.yml", self.lab.ready))
        return run_playbook(self.lab, f"playbooks/{playbook}.yml", "-i", inventory, "-e", f"@{self.variables}")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DelegatedWorld]:
    with Lab("--enforce-iam") as lab:
        world = DelegatedWorld(lab, tmp_path_factory.mktemp("attacks"))
        yield world
        world.job.stop()


def meet(world: DelegatedWorld, attack: Attack) -> None:
    """The administrator repairs it, or says what management has to run; that, too, and a further run, end well."""
    if attack.title not in RESERVED:
        attack = replace(attack, **SEEN_DIFFERENTLY.get(attack.title, {}))
        withstand(world, attack, tuple(name for name in attack.named if name not in UNATTRIBUTED))
        return
    attack.act(world)
    drift, done = world.drift(), world.enable()
    needed = f"needs the management account {world.lab.management}"
    assert needed in json.dumps(drift)
    assert (done.rc != 0, needed in done.msg, world.written()) == (True, True, []), done.msg
    assert f"Run enable_org_trail.yml with credentials of {world.lab.management}" in done.msg.replace(" once ", " ")
    world.as_management("enable_org_trail").ok()
    stand(world)


def test_after_delegation_nothing_needs_managements_keys(world: DelegatedWorld) -> None:
    for attack in ATTACKS:
        if attack.title in SHORT:
            meet(world, attack)
    covered = world.enable(coverage_enabled=True, coverage_report_dir=str(world.folder)).ok()
    assert "account regions" in covered.results[-1]["msg"][1]


def test_the_inventory_plugin_lists_with_the_administrators_keys(
    world: DelegatedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "inventory", world.dynamic_inventory)
    world.cloudtrail.stop_logging(Name=world.arn)
    caller = world.lab.log_archive
    assert world.enable(organization_trail_caller=caller).ok().changed == 1
    assert world.written() == ["StartLogging"]
    assert {entry["principal"].split("/")[1] for entry in world.lab.journal(operation="ListAccounts")} == {ROLE}


@pytest.mark.scale
@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.title for attack in ATTACKS])
def test_attack(world: DelegatedWorld, attack: Attack) -> None:
    """The whole catalogue is spread over a week."""
    world.lab.control("POST", "time", {"hours": HOURS_IN_A_WEEK / len(ATTACKS)})
    world.s3 = world.lab.client("s3", world.lab.log_archive)  # the keys of an hour ago are no longer good
    meet(world, attack)
