# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many calls per second an account may make, with the option ``rates`` (aws-facts section 8 and 10.6).

A token bucket per account, region and operation, by the lab's clock.
"""

from __future__ import annotations

from lab.kernel.call import Call
from lab.kernel.faults import error_for
from lab.kernel.service import guards
from lab.kernel.world import World

RATES: dict[str, tuple[tuple[tuple[str, ...], float, float], ...]] = {
    "cloudtrail": (
        (("LookupEvents",), 2, 2),
        (("Get", "Describe", "List"), 10, 10),
        (("",), 1, 1),
    ),
    "organizations": (
        (("EnableAWSServiceAccess", "DisableAWSServiceAccess"), 1, 2),
        (("ListAWSServiceAccessForOrganization",), 1, 3),
        (("DescribeOrganization",), 1, 2),
        (("ListAccountsForParent", "ListParents", "ListOrganizationalUnitsForParent"), 5, 8),
        (("ListAccounts",), 8, 12),
        (("DescribeAccount",), 20, 30),
        (("ListRoots",), 1, 2),
        (("ListTagsForResource",), 10, 15),
        (("CreatePolicy", "DeletePolicy", "AttachPolicy", "DetachPolicy", "UpdatePolicy"), 2, 3),
        (("DescribePolicy",), 2, 2),
        (("ListPolicies", "ListTargetsForPolicy"), 5, 8),
        (("EnablePolicyType", "DisablePolicyType"), 1, 1),
    ),
    "sts": ((("AssumeRole",), 600, 600),),
}
"""By service: beginnings of operations' names, calls per second, burst. The first that fits decides."""


def rate_of(call: Call) -> tuple[float, float] | None:
    """Calls per second and burst of an operation; None where none is known."""
    for beginnings, rate, burst in RATES[call.service]:
        if call.operation.startswith(beginnings):
            return rate, burst
    return None


@guards("cloudtrail")
@guards("organizations")
@guards("sts")
def throttle(world: World, call: Call) -> None:
    """Refuse a call beyond its rate with the service's throttling error."""
    limit = rate_of(call) if world.options.rates else None
    if limit is None:
        return
    rate, burst = limit
    key = (call.account, call.region, call.service, call.operation)
    with world.lock:
        tokens, last = world.tokens.get(key, (burst, call.time))
        tokens = min(burst, tokens + rate * max(0.0, (call.time - last).total_seconds()))
        world.tokens[key] = (tokens - 1 if tokens >= 1 else tokens, call.time)
    if tokens < 1:
        raise error_for("throttle", call)
