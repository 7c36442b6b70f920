# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Resource Groups Tagging API in the lab: trails beside what moto knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab_process import Lab


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--scenario", "lesson") as lab:
        yield lab


def found(client: Any, **given: Any) -> dict[str, dict[str, str]]:
    answer = client.get_resources(**given)["ResourceTagMappingList"]
    return {one["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in one["Tags"]} for one in answer}


def test_trails_are_tagged_and_found(lab: Lab) -> None:
    client = lab.client("resourcegroupstaggingapi")
    trail = lab.trail_arn
    lab.client("sqs").create_queue(QueueName="queue", tags={"team": "blue"})
    arns = [trail, f"{trail}-unknown"]
    failed = client.tag_resources(ResourceARNList=arns, Tags={"team": "blue", "stage": "prod"})["FailedResourcesMap"]
    assert list(failed) == [f"{trail}-unknown"]
    assert failed[f"{trail}-unknown"]["ErrorMessage"].startswith("TrailNotFoundException")
    tags = {"team": "blue", "stage": "prod"}
    assert found(client, ResourceARNList=[trail]) == {trail: tags}
    assert found(client, ResourceTypeFilters=["cloudtrail"]) == {trail: tags}
    assert trail not in found(client, ResourceTypeFilters=["sqs"])
    blue = found(client, TagFilters=[{"Key": "team", "Values": ["blue"]}])
    assert len(blue) == 2
    assert trail in blue
    assert found(client, ResourceTypeFilters=["cloudtrail"], TagFilters=[{"Key": "team", "Values": ["red"]}]) == {}
    assert trail not in found(lab.client("resourcegroupstaggingapi", region="eu-west-1"))
    client.untag_resources(ResourceARNList=[trail], TagKeys=["stage"])
    listed = lab.client("cloudtrail").list_tags(ResourceIdList=[trail])["ResourceTagList"][0]["TagsList"]
    assert listed == [{"Key": "team", "Value": "blue"}]
    assert found(lab.client("resourcegroupstaggingapi", lab.log_archive)) == {}
