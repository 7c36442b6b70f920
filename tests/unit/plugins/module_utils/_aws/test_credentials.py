# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles and environments whose credentials cannot be had, as sessions meet them."""

from __future__ import annotations

import getpass
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.credentials import (
    credentials_problem,
    role_arn_problem,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import sentence
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import Connection, Session
from botocore.credentials import AssumeRoleProvider
from botocore.exceptions import CredentialRetrievalError, NoCredentialsError, PartialCredentialsError, SSOTokenLoadError

ROLE = "arn:aws:iam::111122223333:role/Audit"
CONFIG = f"""
[profile mfa]
role_arn = {ROLE}
source_profile = keys
mfa_serial = arn:aws:iam::111122223333:mfa/ann

[profile keys]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = secret

[profile process]
credential_process = {sys.executable} -c "print('no JSON')"

[profile missing_program]
credential_process = /nowhere/program

[profile token]
role_arn = {ROLE}
web_identity_token_file = /nowhere/token

[profile sso]
sso_session = company
sso_account_id = 111122223333
sso_role_name = Audit
region = us-east-1

[sso-session company]
sso_region = us-east-1
sso_start_url = https://company.awsapps.com/start
"""

PROFILES = [
    ("mfa", "The profile asks for the code of an MFA device, which nobody can type here."),
    ("process", "The profile's credential_process answered something that is no JSON"),
    ("missing_program", "The credentials need /nowhere/program, which does not exist."),
    ("token", "The credentials need /nowhere/token, which does not exist. Check AWS_WEB_IDENTITY_TOKEN_FILE"),
    ("sso", "Log in with aws sso login"),
]


@pytest.mark.parametrize(("profile", "words"), PROFILES, ids=[profile for profile, _words in PROFILES])
def test_a_profile_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, profile: str, words: str
) -> None:
    (tmp_path / "config").write_text(CONFIG)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    if profile == "mfa":
        nobody_types(monkeypatch)
    with pytest.raises(AnsibleAWSError) as caught:
        _ = Session(Connection(profile=profile, endpoint="http://127.0.0.1:9")).arn
    assert words in sentence(caught.value)


def nobody_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a module, which has no terminal: getpass finds the end of its input. botocore binds it early."""
    defaults = tuple(end if value is getpass.getpass else value for value in AssumeRoleProvider.__init__.__defaults__)
    monkeypatch.setattr(AssumeRoleProvider.__init__, "__defaults__", defaults)


def end(_asked: str) -> str:
    raise EOFError


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NoCredentialsError(), "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        (PartialCredentialsError(provider="env", cred_var="aws_secret_access_key"), "aws sts get-caller-identity"),
        (CredentialRetrievalError(provider="custom-process", error_msg="exit 1"), "aws sts get-caller-identity"),
        (SSOTokenLoadError(error_msg="Token for x does not exist"), "Token for x does not exist. Log in with aws sso"),
        (json.JSONDecodeError("Expecting value", "", 0), "no JSON"),
        (ValueError("x"), ""),
        (KeyError("x"), ""),
    ],
)
def test_credentials_problem(error: BaseException, words: str) -> None:
    found = credentials_problem(error)
    assert words in found
    assert bool(found) is bool(words)


@pytest.mark.parametrize(
    ("arn", "place", "words"),
    [
        (ROLE, ("us-east-1", "aws"), None),
        (ROLE.replace("role/", "role/path/"), ("eu-west-1", "aws"), None),
        (ROLE.replace("aws", "aws-us-gov"), ("us-gov-west-1", "aws-us-gov"), None),
        (
            ROLE.replace("aws", "aws-us-gov"),
            ("us-east-1", "aws"),
            "a role of partition aws-us-gov, but the region is us-east-1, of partition aws. Set region, or AWS_REGION",
        ),
        (ROLE.replace("aws", "aws-cn"), ("us-east-1", "aws"), "a role of partition aws-cn"),
        ("Audit", ("us-east-1", "aws"), "assume_role_arn is 'Audit', expected the ARN of a role, like arn:aws:iam::"),
        ("arn:aws:iam::1111:role/A", ("us-east-1", "aws"), "expected the ARN of a role"),
        ("arn:aws:iam::111122223333:user/A", ("us-east-1", "aws"), "expected the ARN of a role"),
        ("arn:aws:sts::111122223333:assumed-role/A/b", ("us-east-1", "aws"), "expected the ARN of a role"),
    ],
)
def test_role_arn_problem(arn: str, place: tuple[str, str], words: str | None) -> None:
    found: Any = role_arn_problem(arn, *place)
    assert found is None if words is None else words in found
