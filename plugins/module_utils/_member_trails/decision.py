# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done to a trail that was looked at, before anything is proved of its account."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from .._aws.errors import refuse
from .._aws.whole_answer import unknown_call
from .._organization.entry import Target
from .._work.times import time_text
from .find import judge_with_bucket
from .look import Action, Look, There
from .options import RetireOptions
from .record import Record, record_path
from .refusals import deletion_refusal, retirement_refusal, waiting
from .restore import Call, calls_to, differences
from .trail import Trail


def decide_bringing_back(look: Look, options: RetireOptions) -> Look:
    """Bring a trail back to what its record holds, if the installed botocore knows all of that."""
    if look.record is None:
        path = record_path(options.record_dir, look.arn)
        return look.refused(f"There is no record {path}, expected one to bring {look.arn} back by.")
    calls = calls_to(look.record.trail, look.now)
    client = look.there.client if look.there else None
    unknown = (unknown_call(client, call.operation, call.parameters, str(look.arn)) for call in calls if client)
    if problem := next(filter(None, unknown), ""):
        return look.refused(problem)
    operations = [call.operation for call in calls]
    action: Action = "changed"
    if not operations:
        action = "none"
    elif look.now is None:
        action = "created"
    elif operations == ["StartLogging"]:
        action = "started"
    return replace(look, action=action)


def decide_stopping(look: Look, there: There, organization: Trail, options: RetireOptions, time: datetime) -> Look:
    """Record and stop a trail that is redundant. One that is stopped already is only recorded, unless it is."""
    now, old = look.now, look.record
    if now is None:
        return look.refused(f"There is no trail {look.arn}, expected one to stop.")
    if not now.logging and old and not differences(old.trail, now):
        return look
    if problem := redundancy_problem(there, now, organization, options):
        return look.refused(problem)
    logging = now.logging or bool(old and old.trail.logging)
    record = Record(replace(now, logging=logging), time_text(time), there.session.arn)
    return replace(look, action="stopped" if now.logging else "recorded", new_record=record)


def decide_deletion(look: Look, there: There, organization: Trail, options: RetireOptions, time: datetime) -> Look:
    """Delete a redundant trail that is stopped for long enough and is what its record holds.

    With ``all_recorded`` a trail that logs was brought back, and is none of those that are meant.
    """
    now = look.now
    if now is None or (now.logging and options.all_recorded):
        return look
    problem = deletion_refusal(now, look.record, options.record_dir)
    if problem or look.record is None:
        return look.refused(problem)
    if early := waiting(now, look.record, options.stopped_days, time):
        return replace(look, wait=early) if options.all_recorded else look.refused(early)
    if problem := redundancy_problem(there, now, organization, options):
        return look.refused(problem)
    return replace(look, action="deleted")


def redundancy_problem(there: There, now: Trail, organization: Trail, options: RetireOptions) -> str:
    """Why a trail is not redundant, in one sentence; "" when it is. Who reads its bucket is looked for last."""
    own = {now.arn.account_id: Target(now.arn.account_id, "", "")}  # its session is there already
    found = judge_with_bucket(there.session, own, now, organization, options.unread_buckets)
    return retirement_refusal(found)


def calls_left(look: Look, options: RetireOptions, now: Trail | None) -> list[Call]:
    """The calls that are left to make, by what AWS answers of the trail by now.

    Raises AnsibleOrgTrailError for a trail that is to be deleted and was started in the meantime.
    """
    name = {"Name": str(look.arn)}
    if options.state == "present":
        return calls_to(look.record.trail, now) if look.record else []
    if options.state == "absent":
        refuse(deletion_refusal(now, look.record, options.record_dir) if now else None)
        return [Call("DeleteTrail", name)] if now else []
    return [Call("StopLogging", name)] if now and now.logging else []
