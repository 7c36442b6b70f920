# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role log_bucket against the lab: a good bucket from nothing, repairs that loosen nothing, no second change."""

from __future__ import annotations

import importlib.metadata
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.inventory import write_inventory
from tests.ansible_run import PlaybookResult, member_role, run_playbook
from tests.lab_process import Lab

RETENTION_RULE = "org-trail-retention"
NEW_AMAZON_AWS = int(importlib.metadata.version("ansible").split(".")[0]) >= 14  # brings amazon.aws 11.4


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--scenario", "lesson") as lab:
        yield lab


@pytest.fixture(autouse=True)
def fresh_journal(lab: Lab) -> None:
    lab.clear_journal()


def run_role(lab: Lab, name: str, *arguments: str, play: dict[str, Any] | None = None, **inputs: Any) -> PlaybookResult:
    """Use the role from a playbook on localhost, with plain variables."""
    given: dict[str, Any] = {
        "name": name,
        "trail_arn": lab.trail_arn,
        "region": lab.home_region,
        **member_role(lab, lab.log_archive),
        **inputs,
    }
    variables = {f"log_bucket_{key}": value for key, value in given.items()}
    tasks = [
        {"name": "run", "ansible.builtin.include_role": {"name": "cloudsec.org_trail.log_bucket"}},
        {"name": "fact", "ansible.builtin.debug": {"var": "log_bucket"}},
        {"name": "what is left", "ansible.builtin.debug": {"var": "__log_bucket_session"}},
    ]
    return run_playbook(lab, tasks, *arguments, play={"vars": variables, **(play or {})})


def writes(lab: Lab) -> list[str]:
    return sorted(call["operation"] for call in lab.journal(writes=True))


def read(lab: Lab, operation: str, bucket: str) -> dict[str, Any]:
    answer: dict[str, Any] = getattr(lab.client("s3", lab.log_archive), operation)(Bucket=bucket)
    return answer


@pytest.fixture
def weak(lab: Lab) -> Iterator[str]:
    """A bucket that someone made long ago, with a policy and rules of its own."""
    s3, name = lab.client("s3", lab.log_archive), "is-old"
    s3.create_bucket(Bucket=name)
    s3.delete_public_access_block(Bucket=name)
    s3.delete_bucket_ownership_controls(Bucket=name)
    own = {
        "Sid": "Own",
        "Effect": "Allow",
        "Principal": {"AWS": lab.log_archive},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [own]}))
    rule = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 7}}
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule]})
    s3.put_object(Bucket=name, Key="kept", Body=b"kept")
    lab.clear_journal()
    yield name
    for version in s3.list_object_versions(Bucket=name)["Versions"]:
        s3.delete_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=name)


def test_new_bucket_is_good_and_a_second_run_changes_nothing(lab: Lab) -> None:
    asked: dict[str, Any] = {"expiration_days": 400, "transition_days": 100, "tags": {"use": "logs"}}
    predicted = run_role(lab, "is-new", "--check", **asked)
    assert predicted.changed == 1
    assert "would be created with" in predicted.task("Say what would change").msg
    assert writes(lab) == []

    first = run_role(lab, "is-new", "-vvv", **asked).ok()
    assert {"CreateBucket", "PutBucketPolicy", "PutBucketVersioning"} <= set(writes(lab))
    bucket = first.task("fact")["log_bucket"]
    assert (bucket["name"], bucket["admits"], bucket["health"]["problems"]) == ("is-new", True, [])
    (rule,) = bucket["health"]["lifecycle"]
    assert (rule["id"], rule["expiration_days"]) == (RETENTION_RULE, 400)
    assert rule["transitions"] == [{"days": 100, "storage_class": "GLACIER"}]
    assert read(lab, "get_bucket_tagging", "is-new")["TagSet"] == [{"Key": "use", "Value": "logs"}]

    lab.clear_journal()
    second = run_role(lab, "is-new", **asked).ok()
    assert second.changed == 0
    assert writes(lab) == []
    assert run_role(lab, "is-new", "--check", **asked).ok().changed == 0


def test_numbers_may_be_strings_and_what_is_omitted_is_not_given(lab: Lab) -> None:
    absent = ("transition_days", "kms_key_arn", "object_lock_mode", "access_log_bucket", "organization_id", "tags")
    asked: dict[str, Any] = dict.fromkeys(absent, "{{ nowhere | default(omit) }}") | {"minimum_retention_days": "200"}
    health = run_role(lab, "is-typed", **asked, expiration_days="1000").ok().task("fact")["log_bucket"]["health"]
    assert (health["encryption"]["algorithm"], health["object_lock"]["enabled"]) == ("AES256", False)
    assert [(rule["expiration_days"], rule["transitions"]) for rule in health["lifecycle"]] == [(1000, [])]
    lab.clear_journal()
    assert run_role(lab, "is-typed", **asked, expiration_days="{{ nowhere | default(omit) }}").ok().changed == 0


def test_region_and_profile_of_module_defaults_reach_every_module(lab: Lab, tmp_path: Path) -> None:
    """The caller's keys are in a profile and not in the environment."""
    config = tmp_path / "config"
    keys = {name.lower(): lab.environment[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    config.write_text("\n".join(["[profile owner]", *(f"{name} = {value}" for name, value in keys.items())]))
    unset = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    environment: dict[str, str | None] = {**dict.fromkeys(unset), "AWS_CONFIG_FILE": str(config)}
    tasks = [{"name": "run", "ansible.builtin.include_role": {"name": "cloudsec.org_trail.log_bucket"}}]
    play = {
        "vars": {
            "log_bucket_name": "is-elsewhere",
            "log_bucket_trail_arn": lab.trail_arn,
            "log_bucket_expiration_days": 400,
        },
        "module_defaults": {"group/cloudsec.org_trail.aws": {"region": "eu-west-1", "profile": "owner"}},
    }
    run_playbook(lab, tasks, environment=environment, play=play).ok()
    assert lab.client("s3").get_bucket_location(Bucket="is-elsewhere")["LocationConstraint"] == "eu-west-1"
    assert "PutBucketLifecycleConfiguration" in writes(lab)


def test_keys_are_neither_shown_nor_kept(lab: Lab) -> None:
    run = run_role(lab, lab.bucket, "-vvv").ok()
    assert run.task("what is left")["__log_bucket_session"] == {}
    session_tokens = re.findall(r"[A-Za-z0-9_-]{120,}", run.stdout + run.stderr)
    assert session_tokens == []


def test_repair_loosens_deletes_and_replaces_nothing(lab: Lab, weak: str) -> None:
    own = json.loads(read(lab, "get_bucket_policy", weak)["Policy"])["Statement"][0]
    predicted = run_role(lab, weak, "--check", "--diff")
    assert "would be repaired: " in predicted.task("Say what would change").msg
    assert writes(lab) == []

    bucket = run_role(lab, weak).ok().task("fact")["log_bucket"]
    assert bucket["health"]["problems"] == []
    assert json.loads(read(lab, "get_bucket_policy", weak)["Policy"])["Statement"][0] == own
    assert [rule["id"] for rule in bucket["health"]["lifecycle"]] == ["theirs"]
    assert lab.client("s3", lab.log_archive).get_object(Bucket=weak, Key="kept")["Body"].read() == b"kept"
    assert not [name for name in writes(lab) if name.startswith("Delete")]
    assert run_role(lab, weak).ok().changed == 0


def test_stronger_encryption_stays(lab: Lab, weak: str) -> None:
    key = lab.client("kms", lab.log_archive).create_key()["KeyMetadata"]["Arn"]
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    lab.client("s3", lab.log_archive).put_bucket_encryption(
        Bucket=weak, ServerSideEncryptionConfiguration={"Rules": rules}
    )
    lab.clear_journal()
    bucket = run_role(lab, weak).ok().task("fact")["log_bucket"]
    assert bucket["health"]["encryption"]["kms_key"] == key
    assert bucket["health"]["encryption"]["key_owner"] == lab.log_archive
    assert "PutBucketEncryption" not in writes(lab)


def test_a_key_object_lock_and_retention_that_were_asked_for(lab: Lab) -> None:
    key = lab.client("kms", lab.log_archive).create_key()["KeyMetadata"]["Arn"]
    asked: dict[str, Any] = {"kms_key_arn": key, "object_lock_mode": "GOVERNANCE", "object_lock_days": 400}
    health = run_role(lab, "is-locked", **asked).ok().task("fact")["log_bucket"]["health"]
    assert (health["encryption"]["kms_key"], health["encryption"]["bucket_key_enabled"]) == (key, True)
    assert health["object_lock"] == {"enabled": True, "mode": "GOVERNANCE", "days": 400}
    shorter = run_role(lab, "is-locked", **asked | {"object_lock_days": 90}).ok()
    assert shorter.changed == 0
    stronger = run_role(lab, "is-locked", **asked | {"object_lock_mode": "COMPLIANCE", "object_lock_days": "90"}).ok()
    lock = stronger.task("fact")["log_bucket"]["health"]["object_lock"]
    assert lock == {"enabled": True, "mode": "COMPLIANCE", "days": 400}


@pytest.mark.skipif(not NEW_AMAZON_AWS, reason="amazon.aws before 11.3 cannot turn access logging on")
def test_access_logging_that_was_asked_for(lab: Lab) -> None:
    lab.client("s3", lab.log_archive).create_bucket(Bucket="access-logs")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::access-logs/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    lab.client("s3", lab.log_archive).put_bucket_policy(Bucket="access-logs", Policy=policy)
    asked: dict[str, Any] = {"access_log_bucket": "access-logs", "access_log_prefix": "trail/"}
    health = run_role(lab, "is-logged", **asked).ok().task("fact")["log_bucket"]["health"]
    assert health["access_logging"] == {"target_bucket": "access-logs", "target_prefix": "trail/"}
    assert run_role(lab, "is-logged", **asked).ok().changed == 0


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"object_lock_mode": "GOVERNANCE"}, "Bucket {bucket} has no object lock, expected GOVERNANCE"),
    ({"expiration_days": 30}, "log_bucket_expiration_days is 30, expected 90 or more"),
    # Strings, as -e name=value gives them.
    ({"expiration_days": "9", "minimum_retention_days": "30"}, "log_bucket_expiration_days is 9, expected 30 or more"),
    ({"organization_id": "o-other12345"}, "expected a member of o-other12345"),
    ({"assume_role_arn": "arn:aws:iam::{log_archive}:role/Nobody"}, "Check that the role exists"),
]


@pytest.mark.parametrize(("inputs", "says"), REFUSALS)
def test_refusals_come_before_the_first_write(lab: Lab, inputs: dict[str, Any], says: str) -> None:
    names = {"bucket": lab.bucket, "log_archive": lab.log_archive}
    given: dict[str, Any] = {
        name: value.format(**names) if isinstance(value, str) else value for name, value in inputs.items()
    }
    run = run_role(lab, lab.bucket, **given)
    assert says.format(**names) in run.msg
    assert writes(lab) == []


def test_two_accounts_at_once_are_refused(lab: Lab) -> None:
    """module_defaults name a role for our modules, and amazon.aws's are left with the caller's credentials."""
    defaults = {"group/cloudsec.org_trail.assume_role": member_role(lab, lab.log_archive)}
    run = run_role(lab, "is-nowhere", play={"module_defaults": defaults}, assume_role_arn="")
    assert f"work in account {lab.log_archive}, those of amazon.aws in account {lab.management}" in run.msg
    with pytest.raises(ClientError, match="Not Found"):
        lab.client("s3").head_bucket(Bucket="is-nowhere")


def test_credentials_of_the_account_itself_need_no_role(lab: Lab) -> None:
    keys = lab.client("sts").assume_role(
        RoleArn=member_role(lab, lab.log_archive)["assume_role_arn"], RoleSessionName="tests"
    )["Credentials"]
    environment = {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    variables = {"log_bucket_name": lab.bucket, "log_bucket_trail_arn": lab.trail_arn}
    tasks = [{"name": "run", "ansible.builtin.include_role": {"name": "cloudsec.org_trail.log_bucket"}}]
    run = run_playbook(lab, tasks, "--check", environment=environment, play={"vars": variables}).ok()
    assert run.task("Read everything back")["account_id"] == lab.log_archive


def test_from_an_empty_account_to_delivered_logs(tmp_path: Path) -> None:
    """No bucket at all: the role makes one, the main job turns the trail on, and a second run of both does nothing."""
    with Lab("--scenario", "lesson", "--home-region", "eu-central-1") as lab:
        lab.client("s3", lab.log_archive).delete_bucket(Bucket=lab.bucket)
        inventory = write_inventory(tmp_path / "inventory.yml", lab.ready)

        def run_both() -> list[int]:
            variables = {
                "log_bucket_name": "org-logs",
                "log_bucket_trail_arn": lab.trail_arn,
                "region": lab.home_region,
            }
            tasks = [{"name": "run", "ansible.builtin.include_role": {"name": "cloudsec.org_trail.log_bucket"}}]
            play = {"hosts": "log_archive", "vars": variables}
            made = run_playbook(lab, tasks, "-i", str(inventory), play=play).ok()
            return [
                made.changed,
                run_playbook(lab, "playbooks/enable_org_trail.yml", "-i", str(inventory)).ok().changed,
            ]

        refused = run_playbook(lab, "playbooks/enable_org_trail.yml", "-i", str(inventory))
        assert f"Account {lab.log_archive} has no bucket" in refused.msg
        assert run_both() == [2, 2]
        lab.clear_journal()
        assert run_both() == [0, 0]
        assert writes(lab) == []

        lab.client("sts", lab.log_archive).get_caller_identity()
        lab.control("POST", "deliver", {"hours": 1})
        found = lab.client("s3", lab.log_archive).list_objects_v2(
            Bucket="org-logs", Prefix=f"AWSLogs/{lab.organization_id}/{lab.log_archive}/CloudTrail/"
        )
        assert [item["Key"] for item in found["Contents"] if item["Key"].endswith(".json.gz")]
        assert lab.client("s3", lab.log_archive).get_bucket_location(Bucket="org-logs")["LocationConstraint"] == (
            "eu-central-1"
        )
