# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers as AWS gives them, by botocore's model, and all the ways in which a proxy spoils them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.answers import protocol_of

Value = Any
"""An answer as JSON has it."""

PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in<br></body></html>"
WELL_FORMED_PAGE = b"<html><head><title>Sign in</title></head><body>Sign in</body></html>"

BODIES: dict[str, Callable[[bytes], bytes]] = {
    "a page": lambda _body: PAGE,
    "a well-formed page": lambda _body: WELL_FORMED_PAGE,
    "an empty object": lambda _body: b"{}",
    "nothing": lambda _body: b"",
    "null": lambda _body: b"null",
    "a list": lambda _body: b"[]",
    "a text": lambda _body: b'"no"',
    "cut": lambda body: body[: len(body) * 2 // 3],
}
"""What comes in the place of a body."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*")
_NUMBER_OF_TIME = 1e9


def _spoil(change: Callable[[Value], Value]) -> Callable[[bytes], bytes]:
    """Apply a change to every value of a body, JSON or XML, from the innermost outwards."""

    def spoil(body: bytes) -> bytes:
        if body.lstrip()[:1] == b"<":
            text = body.decode()
            return re.sub(r">([^<>]+)<", lambda found: f">{escape(str(change(found[1])))}<", text).encode()
        try:
            return json.dumps(_each(json.loads(body), change)).encode()
        except ValueError:
            return body

    return spoil


def _each(value: Value, change: Callable[[Value], Value]) -> Value:
    if isinstance(value, dict):
        return change({name: _each(one, change) for name, one in value.items()})
    if isinstance(value, list):
        return change([_each(one, change) for one in value])
    return change(value)


def _odd_time(value: Value) -> Value:
    is_time = isinstance(value, float | int) and not isinstance(value, bool) and value > _NUMBER_OF_TIME
    return "yesterday" if is_time or (isinstance(value, str) and _TIME.fullmatch(value)) else value


def _odd_arn(value: Value) -> Value:
    return "odd" if isinstance(value, str) and value.startswith("arn:") else value


def _odd_word(value: Value) -> Value:
    """Of the words that are values of enumerations, one that nobody knows."""
    return "BrandNew" if isinstance(value, str) and value in WORDS else value


WORDS = {
    *("ACTIVE", "ALL", "All", "ApiCallRateInsight", "BucketOwnerEnforced", "ENABLED", "Enabled", "EXISTING_DATA"),
    *("INVITED", "Management", "ReadOnly", "SUSPENDED", "WriteOnly", "aws:kms", "AES256", "ENABLED_BY_DEFAULT"),
}

VALUES: dict[str, Callable[[bytes], bytes]] = {
    "members without values": _spoil(lambda value: dict.fromkeys(value) if isinstance(value, dict) else value),
    "no members in lists": _spoil(lambda value: [{} for _one in value] if isinstance(value, list) else value),
    "nulls in lists": _spoil(lambda value: [None, *value] if isinstance(value, list) else value),
    "lists twice": _spoil(lambda value: [*value, *value] if isinstance(value, list) else value),
    "lists as texts": _spoil(lambda value: "odd" if isinstance(value, list) else value),
    "objects as lists": _spoil(lambda value: [value] if isinstance(value, dict) else value),
    "times that are none": _spoil(_odd_time),
    "ARNs that are none": _spoil(_odd_arn),
    "unknown words": _spoil(_odd_word),
}
"""What becomes of the values in a body."""

MUTATIONS = BODIES | VALUES

UNPARSED = {"GetObject", "HeadBucket"}
"""Operations whose bodies nobody parses: an object, which digests verify, or none."""


KEYS = ("Policy", "QueueArn", "RedrivePolicy", "UnblendedCost", "UsageQuantity")
"""What is read of maps."""


def sample(shape: Any, depth: int = 7) -> Value:
    """A value of a botocore shape with every member, and one of each list, and all of KEYS of each map."""
    kind = shape.type_name
    if kind == "structure":
        return {name: sample(member, depth - 1) for name, member in shape.members.items() if depth}
    if kind == "list":
        return [sample(shape.member, depth - 1)]
    if kind == "map":
        return {key: sample(shape.value, depth - 1) for key in KEYS}
    if kind == "string":
        return (getattr(shape, "enum", None) or ["text"])[0]
    return {"boolean": True, "integer": 1, "long": 1, "timestamp": 1767355200, "blob": "dGV4dA=="}.get(kind, 1.0)


def body_of(operation: Any, value: Value) -> bytes:
    """The body with which AWS gives an answer to a botocore operation."""
    shape = operation.output_shape
    if shape is None:
        return b""
    if "json" in protocol_of(operation.service_model):
        return json.dumps(value).encode()
    if payload := shape.serialization.get("payload"):
        member = shape.members[payload]
        text: str = value[payload] if member.type_name == "string" else _xml(payload, member, value[payload])
        return text.encode()
    content = "".join(_xml(name, shape.members[name], one) for name, one in value.items())
    wrapper = shape.serialization.get("resultWrapper")
    content = f"<{wrapper}>{content}</{wrapper}>" if wrapper else content
    return f"<Answer>{content}</Answer>".encode()


def _xml(name: str, shape: Any, value: Value) -> str:
    tag = shape.serialization.get("name", name)
    if "location" in shape.serialization or "xmlAttribute" in shape.serialization:
        return ""
    if shape.type_name == "list":
        inner = shape.member.serialization.get("name", "member")
        if shape.serialization.get("flattened"):
            return "".join(_xml(tag, shape.member, one) for one in value)
        return f"<{tag}>{''.join(_xml(inner, shape.member, one) for one in value)}</{tag}>"
    if shape.type_name == "map":
        entries = (f"<entry><key>{key}</key>{_xml('value', shape.value, one)}</entry>" for key, one in value.items())
        return f"<{tag}>{''.join(entries)}</{tag}>"
    if shape.type_name == "structure":
        return f"<{tag}>{''.join(_xml(key, shape.members[key], one) for key, one in value.items())}</{tag}>"
    if shape.type_name == "boolean":
        return f"<{tag}>{str(value).lower()}</{tag}>"
    return f"<{tag}>{escape('2026-01-02T12:00:00Z' if shape.type_name == 'timestamp' else str(value))}</{tag}>"
