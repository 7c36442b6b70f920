# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who besides CloudTrail may reach the logs, by the bucket's policy and its ACL, and who is kept from reading them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .._aws.log_place import LogPlace
from .._aws.untyped import Structure
from .._policy.document import Document, Policy, PolicyError, Statement, parse_policy
from .._policy.evaluation import Request, explain
from .weakness import Weakness

EVERYBODY = {"AllUsers": "everybody", "AuthenticatedUsers": "everybody with an AWS account"}
DELIVERY = "LogDelivery"
"""S3's own group that writes server access logs."""

_ACCOUNT = re.compile(r"(?:arn:[\w-]+:(?:iam|sts)::)?(\d{12})(?::.*)?")
_BINDING = re.compile(r"(?:foranyvalue:)?(?:string|arn)(?:equals|like)(?:ignorecase)?|ipaddress", re.IGNORECASE)
"""Operators that no request fulfils without the key: not those with IfExists, ForAllValues or Not."""

OF_CALLER = ("aws:principalaccount", "aws:principalarn")
OF_PLACE = (
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
)
"""Conditions by which S3 itself takes a policy for not public, where the values are fixed.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""


def weak_policy(policy: str | Document | None, place: LogPlace) -> Iterator[Weakness]:
    """What the policy grants to others than the organization, and what it denies to those who read the logs.

    A policy that cannot be read as one is the verdict's matter.
    """
    try:
        parsed = parse_policy(policy, "resource") if policy else Policy("2012-10-17", ())
    except PolicyError:
        return
    for statement in parsed.statements:
        if statement.effect == "Allow":
            yield from _outsiders(statement, place)
        else:
            yield from _kept_from_reading(statement, place)


def _outsiders(statement: Statement, place: LogPlace) -> Iterator[Weakness]:
    if _is_bound(statement, place.organization_id):
        return
    named = [value for kind, value in statement.principal or () if kind == "AWS"]
    everybody = "Principal" in statement.negated or "*" in named
    if everybody:
        named = _fixed_values(statement, OF_CALLER)
    accounts = {match[1] for value in named if (match := _ACCOUNT.fullmatch(value))}
    for account in sorted(accounts - {place.owner, place.trail.account_id}):
        yield _let_in(statement, f"account {account}", account_id=account)
    if everybody and not named:
        places = _fixed_values(statement, OF_PLACE)
        whom = f"everybody under the condition {', '.join(places)}" if places else "everybody"
        yield _let_in(statement, whom, advice=bool(places))


def _let_in(statement: Statement, whom: str, *, account_id: str = "", advice: bool = False) -> Weakness:
    actions = f"{'all but ' if 'Action' in statement.negated else ''}{', '.join(statement.action)}"
    return Weakness(
        "outside_access",
        f"{statement.label} allows {actions} to {whom}",
        "access for the organization alone",
        "Remove the statement, or bind it to the organization by a condition on aws:PrincipalOrgID.",
        account_id=account_id,
        advice=advice,
    )


def _fixed_values(statement: Statement, keys: Sequence[str]) -> list[str]:
    """Values of a condition on one of the keys, if the statement lets nobody in who has none of them.

    What they begin with is fixed: not where they are patterns before their first slash, or all addresses.
    """
    for operator, key, values in statement.conditions:
        loose = any(value.endswith("/0") or set("*?$") & set(value.partition("/")[0]) for value in values)
        if key.lower() in keys and _BINDING.fullmatch(operator) and not loose:
            return list(values)
    return []


def _is_bound(statement: Statement, organization_id: str) -> bool:
    """Whether a condition lets only principals of the organization in."""
    ids = _fixed_values(statement, ("aws:principalorgid", "aws:principalorgpaths"))
    return {value.partition("/")[0] for value in ids} == {organization_id}


def _kept_from_reading(statement: Statement, place: LogPlace) -> Iterator[Weakness]:
    """A Deny that applies to readers for certain: to everybody, or to some that it names.

    A Deny for all but some, and one whose conditions may not hold, is how a bucket is guarded.
    """
    named = [value for kind, value in statement.principal or () if kind == "AWS"]
    denied = [request.action for request in _readings(place) if _denies(statement, request)]
    if not (named and denied) or "Principal" in statement.negated:
        return
    everybody = bool({"*", place.owner, f"arn:{place.trail.partition}:iam::{place.owner}:root"} & set(named))
    whom = "everybody" if everybody else ", ".join(named)
    yield Weakness(
        "readers",
        f"{statement.label} denies {', '.join(denied)} to {whom}",
        "logs that can be read",
        "Find out who added the Deny, and take it away.",
        advice=not everybody,
    )


def _readings(place: LogPlace) -> Sequence[Request]:
    """Requests of somebody in the bucket's account who reads the logs over TLS."""
    region, owner = place.trail.region, place.owner
    key = f"{place.organization_logs}{owner}/CloudTrail/{region}/2026/01/01/{owner}_CloudTrail_{region}.json.gz"
    reader = {"AWS": f"arn:{place.trail.partition}:iam::{owner}:role/reader"}
    context = {
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalOrgID": place.organization_id,
        "aws:ResourceAccount": owner,
        "aws:SecureTransport": "true",
        "s3:TlsVersion": "1.3",
    }
    return (
        Request("s3:GetObject", place.object_arn(key), reader, context, complete=False),
        Request("s3:ListBucket", place.bucket_arn, reader, context, complete=False),
    )


def _denies(statement: Statement, request: Request) -> bool:
    """Whether a statement is about a request for certain, whoever its principals are."""
    return all(mismatch.element == "Principal" for mismatch in explain(statement, request))


def plain_acl(raw: Structure | None) -> list[dict[str, str]]:
    """The grants of an ACL to others than the bucket's owner and S3's own log delivery."""
    acl = raw or {}
    owner = acl.get("Owner", {}).get("ID")
    grants = []
    for grant in acl.get("Grants") or []:
        grantee = grant.get("Grantee") or {}
        name = str(grantee.get("URI") or grantee.get("ID") or grantee.get("EmailAddress") or "").rpartition("/")[2]
        if name not in (owner, DELIVERY):
            grants.append({"grantee": name, "permission": str(grant.get("Permission", ""))})
    return grants


def weak_acl(grants: Sequence[dict[str, str]], ownership: object) -> Iterator[Weakness]:
    """ACL grants to others; they count for nothing where the bucket's owner has disabled ACLs."""
    for grant in () if ownership == "BucketOwnerEnforced" else grants:
        who = EVERYBODY.get(grant["grantee"], f"canonical user {grant['grantee']}")
        fix = "Remove the grant, and set object ownership BucketOwnerEnforced."
        yield Weakness("acl", f"the ACL grants {grant['permission']} to {who}", "no grants to others", fix)
