# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error that a write of a trail may raise has a remedy, and a denial's is about what denied it."""

from __future__ import annotations

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.cloudtrail import WRITES
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.remedies import (
    DENIALS,
    REMEDIES,
    code_remedy,
    denial_remedy,
)

from tests.canned_aws import meta_of

OF_OTHER_RESOURCES = ("Channel", "EventDataStore", "InactiveEventDataStore", "InvalidEventDataStore")
"""How the codes begin that these calls raise for what is no trail."""

MODEL = meta_of("cloudtrail").service_model
CODES = [
    (operation, error.name)
    for operation in sorted(set(WRITES) & set(MODEL.operation_names))  # old botocore does not know all of them
    for error in MODEL.operation_model(operation).error_shapes
    if not error.name.startswith(OF_OTHER_RESOURCES)
]


@pytest.mark.parametrize(("operation", "code"), CODES)
def test_each_error_of_a_write_has_a_remedy(operation: str, code: str) -> None:
    assert REMEDIES[code].endswith((".", "amazonaws.com"))


def test_the_model_was_read() -> None:
    assert {"CreateTrail", "UpdateTrail", "PutEventSelectors", "StartLogging"} <= {one for one, _code in CODES}
    assert len(CODES) > 100


ME = "arn:aws:iam::111122223333:role/me"
USER = f"User: {ME} is not authorized to perform: s3:PutBucketPolicy on resource: x"
SAID: list[tuple[str, str]] = [
    (
        f"{USER} with an explicit deny in a service control policy",
        f"A service control policy denies it: let it spare {ME}",
    ),
    (f"{USER} because no service control policy allows the x action", "No service control policy allows it"),
    (f"{USER} with an explicit deny in a resource control policy", "A resource control policy of"),
    (f"{USER} with an explicit deny in a resource-based policy", "The resource's own policy denies it"),
    (f"{USER} because no resource-based policy allows the x action", "The resource's own policy does not let"),
    (f"{USER} with an explicit deny in a permissions boundary", "The permissions boundary does not let"),
    (f"{USER} because no permissions boundary allows the x action", "The permissions boundary does not let"),
    (f"{USER} because no session policy allows the x action", "The session policy with which"),
    (f"{USER} because no VPC endpoint policy allows the x action", "The policy of the VPC endpoint"),
    (f"{USER} with an explicit deny in an identity-based policy", f"A policy of {ME} denies it"),
    (f"{USER} because no identity-based policy allows the x action", f"{ME} needs the permission it"),
    (
        f"{USER} because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
        "The public access block refuses a policy",
    ),
    ("Access Denied", f"{ME} needs the permission it; allow it, or find the policy"),
]


@pytest.mark.parametrize(("text", "begins"), SAID, ids=[row[1] for row in SAID])
def test_a_denial_is_answered_by_what_denied_it(text: str, begins: str) -> None:
    remedy = denial_remedy(text, ME, "it")
    assert remedy.startswith(begins)
    assert ("service control policy" in remedy) == ("service control policy" in text or text == "Access Denied")


def test_all_words_of_a_denial_are_tried() -> None:
    assert all(any(words in text for text, _begins in SAID) for words in DENIALS)


def test_a_denial_of_somebody_unknown() -> None:
    assert denial_remedy("no", "", "").startswith("The caller lacks a permission; allow it")
    assert denial_remedy("no", "", "s3:X").startswith("The caller needs the permission s3:X; allow it")
    assert "spares, or let the resource's owner spare the caller" in denial_remedy(SAID[3][0], "", "s3:X")


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("UpdateTrail", "iam:CreateServiceLinkedRole"),
        ("RegisterOrganizationDelegatedAdmin", "organizations:RegisterDelegatedAdministrator"),
        ("DeregisterOrganizationDelegatedAdmin", "organizations:DeregisterDelegatedAdministrator"),
    ],
)
def test_a_dependency_that_is_denied_is_the_operations_own(operation: str, action: str) -> None:
    remedy = code_remedy("InsufficientDependencyServiceAccessPermissionException", operation)
    assert f"Allow {action} for cloudtrail.amazonaws.com." in remedy
    assert code_remedy("Unheard", operation) == ""
