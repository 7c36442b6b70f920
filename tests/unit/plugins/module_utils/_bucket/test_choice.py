# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.candidate import Candidate, SoughtTrail
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.choice import (
    BucketChoiceError,
    Criteria,
    choose,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.current import CurrentBucket
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.verdict import Problem

ACCOUNT = "222233334444"
UNKNOWN = CurrentBucket()
TRAIL = SoughtTrail(TrailArn("aws", "us-east-1", "111122223333", "default"), "o-abc1234567", regions=("us-east-1",))
MISSING = Problem("absent", "no such statement as X", "a statement", "Add it.")
DENIED = Problem("policy", "Failed. Allow it.", "a policy", "Let the caller read it.", repairable=False)
DENY = Problem("DenyAll", "a Deny", "a Deny that spares", "Let this Deny spare AWS services.", repairable=False)


def good(name: str, *regions: str) -> Candidate:
    return Candidate(TRAIL.place(name), regions or ("us-east-1",), (), "cloudtrail")


def bad(name: str, *problems: Problem, policy: str | None = "cloudtrail", readable: bool = True) -> Candidate:
    return Candidate(TRAIL.place(name), (), problems or (MISSING,), policy, readable)


CHOSEN: list[tuple[str, list[Candidate], list[str]]] = [
    ("all", [], []),
    ("all", [bad("b"), good("a")], ["b", "a"]),
    ("one", [bad("b")], ["b"]),
    ("one", [good("a")], ["a"]),
    ("one", [bad("b"), good("a"), bad("c")], ["a"]),
    ("admitted", [good("a")], ["a"]),
    ("admitted", [bad("b"), good("a")], ["a"]),
]


@pytest.mark.parametrize(("select", "candidates", "names"), CHOSEN)
def test_choose(select: Any, candidates: list[Candidate], names: list[str]) -> None:
    assert [one.name for one in choose(candidates, select, Criteria(), ACCOUNT, TRAIL, UNKNOWN, ())] == names


OWN: list[tuple[str, list[Candidate], list[str] | str]] = [
    ("admitted", [good("own")], ["own"]),
    ("admitted", [good("alike"), good("own")], ["own"]),
    ("admitted", [good("alike"), bad("own")], "Bucket own of account 222233334444, which trail default"),
    ("admitted", [good("alike"), bad("own", DENIED, readable=False)], "no longer admits it: policy: found Failed"),
    ("admitted", [bad("own")], "No other bucket is taken in its place unless you name it"),
    ("admitted", [bad("own", DENY)], "Let this Deny spare AWS services. No other"),
    ("admitted", [good("alike")], ["alike"]),
    ("one", [good("alike"), good("own")], ["own"]),
    ("one", [good("alike"), bad("own")], ["own"]),
    ("one", [bad("own")], ["own"]),
    ("one", [good("alike"), bad("plain")], ["alike"]),
]


@pytest.mark.parametrize(("select", "candidates", "expected"), OWN)
def test_the_bucket_of_the_trail_is_not_replaced(
    select: Any, candidates: list[Candidate], expected: list[str] | str
) -> None:
    def chosen() -> list[str]:
        return [one.name for one in choose(candidates, select, Criteria(), ACCOUNT, TRAIL, CurrentBucket("own"), ())]

    if isinstance(expected, list):
        assert chosen() == expected
        return
    with pytest.raises(BucketChoiceError) as caught:
        chosen()
    assert expected in str(caught.value)
    assert "alike" not in str(caught.value)


@pytest.mark.parametrize("candidates", [[], [good("alike")]])
@pytest.mark.parametrize("select", ["one", "admitted"])
def test_the_bucket_of_the_trail_is_not_replaced_where_it_lost_its_tags(
    select: Any, candidates: list[Candidate]
) -> None:
    tagged, own = Criteria(tags=(("use", "logs"),)), CurrentBucket("own")
    with pytest.raises(BucketChoiceError, match=r"Bucket own .* does not fit the search for tag use=logs; expected"):
        choose(candidates, select, tagged, ACCOUNT, TRAIL, own, ["alike", "own"])
    assert choose([good("alike")], select, tagged, ACCOUNT, TRAIL, own, ["alike"]) == [good("alike")]


def test_that_the_trails_bucket_is_not_known_is_said_where_it_would_decide() -> None:
    with pytest.raises(
        BucketChoiceError, match=r"all admit .* Which of them the trail writes to could not be read: No\."
    ):
        choose([good("a"), good("b")], "admitted", Criteria(), ACCOUNT, TRAIL, CurrentBucket(unread="No."), ())


PATTERN = Criteria("logs-*", (("use", "logs"),))
REFUSED: list[tuple[str, Criteria, list[Candidate], list[str]]] = [
    ("one", Criteria(), [], [f"Account {ACCOUNT} has no bucket", "role log_bucket"]),
    ("admitted", PATTERN, [], [f"No bucket of account {ACCOUNT} fits name_pattern logs-* and tag use=logs"]),
    ("one", Criteria(), [bad("a"), bad("b")], ["No bucket of account", "bucket a: absent", "Or choose it with name."]),
    ("one", PATTERN, [good("a"), good("b")], ["Buckets a (for home region us-east-1) and b", "all admit"]),
    ("admitted", Criteria(), [good("a", "x", "y"), good("b", "1", "2", "3", "4")], ["region x, y)", "region any)"]),
    ("admitted", Criteria(), [good(str(n)) for n in range(7)], ["and 2 more"]),
    (
        "admitted",
        Criteria(),
        [bad("a")],
        [
            f"Bucket a of account {ACCOUNT} does not admit trail default of management account 111122223333",
            "(organization o-abc1234567): absent: found no such statement as X, expected a statement.",
            "Repair the policy with the role log_bucket or the module cloudtrail_log_bucket_policy.",
        ],
    ),
    ("admitted", Criteria(), [bad("a", DENY)], ["DenyAll: found a Deny", "Let this Deny spare AWS services."]),
    (
        "admitted",
        Criteria(),
        [bad("plain", policy=None), bad("far", MISSING, MISSING), bad("near")],
        [": bucket near: absent: found", "; bucket far: absent", "; others that do not: 1."],
    ),
    ("admitted", Criteria(), [bad("a", policy=None), bad("b", policy="{}")], ["bucket a: absent", "bucket b: absent"]),
    ("admitted", Criteria(), [bad("a", policy=None, readable=False), bad("b")], ["bucket a: ", "bucket b: "]),
    ("admitted", Criteria(), [bad("a", DENIED)], ["policy: found Failed. Allow it, expected a policy. Let the caller"]),
]


@pytest.mark.parametrize(("select", "criteria", "candidates", "says"), REFUSED)
def test_choose_refuses(select: Any, criteria: Criteria, candidates: list[Candidate], says: list[str]) -> None:
    with pytest.raises(BucketChoiceError) as caught:
        choose(candidates, select, criteria, ACCOUNT, TRAIL, UNKNOWN, ())
    for text in says:
        assert text in str(caught.value)


def test_choose_explains_five_candidates_at_most() -> None:
    with pytest.raises(BucketChoiceError) as caught:
        choose([bad(f"b{n}") for n in range(1000)], "admitted", Criteria(), ACCOUNT, TRAIL, UNKNOWN, ())
    assert str(caught.value).count("absent: found") == 5
    assert "others that do not: 995" in str(caught.value)


FITS_NAME = [("", "any", True), ("logs-*", "logs-1", True), ("logs-*", "my-logs-1", False), ("l?gs", "logs", True)]


@pytest.mark.parametrize(("pattern", "name", "fits"), FITS_NAME)
def test_criteria_fits_name(pattern: str, name: str, fits: bool) -> None:
    assert Criteria(pattern).fits_name(name) is fits


TAGS = [{"Key": "use", "Value": "logs"}, {"Key": "stage", "Value": "prod"}]
FITS_TAGS: list[tuple[dict[str, str], bool]] = [
    ({}, True),
    ({"use": "logs"}, True),
    ({"use": "logs", "stage": "prod"}, True),
    ({"use": "other"}, False),
    ({"use": "logs", "missing": "x"}, False),
]


@pytest.mark.parametrize(("wanted", "fits"), FITS_TAGS)
def test_criteria_fits_tags(wanted: dict[str, str], fits: bool) -> None:
    assert Criteria(tags=tuple(wanted.items())).fits_tags(TAGS) is fits
