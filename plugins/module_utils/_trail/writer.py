# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a trail to what is wanted: plan, write each thing once, read AWS back, and prove the result."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.arn import CLOUDTRAIL, TrailArn
from .._aws.cloudtrail import WRITES, AnsibleCloudTrailError
from .._aws.errors import AnsibleOrgTrailError, code_of, outcome_unknown
from .._aws.organizations import AnsibleOrganizationsError, has_service_access
from .._aws.session import Session
from .._aws.unknown_outcome import write_until_done
from .administrator import NOT_MANAGEMENT, hidden_trail
from .options import TrailOptions
from .plan import Call, Plan, plan_for
from .reader import TrailNow, read_trail

ACCESS = "CloudTrailAccessNotEnabledException"
WRITTEN_JUST_NOW = (
    "InsufficientS3BucketPolicyException",
    "InvalidCloudWatchLogsLogGroupArnException",
    "InvalidCloudWatchLogsRoleArnException",
)
"""What AWS answers while a policy or a role that is right was written seconds ago (aws-facts 2.17)."""

LOOK_AGAIN = frozenset({"TrailAlreadyExistsException", "TrailNotFoundException"})


@dataclass
class Writer:
    """Carries plans out. ``actions`` remembers every call that worked or may have worked.

    administrator: the account of a delegated administrator, "" for the trail's owner.

    waited: for how many seconds, by the call's operation and the code with which AWS refused it.
    """

    session: Session
    arn: TrailArn
    options: TrailOptions
    administrator: str = ""
    actions: list[Call] = field(default_factory=list)
    waited: dict[tuple[str, str], float] = field(default_factory=dict)
    sleep: Callable[[float], None] = time.sleep

    def carry_out(self, before: TrailNow | None) -> TrailNow | None:
        """Write until AWS answers what is wanted, and write again only where an outcome is unknown.

        Raises AnsibleCloudTrailError for what AWS refuses, AnsibleOrgTrailError when the result is not as wanted.
        """

        def look(error: AnsibleAWSError | None) -> TrailNow | None:
            now = self._read()
            if error and now is None and before is not None and self.options.state == "present":
                raise error  # somebody deleted the trail in the meantime; what it was is not known any more
            return now

        now, accepted = write_until_done(before, lambda now: self._plan(now).calls, self._try, look, self.sleep)
        return self._prove(now) if accepted else now

    def _read(self) -> TrailNow | None:
        return read_trail(self.session, self.arn, self.options, shared=bool(self.administrator))

    def _plan(self, now: TrailNow | None) -> Plan:
        return plan_for(self.arn, self.options, now.settings if now else None)

    def _prove(self, now: TrailNow | None) -> TrailNow | None:
        """Give AWS time to answer what it accepted, as long as the option says, but never write it again."""
        left, pause = float(self.options.trail_propagation_timeout), 1.0
        while (plan := self._plan(now)).calls and left > 0:
            seconds = min(pause, left)
            self.sleep(seconds)
            left, pause = left - seconds, min(pause * 2, 15)
            now = self._read()
        if not plan.calls:
            return now
        found = {name: now.settings.get(name) for name in plan.changed_fields} if now else "no trail"
        expected = {name: plan.after.get(name) for name in plan.changed_fields} if plan.after else "no trail"
        raise AnsibleOrgTrailError(
            message=f"AWS accepted the changes to {self.arn}, but "
            f"{self.options.trail_propagation_timeout} seconds later still answered {found}, expected {expected}. "
            "AWS may still answer the old state, or somebody else may be changing the trail: run again in a few "
            "minutes, or raise trail_propagation_timeout."
        )

    def _try(self, calls: Sequence[Call]) -> AnsibleAWSError | None:
        """Make calls; an error that leaves the outcome open, if one ended them."""
        try:
            for call in calls:
                self._send_when_accepted(call)
        except AnsibleCloudTrailError as error:
            if self.administrator and code_of(error) == "TrailAlreadyExistsException":
                raise AnsibleOrgTrailError(message=hidden_trail(self.arn, self.administrator)) from error
            named = AnsibleCloudTrailError(message=f"{error.message} {self.arn}", exception=error.exception)
            if not outcome_unknown(error) and code_of(error) not in LOOK_AGAIN:
                raise named from error
            return named
        return None

    def _send(self, call: Call) -> None:
        client = self.session.client("cloudtrail", self.arn.region, once=True)
        try:
            WRITES[call.operation](client, call.parameters)
        except AnsibleCloudTrailError as error:
            if outcome_unknown(error):
                self.actions.append(call)
            raise
        self.actions.append(call)

    def _send_when_accepted(self, call: Call) -> None:
        """Send a call; while what was written just before does not count yet, again and again.

        That is trusted access (aws-facts 1.4), policies and roles (2.17), or an administrator's registration (11.5).
        """
        left = {ACCESS: float(self.options.access_propagation_timeout)}
        left |= dict.fromkeys(WRITTEN_JUST_NOW, float(self.options.policy_propagation_timeout))
        if self.administrator:
            left[NOT_MANAGEMENT] = float(self.options.access_propagation_timeout)
        pause = 1.0
        while True:
            try:
                return self._send(call)
            except AnsibleCloudTrailError as error:
                code = code_of(error)
                if code not in left or (
                    code == ACCESS and not self._waited_for(call, code) and not self._access_is_on()
                ):
                    raise
                if left[code] <= 0:
                    if code != ACCESS:
                        raise
                    raise AnsibleOrgTrailError(
                        message=f"Trusted access for {CLOUDTRAIL} is on, but CloudTrail did not accept it for "
                        f"{self.arn} within {self.options.access_propagation_timeout} seconds. Run again in a few "
                        "minutes, or raise access_propagation_timeout."
                    ) from error
            seconds = min(pause, left[code])
            self._wait(call, code, seconds)
            left[code] -= seconds
            pause = min(pause * 2, 15)

    def _waited_for(self, call: Call, code: str) -> float:
        return self.waited.get((call.operation, code), 0)

    def _wait(self, call: Call, code: str, seconds: float) -> None:
        self.waited[call.operation, code] = self._waited_for(call, code) + seconds
        self.sleep(seconds)

    def _access_is_on(self) -> bool:
        try:
            return has_service_access(self.session.client("organizations"), CLOUDTRAIL)
        except AnsibleOrganizationsError:  # not known: it may be on
            return True
