# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A key and its policy."""

from __future__ import annotations

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.kms import (
    AnsibleKMSError,
    describe_key,
    get_key_policy,
)
from botocore.exceptions import ClientError


class Kms:
    def describe_key(self, *, KeyId: str) -> dict[str, dict[str, str]]:
        if KeyId == "missing":
            raise ClientError({"Error": {"Code": "NotFoundException"}}, "DescribeKey")
        return {"KeyMetadata": {"Arn": f"arn:{KeyId}"}}

    def get_key_policy(self, *, KeyId: str, PolicyName: str) -> dict[str, str]:
        return {"Policy": f"{PolicyName} of {KeyId}"}


def test_a_key_and_its_policy() -> None:
    assert describe_key(Kms(), "alias/trail") == {"Arn": "arn:alias/trail"}
    assert get_key_policy(Kms(), "k") == "default of k"


def test_a_key_that_is_missing_is_an_error() -> None:
    with pytest.raises(AnsibleKMSError, match="describe the KMS key"):
        describe_key(Kms(), "missing")
