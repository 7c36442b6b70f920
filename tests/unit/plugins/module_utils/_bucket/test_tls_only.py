# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.tls_only import is_tls_only, require_tls

ARN = "arn:aws:s3:::example-logs"


def deny(**changes: Any) -> dict[str, Any]:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [ARN, f"{ARN}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [{**statement, **changes}]}


IS_TLS_ONLY = {
    "none": (None, False),
    "malformed": ("{", False),
    "aws_documented": (deny(), True),
    "text": (json.dumps(deny()), True),
    "principal_of_every_account": (deny(Principal={"AWS": "*"}), True),
    "objects_only": (deny(Resource=f"{ARN}/*"), False),
    "bucket_only": (deny(Resource=ARN), False),
    "reading_only": (deny(Action="s3:Get*"), False),
    "one_account_only": (deny(Principal={"AWS": "222233334444"}), False),
    "other_bucket": (deny(Resource=["arn:aws:s3:::other", "arn:aws:s3:::other/*"]), False),
    "inverted": (deny(Condition={"Bool": {"aws:SecureTransport": "true"}}), False),
    "with_a_second_condition": (
        deny(Condition={"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:SourceVpce": "vpce-1"}}),
        False,
    ),
}


@pytest.mark.parametrize(("policy", "expected"), IS_TLS_ONLY.values(), ids=IS_TLS_ONLY)
def test_is_tls_only(policy: Any, expected: bool) -> None:
    assert is_tls_only(policy, ARN) is expected


@pytest.mark.parametrize("policy", [policy for policy, is_so in IS_TLS_ONLY.values() if isinstance(policy, dict)])
def test_require_tls_adds_one_statement_at_most(policy: dict[str, Any]) -> None:
    given = copy.deepcopy(policy)
    changed = require_tls(policy, ARN)
    assert policy == given
    assert is_tls_only(changed, ARN)
    assert changed["Statement"][:1] == given["Statement"]
    assert len(changed["Statement"]) == (1 if is_tls_only(given, ARN) else 2)
    assert require_tls(changed, ARN) == changed


@pytest.mark.parametrize(
    ("taken", "sid"),
    [
        ([], "DenyInsecureTransport"),
        (["DenyInsecureTransport"], "DenyInsecureTransport2"),
        (["DenyInsecureTransport", "DenyInsecureTransport2"], "DenyInsecureTransport3"),
        (["DenyInsecureTransport2"], "DenyInsecureTransport"),
    ],
)
def test_require_tls_takes_a_free_sid(taken: list[str], sid: str) -> None:
    others = [statement for name in taken for statement in deny(Sid=name, Action="s3:Get*")["Statement"]]
    changed = require_tls({"Version": "2012-10-17", "Statement": others}, ARN)
    assert [statement["Sid"] for statement in changed["Statement"]] == [*taken, sid]
