# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session whose clients answer from a table, for unit tests of what reads several things."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.exceptions import ClientError

Answer = Any
"""What a client's method returns, an error for it to raise, or a function of its parameters that answers either."""


def client_error(code: str, status: int = 400) -> ClientError:
    """What botocore raises for an error code of AWS."""
    answer: Any = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


class CannedSession:
    """Answers each method of a boto3 client, by its name, in every service and region.

    calls: what was called, as (region, method, parameters).
    """

    def __init__(self, account_id: str, region: str, answers: dict[str, Answer]) -> None:
        self.account_id = account_id
        self.region = region
        self.answers = answers
        self.calls: list[tuple[str, str, dict[str, Any]]] = []

    def client(self, service: str, region: str | None = None, *, once: bool = False) -> CannedClient:
        return CannedClient(self, service, region or self.region)

    def assume(self, role_arn: str, external_id: str | None) -> CannedSession:
        """A session of the role's account, which answers alike."""
        other = CannedSession(role_arn.split(":")[4], self.region, self.answers)
        other.calls = self.calls
        return other

    def called(self) -> list[str]:
        """Names of the methods that were called, sorted."""
        return sorted(method for _region, method, _parameters in self.calls)

    def regions_of(self, method: str) -> list[str]:
        return [region for region, called, _parameters in self.calls if called == method]


@cache
def meta_of(service: str) -> Any:
    return boto3.client(service, region_name="us-east-1").meta


KNOWS_AGGREGATIONS = "GetEventConfiguration" in meta_of("cloudtrail").service_model.operation_names
"""Whether the installed botocore does: the oldest supported one does not (aws-facts 2.14)."""


def without_operation(operation: str) -> Any:
    """The meta of a client of CloudTrail whose botocore does not know an operation."""
    model = meta_of("cloudtrail").service_model
    names = [name for name in model.operation_names if name != operation]
    older = SimpleNamespace(service_id=model.service_id, operation_names=names, operation_model=model.operation_model)
    return SimpleNamespace(service_model=older, events=meta_of("cloudtrail").events)


def about_what_was_asked(method: str, parameters: dict[str, Any], answer: Any) -> Any:
    """An answer with the ARN of what was asked for, as AWS gives it, unless the answer holds one."""
    if method in ("get_event_selectors", "get_insight_selectors", "get_event_configuration"):
        return {"TrailARN": parameters["TrailName"], **answer}
    if method == "list_tags":
        [arn] = parameters["ResourceIdList"]
        return {"ResourceTagList": [{"ResourceId": arn, **one} for one in answer["ResourceTagList"]]}
    return answer


class CannedClient:
    def __init__(self, session: CannedSession, service: str, region: str) -> None:
        self._session = session
        self._service = service
        self._region = region

    @property
    def meta(self) -> Any:
        return meta_of(self._service)

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            self._session.calls.append((self._region, method, parameters))
            answer = self._session.answers[method]
            answer = answer(**parameters) if callable(answer) else answer
            if isinstance(answer, Exception):
                raise answer
            return about_what_was_asked(method, parameters, answer)

        return call

    def get_paginator(self, method: str) -> CannedPages:
        return CannedPages(getattr(self, method))


class CannedPages:
    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call
        self._parameters: dict[str, Any] = {}

    def paginate(self, **parameters: Any) -> CannedPages:
        self._parameters = parameters
        return self

    def build_full_result(self) -> Any:
        return self._call(**self._parameters)
