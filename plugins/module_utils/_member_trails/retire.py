# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cloudtrail_member_trail does: look at trails, prove that nobody needs them, stop, delete or bring them back.

Trails are taken in batches, so that each is changed seconds after it was looked at and its account was proved to be
covered. What fails of one trail is told of that one, and the others go on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.arn import TrailArn
from .._aws.errors import sentence
from .._aws.session import Session
from .._work.options import Result
from .._work.reads import read_each
from .decision import calls_left, decide_bringing_back, decide_deletion, decide_stopping
from .evidence import Cover, Evidence
from .look import Action, Look, State, look_at, state_of
from .options import RetireOptions
from .record import record_path, recorded_trails, write_record
from .restore import Call
from .writer import write_trail

BATCH = 50
"""So many trails are proved, and then changed, together."""

AT_ONCE = 16
NAMED = 10
"""So many problems stand in the sentence that a run fails with."""


@dataclass(frozen=True)
class Outcome:
    """What became of a trail, or would; without the clients of its account, which take memory."""

    arn: TrailArn
    action: Action
    before: State
    after: State
    problem: str = ""
    wait: str = ""

    @classmethod
    def of(cls, look: Look, action: Action, after: State, problem: str = "") -> Outcome:
        return cls(look.arn, action, look.before, after, problem, look.wait)

    def to_dict(self, options: RetireOptions) -> Result:
        return {
            "account_id": self.arn.account_id,
            "arn": str(self.arn),
            "action": self.action,
            "before": self.before,
            "after": self.after,
            "record": str(record_path(options.record_dir, self.arn)),
            **({"problem": self.problem} if self.problem else {}),
            **({"waiting": self.wait} if self.wait else {}),
        }


def change_trails(session: Session, options: RetireOptions, cover: Cover, *, check_mode: bool) -> list[Outcome]:
    """Do what the module's options ask for. Raises AnsibleAWSError for what concerns all trails, before any write."""
    arns = list(recorded_trails(options.record_dir)) if options.all_recorded else options.trail_arns or []
    if not arns:
        return []
    threads = min(AT_ONCE, options.max_concurrency)
    finish = predict if check_mode else partial(carry_out, options)
    outcomes: list[Outcome] = []
    for start in range(0, len(arns), BATCH):
        batch = arns[start : start + BATCH]
        try:
            evidence = evidence_of(session, options, cover)
        except AnsibleAWSError as error:
            if not outcomes:
                raise
            outcomes += [predict(Look(arn).refused(sentence(error))) for arn in batch]
            continue
        looks: Sequence[Look] = read_each(partial(decide, session, options, evidence), batch, threads)
        looks = evidence.prove(looks, threads) if evidence else looks
        outcomes += read_each(finish, looks, threads)
    return outcomes


def evidence_of(session: Session, options: RetireOptions, cover: Cover) -> Evidence | None:
    """What is known of the organization trail and its bucket at this moment; None where no trail is taken away."""
    arn = options.organization_trail_arn
    if arn is None or options.state == "present":
        return None
    role, external_id = options.log_archive_role_arn or "", options.log_archive_role_external_id or ""
    return Evidence(session, arn, cover, role, external_id)


def decide(session: Session, options: RetireOptions, evidence: Evidence | None, arn: TrailArn) -> Look:
    """Look at a trail and say what is to be done to it; what fails is its problem."""
    look = Look(arn)
    try:
        look, there = look_at(session, options, arn)
        if evidence is None:
            return decide_bringing_back(look, options)
        choose = decide_stopping if options.state == "stopped" else decide_deletion
        return choose(look, there, evidence.organization, options, datetime.now(UTC))
    except AnsibleAWSError as error:
        return look.refused(sentence(error))


def predict(look: Look) -> Outcome:
    """What would become of a trail."""
    after: State = look.before
    if look.action in ("stopped", "deleted"):
        after = "stopped" if look.action == "stopped" else "absent"
    elif look.action in ("created", "changed", "started") and look.record:
        after = "logging" if look.record.trail.logging or look.before == "logging" else "stopped"
    return Outcome.of(look, look.action, after, look.problem)


def carry_out(options: RetireOptions, look: Look) -> Outcome:
    """Do what is to be done to a trail. Its record is written, and read, before AWS is asked for anything."""
    if look.action == "none" or look.there is None:
        return Outcome.of(look, "none", look.before, look.problem)
    made: list[Call] = []
    try:
        if look.new_record:
            write_record(options.record_dir, look.new_record)
        after = write_trail(look.there, look.arn, look.now, partial(calls_left, look, options), made)
    except AnsibleAWSError as error:
        return Outcome.of(look, look.action if made else "none", "unknown" if made else look.before, sentence(error))
    return Outcome.of(look, look.action, state_of(after))


# --- result -----------------------------------------------------------------------------------------


def summarize(outcomes: Sequence[Outcome], options: RetireOptions) -> Result:
    """The module's result."""
    changed = [one for one in outcomes if one.action != "none"]
    return {
        "changed": bool(changed),
        "trails": [one.to_dict(options) for one in outcomes],
        "summary": counts(outcomes),
        "lines": lines_of(outcomes),
        "diff": {
            "before": {str(one.arn): one.before for one in changed},
            "after": {str(one.arn): one.after for one in changed},
        },
    }


def counts(outcomes: Sequence[Outcome]) -> Result:
    """How many trails there are, and what was done to how many."""
    number = Counter[str](one.action for one in outcomes)
    actions = ("recorded", "stopped", "deleted", "created", "changed", "started")
    return {
        "trails": len(outcomes),
        **{action: number[action] for action in actions},
        "waiting": sum(bool(one.wait) for one in outcomes),
        "failed": sum(bool(one.problem) for one in outcomes),
    }


def lines_of(outcomes: Sequence[Outcome]) -> list[str]:
    """What to print: what was done, then what was not and why."""
    done = {name: number for name, number in counts(outcomes).items() if number and name not in ("trails", "failed")}
    said = ", ".join(f"{number:,} {name}" for name, number in done.items()) or "nothing changed"
    reasons = [one.problem or one.wait for one in outcomes]
    return [f"{len(outcomes):,} trails of members: {said}.", *filter(None, reasons)]


def failure_of(outcomes: Sequence[Outcome], options: RetireOptions) -> str:
    """The sentence that a run fails with, "" when all was done."""
    problems = [one.problem for one in outcomes if one.problem]
    if not problems:
        return ""
    more = f" {len(problems) - NAMED} more stand in trails, each with its problem." if len(problems) > NAMED else ""
    return (
        f"{len(problems)} of {len(outcomes)} trails of members could not be brought to state={options.state}. "
        f"{' '.join(problems[:NAMED])}{more}"
    )
