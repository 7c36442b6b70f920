# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole run against canned answers: what is returned, with check mode and without, and when it fails."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import Session
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.ensure import ensure_trail

from tests.canned_aws import CannedSession, client_error
from tests.trail_options import options

ME, OTHER = "111122223333", "444455556666"
HOME = TrailArn("aws", "eu-central-1", ME, "default")
KEY = f"arn:aws:kms:eu-central-1:{OTHER}:key/0a1b"
TRAIL: dict[str, Any] = {
    "TrailARN": str(HOME),
    "S3BucketName": "bucket",
    "IsOrganizationTrail": True,
    "IsMultiRegionTrail": True,
    "IncludeGlobalServiceEvents": True,
    "LogFileValidationEnabled": True,
}


class CloudTrail(CannedSession):
    """One trail, or none, with an answer to everything that a run asks."""

    def __init__(self, trail: dict[str, Any] | None = None, account_id: str = ME, **answers: Any) -> None:
        self.trail = trail
        organization = {"Id": "o-exampleorgid", "FeatureSet": "ALL", "MasterAccountId": ME}
        super().__init__(
            account_id,
            HOME.region,
            {
                "describe_organization": {"Organization": organization},
                "list_aws_service_access_for_organization": {"EnabledServicePrincipals": []},
                "list_trails": lambda: {"Trails": self.listed()},
                "describe_trails": lambda **_: {"trailList": self.listed()},
                "get_trail_status": lambda **_: {"IsLogging": self.trail is not None},
                "get_event_selectors": {},
                "describe_key": {"KeyMetadata": {"Arn": KEY}},
                "describe_account": {"Account": {}},
                "get_bucket_policy": {"Policy": "{}"},
                "get_role": {"Role": {"RoleName": "AWSServiceRoleForCloudTrail"}},
                "update_trail": lambda **parameters: self.write(parameters),
                "create_trail": lambda **parameters: self.write(
                    {**parameters, "TrailARN": str(HOME), "LogFileValidationEnabled": True}
                ),
                "start_logging": {},
                "delete_trail": lambda **_: self.delete(),
                **answers,
            },
        )

    def listed(self) -> list[dict[str, Any]]:
        return [self.trail] if self.trail else []

    def write(self, parameters: dict[str, Any]) -> dict[str, Any]:
        self.trail = {**(self.trail or {}), **parameters}
        return {}

    def delete(self) -> dict[str, Any]:
        self.trail = None
        return {}

    def run(self, check_mode: bool = False, **given: object) -> tuple[Any, list[str]]:
        return ensure_trail(
            cast(Session, self), options(**given), check_mode, lambda policy, place, organization_trail: []
        )

    def written(self) -> list[str]:
        return [name for name in self.called() if name.split("_")[0] in ("create", "delete", "start", "update")]


def test_an_unchanged_trail() -> None:
    aws = CloudTrail(TRAIL)
    result, warnings = aws.run(s3_bucket_name="bucket")
    assert not result["changed"]
    assert result["actions"] == result["changed_fields"] == result["problems"] == warnings == []
    assert result["trail"] == result["before"]
    assert result["diff"]["before"] == result["diff"]["after"]
    assert len(aws.calls) == 6
    assert result["trusted_access"] is False


def test_the_trail_is_described_with_its_identity_and_all_settings() -> None:
    result, _warnings = CloudTrail(TRAIL).run()
    described = result["trail"]
    identity = {
        "arn": str(HOME),
        "name": "default",
        "home_region": "eu-central-1",
        "account_id": ME,
        "organization_id": "o-exampleorgid",
    }
    assert {name: described[name] for name in identity} == identity
    assert described["s3_bucket_name"] == "bucket"
    assert described["is_organization_trail"] is True
    assert "tags" not in described
    assert result["organization"] == {"id": "o-exampleorgid", "feature_set": "ALL", "management_account_id": ME}


def test_the_difference_shows_what_the_options_manage() -> None:
    result, _warnings = CloudTrail(TRAIL).run(s3_bucket_name="new")
    assert result["diff"]["before"]["s3_bucket_name"] == "bucket"
    assert result["diff"]["after"]["s3_bucket_name"] == "new"
    assert "kms_key_id" not in result["diff"]["before"] | result["diff"]["after"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_check_mode_predicts_what_the_run_does(check_mode: bool) -> None:
    aws = CloudTrail({**TRAIL, "IsOrganizationTrail": False})
    result, _warnings = aws.run(check_mode, s3_bucket_name="new")
    assert aws.written() == ([] if check_mode else ["update_trail"])
    assert result["changed"]
    assert result["changed_fields"] == ["s3_bucket_name", "is_organization_trail"]
    assert result["actions"] == [
        {
            "operation": "UpdateTrail",
            "region": "eu-central-1",
            "parameters": {"Name": str(HOME), "S3BucketName": "new", "IsOrganizationTrail": True},
        }
    ]
    assert result["before"]["is_organization_trail"] is False
    assert result["trail"]["is_organization_trail"] is True
    assert result["trail"]["s3_bucket_name"] == "new"


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_new_trail(check_mode: bool) -> None:
    aws = CloudTrail()
    result, _warnings = aws.run(check_mode, s3_bucket_name="bucket")
    assert aws.written() == ([] if check_mode else ["create_trail", "start_logging"])
    assert result["before"] == result["diff"]["before"] == {}
    assert result["trail"]["arn"] == str(HOME)
    assert [action["operation"] for action in result["actions"]] == ["CreateTrail", "StartLogging"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_trail_that_is_deleted(check_mode: bool) -> None:
    aws = CloudTrail(TRAIL)
    result, _warnings = aws.run(check_mode, state="absent")
    assert aws.written() == ([] if check_mode else ["delete_trail"])
    assert result["trail"] == result["diff"]["after"] == {}
    assert result["before"]["arn"] == str(HOME)
    assert result["diff"]["before"]["kms_key_id"] == ""
    assert result["changed_fields"] == ["state"]


def test_without_an_organization_it_is_empty() -> None:
    aws = CloudTrail(TRAIL, describe_organization=client_error("AWSOrganizationsNotInUseException"))
    result, _warnings = aws.run(True, is_organization_trail=False)
    assert result["organization"] == {}
    assert result["trail"]["organization_id"] == ""


def test_an_alias_is_compared_by_its_key() -> None:
    result, _warnings = CloudTrail({**TRAIL, "KmsKeyId": KEY}).run(
        kms_key_id=f"arn:aws:kms:eu-central-1:{OTHER}:alias/trail"
    )
    assert not result["changed"]


def test_a_warning_is_a_problem_in_one_sentence() -> None:
    status = {"IsLogging": True, "LatestDeliveryError": "NoSuchBucket"}
    result, [warning] = CloudTrail(TRAIL, get_trail_status=status).run()
    [problem] = result["problems"]
    assert problem["name"] == "delivery_error"
    assert set(problem) == {"name", "severity", "object", "found", "expected", "remedy"}
    assert warning.startswith(f"Trail {HOME}: found the error NoSuchBucket for log files")


def test_a_problem_that_fails_is_told_before_the_first_write() -> None:
    status = {"IsLogging": True, "LatestDeliveryError": "NoSuchBucket"}
    aws = CloudTrail(TRAIL, get_trail_status=status)
    with pytest.raises(AnsibleOrgTrailError, match="found the error NoSuchBucket") as caught:
        aws.run(on_problem={"delivery_error": "fail"})
    assert [problem["name"] for problem in caught.value.kwargs["problems"]] == ["delivery_error"]
    assert aws.written() == []


REFUSED: list[tuple[dict[str, object], str]] = [
    ({"name": "ab"}, "2 characters"),
    ({"kms_key_id": "arn:aws:s3:::bucket"}, "kms_key_id"),
    ({"s3_bucket_name": ""}, "s3_bucket_name is empty"),
]


@pytest.mark.parametrize(("given", "says"), REFUSED)
def test_refusals_come_before_the_first_write(given: dict[str, object], says: str) -> None:
    aws = CloudTrail(TRAIL)
    with pytest.raises(AnsibleOrgTrailError, match=says):
        aws.run(False, **given)
    assert aws.written() == []


def test_an_error_tells_what_was_written_until_then() -> None:
    aws = CloudTrail(start_logging=client_error("S3BucketDoesNotExistException"))
    with pytest.raises(AnsibleAWSError, match="Failed to start logging") as caught:
        aws.run(s3_bucket_name="bucket")
    assert caught.value.kwargs["changed"] is True
    assert [action["operation"] for action in caught.value.kwargs["actions"]] == ["CreateTrail"]


def test_an_error_of_the_first_write_changed_nothing() -> None:
    aws = CloudTrail(TRAIL, update_trail=client_error("S3BucketDoesNotExistException"))
    with pytest.raises(AnsibleAWSError) as caught:
        aws.run(s3_bucket_name="new")
    assert caught.value.kwargs["changed"] is False
    assert caught.value.kwargs["actions"] == []
