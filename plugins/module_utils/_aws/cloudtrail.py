# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS CloudTrail: one call per function.

Every trail is named by its ARN and the client is one of the trail's home region, because names and writes work
nowhere else (aws-facts 2.1, 2.2). The calls and their answers are described in
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict

from .errors import ErrorHandler
from .retry import retry_read, retry_write
from .untyped import Client, Structure
from .whole_answer import ask, read_whole


class AnsibleCloudTrailError(AnsibleAWSError):
    """An error of AWS CloudTrail."""

    iam_prefix = "cloudtrail"


class CloudTrailErrorHandler(ErrorHandler):
    _CUSTOM_EXCEPTION = AnsibleCloudTrailError

    @classmethod
    def _is_missing(cls) -> Any:
        return is_boto3_error_code("InsightNotEnabledException")


@CloudTrailErrorHandler.common_error_handler("list the trails")
@retry_read
def list_trails(client: Client) -> list[dict[str, str]]:
    """Every trail that the account sees in all regions: Name, TrailARN and HomeRegion each."""
    trails: list[dict[str, str]] = client.get_paginator("list_trails").paginate().build_full_result()["Trails"]
    return trails


@CloudTrailErrorHandler.common_error_handler("describe the trail")
@retry_read
def describe_own_trail(client: Client, arn: str) -> Structure | None:
    """The trail's settings; None where it is missing or only a shadow of another account's trail (aws-facts 4.1)."""
    answer = client.describe_trails(trailNameList=[arn], includeShadowTrails=False)["trailList"]
    return next((dict(trail) for trail in answer if trail["TrailARN"] == arn), None)


@CloudTrailErrorHandler.common_error_handler("describe the trail")
@retry_read
def describe_shared_trail(client: Client, arn: str) -> Structure | None:
    """The trail's settings as a delegated administrator gets them, to whom it is a shadow trail; None where missing."""
    answer = client.describe_trails(trailNameList=[arn], includeShadowTrails=True)["trailList"]
    return next((dict(trail) for trail in answer if trail["TrailARN"] == arn), None)


@CloudTrailErrorHandler.common_error_handler("describe the trails of the region")
@retry_read
def describe_trails(client: Client) -> list[Structure]:
    """Every trail that stands in the client's region, shadow trails of other regions and accounts among them."""
    trails: list[Structure] = client.describe_trails()["trailList"]
    return trails


@CloudTrailErrorHandler.common_error_handler("get the trail")
@retry_read
def get_trail(client: Client, arn: str) -> Structure:
    """The trail's settings, for members of the organization too (aws-facts 4.2)."""
    trail: Structure = client.get_trail(Name=arn)["Trail"]
    return trail


@CloudTrailErrorHandler.common_error_handler("get the trail")
@retry_read
def get_whole_trail(client: Client, arn: str, *, also_unknown: bool = False) -> Structure:
    """The trail's settings, to be written back later.

    Raises AnsibleOrgTrailError for an answer about another trail and, unless ``also_unknown``, for a setting that the
    installed botocore does not know.
    """
    return dict(ask(client, "GetTrail", arn, also_unknown=also_unknown)["Trail"])


@CloudTrailErrorHandler.common_error_handler("get the status of the trail")
@retry_read
def get_trail_status(client: Client, arn: str) -> Structure:
    """IsLogging, and the latest times and errors of delivery."""
    status: Structure = client.get_trail_status(Name=arn)
    return status


@CloudTrailErrorHandler.common_error_handler("get the event selectors of the trail")
@retry_read
def get_event_selectors(client: Client, arn: str) -> Structure:
    """EventSelectors or AdvancedEventSelectors; AWS's default where none were set (aws-facts 2.10)."""
    return ask(client, "GetEventSelectors", arn)


@CloudTrailErrorHandler.list_error_handler("get the insight selectors of the trail", [])
@retry_read
def get_insight_selectors(client: Client, arn: str) -> list[Structure]:
    """InsightType and EventCategories each; an empty list where insights are off (aws-facts 2.10)."""
    return list(ask(client, "GetInsightSelectors", arn).get("InsightSelectors") or [])


@CloudTrailErrorHandler.common_error_handler("get the event configuration of the trail")
@retry_read
def get_aggregations(client: Client, arn: str) -> list[Structure]:
    """The aggregation configurations: EventCategory and Templates each (aws-facts 2.14)."""
    return list(ask(client, "GetEventConfiguration", arn).get("AggregationConfigurations") or [])


@CloudTrailErrorHandler.common_error_handler("list the tags of the trail")
@retry_read
def list_tags(client: Client, arn: str) -> dict[str, str]:
    """The trail's tags."""

    def read() -> list[Structure]:
        pages = client.get_paginator("list_tags").paginate(ResourceIdList=[arn]).build_full_result()
        return [one for one in pages.get("ResourceTagList", []) if one.get("ResourceId") == arn]

    def doubt(found: list[Structure]) -> str | None:
        return None if found else f"ListTags answered nothing about {arn}, expected its tags or an empty list of them."

    tags: dict[str, str] = {}
    for page in read_whole(read, doubt):
        tags |= boto3_tag_list_to_ansible_dict(page.get("TagsList", []))
    return tags


@CloudTrailErrorHandler.common_error_handler("list the event data stores")
@retry_read
def list_event_data_stores(client: Client) -> list[str]:
    """ARNs of the event data stores of the client's region."""
    stores: list[str] = []
    page: Structure = {"NextToken": ""}  # botocore has no paginator for it
    while (token := page.get("NextToken")) is not None:
        page = client.list_event_data_stores(**({"NextToken": token} if token else {}))
        stores += [store["EventDataStoreArn"] for store in page["EventDataStores"]]
    return stores


@CloudTrailErrorHandler.common_error_handler("get the event data store")
@retry_read
def get_event_data_store(client: Client, arn: str) -> Structure:
    """An event data store's settings."""
    store: Structure = client.get_event_data_store(EventDataStore=arn)
    return store


@CloudTrailErrorHandler.common_error_handler("look up events")
@retry_read
def lookup_events(client: Client, name: str, since: datetime) -> list[Structure]:
    """All of event history's events of one name in the client's account and region, newest first (aws-facts 4.7)."""
    wanted = [{"AttributeKey": "EventName", "AttributeValue": name}]
    pages = client.get_paginator("lookup_events").paginate(LookupAttributes=wanted, StartTime=since)
    events: list[Structure] = pages.build_full_result()["Events"]
    return events


@CloudTrailErrorHandler.common_error_handler("look up events")
@retry_read
def lookup_events_page(client: Client, key: str, value: str, since: datetime, token: str) -> Structure:
    """One page of the events with an attribute, EventName or ResourceName: Events, newest first, and NextToken.

    A page holds 50 events at most, and two pages a second are answered (aws-facts 4.7).
    """
    wanted = [{"AttributeKey": key, "AttributeValue": value}]
    more = {"NextToken": token} if token else {}
    page: Structure = client.lookup_events(LookupAttributes=wanted, StartTime=since, **more)
    return page


@CloudTrailErrorHandler.common_error_handler("list the public keys of digest files")
@retry_read
def list_public_keys(client: Client, since: datetime, until: datetime) -> dict[str, bytes]:
    """The public keys of the client's region by fingerprint, PKCS #1 in DER."""
    pages = client.get_paginator("list_public_keys").paginate(StartTime=since, EndTime=until)
    return {key["Fingerprint"]: key["Value"] for key in pages.build_full_result()["PublicKeyList"]}


@CloudTrailErrorHandler.common_error_handler("create the trail")
@retry_write
def create_trail(client: Client, parameters: Structure) -> None:
    """CreateTrail; the trail does not log until StartLogging (aws-facts 2.6)."""
    client.create_trail(**parameters)


@CloudTrailErrorHandler.common_error_handler("update the trail")
@retry_write
def update_trail(client: Client, parameters: Structure) -> None:
    """UpdateTrail; it leaves what is not sent as it is (aws-facts 2.3)."""
    client.update_trail(**parameters)


@CloudTrailErrorHandler.common_error_handler("delete the trail")
@retry_write
def delete_trail(client: Client, parameters: Structure) -> None:
    """DeleteTrail; log files stay where they are."""
    client.delete_trail(**parameters)


@CloudTrailErrorHandler.common_error_handler("start logging of the trail")
@retry_write
def start_logging(client: Client, parameters: Structure) -> None:
    """StartLogging."""
    client.start_logging(**parameters)


@CloudTrailErrorHandler.common_error_handler("stop logging of the trail")
@retry_write
def stop_logging(client: Client, parameters: Structure) -> None:
    """StopLogging; called only when the user asks for a trail that does not log."""
    client.stop_logging(**parameters)


@CloudTrailErrorHandler.common_error_handler("put the event selectors of the trail")
@retry_write
def put_event_selectors(client: Client, parameters: Structure) -> None:
    """PutEventSelectors; it replaces all selectors, of both kinds."""
    client.put_event_selectors(**parameters)


@CloudTrailErrorHandler.common_error_handler("put the insight selectors of the trail")
@retry_write
def put_insight_selectors(client: Client, parameters: Structure) -> None:
    """PutInsightSelectors; an empty list turns insights off."""
    client.put_insight_selectors(**parameters)


@CloudTrailErrorHandler.common_error_handler("put the event configuration of the trail")
@retry_write
def put_event_configuration(client: Client, parameters: Structure) -> None:
    """PutEventConfiguration."""
    client.put_event_configuration(**parameters)


@CloudTrailErrorHandler.common_error_handler("add tags to the trail")
@retry_write
def add_tags(client: Client, parameters: Structure) -> None:
    """AddTags."""
    client.add_tags(**parameters)


@CloudTrailErrorHandler.common_error_handler("remove tags from the trail")
@retry_write
def remove_tags(client: Client, parameters: Structure) -> None:
    """RemoveTags."""
    client.remove_tags(**parameters)


@CloudTrailErrorHandler.common_error_handler("register the delegated administrator")
@retry_write
def register_delegated_admin(client: Client, account_id: str) -> None:
    """RegisterOrganizationDelegatedAdmin; it also makes both service-linked roles of management (aws-facts 1.8)."""
    client.register_organization_delegated_admin(MemberAccountId=account_id)


@CloudTrailErrorHandler.common_error_handler("deregister the delegated administrator")
@retry_write
def deregister_delegated_admin(client: Client, account_id: str) -> None:
    """DeregisterOrganizationDelegatedAdmin; no trail is deleted or stopped (aws-facts 11.1)."""
    client.deregister_organization_delegated_admin(DelegatedAdminAccountId=account_id)


WRITES: dict[str, Callable[..., None]] = {
    "AddTags": add_tags,
    "CreateTrail": create_trail,
    "DeleteTrail": delete_trail,
    "PutEventConfiguration": put_event_configuration,
    "PutEventSelectors": put_event_selectors,
    "PutInsightSelectors": put_insight_selectors,
    "RemoveTags": remove_tags,
    "StartLogging": start_logging,
    "StopLogging": stop_logging,
    "UpdateTrail": update_trail,
}
"""The calls that change something, by AWS's name of the operation."""
