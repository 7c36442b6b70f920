# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SNS's calls: what each sends, and what it makes of the answer."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.sns import AnsibleSNSError, get_topic_policy

from tests.canned_aws import client_error

TOPIC = "arn:aws:sns:eu-central-1:111122223333:trail"


class Sns:
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def get_topic_attributes(self, *, TopicArn: str) -> Any:
        assert TopicArn == TOPIC
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"Attributes": {"Policy": self.answer}}


def test_a_topics_policy() -> None:
    assert get_topic_policy(Sns("{}"), TOPIC) == "{}"


def test_a_topic_that_is_missing_has_an_empty_policy() -> None:
    assert get_topic_policy(Sns(client_error("NotFound", 404)), TOPIC) == ""


def test_a_denial_is_an_error() -> None:
    with pytest.raises(AnsibleSNSError, match="get the policy of the SNS topic"):
        get_topic_policy(Sns(client_error("AuthorizationError", 403)), TOPIC)
