# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies in docs/iam as texts: valid, narrow, explained, and agreeing with what the documentation asks for."""

from __future__ import annotations

import importlib
import json
import re
from typing import Any

import pytest
import yaml
from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import parse_policy

from tests.iam_files import (
    FOLDER,
    NAMES,
    PERMISSIONS,
    PLACEHOLDER,
    TRUST,
    actions_of,
    documented_actions,
    filled,
    listed,
    text_of,
    without,
)
from tests.unit.documented import MODULES, PACKAGE, ROLES, ROOT, role_specs

README = (FOLDER / "README.md").read_text(encoding="utf-8")
VALUES = {
    "Partition": "aws",
    "OrganizationId": "o-exampleorgid",
    "ManagementAccountId": "111122223333",
    "LogArchiveAccountId": "444455556666",
    "AdministratorAccountId": "444455556666",
    "HomeRegion": "us-east-1",
    "TrailName": "default",
    "LogBucketName": "aws-cloudtrail-logs-444455556666-0a1b2c3d",
    "CallerArn": "arn:aws:iam::111122223333:role/Automation",
    "KmsKeyArn": "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "KmsKeyAccountId": "444455556666",
    "SnsTopicArn": "arn:aws:sns:us-east-1:111122223333:trail",
    "CloudWatchLogsRoleArn": "arn:aws:iam::111122223333:role/CloudTrailLogs",
}
KNOW_NO_RESOURCE = {
    "ce:GetCostAndUsage",
    "cloudtrail:DeregisterOrganizationDelegatedAdmin",
    "cloudtrail:DescribeTrails",
    "cloudtrail:ListEventDataStores",
    "cloudtrail:ListTrails",
    "cloudtrail:LookupEvents",
    "cloudtrail:RegisterOrganizationDelegatedAdmin",
    "cloudwatch:GetMetricStatistics",
    "organizations:CreatePolicy",
    "organizations:DescribeOrganization",
    "organizations:DisableAWSServiceAccess",
    "organizations:EnableAWSServiceAccess",
    "organizations:ListAWSServiceAccessForOrganization",
    "organizations:ListAccounts",
    "organizations:ListDelegatedAdministrators",
    "organizations:ListPolicies",
    "organizations:ListRoots",
    "s3:ListAllMyBuckets",
}
"""Actions for which AWS takes no resource but "*" (service authorization reference)."""

BOUND = {
    "iam:CreateServiceLinkedRole": "iam:AWSServiceName",
    "iam:PassRole": "iam:PassedToService",
    "organizations:DeregisterDelegatedAdministrator": "organizations:ServicePrincipal",
    "organizations:DisableAWSServiceAccess": "organizations:ServicePrincipal",
    "organizations:EnableAWSServiceAccess": "organizations:ServicePrincipal",
    "organizations:RegisterDelegatedAdministrator": "organizations:ServicePrincipal",
}
"""Actions that are bound to CloudTrail or EventBridge by a condition."""

SERVICES = ("cloudtrail.amazonaws.com", "context.cloudtrail.amazonaws.com", "events.amazonaws.com")
"""CloudTrail's service principals: the second one's role comes with a delegated administrator (aws-facts 1.8); and
EventBridge's, which takes a role to hand on events."""

CHANGES = re.compile("cloudtrail:(Create|Update|Delete|Start|Stop|Put|Add|Remove)")
OWN = {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}
"""Of the role's own account: there a role stands in every member."""

MANAGED_POLICY_LIMIT = 6144
"""Characters of a managed policy, white space not counted (IAM quotas)."""


@pytest.mark.parametrize("name", NAMES)
def test_policies_are_documents_that_aws_takes(name: str) -> None:
    policy = filled(name, VALUES)
    parse_policy(policy, "trust" if name in TRUST else "identity")
    assert policy["Version"] == "2012-10-17"
    sids = [statement["Sid"] for statement in policy["Statement"]]
    assert len(sids) == len(set(sids))
    assert all(re.fullmatch("[A-Za-z0-9]+", sid) for sid in sids)
    assert len(re.sub(r"\s", "", json.dumps(policy))) <= MANAGED_POLICY_LIMIT


@pytest.mark.parametrize("name", PERMISSIONS)
def test_statements_are_narrow(name: str) -> None:
    for statement in filled(name, VALUES)["Statement"]:
        actions = listed(statement["Action"])
        assert actions == sorted(actions)
        assert not [action for action in actions if "*" in action]
        assert ("*" in listed(statement["Resource"])) <= (set(actions) <= KNOW_NO_RESOURCE)
        for action in actions:
            if action in BOUND:
                assert list(statement["Condition"]) == ["StringEquals"]
                assert list(statement["Condition"]["StringEquals"]) == [BOUND[action]]
                assert statement["Condition"]["StringEquals"][BOUND[action]] in SERVICES
            if name == "member_retire_trails" and CHANGES.match(action):
                assert statement["Resource"] == "arn:aws:cloudtrail:*:*:trail/*"
                assert (statement.get("Condition") == OWN) == (action != "cloudtrail:CreateTrail")
            elif CHANGES.match(action):
                owners = ["111122223333", "444455556666"] if statement["Sid"] == "CreateTheTrail" else ["111122223333"]
                trails = [f"arn:aws:cloudtrail:us-east-1:{owner}:trail/default" for owner in owners]
                assert listed(statement["Resource"]) == trails
            if action.startswith("s3:") and action not in ("s3:CreateBucket", "s3:ListAllMyBuckets"):
                of_the_archive = {"StringEquals": {"aws:ResourceAccount": "444455556666"}}
                assert statement["Condition"] == (OWN if name.startswith("member_") else of_the_archive)


@pytest.mark.parametrize("name", [name for name in TRUST if name != "trust_events"])
def test_trust_policies_trust_one_principal_of_the_organization(name: str) -> None:
    (statement,) = filled(name, VALUES)["Statement"]
    assert list(statement["Principal"]) == ["AWS"]
    account = "444455556666" if name == "trust_administrator" else "111122223333"
    assert statement["Principal"]["AWS"].startswith(f"arn:aws:iam::{account}:role/")
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}


def test_eventbridge_may_take_the_role_that_hands_on() -> None:
    (statement,) = filled("trust_events", VALUES)["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"Service": "events.amazonaws.com"}, "sts:AssumeRole")


def test_the_stack_set_makes_the_role_that_the_documents_describe() -> None:
    template = yaml.safe_load((FOLDER / "member_coverage_stackset.yml").read_text(encoding="utf-8"))
    values = {**VALUES, "AWS::Partition": VALUES["Partition"]}
    assert set(template["Parameters"]) <= set(VALUES)

    def resolved(value: Any) -> Any:
        if isinstance(value, dict):
            if "Fn::Sub" in value:
                return re.sub(r"\$\{([\w:]+)\}", lambda match: values[match[1]], value["Fn::Sub"])
            return values[value["Ref"]] if "Ref" in value else {name: resolved(one) for name, one in value.items()}
        return [resolved(one) for one in value] if isinstance(value, list) else value

    role = resolved(template["Resources"]["OrgTrailCoverage"]["Properties"])
    assert role["AssumeRolePolicyDocument"] == filled("trust_administrator", VALUES)
    assert role["Policies"] == [{"PolicyName": "member_coverage", "PolicyDocument": filled("member_coverage", VALUES)}]


def test_the_readme_names_every_file_and_every_placeholder() -> None:
    assert {f"{name}.json" for name in NAMES} == set(re.findall(r"`(\w+\.json)`", README))
    used = {match for name in NAMES for match in PLACEHOLDER.findall(text_of(name))}
    explained = README.partition("## Fill in")[2].partition("`envsubst`")[0]
    assert used == set(PLACEHOLDER.findall(explained)) == set(VALUES)


def test_the_readme_names_every_statement_of_the_options() -> None:
    table = README.partition("## Options that need more")[2].partition("In other accounts")[0]
    sids = {statement["Sid"] for statement in filled("management_options", VALUES)["Statement"]}
    families = ("DelegationOff", "TrustedAccessOff")
    short = {next((family for family in families if sid.startswith(family)), sid) for sid in sids}
    assert short == set(re.findall(r"`([A-Z]\w+)`", table))


def test_without_takes_one_action_out_of_every_statement() -> None:
    policy = filled("management_coverage", VALUES)
    left = without(policy, "account:ListRegions")
    assert actions_of(policy) - actions_of(left) == {"account:ListRegions"}
    assert len(left["Statement"]) == len(policy["Statement"]) - 1


# --- agreement with the documentation ---------------------------------------------------------------

PLAIN = {
    "administrator",
    "management",
    "management_coverage",
    "management_delegation",
    "management_events",
    "management_guardrails",
    "log_archive_events",
    "log_archive_lookup",
    "log_archive_repair",
    "member_coverage",
    "management_member_trails",
    "member_trails",
    "management_retire_trails",
    "member_retire_trails",
}
"""The policies for runs with default options."""


def allowed(*names: str) -> set[str]:
    return {action for name in names for action in actions_of(filled(name, VALUES))}


def plugin_notes(module: str) -> tuple[set[str], set[str]]:
    return documented_actions(importlib.import_module(f"{PACKAGE}.{module}").DOCUMENTATION)


@pytest.mark.parametrize("plugin", [*(f"modules.{name}" for name in MODULES), "inventory.organizations_accounts"])
def test_what_a_plain_run_needs_is_in_the_policies(plugin: str) -> None:
    needed, _optional = plugin_notes(plugin)
    assert needed <= allowed(*PLAIN)


def test_the_plain_policies_hold_nothing_that_no_documentation_asks_for() -> None:
    asked = {action for module in MODULES for part in plugin_notes(f"modules.{module}") for action in part}
    asked |= {action for role in ROLES for action in role_actions(role)}
    assert allowed(*PLAIN) <= asked
    assert allowed("management_options") <= asked


def role_actions(role: str) -> set[str]:
    """The actions that a role's own documentation names."""
    return set(re.findall(r"C\((\w+:[A-Z]\w+)\)", yaml.safe_dump(role_specs(role), width=1000)))


@pytest.mark.parametrize(
    ("role", "policies"),
    [
        ("log_bucket_lookup", ["log_archive_lookup"]),
        ("trusted_access", ["management"]),
        ("log_bucket", ["log_archive_repair"]),
        ("drift_events", ["log_archive_events", "management_events"]),
    ],
)
def test_what_roles_name_is_allowed_or_an_option_of_the_readme(role: str, policies: list[str]) -> None:
    named = role_actions(role)
    assert named
    in_other_accounts = README.partition("In other accounts")[2].partition("## What happens")[0]
    assert named <= allowed(*policies) | set(re.findall(r"`(s3:\w+)`", in_other_accounts))


def test_the_role_log_bucket_names_all_that_it_adds() -> None:
    modules = ("modules.cloudtrail_log_bucket_info", "modules.cloudtrail_log_bucket_policy")
    of_modules = {action for module in modules for action in plugin_notes(module)[0]}
    assert allowed("log_archive_repair") - of_modules <= role_actions("log_bucket")


def test_variables_of_the_readme_exist() -> None:
    variables = set(re.findall(r"`((?:organization_trail|log_bucket_lookup|log_bucket|coverage)_\w+)", README))
    known = {name for role in ROLES for spec in role_specs(role).values() for name in spec.get("options", {})}
    playbooks = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "playbooks").glob("*.yml"))
    assert not {name for name in variables - known if name not in playbooks} - set(MODULES)
