# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the preflight asks of the installed botocore."""

from __future__ import annotations

from typing import Any

import boto3
import botocore
import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.cloudtrail import knows_parameter
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.preflight import NEWER_PARAMETERS, newer_options


@pytest.mark.parametrize(
    ("options", "newer"),
    [
        ({}, []),
        ({"recursive_logging": False}, ["recursive_logging"]),
        ({"aggregation_configurations": []}, ["aggregation_configurations"]),
        ({"insight_selectors": []}, []),
        ({"insight_selectors": [{"event_categories": ["Management"]}]}, []),
        ({"insight_selectors": [{"event_categories": ["Data", "Management"]}]}, ["event_categories"]),
    ],
)
def test_fact_2_14_newer_options(options: dict[str, Any], newer: list[str]) -> None:
    assert newer_options(options) == newer


def test_fact_2_14_what_botocore_knows() -> None:
    client = boto3.client("cloudtrail", region_name="us-east-1")
    assert knows_parameter(client, "UpdateTrail", "S3BucketName")
    assert knows_parameter(client, "PutInsightSelectors", "InsightSelectors", "InsightType")
    assert not knows_parameter(client, "UpdateTrail", "NoSuchThing")
    assert not knows_parameter(client, "PutInsightSelectors", "InsightSelectors", "NoSuchThing")
    assert not knows_parameter(client, "NoSuchCall", "NoSuchThing")


def test_fact_2_14_newer_parameters_are_named_as_botocore_names_them() -> None:
    if tuple(map(int, botocore.__version__.split(".")[:2])) < (1, 41):
        pytest.skip("an older botocore does not know them")
    client = boto3.client("cloudtrail", region_name="us-east-1")
    assert all(knows_parameter(client, *path[:1]) for path in NEWER_PARAMETERS.values())
