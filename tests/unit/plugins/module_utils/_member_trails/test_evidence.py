# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the organization trail and its bucket prove of accounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.evidence import (
    Evidence,
    left_alone,
    organization_refusal,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.look import Look
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.proof import Place, Seen

from tests.canned_aws import CannedSession, client_error
from tests.member_trails import MANAGEMENT, MEMBER, basic, member, organization

NOW = datetime.now(UTC)
PLACES = [Place("us-east-1"), Place("eu-west-1")]
ARCHIVE_ROLE = "arn:aws:iam::333333333333:role/R"


def key_of(age: timedelta) -> str:
    time = NOW - age
    folder = f"AWSLogs/o-1/{MEMBER}/CloudTrail/eu-west-1/{time:%Y/%m/%d}"
    return f"{folder}/{MEMBER}_CloudTrail_eu-west-1_{time:%Y%m%dT%H%M}Z_a.gz"


def listed(*ages: timedelta) -> Any:
    """How S3 answers in a bucket with files of one region that are so old."""

    def first(Prefix: str, StartAfter: str, **_other: Any) -> dict[str, Any]:
        keys = sorted(key for age in ages if (key := key_of(age)).startswith(Prefix) and key > StartAfter)
        return {"Contents": [{"Key": key} for key in keys[:1]]}

    return first


YOUNG, OLD = timedelta(hours=1), timedelta(days=3)
ANSWERS: dict[str, Any] = {
    "get_trail": {"Trail": organization().settings},
    "get_event_selectors": basic(),
    "get_insight_selectors": {"InsightSelectors": []},
    "get_event_configuration": {},
    "get_trail_status": {"IsLogging": True},
    "describe_organization": {"Organization": {"Id": "o-1", "FeatureSet": "ALL", "MasterAccountId": MANAGEMENT}},
    "list_objects_v2": listed(YOUNG, OLD),
}


def prove(seen: Any, *looks: Look, **answers: Any) -> list[Look]:
    session: Any = CannedSession(MANAGEMENT, "us-east-1", {**ANSWERS, **answers})

    def cover(_trail: Any, accounts: Any) -> Any:
        if isinstance(seen, Exception):
            raise seen
        return {account: seen for account in accounts if seen}

    evidence = Evidence(session, organization().arn, cover, ARCHIVE_ROLE, "")
    return list(evidence.prove(looks or [Look(member().arn, now=member(), action="stopped")], 2))


@pytest.mark.parametrize(
    ("seen", "answers", "says"),
    [
        (Seen(PLACES), {}, ""),
        (Seen([*PLACES, Place("eu-west-2", "Denied.")]), {}, "is not covered in eu-west-2: Denied."),
        (Seen([Place("us-east-1")]), {}, "within 24 hours"),
        (Seen(PLACES), {"list_objects_v2": listed(OLD)}, "within 24 hours"),
        (Seen(PLACES), {"list_objects_v2": listed(YOUNG)}, "between 30 days and 24 hours ago"),
        (Seen(PLACES), {"list_objects_v2": client_error("AccessDenied", 403)}, "Failed to list the objects"),
        (None, {}, "is not known to be covered"),
        (AnsibleOrgTrailError("No role."), {}, "is not known to be covered in every region: No role."),
    ],
)
def test_what_is_not_proved_is_not_touched(seen: Any, answers: dict[str, Any], says: str) -> None:
    [found] = prove(seen, **answers)
    assert (found.action, bool(found.problem)) == ("none" if says else "stopped", bool(says))
    assert says in found.problem
    assert not says or found.problem.endswith("goes on logging.")


def test_only_accounts_that_lose_a_trail_are_asked_about() -> None:
    others = [Look(member().arn, now=member(), action="recorded"), Look(member().arn, problem="No.")]
    assert prove(AssertionError("asked"), *others) == others


@pytest.mark.parametrize(
    ("trail", "says"),
    [
        (organization(), None),
        (organization(logging=False), "a trail that does not log"),
        (organization(IsOrganizationTrail=False), "an account trail"),
    ],
)
def test_nothing_is_redundant_beside_another_trail(trail: Any, says: str | None) -> None:
    refused = organization_refusal(trail)
    assert (refused is None) == (says is None)
    assert (says or "") in (refused or "")


def test_the_way_back_is_told() -> None:
    assert left_alone(member(logging=False)).endswith("stays stopped. Run with state=present to start it again.")
