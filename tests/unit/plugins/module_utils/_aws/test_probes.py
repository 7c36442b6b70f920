# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The harmless calls: exactly these parameters, because with others they would do something."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws import probes

from tests.canned_aws import CannedSession, client_error

BUCKET = {"Bucket": "logs", "ExpectedBucketOwner": "1"}


@pytest.mark.parametrize(
    ("function", "arguments", "method", "parameters"),
    [
        (probes.stop_no_trail, ("arn",), "stop_logging", {"Name": "arn"}),
        (probes.put_no_bucket_policy, ("logs", "1"), "put_bucket_policy", {**BUCKET, "Policy": "{}"}),
        (probes.delete_no_version, ("logs", "1", "k"), "delete_object", {**BUCKET, "Key": "k", "VersionId": "null"}),
        (
            probes.put_no_key_policy,
            ("key",),
            "put_key_policy",
            {"KeyId": "key", "PolicyName": "default", "Policy": "{}"},
        ),
    ],
)
def test_probes(function: Any, arguments: tuple[str, ...], method: str, parameters: dict[str, str]) -> None:
    session = CannedSession("1", "us-east-1", {method: client_error("AccessDeniedException")})
    with pytest.raises(AnsibleAWSError):
        function(cast(Any, session.client("any", once=True)), *arguments)
    assert session.calls == [("us-east-1", method, parameters)]
