# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Switches for what AWS's documentation leaves open (the ``?`` of aws-facts). Each default is one possible answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass
class Options:
    """The lab's switches.

    member_denial_code: what a member gets for a change to the organization trail by ARN (aws-facts 4.3).
    access_propagation_calls: how many CloudTrail calls after EnableAWSServiceAccess still see it off (1.4).
    delegation_propagation_calls: how many CloudTrail calls of a new delegated administrator are still refused as a
        member's (11.5).
    policy_propagation_calls: how many CloudTrail calls after PutBucketPolicy still refuse the bucket, and after a role
        was written still refuse the role (2.17).
    late_role_code: what they refuse the role with (2.17).
    member_propagation: whether members see the trail ``immediate``-ly or only after ``member_propagation_hours`` (4.4).
    admission_markers: whether admission leaves zero-byte objects in the bucket (3.6).
    service_linked_role: whether EnableAWSServiceAccess makes AWSServiceRoleForCloudTrail (1.5).
    disabled_region_code: what a call to a region that the account has not enabled gets (4.6).
    account_status_retired: whether ListAccounts still answers Account.Status beside State (7.2).
    account_paths: whether ListAccounts answers Account.Paths (7.3).
    empty_pages: whether every page of Organizations' lists is preceded by an empty one with a NextToken (7.1).
    strict_global_endpoints: whether calls to services with one endpoint per partition must be signed for its region.
        A client that is given an endpoint's address signs for its own region, so the lab is lenient (1.7).
    source_org_id_on_bucket_acl: whether CloudTrail's GetBucketAcl carries aws:SourceOrgID as its PutObject does (3.8).
    source_org_id_on_keys_and_topics: whether CloudTrail's calls to KMS and SNS carry it (3.8).
    policy_size: how S3 counts a bucket policy against its 20 KiB: as it was ``sent``, or ``normalized``, which is
        without white space and with every character as itself (3.11).
    scp_arn_in_denials: whether a denial by a service or resource control policy names its ARN, as AWS began to (7.10).
    policy_type_propagation_calls: how many ListRoots calls after EnablePolicyType still say PENDING_ENABLE (10.5).
    lake_customer: whether the organization used CloudTrail Lake before it was closed to new customers, so that event
        data stores can still be created (9.2).
    event_delay_seconds: how long after a call EventBridge has its event (12.1).
    events_lost: whether EventBridge loses every event, as best effort may (12.1).
    last_event: whether the event of the call that ends a trail, or its logging, still comes (12.3).
    failing_targets: whether PutTargets fails for every target, which it says in a good answer (12.4).
    queue_policy_seconds: how long a changed policy of a queue does not count yet (12.5).
    rates: whether calls beyond the rates of aws-facts section 8 are throttled.
    """

    member_denial_code: str = "NotOrganizationMasterAccountException"
    access_propagation_calls: int = 0
    delegation_propagation_calls: int = 0
    policy_propagation_calls: int = 0
    late_role_code: str = "InvalidCloudWatchLogsRoleArnException"
    member_propagation: str = "immediate"
    member_propagation_hours: float = 24.0
    admission_markers: bool = True
    service_linked_role: bool = True
    disabled_region_code: str = "UnrecognizedClientException"
    account_status_retired: bool = False
    account_paths: bool = True
    empty_pages: bool = False
    strict_global_endpoints: bool = False
    source_org_id_on_bucket_acl: bool = False
    source_org_id_on_keys_and_topics: bool = False
    policy_size: str = "sent"
    scp_arn_in_denials: bool = False
    policy_type_propagation_calls: int = 0
    lake_customer: bool = False
    event_delay_seconds: float = 0.0
    events_lost: bool = False
    last_event: bool = True
    failing_targets: bool = False
    queue_policy_seconds: float = 0.0
    rates: bool = False

    def change(self, values: dict[str, Any]) -> dict[str, Any]:
        """Set the given options and answer all. Raises ValueError for an unknown name or a wrong type."""
        known: dict[str, Any] = {field.name: type(field.default) for field in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"The lab has no option {name!r}; it has {', '.join(sorted(known))}.")
            if not isinstance(value, known[name]) and not (known[name] is float and isinstance(value, int)):
                raise ValueError(f"The lab's option {name} is a {known[name].__name__}, found {value!r}.")
        for name, value in values.items():
            setattr(self, name, known[name](value))
        return asdict(self)
