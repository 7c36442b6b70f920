# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's options, what it refuses before it asks anybody, and its verdict on accounts."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._guardrails.describe import (
    describe_guardrails,
    existing_policies,
    guardrail_options,
    outside_accounts,
    summarize,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._guardrails.proof import Proof, Status
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.accounts import Account
from ansible_collections.cloudsec.org_trail.plugins.modules.cloudtrail_guardrails_info import ARGUMENTS

from tests.canned_aws import CannedSession
from tests.trail_options import parameters_of

from .guarded import ARCHIVE, KEY, MANAGEMENT, REPAIR, TRAIL

GIVEN = {
    "trail_arn": str(TRAIL),
    "log_bucket": "org-logs",
    "log_bucket_account_id": ARCHIVE,
    "repair_role_arn": REPAIR,
    "exempt_principal_arns": [REPAIR],
}
POLICIES = {
    "SERVICE_CONTROL_POLICY": ["org-trail-members", "org-trail-members-2", "org-trail-log-archive-x", "FullAWSAccess"],
    "RESOURCE_CONTROL_POLICY": ["org-trail-resources", "my-org-trail-members"],
}


def session(account: str = MANAGEMENT) -> Any:
    organization = {"Id": "o-exampleorgid", "FeatureSet": "ALL", "MasterAccountId": MANAGEMENT}
    answers = {
        "describe_organization": {"Organization": organization},
        "list_policies": lambda Filter: {"Policies": [{"Name": name} for name in POLICIES[Filter]]},
    }
    return CannedSession(account, "us-east-1", answers)


def options(**given: Any) -> Any:
    return guardrail_options(parameters_of(ARGUMENTS, **{**GIVEN, **given}))


def test_describe_guardrails() -> None:
    result = describe_guardrails(session(), options(kms_key_arn=KEY))
    assert [(one["name"], one["accounts"]) for one in result["policies"]] == [
        ("org-trail-members", []),
        ("org-trail-log-archive", [ARCHIVE]),
        ("org-trail-resources", [ARCHIVE]),
    ]
    assert (result["lockout"], result["proof"], result["outside"]) == ([], [], [])


def test_nothing_is_asked_where_somebody_would_be_locked_out() -> None:
    asked = session()
    member = {"id": ARCHIVE, "assume_role_arn": REPAIR.replace("Repair", "Auditor")}
    result = describe_guardrails(asked, options(exempt_principal_arns=[], prove_in_accounts=[member]))
    assert (result["lockout"][0]["principal"], result["proof"]) == (REPAIR, [])
    assert asked.called() == ["describe_organization", "list_policies", "list_policies"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"trail_arn": "default"}, "is not a trail ARN"),
        ({"trail_arn": str(TRAIL).replace(MANAGEMENT, ARCHIVE)}, "expected the management account"),
        ({"log_bucket_account_id": MANAGEMENT}, "belongs to the management account"),
        ({"kms_key_arn": "alias/trail"}, "expected the ARN of a KMS key"),
        ({"log_bucket": "*"}, "expected the name of a bucket"),
        ({"log_bucket_account_id": "1"}, "expected 12 digits"),
        ({"name_prefix": ""}, "name_prefix is ''"),
        ({"exempt_principal_arns": ["*"]}, "expected the ARN of an IAM role or user"),
        (
            {"prove_in_accounts": [{"id": ARCHIVE, "assume_role_arn": "arn:aws:iam::1:role/x"}]},
            "prove_in_accounts holds",
        ),
        (
            {"prove_in_accounts": [{"id": MANAGEMENT, "assume_role_arn": f"arn:aws:iam::{MANAGEMENT}:role/x"}]},
            "do not bind it",
        ),
    ],
)
def test_refusals(given: dict[str, Any], words: str) -> None:
    with pytest.raises(AnsibleOrgTrailError, match=words):
        describe_guardrails(session(), options(**given))


def test_only_management_may_ask() -> None:
    with pytest.raises(AnsibleOrgTrailError, match="expected its management account"):
        describe_guardrails(session(ARCHIVE), options())


def test_existing_policies() -> None:
    found = existing_policies(cast(Any, session().client("organizations")), "org-trail")
    assert [one["name"] for one in found] == ["org-trail-members", "org-trail-members-2", "org-trail-resources"]


@pytest.mark.parametrize(
    ("targets", "outside"),
    [
        (("r-1",), []),
        (("ou-1-1",), ["2", "3"]),
        (("ou-1-2", "1"), ["3"]),
        ((), ["1", "2", "3"]),
    ],
)
def test_outside_accounts(targets: tuple[str, ...], outside: list[str]) -> None:
    accounts = [
        Account("1", "a", "ACTIVE", "o-1/r-1/ou-1-1/"),
        Account("2", "b", "ACTIVE", "o-1/r-1/ou-1-2/ou-1-3/"),
        Account("3", "c", "", "o-1/r-1/"),
        Account("4", "d", "SUSPENDED", "o-1/r-1/"),
    ]
    assert [one.id for one in outside_accounts(accounts, targets)] == outside


@pytest.mark.parametrize(
    ("statuses", "kind"),
    [
        (["bound", "bound"], "bound"),
        (["bound", "bound_unnamed"], "denied"),
        (["bound", "bound_by_other"], "denied"),
        (["bound_by_other", "exempt"], "unknown"),
        (["bound", "not_bound", "unknown"], "not_bound"),
        (["bound", "unknown"], "unknown"),
        (["exempt"], "unknown"),
    ],
)
def test_summarize(statuses: list[Status], kind: str) -> None:
    """What was not looked at is never counted as good."""
    found = summarize(Proof("1", "Sid", "a:B", status) for status in statuses)
    assert found == {"bound": [], "denied": [], "not_bound": [], "unknown": [], kind: ["1"]}
