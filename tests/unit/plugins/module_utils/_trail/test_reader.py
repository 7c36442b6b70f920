# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the reader makes of AWS's answers, and which calls it makes for them."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from typing import Any, cast

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.organizations import Organization
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import Session
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.trail_status import DeliveryError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.reader import (
    WITHOUT_ORGANIZATION,
    View,
    look,
    read_or_unread,
    read_trail,
    trail_now,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.selectors import ALL_MANAGEMENT_EVENTS
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.situation import OtherTrail, Unread

from tests.canned_aws import KNOWS_AGGREGATIONS, CannedSession, client_error
from tests.trail_options import options

ME, OTHER = "111122223333", "444455556666"
HOME = TrailArn("aws", "eu-central-1", ME, "default")
OLD = TrailArn("aws", "us-west-2", ME, "old")
ORGANIZATION = {"Id": "o-exampleorgid", "FeatureSet": "ALL", "MasterAccountId": ME}
KEY = f"arn:aws:kms:eu-central-1:{ME}:key/0a1b"
ALL_EVENTS = {"ReadWriteType": "All", "IncludeManagementEvents": True}
EXCHANGE: dict[str, Any] = {
    "describe_organization": {"Organization": ORGANIZATION},
    "list_aws_service_access_for_organization": {"EnabledServicePrincipals": []},
    "list_delegated_administrators": client_error("AccessDeniedException"),
    "list_trails": {"Trails": [{"TrailARN": str(HOME)}]},
    "describe_trails": {"trailList": [{"TrailARN": str(HOME), "S3BucketName": "bucket"}]},
    "get_trail_status": {"IsLogging": True},
    "get_event_selectors": {"EventSelectors": [ALL_EVENTS]},
    "get_insight_selectors": {"InsightSelectors": [{"InsightType": "ApiCallRateInsight"}]},
    "get_event_configuration": {"AggregationConfigurations": []},
    "list_tags": {"ResourceTagList": [{"TagsList": [{"Key": "a", "Value": "b"}]}]},
    "describe_key": {"KeyMetadata": {"Arn": KEY}},
}
"""Answers about one good trail."""


def canned(account_id: str = ME, region: str = "us-east-1", **answers: Any) -> CannedSession:
    return CannedSession(account_id, region, EXCHANGE | answers)


def looked(session: CannedSession, **given: object) -> View:
    return look(cast(Session, session), options(**given))


ACCESS = "list_aws_service_access_for_organization"
UNCHANGED = [
    "describe_organization",
    "describe_trails",
    "get_event_selectors",
    "get_trail_status",
    ACCESS,
    "list_trails",
]


def canned_access(answer: Any) -> CannedSession:
    return CannedSession(ME, "us-east-1", {**EXCHANGE, ACCESS: answer})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([{"ServicePrincipal": "cloudtrail.amazonaws.com"}], True),
        ([{"ServicePrincipal": "config.amazonaws.com"}], False),
        ([], False),
    ],
)
def test_trusted_access_is_looked_at(answer: list[Any], expected: bool) -> None:
    assert looked(canned_access({"EnabledServicePrincipals": answer})).trusted_access is expected


def test_trusted_access_that_cannot_be_read_is_not_known() -> None:
    assert isinstance(looked(canned_access(client_error("AccessDeniedException"))).trusted_access, Unread)


def test_an_organization_trail_takes_six_calls() -> None:
    session = canned()
    view = looked(session)
    assert session.called() == UNCHANGED
    assert view.arn == HOME
    assert view.organization == Organization("o-exampleorgid", "ALL", ME)
    assert view.trails == {HOME}
    assert view.others == []
    assert view.key is None
    assert view.now
    assert view.now.settings["s3_bucket_name"] == "bucket"
    assert view.now.settings["event_selectors"] == [ALL_MANAGEMENT_EVENTS]
    assert view.now.delivery_errors == ()


def test_a_trail_is_read_in_its_home_region() -> None:
    session = canned()
    looked(session)
    assert session.regions_of("list_trails") == ["us-east-1"]
    assert {*session.regions_of("describe_trails"), *session.regions_of("get_trail_status")} == {"eu-central-1"}


FOUND = {"name": "bucket", "trail_arn": str(HOME), "admitted_home_regions": [HOME.region]}
LOOKED_UP = {"looked_up_bucket": FOUND}


@pytest.mark.parametrize("name", ["default", str(HOME)])
def test_the_trail_that_the_look_up_tells_of_is_read_with_the_rest(name: str) -> None:
    """Each call waits until all six have begun."""
    session, six = canned(), threading.Barrier(6, timeout=30)
    for call in UNCHANGED:
        session.answers[call] = partial(lambda answer, **_given: (six.wait(), answer)[1], EXCHANGE[call])
    assert looked(session, name=name, **LOOKED_UP) == looked(canned(), name=name)
    assert session.called() == UNCHANGED


ELSEWHERE: list[tuple[str, dict[str, Any], dict[str, object], Any]] = [
    ("of another name", {}, {"name": "other"}, TrailArn("aws", "us-east-1", ME, "other")),
    ("in another region", {}, {}, HOME),
    ("in another region, of another name", {"list_trails": {"Trails": [{"TrailARN": str(OLD)}]}}, {"name": "old"}, OLD),
    ("none yet", {"list_trails": {"Trails": []}}, {}, TrailArn("aws", "us-east-1", ME, "default")),
]


@pytest.mark.parametrize(("case", "answers", "given", "arn"), ELSEWHERE, ids=[row[0] for row in ELSEWHERE])
def test_a_trail_that_is_not_the_look_ups(
    case: str, answers: dict[str, Any], given: dict[str, object], arn: TrailArn
) -> None:
    elsewhere = {"trail_arn": str(replace(HOME, region="eu-west-1")), "admitted_home_regions": ["eu-west-1"]}
    told = {"looked_up_bucket": FOUND | elsewhere}
    missing = client_error("TrailNotFoundException")
    if case == "none yet":
        answers = {**answers, "get_trail_status": missing, "get_event_selectors": missing}
    view = looked(canned(**answers), **given, **told)
    assert view == looked(canned(**answers), **given)
    assert view.arn == arn


@pytest.mark.parametrize("code", ["TrailNotFoundException", "AccessDeniedException"])
def test_what_was_not_answered_before_the_trail_was_chosen_is_asked_for_again(code: str) -> None:
    answers = iter([client_error(code), {"IsLogging": True}])
    session = canned(get_trail_status=lambda **_: next(answers))
    assert looked(session, **LOOKED_UP) == looked(canned())
    assert session.called().count("get_trail_status") == 2
    denied = canned(get_trail_status=client_error("AccessDeniedException"))
    with pytest.raises(AnsibleAWSError, match="Failed to get the status of the trail"):
        looked(denied, **LOOKED_UP)


FURTHER = [
    ({"insight_selectors": []}, "get_insight_selectors", "insight_selectors"),
    ({"tags": {}}, "list_tags", "tags"),
]
if KNOWS_AGGREGATIONS:
    FURTHER.append(({"aggregation_configurations": []}, "get_event_configuration", "aggregation_configurations"))


@pytest.mark.parametrize(("given", "call", "setting"), FURTHER)
def test_an_option_that_needs_more_adds_its_read(given: dict[str, object], call: str, setting: str) -> None:
    session = canned()
    view = looked(session, **given)
    assert session.called() == sorted([*UNCHANGED, call])
    assert view.now
    assert setting in view.now.settings
    assert setting not in (looked(canned()).now or view.now).settings


KEYS: list[tuple[dict[str, object], str | None]] = [
    ({"kms_key_id": "alias/trail"}, "eu-central-1"),
    ({"kms_key_id": "alias/trail", "bucket_region": "us-west-1"}, "us-west-1"),
    ({"kms_key_id": f"arn:aws:kms:us-east-2:{ME}:alias/trail", "bucket_region": "us-west-1"}, "us-east-2"),
    ({"kms_key_id": "alias/trail", "state": "absent"}, None),
    ({"kms_key_id": KEY}, None),
    ({"kms_key_id": ""}, None),
    ({}, None),
]


@pytest.mark.parametrize(("given", "region"), KEYS)
def test_the_key_behind_an_alias(given: dict[str, object], region: str | None) -> None:
    session = canned()
    view = looked(session, **given)
    assert view.key == (KEY if region else None)
    assert session.regions_of("describe_key") == ([region] if region else [])


def test_the_key_behind_an_alias_for_a_trail_that_is_yet_to_come() -> None:
    session = canned(list_trails={"Trails": []})
    view = looked(session, kms_key_id="alias/trail")
    assert view.key == KEY
    assert view.now is None
    assert view.arn == TrailArn("aws", "us-east-1", ME, "default")
    assert session.called() == ["describe_key", "describe_organization", ACCESS, "list_trails"]


TWO_TRAILS = {"Trails": [{"TrailARN": str(OLD)}, {"TrailARN": str(HOME)}]}
DATA_EVENTS = {"EventSelectors": [{"IncludeManagementEvents": False, "DataResources": [{"Type": "T"}]}]}
OTHERS: list[tuple[str, dict[str, Any], OtherTrail]] = [
    ("logging", {}, OtherTrail(OLD, True, True)),
    ("stopped", {"get_trail_status": {"IsLogging": False}}, OtherTrail(OLD, False, True)),
    ("data events", {"get_event_selectors": DATA_EVENTS}, OtherTrail(OLD, True, False)),
    ("no selectors, which means AWS's default", {"get_event_selectors": {}}, OtherTrail(OLD, True, True)),
    (
        "advanced selectors",
        {
            "get_event_selectors": {
                "AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]
            }
        },
        OtherTrail(OLD, True, False),
    ),
]


@pytest.mark.parametrize(("case", "answers", "other"), OTHERS, ids=[row[0] for row in OTHERS])
def test_other_trails(case: str, answers: dict[str, Any], other: OtherTrail) -> None:
    session = canned(list_trails=TWO_TRAILS, **answers)
    assert looked(session).others == [other]
    assert sorted(session.regions_of("get_trail_status")) == ["eu-central-1", "us-west-2"]


def test_other_trails_of_other_accounts_do_not_matter() -> None:
    shared = TrailArn("aws", "us-west-2", OTHER, "theirs")
    session = canned(list_trails={"Trails": [{"TrailARN": str(one)} for one in (HOME, shared)]})
    view = looked(session)
    assert view.others == []
    assert view.trails == {HOME, shared}
    assert session.called() == UNCHANGED


def test_other_trails_that_cannot_be_read() -> None:
    def status(Name: str) -> Any:
        return client_error("AccessDeniedException") if Name == str(OLD) else {"IsLogging": True}

    others = looked(canned(list_trails=TWO_TRAILS, get_trail_status=status)).others
    assert isinstance(others, Unread)
    assert "AccessDeniedException" in others.reason


def test_other_trails_are_not_read_when_nobody_wants_to_know() -> None:
    session = canned(list_trails=TWO_TRAILS)
    assert looked(session, on_problem={"overlapping_trail": "ignore"}).others == []
    assert session.called() == UNCHANGED


REFUSED: list[tuple[dict[str, Any], dict[str, object], str]] = [
    ({}, {"name": "a..b"}, "'a..b' is not valid"),
    (
        {"describe_organization": {"Organization": ORGANIZATION | {"FeatureSet": "CONSOLIDATED_BILLING"}}},
        {},
        "feature set CONSOLIDATED_BILLING, expected ALL",
    ),
    (
        {
            "list_trails": {
                "Trails": [{"TrailARN": str(one)} for one in (HOME, TrailArn("aws", "us-west-2", ME, "default"))]
            }
        },
        {},
        "belongs to 2 trails",
    ),
]


@pytest.mark.parametrize(("answers", "given", "says"), REFUSED)
def test_what_can_be_refused_at_a_look_is(answers: dict[str, Any], given: dict[str, object], says: str) -> None:
    session = canned(**answers)
    with pytest.raises(AnsibleOrgTrailError, match=says):
        looked(session, **given)
    assert "describe_trails" not in session.called()


@pytest.mark.parametrize("listed", [[], [{"TrailARN": str(HOME)}]])
def test_fact_4_1_a_member_is_refused_whether_it_sees_the_trail_or_not(listed: list[Any]) -> None:
    session = canned(OTHER, list_trails={"Trails": listed}, describe_trails={"trailList": []})
    with pytest.raises(
        AnsibleOrgTrailError, match=f"Account {OTHER} is a member .*, expected its management account {ME}"
    ):
        looked(session)


NOT_IN_USE = client_error("AWSOrganizationsNotInUseException")


@pytest.mark.parametrize("given", [{"is_organization_trail": False}, {"state": "absent"}])
def test_an_account_trail_needs_no_organization(given: dict[str, object]) -> None:
    view = looked(canned(describe_organization=NOT_IN_USE), **given)
    assert view.organization == WITHOUT_ORGANIZATION
    assert (view.arn, view.trusted_access) == (HOME, None)


@pytest.mark.parametrize(
    ("error", "given"), [(NOT_IN_USE, {}), (client_error("AccessDeniedException"), {"is_organization_trail": False})]
)
def test_an_organization_that_cannot_be_described_ends_the_run(error: Exception, given: dict[str, object]) -> None:
    with pytest.raises(AnsibleAWSError, match="Failed to describe the organization"):
        looked(canned(describe_organization=error), **given)


def test_a_trail_that_goes_while_it_is_read_is_none() -> None:
    gone = client_error("TrailNotFoundException")
    assert read_trail(cast(Session, canned(get_event_selectors=gone)), HOME, options()) is None
    assert read_trail(cast(Session, canned(get_trail_status=gone)), HOME, options()) is None
    assert read_trail(cast(Session, canned(describe_trails={"trailList": []})), HOME, options()) is None


def test_a_read_that_is_denied_ends_the_run() -> None:
    session = canned(get_trail_status=client_error("AccessDeniedException"))
    with pytest.raises(AnsibleAWSError, match="Failed to get the status of the trail"):
        read_trail(cast(Session, session), HOME, options())


def test_fact_4_5_trail_now_knows_the_errors_of_delivery() -> None:
    status = {"IsLogging": True, "LatestDeliveryError": "NoSuchBucket", "LatestNotificationError": ""}
    now = trail_now({"trail": {"S3BucketName": "bucket"}, "status": status, "selectors": {}})
    assert now
    assert now.delivery_errors == (DeliveryError("log_files", "NoSuchBucket"),)


def test_read_or_unread() -> None:
    def denied(what: str) -> str:
        raise AnsibleAWSError(message=f"Failed to read {what}", exception=client_error("AccessDenied"))

    assert read_or_unread(str.upper, "a") == "A"
    unread = read_or_unread(denied, "it")
    assert isinstance(unread, Unread)
    assert unread.reason.startswith("Failed to read it: AccessDenied")


CUSTOM = {"trailList": [{"TrailARN": str(HOME), "HasCustomEventSelectors": True, "HasInsightSelectors": True}]}
CONTRADICTIONS: list[tuple[str, dict[str, Any], dict[str, object], str]] = [
    ("no selectors", {"get_event_selectors": {}}, {}, "GetEventSelectors of"),
    ("empty selectors", {"get_event_selectors": {"AdvancedEventSelectors": []}}, {}, "GetEventSelectors of"),
    ("no insights", {"get_insight_selectors": {}}, {"insight_selectors": []}, "GetInsightSelectors of"),
    (
        "insights off",
        {"get_insight_selectors": client_error("InsightNotEnabledException")},
        {"insight_selectors": []},
        "GetInsightSelectors of",
    ),
]


@pytest.mark.parametrize(("case", "answers", "given", "says"), CONTRADICTIONS, ids=[row[0] for row in CONTRADICTIONS])
def test_answers_that_contradict_each_other_are_refused(
    case: str, answers: dict[str, Any], given: dict[str, object], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    session = canned(describe_trails=CUSTOM, **answers)
    with pytest.raises(AnsibleOrgTrailError) as error:
        looked(session, **given)
    assert str(error.value).startswith(says)
    assert session.called().count("describe_trails") == 3


def test_answers_that_agree_the_second_time_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    answers = iter([{}, EXCHANGE["get_event_selectors"]])
    session = canned(describe_trails=CUSTOM, get_event_selectors=lambda **_: {"TrailARN": str(HOME), **next(answers)})
    assert looked(session).now
    assert session.called().count("get_event_selectors") == 2


def test_insights_that_were_just_turned_off_are_no_contradiction() -> None:
    session = canned(describe_trails=CUSTOM, get_insight_selectors={})
    assert read_trail(cast(Session, session), HOME, options(insight_selectors=[]))


ADMINISTERED: Any = {"list_delegated_administrators": {"DelegatedAdministrators": [{"Id": OTHER}]}}


def hidden_from_members(trailNameList: list[str], includeShadowTrails: bool) -> Any:
    return EXCHANGE["describe_trails"] if includeShadowTrails else {"trailList": []}


def test_a_delegated_administrator_sees_managements_trail_as_a_shadow() -> None:
    session = canned(OTHER, describe_trails=hidden_from_members, **ADMINISTERED)
    view = looked(session)
    assert (view.administrator, view.caller, view.arn) == (OTHER, OTHER, HOME)
    assert view.now
    assert view.now.settings["s3_bucket_name"] == "bucket"


def test_a_delegated_administrator_may_make_a_trail_that_is_gone() -> None:
    view = looked(canned(OTHER, list_trails={"Trails": []}, **ADMINISTERED))
    assert (view.administrator, view.now) == (OTHER, None)
    assert view.arn.account_id == ME


@pytest.mark.parametrize(
    "answer", [{"DelegatedAdministrators": [{"Id": ME}]}, EXCHANGE["list_delegated_administrators"]]
)
def test_any_other_member_is_refused(answer: Any) -> None:
    session = canned(OTHER, describe_trails=hidden_from_members, list_delegated_administrators=answer)
    with pytest.raises(AnsibleOrgTrailError, match=f"Account {OTHER} is a member"):
        looked(session)
