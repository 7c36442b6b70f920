# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What GetTrailStatus tells of a trail's deliveries (aws-facts 4.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

DeliveryKind = Literal["log_files", "digest_files", "cloud_watch_logs", "notifications"]

ERROR_MEMBERS: dict[str, DeliveryKind] = {
    "LatestDeliveryError": "log_files",
    "LatestDigestDeliveryError": "digest_files",
    "LatestCloudWatchLogsDeliveryError": "cloud_watch_logs",
    "LatestNotificationError": "notifications",
}
"""Members of the answer that tell of a failing delivery, and of what."""

DELIVERY_WORDS: dict[DeliveryKind, str] = {
    "log_files": "log files",
    "digest_files": "digest files",
    "cloud_watch_logs": "events to CloudWatch Logs",
    "notifications": "notifications to SNS",
}
"""What people call each kind."""


@dataclass(frozen=True)
class DeliveryError:
    """The error of the latest delivery of one kind; ``text`` is AWS's, for example ``AccessDenied``."""

    kind: DeliveryKind
    text: str

    @property
    def is_of_the_key(self) -> bool:
        """Whether it is the KMS key that stopped the delivery: S3 hands KMS's error codes on, ``KMS.…``."""
        return self.text.startswith("KMS.")

    @property
    def is_denial(self) -> bool:
        """Whether a policy stopped it: the bucket's, or the key's, which S3 tells alike."""
        return self.text.startswith("AccessDenied")


def delivery_errors(status: Mapping[str, object]) -> tuple[DeliveryError, ...]:
    """The errors in an answer of GetTrailStatus, in the order of ``ERROR_MEMBERS``."""
    return tuple(
        DeliveryError(kind, str(status[member])) for member, kind in ERROR_MEMBERS.items() if status.get(member)
    )
