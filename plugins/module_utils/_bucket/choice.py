# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The choice of the log bucket among candidates, and the sentences for none and for several."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from .candidate import Candidate, SoughtTrail
from .current import CurrentBucket

Select = Literal["all", "one", "admitted"]

EXPLAINED = 5
"""How many candidates a refusal explains statement by statement."""


class BucketChoiceError(ValueError):
    """No bucket, or more than one, is the one asked for; the text says which were found and what to do."""


@dataclass(frozen=True)
class Criteria:
    """How a bucket without a known name is looked for; all empty: by admission alone."""

    name_pattern: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    def fits_name(self, name: str) -> bool:
        """Compare a bucket's name with the pattern, a shell wildcard."""
        return not self.name_pattern or fnmatchcase(name, self.name_pattern)

    def fits_tags(self, tags: Sequence[dict[str, str]]) -> bool:
        """Tell whether a bucket's tags hold all those asked for."""
        return set(self.tags) <= {(tag["Key"], tag["Value"]) for tag in tags}

    def __str__(self) -> str:
        wanted = [f"name_pattern {self.name_pattern}"] if self.name_pattern else []
        wanted += [f"tag {key}={value}" for key, value in self.tags]
        return " and ".join(wanted)


def choose(
    candidates: Sequence[Candidate],
    select: Select,
    criteria: Criteria,
    account_id: str,
    trail: SoughtTrail,
    current: CurrentBucket,
    names: Collection[str],
) -> list[Candidate]:
    """Return the candidates that were asked for: all, or a list of exactly one.

    current: the bucket that the trail has. Where the account has it no other one is chosen, or whoever breaks its
    policy or takes its tags decides where the logs go. names: of the account's buckets, those included that do not fit
    the criteria. Raises BucketChoiceError when none or more than one remains.
    """
    if select == "all":
        return list(candidates)
    own = [candidate for candidate in candidates if candidate.name == current.name]
    if str(criteria) and not own and current.name in names:
        raise BucketChoiceError(_own_unfit(current.name, criteria, account_id, trail))
    if not candidates:
        raise BucketChoiceError(_none_fits(criteria, account_id))
    admitting = [candidate for candidate in own or candidates if candidate.admits]
    if len(admitting) == 1 and (select == "admitted" or len(candidates) > 1):
        return admitting
    if select == "one" and len(own or candidates) == 1:
        return own or list(candidates)
    if own:
        raise BucketChoiceError(_own_refused(own[0], account_id, trail))
    if len(admitting) > 1:
        raise BucketChoiceError(_several(admitting, account_id, trail, current))
    if select == "admitted":
        raise BucketChoiceError(explain_refusal(candidates, account_id, trail))
    raise BucketChoiceError(f"{explain_refusal(candidates, account_id, trail)} Or choose it with name.")


NO_OTHER = "No other bucket is taken in its place unless you name it with name (log_bucket_lookup_name in the role)."


def _own_refused(own: Candidate, account_id: str, trail: SoughtTrail) -> str:
    return (
        f"Bucket {own.name} of account {account_id}, which {trail} writes to, no longer admits it: {_reasons(own)}. "
        f"{_remedy(own)}. {NO_OTHER}"
    )


def _own_unfit(name: str, criteria: Criteria, account_id: str, trail: SoughtTrail) -> str:
    return (
        f"Bucket {name} of account {account_id}, which {trail} writes to, does not fit the search for {criteria}; "
        "expected that it does. Find out whether somebody took its tags, and set them again, or correct the search. "
        f"{NO_OTHER}"
    )


def no_such_bucket(name: str, account_id: str) -> str:
    return (
        f"Bucket {name} does not exist; expected a log bucket in account {account_id}. "
        "Correct the name, or create the bucket with the role log_bucket."
    )


def foreign_bucket(name: str, account_id: str) -> str:
    return (
        f"Bucket {name} does not belong to account {account_id}, in which this runs; expected one of its own buckets. "
        "Correct the name, or set assume_role_arn to a role in the account that owns the bucket."
    )


def _none_fits(criteria: Criteria, account_id: str) -> str:
    if str(criteria):
        return (
            f"No bucket of account {account_id} fits {criteria}; expected the log bucket. "
            "Correct the search, leave it out to find the bucket by its policy, or create one with the role log_bucket."
        )
    return f"Account {account_id} has no bucket; expected the log bucket. Create one with the role log_bucket."


def _several(admitting: Sequence[Candidate], account_id: str, trail: SoughtTrail, current: CurrentBucket) -> str:
    found = " and ".join(
        f"{one.name} (for home region {_regions(one.admitted_home_regions)})" for one in admitting[:EXPLAINED]
    )
    more = f" and {len(admitting) - EXPLAINED} more" if len(admitting) > EXPLAINED else ""
    unread = f" Which of them the trail writes to could not be read: {current.unread}" if current.unread else ""
    return (
        f"Buckets {found}{more} of account {account_id} all admit {trail}; expected one. "
        f"Choose it with name (log_bucket_lookup_name in the role).{unread}"
    )


def _regions(regions: Sequence[str]) -> str:
    return ", ".join(regions) if len(regions) <= 3 else "any"


def explain_refusal(candidates: Sequence[Candidate], account_id: str, trail: SoughtTrail) -> str:
    """Say per candidate, statement by statement, why none admits the trail; the nearest candidates first."""
    if len(candidates) == 1:
        only = candidates[0]
        return f"Bucket {only.name} of account {account_id} does not admit {trail}: {_reasons(only)}. {_remedy(only)}."
    nearest = sorted(candidates, key=lambda one: len(one.problems))
    told = [one for one in nearest if _may_be_meant(one)][:EXPLAINED] or nearest[:EXPLAINED]
    reasons = "; ".join(f"bucket {one.name}: {_reasons(one)}" for one in told)
    others = f"; others that do not: {len(candidates) - len(told)}" if len(candidates) > len(told) else ""
    return (
        f"No bucket of account {account_id} admits {trail}: {reasons}{others}. "
        f"{_remedy(told[0])}, or create a bucket with the role log_bucket."
    )


def _remedy(candidate: Candidate) -> str:
    by_hand = [problem.fix.rstrip(".") for problem in candidate.problems if not problem.repairable]
    return " ".join(by_hand) or "Repair the policy with the role log_bucket or the module cloudtrail_log_bucket_policy"


def _may_be_meant(candidate: Candidate) -> bool:
    return not candidate.readable or "cloudtrail" in (candidate.policy or "").lower()


def _reasons(candidate: Candidate) -> str:
    return " / ".join(map(str, candidate.problems))
