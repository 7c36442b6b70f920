# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.trail_status import DeliveryError, delivery_errors

STATUSES: list[tuple[dict[str, object], tuple[DeliveryError, ...]]] = [
    ({}, ()),
    ({"IsLogging": True, "LatestDeliveryError": ""}, ()),
    ({"LatestDeliveryError": "AccessDenied"}, (DeliveryError("log_files", "AccessDenied"),)),
    (
        {"LatestNotificationError": "NotFound", "LatestDigestDeliveryError": "NoSuchBucket"},
        (DeliveryError("digest_files", "NoSuchBucket"), DeliveryError("notifications", "NotFound")),
    ),
    ({"LatestCloudWatchLogsDeliveryError": "x"}, (DeliveryError("cloud_watch_logs", "x"),)),
]


@pytest.mark.parametrize(("status", "errors"), STATUSES)
def test_delivery_errors(status: dict[str, object], errors: tuple[DeliveryError, ...]) -> None:
    assert delivery_errors(status) == errors


@pytest.mark.parametrize(("text", "of_the_key"), [("KMS.DisabledException", True), ("AccessDenied", False)])
def test_whether_the_key_stopped_it(text: str, of_the_key: bool) -> None:
    assert DeliveryError("log_files", text).is_of_the_key is of_the_key
