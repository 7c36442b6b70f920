# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are written back later: whole, about the trail that was asked for, and without unknown members.

An answer may have the form of AWS's, which `answers` checks, and yet lack what is there; and botocore leaves out what
its model of the service does not know. A call that replaces what was read, such as PutEventSelectors, would delete it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

with suppress(ImportError):  # AnsibleAWSModule says what is missing
    from botocore import xform_name

from .errors import AnsibleOrgTrailError, refuse
from .untyped import Client, Structure

Answer = TypeVar("Answer")

UNKNOWN = "UnknownMembers"
"""Added to an answer by ``ask``: the names of members that the installed botocore does not know."""

PAUSES = (1.0, 2.0)
"""Seconds before an answer that cannot be right is asked for again."""


def read_whole(read: Callable[[], Answer], doubt: Callable[[Answer], str | None]) -> Answer:
    """What a read answers, which is made again, twice at most, while there is a doubt about it.

    doubt: a sentence about an answer that cannot be AWS's whole word, None for a good one. Raises AnsibleOrgTrailError.
    """
    for pause in (*PAUSES, None):
        answer = read()
        sentence = doubt(answer)
        if sentence is None:
            return answer
        if pause is None:
            break
        time.sleep(pause)
    raise AnsibleOrgTrailError(
        f"{sentence} Asked {len(PAUSES) + 1} times, so a run could delete what was not answered. Find out what stands "
        "between this machine and AWS, such as a proxy, and run again."
    )


def ask(client: Client, operation: str, arn: str, *, also_unknown: bool = False) -> Structure:
    """The whole answer of an operation, by AWS's name, that takes a trail's ARN and answers it.

    Raises AnsibleOrgTrailError when it answers about no trail or another one, or when the installed botocore does not
    know the call or, unless ``also_unknown``, what it answers, besides botocore's errors.
    """
    name = "Name" if operation == "GetTrail" else "TrailName"
    refuse(unknown_call(client, operation, {name: arn}, arn))
    note_unknown(client, operation)

    def read() -> Structure:
        answer: Structure = getattr(client, xform_name(operation))(**{name: arn})
        return answer

    def doubt(answer: Structure) -> str | None:
        if (found := (answer.get("Trail") or answer).get("TrailARN")) == arn:
            return None
        return f"{operation} of {arn} answered about {found or 'no trail'}, expected {arn}."

    answer = read_whole(read, doubt)
    refuse(None if also_unknown else unknown_answer(operation, arn, answer))
    return answer


def note_unknown(client: Client, operation: str) -> None:
    """From now on let a client add ``UNKNOWN`` to the answers of an operation."""
    shape = client.meta.service_model.operation_model(operation).output_shape

    def note(response_dict: Structure | None, parsed_response: Structure | None, **_other: Any) -> None:
        if response_dict and parsed_response is not None and response_dict["status_code"] < 300:
            parsed_response[UNKNOWN] = unknown_members(shape, as_json(response_dict["body"]))

    event = f"response-received.{client.meta.service_model.service_id.hyphenize()}.{operation}"
    client.meta.events.register(event, note, unique_id=event)  # once, however often it is asked


def unknown_answer(operation: str, arn: str, answer: Structure) -> str:
    """What of an answer the installed botocore does not know, in one sentence; "" where it knows all of it."""
    unknown = ", ".join(answer.get(UNKNOWN, ()))
    if not unknown:
        return ""
    return (
        f"{operation} of {arn} answered {unknown}, which the installed botocore does not know, expected only what it "
        "knows. Update boto3."
    )


def unknown_call(client: Client, operation: str, parameters: Structure, needed_by: str) -> str:
    """What of a call the installed botocore does not know, in one sentence; "" where it can make it (aws-facts 2.14).

    needed_by: the option or the trail that the call is for.
    """
    model, unknown = client.meta.service_model, operation
    if operation in model.operation_names:
        lacking = unknown_members(model.operation_model(operation).input_shape, parameters)
        if not lacking:
            return ""
        unknown = f"{', '.join(lacking)} of {operation}"
    return f"The installed botocore knows no {unknown}, which {needed_by} needs. Update boto3."


def as_json(body: bytes) -> object:
    """A body as JSON; None when it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def unknown_members(shape: Any, value: object) -> list[str]:
    """The members of a JSON value, with their paths, that a botocore shape does not have."""
    return list(_unknown_members(shape, value, ""))


def _unknown_members(shape: Any, value: object, path: str) -> Iterator[str]:
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in value.items():
            if name in shape.members:
                yield from _unknown_members(shape.members[name], member, f"{path}{name}.")
            else:
                yield path + name
    elif shape.type_name == "list" and isinstance(value, list):
        for element in value:
            yield from _unknown_members(shape.member, element, path)
