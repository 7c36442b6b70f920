# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SQS's calls: what each sends, and what it makes of the answer."""

from __future__ import annotations

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.sqs import (
    AnsibleSQSError,
    get_queue_attributes,
    get_queue_url,
    list_queue_tags,
)

from tests.canned_aws import CannedSession, client_error

URL = "https://sqs.us-east-1.amazonaws.com/111122223333/org-trail-events"


def test_a_queue() -> None:
    answers = {
        "get_queue_url": {"QueueUrl": URL},
        "get_queue_attributes": {"Attributes": {"QueueArn": "arn"}},
        "list_queue_tags": {"Tags": {"use": "logs"}},
    }
    session = CannedSession("1", "r", answers)
    client = session.client("sqs")
    assert get_queue_url(client, "org-trail-events") == URL
    assert get_queue_attributes(client, URL) == {"QueueArn": "arn"}
    assert list_queue_tags(client, URL) == {"use": "logs"}
    assert session.calls[1][2] == {"QueueUrl": URL, "AttributeNames": ["All"]}


def test_a_queue_without_tags() -> None:
    assert list_queue_tags(CannedSession("1", "r", {"list_queue_tags": {}}).client("sqs"), URL) == {}


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"])
def test_a_queue_that_is_missing_has_no_address(code: str) -> None:
    assert get_queue_url(CannedSession("1", "r", {"get_queue_url": client_error(code)}).client("sqs"), "x") == ""


def test_a_denial_is_an_error() -> None:
    client = CannedSession("1", "r", {"get_queue_url": client_error("AccessDenied", 403)}).client("sqs")
    with pytest.raises(AnsibleSQSError, match="get the address of the queue"):
        get_queue_url(client, "x")
