# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad configurations of the guardrails, each with its sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._guardrails import lockout
from ansible_collections.cloudsec.org_trail.plugins.module_utils._guardrails.lockout import (
    Keepers,
    exempt_refusal,
    lockouts,
    needs,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._guardrails.policies import guardrails
from ansible_collections.cloudsec.org_trail.plugins.module_utils._guardrails.statements import Guarded

from tests.iam_files import actions_of, filled
from tests.unit.test_iam_policies import VALUES

from .guarded import ARCHIVE, DELEGATE, EXEMPT, GUARDED, KEEPERS, LOOKUP, REPAIR, RETIRE, WATCH


def sentences(guarded: Guarded, keepers: Keepers = KEEPERS) -> list[str]:
    return [one.sentence for one in lockouts(guardrails(guarded), guarded, keepers)]


def test_a_good_configuration_locks_nobody_out() -> None:
    assert exempt_refusal(GUARDED) is None
    assert sentences(GUARDED) == []


def without(*arns: str) -> tuple[str, ...]:
    return tuple(one for one in EXEMPT if one not in arns)


REPAIRS = ("the role that repairs the log bucket", "s3:PutBucketPolicy", "OrgTrailKeepBucket", "org-trail-log-archive")
BAD = {
    "nobody is exempt": ((), REPAIRS),
    "the repair role is not exempt": (without(REPAIR), REPAIRS),
    "the lookup role is, instead of the repair role": ((*without(REPAIR), LOOKUP), REPAIRS),
    "the repair role of another account": ((*without(REPAIR), REPAIR.replace(ARCHIVE, "999999999999")), REPAIRS),
    "in other letters": ((*without(REPAIR), REPAIR.replace("OrgTrail", "orgtrail")), REPAIRS),
    "without its path": ((*without(REPAIR), REPAIR.replace("/audit/", "/")), REPAIRS),
    "a user of its name": ((*without(REPAIR), REPAIR.replace(":role/", ":user/")), REPAIRS),
    "a pattern that stops short": ((*without(REPAIR), REPAIR.replace("Repair", "?")), REPAIRS),
    "the delegated administrator is not exempt": (
        without(DELEGATE),
        ("the delegated administrator", "cloudtrail:DeleteTrail", "OrgTrailKeepTrail", "org-trail-members"),
    ),
    "the role that retires trails is not exempt": (
        without(RETIRE),
        ("the role that retires trails", "cloudtrail:DeleteTrail", "OrgTrailKeepTrail", "org-trail-members"),
    ),
    "the role that watches is not exempt": (
        without(WATCH),
        ("the role that watches the trail", "events:DeleteRule", "OrgTrailKeepRules", "org-trail-members"),
    ),
}
MALFORMED = {
    "a session": (
        f"arn:aws:sts::{ARCHIVE}:assumed-role/OrgTrailLogArchiveRepair/me",
        "expected the ARN of an IAM role",
    ),
    "everybody": ("*", "expected the ARN of an IAM role or user"),
    "an account": (f"arn:aws:iam::{ARCHIVE}:root", "expected the ARN of an IAM role or user"),
    "every role": ("arn:aws:iam::*:role/*", "which exempts everybody"),
    "every role of an account": (f"arn:aws:iam::{ARCHIVE}:role/??*", "which exempts everybody"),
    "another partition": (REPAIR.replace("arn:aws:", "arn:aws-cn:"), "of the partition aws-cn, expected aws"),
}


@pytest.mark.parametrize("what", BAD)
def test_who_is_locked_out_is_named(what: str) -> None:
    exempt, words = BAD[what]
    guarded = replace(GUARDED, exempt=exempt)
    assert exempt_refusal(guarded) is None
    found = "\n".join(sentences(guarded))
    assert [word for word in words if word not in found] == []


@pytest.mark.parametrize("what", MALFORMED)
def test_what_cannot_be_exempt(what: str) -> None:
    arn, words = MALFORMED[what]
    assert words in (exempt_refusal(replace(GUARDED, exempt=(*EXEMPT, arn))) or "")


def test_cloudtrail_itself_is_not_locked_out_but_by_another_organization() -> None:
    other = replace(GUARDED, place=replace(GUARDED.place, organization_id="o-other"))
    rails = guardrails(other)
    found = [one.sentence for one in lockouts(rails, GUARDED, KEEPERS)]
    assert any("OrgTrailOnlyThisOrganization" in one and LOOKUP in one for one in found)
    stranger = replace(other.place, trail=replace(other.place.trail, account_id="999999999999"))
    found = [one.sentence for one in lockouts(guardrails(replace(other, place=stranger)), GUARDED, KEEPERS)]
    assert any("OrgTrailOnlyItsServices" in one and " to CloudTrail " in one for one in found)


def test_management_is_not_bound() -> None:
    lookup = LOOKUP.replace(ARCHIVE, GUARDED.place.trail.account_id)
    assert sentences(GUARDED, Keepers(repair=lookup)) == []


def test_what_the_roles_need_is_what_docs_iam_allows() -> None:
    allowed = {
        KEEPERS.lookup: actions_of(filled("log_archive_lookup", VALUES)),
        KEEPERS.repair: actions_of(filled("log_archive_repair", VALUES)) - {"organizations:DescribeOrganization"},
        "OrgTrailCoverage": actions_of(filled("member_coverage", VALUES)),
    }
    for principal, actions in allowed.items():
        asked = {need.action for need in needs(GUARDED, KEEPERS) if need.principal.endswith(principal)}
        assert asked == actions
    assert set(lockout.LOOKUP) < set(lockout.REPAIR)
