# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One setting of a log bucket that is not as it should be, and what it is judged against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "advice", "unknown"]

NEVER_CONFIGURED = {("access_logging", ""), ("object_lock", ""), ("tls_only", ""), ("versioning", "Disabled")}
"""What a bucket is like when nobody configured it: advice of the look-up, but no drift ("" is any value)."""

NOTICE_DAYS = 7
"""Days in which somebody may notice that log files were deleted or moved, and can still have them back."""


@dataclass(frozen=True)
class ExpectedHealth:
    """What the settings are judged against. Empty or 0: not asked for."""

    minimum_retention_days: int = 90
    kms_key_arn: str = ""
    expiration_days: int = 0
    transition_days: int = 0
    transition_storage_class: str = "GLACIER"
    object_lock_mode: str = ""
    object_lock_days: int = 0
    access_log_bucket: str = ""
    access_log_prefix: str = ""
    replication_buckets: tuple[str, ...] = ()
    notification_targets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Weakness:
    """One setting that is weaker than expected, or could not be read.

    account_id: the account that the setting lets in, where only Organizations can tell whether it is a member; "" for
    none. advice: what a run may go on with, although somebody configured it.
    """

    setting: str
    found: str
    expected: str
    fix: str
    readable: bool = True
    account_id: str = ""
    advice: bool = False

    @property
    def weakened(self) -> bool:
        """Whether somebody changed it for the worse: a bucket that nobody configured is not like that."""
        lacks = {(self.setting, ""), (self.setting, self.found)} & NEVER_CONFIGURED
        return not (lacks or self.account_id or self.advice)

    @property
    def severity(self) -> Severity:
        """How bad it is: error where CloudTrail cannot deliver, unknown where nobody could tell."""
        if not self.readable or self.account_id:
            return "unknown"
        if self.setting == "request_payment":
            return "error"
        return "warning" if self.weakened else "advice"
