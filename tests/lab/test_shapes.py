# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every answer of the lab's own fits botocore's model, and so does every error code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from lab.kernel import server, service, shapes
from lab.kernel.world import World
from tests.lab_process import ROOT

LAB = ROOT / "lab"

COMMON_CODES = {
    # https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/CommonErrors.html and its like
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "InternalFailure",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "RequestExpired",
    "ServiceUnavailable",
    "Throttling",
    "ThrottlingException",
    "UnrecognizedClientException",
    "ValidationError",
    "ValidationException",
}
CODES_OUTSIDE_THE_MODEL = {
    # https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html: the model names no errors at all
    "ec2": {"AuthFailure", "InvalidParameterValue", "UnauthorizedOperation"},
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html: the model names ten
    "s3": {"InvalidAccessKeyId", "InvalidArgument", "MalformedPolicy", "NoSuchBucket", "PolicyTooLarge", "SlowDown"},
    # https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
    "iam": {"NoSuchEntity"},
}
CODES_OF_OPTIONS = ("AuthFailure",)
"""What the lab answers because a test has chosen so, whether the service would or not (aws-facts 4.6)."""


@cache
def model_of(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)


@cache
def codes_of(name: str) -> frozenset[str]:
    """Every error code that a service's model names."""
    model = model_of(name)
    return frozenset(shape.metadata.get("error", {}).get("code", shape.name) for shape in model.error_shapes)


@cache
def overridden() -> list[tuple[str, str]]:
    server.LabApplication(World())
    return sorted(service.ANSWERS)


def raised_codes(path: Path) -> Iterator[str]:
    """The error codes that a file writes out where it makes a LabError."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "LabError":
            for part in ast.walk(node.args[0]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.isalpha():
                    yield part.value


def services_of(path: Path) -> set[str]:
    """The services that a file answers for: its own, CloudTrail where it asks for CloudTrail, or all of them."""
    place = path.relative_to(LAB).with_suffix("").parts
    if place[0] == "kernel" or place[-1] == "authorizer":
        return {name for name, _operation in overridden()}
    if place[-1] == "kms":  # it answers CloudTrail, which looks for keys, and refuses what KMS refuses
        return {"cloudtrail", "kms"}
    return {"cloudtrail" if place[0] != "services" else place[1]}


FILES = sorted(path for path in LAB.rglob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LAB)))
def test_every_error_code_in_the_source_is_one_of_its_service(path: Path) -> None:
    known = COMMON_CODES.union(
        *(codes_of(name) | CODES_OUTSIDE_THE_MODEL.get(name, set()) for name in services_of(path))
    )
    assert set(raised_codes(path)) <= known


def test_the_source_raises_many_codes() -> None:
    """The check above reads the source; here it must have found something there."""
    assert {"TrailNotFoundException", "AWSOrganizationsNotInUseException"} <= {
        code for path in FILES for code in raised_codes(path)
    }


def test_every_error_code_answered_is_one_of_its_operation(outcomes: set[tuple[str, str, str]]) -> None:
    wrong = []
    for name, operation, outcome in sorted(outcomes):
        if (
            outcome in ("ok", *CODES_OF_OPTIONS)
            or outcome.startswith("fault:")
            or (name, operation) not in overridden()
        ):
            continue
        shapes_of_operation = model_of(name).operation_model(operation).error_shapes
        known = {shape.metadata.get("error", {}).get("code", shape.name) for shape in shapes_of_operation}
        if outcome not in known | COMMON_CODES | CODES_OUTSIDE_THE_MODEL.get(name, set()):
            wrong.append((name, operation, outcome))
    assert wrong == []


def test_every_overridden_operation_is_in_the_model() -> None:
    unknown = [(name, operation) for name, operation in overridden() if operation not in model_of(name).operation_names]
    assert unknown == []


def test_every_overridden_operation_has_answered(
    outcomes: set[tuple[str, str, str]], request: pytest.FixtureRequest
) -> None:
    """Each answer was checked in the lab (``--check-answers``); here it is only that none was left out."""
    ran = {item.path.name for item in request.session.items}
    if not {path.name for path in Path(__file__).parent.glob("test_*.py")} <= ran:
        pytest.skip("needs all of tests/lab in one run")
    answered = {(name, operation) for name, operation, outcome in outcomes if outcome == "ok"}
    assert [one for one in overridden() if one not in answered] == []


DESCRIBE = model_of("organizations").operation_model("ListAccounts").output_shape


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({}, ""),
        ({"Accounts": [{"Id": "1", "State": "ACTIVE", "Paths": ["a"]}], "NextToken": None}, ""),
        ({"Account": []}, "has Account, which ListAccountsResponse does not know"),
        ({"Accounts": {}}, "Accounts is {}, but should be a list"),
        ({"Accounts": [{"State": "HAPPY"}]}, "[0].State is 'HAPPY', but should be one of"),
        ({"Accounts": [{"JoinedTimestamp": 5}]}, "should be a timestamp"),
        ({"NextToken": True}, "NextToken is True, but should be a string"),
    ],
    ids=str,
)
def test_problems(answer: dict[str, Any], problem: str) -> None:
    found = " ".join(shapes.problems(DESCRIBE, answer))
    assert problem in found
    assert bool(problem) == bool(found)


def test_problems_of_missing_members() -> None:
    shape = model_of("organizations").shape_for("Tag")
    assert list(shapes.problems(shape, {"Key": "a"})) == ["answer lacks Value."]
