# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module cloudtrail_guardrails_info: the guardrails of a trail, whom they lock out, whom they bind."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .._aws.arn import TrailArn, arn_account, is_account_id, is_key_arn, possible_trail_arn
from .._aws.errors import AnsibleOrgTrailError, parsed, refuse
from .._aws.log_place import LogPlace, place_refusal
from .._aws.organizations import describe_organization
from .._aws.policies import list_policies
from .._aws.session import Session
from .._aws.untyped import Client
from .._organization.accounts import ACTIVE, Account, ou_ids
from .._organization.policy_change import LARGEST
from .._organization.reader import Paces, read_organization
from .._organization.refusals import caller_refusal, feature_refusal
from .._work.options import Result, options_of, prefix_refusal
from .lockout import Keepers, exempt_refusal, lockouts
from .others import Guard, guards, read_others
from .policies import SCOPES, Guardrail, guardrails
from .proof import DENIALS, Member, Proof, Status, prove
from .statements import Guarded

PAUSE = 5.0
"""Seconds until a call that was not denied is made again."""


@dataclass(frozen=True)
class GuardrailOptions:
    """The options, with the module's names. "" or (): not set."""

    trail_arn: TrailArn
    log_bucket: str
    log_bucket_account_id: str
    s3_key_prefix: str
    kms_key_arn: str
    name_prefix: str
    exempt_principal_arns: tuple[str, ...]
    coverage_role_name: str
    member_trails: bool
    regions: bool
    watch_rule_names: tuple[str, ...]
    watch_queue_names: tuple[str, ...]
    lookup_role_arn: str
    repair_role_arn: str
    delegated_administrator_role_arns: tuple[str, ...]
    member_trails_role_name: str
    watch_role_name: str
    attached_to: tuple[str, ...] | None
    policy_arns: tuple[str, ...]
    prove_in_accounts: tuple[Member, ...]
    proof_timeout: float

    def guarded(self, organization_id: str) -> Guarded:
        prefix, key = self.s3_key_prefix.strip("/"), self.kms_key_arn
        return Guarded(
            LogPlace(self.log_bucket, self.trail_arn, organization_id, prefix, key, self.log_bucket_account_id),
            self.exempt_principal_arns,
            self.coverage_role_name,
            self.member_trails,
            self.regions,
            self.watch_rule_names,
            self.watch_queue_names,
        )

    def keepers(self) -> Keepers:
        return Keepers(
            self.lookup_role_arn,
            self.repair_role_arn,
            self.coverage_role_name,
            self.delegated_administrator_role_arns,
            self.member_trails_role_name,
            self.watch_role_name,
        )


def guardrail_options(params: Mapping[str, Any]) -> GuardrailOptions:
    """The module's parameters as a typed value. Raises AnsibleOrgTrailError for what cannot be right."""
    refuse(
        place_refusal(params["log_bucket"], params["log_bucket_account_id"]) or prefix_refusal(params["name_prefix"])
    )
    plain = {name: value if value is not None else "" for name, value in params.items()}
    lists = {name: tuple(value) for name, value in plain.items() if isinstance(value, list)}
    members = tuple(_member(one) for one in params["prove_in_accounts"])
    attached = params["attached_to"]
    return options_of(
        GuardrailOptions,
        {**plain, **lists},
        trail_arn=parsed(possible_trail_arn, params["trail_arn"]),
        attached_to=None if attached is None else tuple(attached),
        prove_in_accounts=members,
    )


def _member(given: Mapping[str, Any]) -> Member:
    if not is_account_id(given["id"]) or arn_account(given["assume_role_arn"]) != given["id"]:
        raise AnsibleOrgTrailError(
            f"prove_in_accounts holds the account {given['id']!r} with the role {given['assume_role_arn']!r}, expected "
            "12 digits and the ARN of a role in that account. Correct them."
        )
    return Member(given["id"], given["assume_role_arn"], given.get("assume_role_external_id") or "")


def options_refusal(options: GuardrailOptions, management: str) -> str | None:
    """Why the guardrails cannot be built for this trail, in one sentence; None when they can."""
    if options.trail_arn.account_id != management:
        return (
            f"The trail {options.trail_arn} belongs to account {options.trail_arn.account_id}, expected the management "
            f"account {management}, which owns organization trails. Correct trail_arn."
        )
    if options.log_bucket_account_id == management:
        return (
            f"The log bucket {options.log_bucket} belongs to the management account {management}, expected a member. "
            "No policy of the organization binds management and its resources: move it to an account of its own "
            "first."
        )
    if options.kms_key_arn and not is_key_arn(options.kms_key_arn):
        return f"kms_key_arn is {options.kms_key_arn!r}, expected the ARN of a KMS key, not an id or alias. Correct it."
    if management in {one.id for one in options.prove_in_accounts}:
        return (
            f"prove_in_accounts holds the management account {management}, expected members. Service control policies "
            "do not bind it. Take it out."
        )
    return None


def describe_guardrails(
    session: Session, options: GuardrailOptions, sleep: Callable[[float], None] = time.sleep
) -> Result:
    """The module's result. Writes nothing; the calls of the proof harm nothing (see _aws/probes.py).

    Nothing is asked in any account when the guardrails would lock somebody out. Raises AnsibleOrgTrailError and the
    exceptions of AWS's services.
    """
    client = session.client("organizations")
    organization = describe_organization(client)
    refuse(caller_refusal(organization, session.account_id))
    refuse(feature_refusal(organization))
    refuse(options_refusal(options, organization.management_account_id))
    guarded = options.guarded(organization.id)
    refuse(exempt_refusal(guarded))
    rails = guardrails(guarded, options.name_prefix)
    locked = lockouts(rails, guarded, options.keepers())
    members = () if locked else options.prove_in_accounts
    proofs = list(_proofs(session, guarded, members, options, sleep))
    accounts = [] if options.attached_to is None else _members(session)
    outside = outside_accounts(accounts, options.attached_to or ())
    others = _others(client, accounts, guarded, rails)
    return {
        "policies": [_shown(rail, guarded) for rail in rails],
        "existing": existing_policies(client, options.name_prefix),
        "lockout": [{**asdict(one), "actions": list(one.actions), "sentence": one.sentence} for one in locked],
        "proof": [proof.result() for proof in proofs],
        "summary": summarize(proofs),
        "outside": [{"id": account.id, "name": account.name} for account in outside],
        "guarded_by": [{**asdict(one), "actions": list(one.actions)} for one in others],
    }


def _proofs(
    session: Session,
    guarded: Guarded,
    members: Iterable[Member],
    options: GuardrailOptions,
    sleep: Callable[[float], None],
) -> Iterator[Proof]:
    """What is proved in each account, asked again for a while where something is not denied."""
    waited = 0.0
    for member in members:
        proofs = prove(session, guarded, member, options.policy_arns)
        while waited < options.proof_timeout and any(proof.status == "not_bound" for proof in proofs):
            sleep(PAUSE)
            waited += PAUSE
            proofs = prove(session, guarded, member, options.policy_arns)
        yield from proofs


def existing_policies(client: Client, prefix: str) -> list[Result]:
    """Name and type of each policy of the organization that has the name of a guardrail, by name."""
    scopes = "|".join(scope.replace("_", "-") for scope in SCOPES)
    name = re.compile(rf"{re.escape(prefix)}-(?:{scopes})(?:-\d+)?")
    found = [(one["Name"], kind) for kind in LARGEST for one in list_policies(client, kind.upper())]
    return [{"name": text, "type": kind} for text, kind in sorted(found) if name.fullmatch(text)]


def _shown(rail: Guardrail, guarded: Guarded) -> Result:
    size = {"characters": rail.characters, "limit": LARGEST[rail.type]}
    owners = {guarded.place.owner, *([guarded.key_owner] if rail.scope == "resources" else [])}
    accounts = [] if rail.scope == "members" else sorted(owners - {"", guarded.place.trail.account_id})
    what = {"name": rail.name, "type": rail.type, "scope": rail.scope, "accounts": accounts}
    return {**what, "content": rail.content, **size}


def _members(session: Session) -> list[Account]:
    """The accounts of the organization without management, which no policy binds."""
    found = read_organization(session.client("organizations"), Paces())
    return [one for one in found.accounts if one.id != found.organization.management_account_id]


def _others(client: Client, members: Iterable[Account], guarded: Guarded, rails: Iterable[Guardrail]) -> list[Guard]:
    """What other policies above the log bucket's account deny there already; nothing where members were not read."""
    archive = next((one for one in members if one.id == guarded.place.owner), None)
    if archive is None:
        return []
    return guards(read_others(client, [*ou_ids(archive.ou_path), archive.id], [rail.name for rail in rails]), guarded)


def outside_accounts(accounts: Iterable[Account], targets: Iterable[str]) -> list[Account]:
    """The active accounts that are neither among the targets nor below one of them."""
    guarded = set(targets)
    return [
        account
        for account in accounts
        if account.state in ("", ACTIVE) and guarded.isdisjoint({account.id, *ou_ids(account.ou_path)})
    ]


def summarize(proofs: Iterable[Proof]) -> Result:
    """The accounts by what was proved: bound where one of our policies denied every call, denied where some call was
    denied by another, or by one that AWS does not name.

    What was not looked at, or could not be read, is none of these.
    """
    by_account: dict[str, list[Proof]] = {}
    for proof in proofs:
        by_account.setdefault(proof.account_id, []).append(proof)
    found: dict[str, list[str]] = {"bound": [], "denied": [], "not_bound": [], "unknown": []}
    for account, some in sorted(by_account.items()):
        found[_kind({proof.status for proof in some})].append(account)
    return found


def _kind(statuses: set[Status]) -> str:
    if "not_bound" in statuses:
        return "not_bound"
    if not statuses <= set(DENIALS):
        return "unknown"
    return "bound" if statuses == {"bound"} else "denied"
