# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace, place_refusal

TRAIL = TrailArn("aws-cn", "cn-north-1", "111122223333", "default")


@pytest.mark.parametrize(
    ("prefix", "logs", "organization_logs"),
    [("", "AWSLogs/", "AWSLogs/o-1/"), ("a/b", "a/b/AWSLogs/", "a/b/AWSLogs/o-1/")],
)
def test_keys_begin_with_the_prefix(prefix: str, logs: str, organization_logs: str) -> None:
    place = LogPlace("logs", TRAIL, "o-1", prefix)
    assert (place.logs, place.organization_logs) == (logs, organization_logs)


def test_arns_are_of_the_trails_partition() -> None:
    place = LogPlace("logs", TRAIL, "o-1")
    assert place.bucket_arn == "arn:aws-cn:s3:::logs"
    assert place.object_arn(f"{place.logs}*") == "arn:aws-cn:s3:::logs/AWSLogs/*"


@pytest.mark.parametrize("bucket", ["", "*", "ab", "logs-*", "logs/x", "my logs", "-logs"])
def test_what_names_no_bucket_or_others_is_refused(bucket: str) -> None:
    assert "expected the name of a bucket" in str(place_refusal(bucket, "111122223333"))


@pytest.mark.parametrize("bucket", ["org-logs", "logs.example.com", "Logs_of_2015"])
def test_a_bucket_of_an_account_is_a_place(bucket: str) -> None:
    assert place_refusal(bucket, "111122223333") is None
    assert "expected 12 digits" in str(place_refusal(bucket, ""))
