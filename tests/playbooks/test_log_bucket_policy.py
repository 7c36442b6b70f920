# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudtrail_log_bucket_policy against the lab: broken policies are explained and mended, and nothing else touched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import parse_trail_arn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace
from botocore.exceptions import ClientError

from tests.ansible_run import COLLECTION, TaskResult, member_role, run_module, run_playbook
from tests.broken_policies import PLACE, BrokenPolicy, broken_policies
from tests.lab.organization_trail import options as lab_options
from tests.lab_process import Lab
from tests.remedies import follow

MODULE = "cloudtrail_log_bucket_policy"
NAMES = [row.name for row in broken_policies(PLACE)]
DENIES = [row.name for row in broken_policies(PLACE) if row.storable and not row.repairable]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--scenario", "lesson") as lab:
        lab.client("organizations").enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
        yield lab


def compact(policy: dict[str, Any]) -> str:
    return json.dumps(policy, separators=(",", ":"))


def make_bucket(lab: Lab, name: str, policy: dict[str, Any] | None) -> bool:
    """Make a bucket with a policy; False, and no bucket, when S3 does not take the policy."""
    s3 = lab.client("s3", lab.log_archive)
    where = {} if lab.home_region == "us-east-1" else {"LocationConstraint": lab.home_region}
    s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": where} if where else {}))
    s3.delete_public_access_block(Bucket=name)  # some broken policies are public, too
    try:
        if policy:
            s3.put_bucket_policy(Bucket=name, Policy=compact(policy))
    except ClientError as error:
        if error.response["Error"]["Code"] != "MalformedPolicy":
            raise
        s3.delete_bucket(Bucket=name)
        return False
    return True


def read_policy(lab: Lab, bucket: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(lab.client("s3", lab.log_archive).get_bucket_policy(Bucket=bucket)["Policy"])
    return document


def admitted(lab: Lab, bucket: str, prefix: str) -> bool:
    """Ask CloudTrail itself: does it take the bucket for the organization trail."""
    try:
        lab.client("cloudtrail").update_trail(
            Name=lab.trail_arn, S3BucketName=bucket, S3KeyPrefix=prefix, IsOrganizationTrail=True
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "InsufficientS3BucketPolicyException":
            raise
        return False
    return True


class Table:
    """The broken policies, each in a bucket of its own: as CloudTrail takes them, judged, and repaired."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        rows = {self.bucket(name): self.row(name) for name in NAMES}
        self.rows = {bucket: row for bucket, row in rows.items() if make_bucket(lab, bucket, row.policy)}
        self.admitted_before = {bucket: admitted(lab, bucket, row.prefix) for bucket, row in self.rows.items()}
        self.judged = dict(self.judge())
        self.repaired = self.repair()

    def row(self, name: str) -> BrokenPolicy:
        rows = broken_policies(
            LogPlace(self.bucket(name), parse_trail_arn(self.lab.trail_arn), self.lab.organization_id)
        )
        return next(row for row in rows if row.name == name)

    @staticmethod
    def bucket(name: str) -> str:
        return f"broken-{name.replace('_', '-')}"

    def judge(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """One run of the info module per prefix judges all buckets."""
        for prefix in {row.prefix for row in self.rows.values()}:
            options = {
                "name_pattern": "broken-*",
                "trail_arn": self.lab.trail_arn,
                "s3_key_prefix": prefix,
                "kms_key_id": "",
            }
            found = run_module(self.lab, "cloudtrail_log_bucket_info", options, account=self.lab.log_archive)
            for bucket in found["buckets"]:
                if self.rows[bucket["name"]].prefix == prefix:
                    yield bucket["name"], bucket

    def repair(self) -> dict[str, TaskResult]:
        """Each row is a host, so that Ansible works on several at once."""
        options = {
            "bucket": "{{ inventory_hostname }}",
            "trail_arn": self.lab.trail_arn,
            "s3_key_prefix": "{{ prefixes[inventory_hostname] }}",
            "kms_key_id": "",
            "region": self.lab.home_region,
            **member_role(self.lab, self.lab.log_archive),
        }
        play = {
            "hosts": "all",
            "connection": "local",
            "vars": {"prefixes": {bucket: row.prefix for bucket, row in self.rows.items()}},
        }
        tasks = [{"name": "repair", f"{COLLECTION}.{MODULE}": options, "diff": True}]
        inventory = ",".join(self.rows) + ","
        results = run_playbook(self.lab, tasks, "--inventory", inventory, "--forks", "10", play=play).results
        return {result.host: result for result in results}


@pytest.fixture(scope="module")
def table(lab: Lab) -> Table:
    return Table(lab)


def test_the_table_is_large_enough(table: Table) -> None:
    assert len(table.rows) >= 25


@pytest.fixture(params=NAMES)
def bucket(request: pytest.FixtureRequest, table: Table) -> str:
    name = table.bucket(request.param)
    if name not in table.rows:
        pytest.skip("S3 does not store this policy")
    return name


def test_admission_refuses_before(table: Table, bucket: str) -> None:
    assert table.admitted_before[bucket] is table.rows[bucket].admitted


def test_info_names_the_cause(table: Table, bucket: str) -> None:
    row, found = table.rows[bucket], table.judged[bucket]
    assert found["admits"] is False
    assert {problem["statement"] for problem in found["problems"]} == set(row.blamed)
    assert row.says in json.dumps(found["problems"])


def test_repair_makes_admission_pass(lab: Lab, table: Table, bucket: str) -> None:
    row, result = table.rows[bucket], table.repaired[bucket]
    if not row.repairable:
        assert result.failed
        assert row.blamed[0] in result.msg
        assert table.judged[bucket]["problems"][0]["fix"] in result.msg
        assert read_policy(lab, bucket) == row.policy
        return
    assert result.changed, result.msg
    assert admitted(lab, bucket, row.prefix)


@pytest.mark.parametrize("bucket", DENIES, indirect=True)
def test_the_remedy_for_a_deny_makes_admission_pass(lab: Lab, table: Table, bucket: str) -> None:
    """What a Deny's owner is told to do is done in a bucket of the same kind, and CloudTrail is asked."""
    problems = table.judged[bucket]["problems"]
    policy = json.loads(json.dumps(table.rows[bucket].policy).replace(f":::{bucket}", f":::{bucket}-again"))
    for problem in problems:
        policy, _place = follow(problem["statement"], problem["fix"], policy, PLACE)
    assert make_bucket(lab, f"{bucket}-again", policy)
    assert admitted(lab, f"{bucket}-again", "") is not problems[0]["fix"].startswith("Give the trail")


def test_repair_leaves_the_other_statements(lab: Lab, table: Table, bucket: str) -> None:
    row, result = table.rows[bucket], table.repaired[bucket]
    before = row.policy["Statement"] if row.policy else []
    after = read_policy(lab, bucket)["Statement"]
    kept = [json.dumps(statement) for statement in after[: len(before)]]
    untouched = [json.dumps(statement) for statement in before]
    widened = [old for old, new in zip(before, after, strict=False) if old != new]
    assert all(old["Sid"] in row.blamed for old in widened)
    assert [old for old in untouched if old not in kept] == [json.dumps(statement) for statement in widened]
    if not result.failed:
        assert result["policy"] == read_policy(lab, bucket)
        assert json.loads(result.diff[0]["after"]) == result["policy"]
        assert json.loads(result.diff[0]["before"] or "null") == row.policy


# --- one bucket at a time -------------------------------------------------------------------------


def options(lab: Lab, bucket: str, **more: Any) -> dict[str, Any]:
    return {"bucket": bucket, "trail_arn": lab.trail_arn, **more}


def test_second_run_and_check_mode_write_nothing(lab: Lab) -> None:
    make_bucket(lab, "runs-twice", None)
    predicted = run_module(
        lab, MODULE, options(lab, "runs-twice", tls_only=True), "--check", "--diff", account=lab.log_archive
    )
    assert predicted.changed
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        read_policy(lab, "runs-twice")
    first = run_module(lab, MODULE, options(lab, "runs-twice", tls_only=True), "--diff", account=lab.log_archive)
    assert (first.diff, first["policy"]) == (predicted.diff, predicted["policy"])
    lab.clear_journal()
    second = run_module(lab, MODULE, options(lab, "runs-twice", tls_only=True), account=lab.log_archive)
    assert not second.changed
    assert [call["operation"] for call in lab.journal(service="s3")] == ["GetBucketPolicy"]


def test_absent_removes_what_belongs_to_the_trail(lab: Lab) -> None:
    own = {
        "Sid": "Own",
        "Effect": "Allow",
        "Principal": {"AWS": lab.log_archive},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::is-shared/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [own]}
    make_bucket(lab, "is-shared", policy)
    other = lab.trail_arn.replace("trail/default", "trail/other")
    for trail in (lab.trail_arn, other):
        run_module(lab, MODULE, options(lab, "is-shared") | {"trail_arn": trail}, account=lab.log_archive)
    shared = read_policy(lab, "is-shared")["Statement"]
    assert len(shared) == 4
    assert all(one["Condition"]["StringEquals"]["aws:SourceArn"] == [lab.trail_arn, other] for one in shared[1:])
    run_module(lab, MODULE, options(lab, "is-shared", state="absent"), account=lab.log_archive)
    left = read_policy(lab, "is-shared")["Statement"]
    assert [one["Condition"]["StringEquals"]["aws:SourceArn"] for one in left[1:]] == [other] * 3
    removed = options(lab, "is-shared", state="absent") | {"trail_arn": other}
    assert run_module(lab, MODULE, removed, account=lab.log_archive)["policy"] == policy
    assert read_policy(lab, "is-shared") == policy


def test_absent_deletes_a_policy_that_is_empty_then(lab: Lab) -> None:
    make_bucket(lab, "is-empty-then", None)
    run_module(lab, MODULE, options(lab, "is-empty-then"), account=lab.log_archive)
    result = run_module(lab, MODULE, options(lab, "is-empty-then", state="absent"), account=lab.log_archive)
    assert (result.changed, result["policy"]) == (True, None)
    again = run_module(lab, MODULE, options(lab, "is-empty-then", state="absent"), account=lab.log_archive)
    assert (again.changed, again["policy"]) == (False, None)


def test_two_runs_at_once_lose_nothing(lab: Lab) -> None:
    """Four trails are let in at the same time; whoever overwrites another is noticed and mended."""
    make_bucket(lab, "is-busy", None)
    trails = [lab.trail_arn.replace("trail/default", f"trail/busy-{number}") for number in range(4)]
    play = {"hosts": "all", "connection": "local"}
    arguments = {
        "bucket": "is-busy",
        "trail_arn": lab.trail_arn.replace("trail/default", "trail/{{ inventory_hostname }}"),
        "region": lab.home_region,
        **member_role(lab, lab.log_archive),
    }
    inventory = ",".join(f"busy-{number}" for number in range(4)) + ","
    run = run_playbook(
        lab, [{"name": "run", f"{COLLECTION}.{MODULE}": arguments}], "--inventory", inventory, "--forks", "4", play=play
    ).ok()
    assert run.changed == 4
    for statement in read_policy(lab, "is-busy")["Statement"]:
        assert sorted(statement["Condition"]["StringEquals"]["aws:SourceArn"]) == trails


REFUSALS = [
    ({"bucket": "is-nowhere"}, "Bucket is-nowhere does not exist; expected a log bucket in account {log_archive}."),
    ({"bucket": "is-foreign"}, "Bucket is-foreign does not belong to account {log_archive}"),
    ({"trail_arn": "default"}, "'default' is not a trail ARN"),
    ({"trail_arn": "arn:aws:cloudtrail:us-east-1:{log_archive}:trail/default"}, "expected the management account"),
    ({"organization_id": "o-other12345"}, "belongs to organization {organization_id}; expected a member of o-other"),
]


@pytest.mark.parametrize(("changes", "says"), REFUSALS)
def test_refusals_name_what_is_wrong(lab: Lab, changes: dict[str, str], says: str) -> None:
    names = {"log_archive": lab.log_archive, "organization_id": lab.organization_id}
    lab.client("s3").create_bucket(Bucket="is-foreign")
    lab.clear_journal()
    given = {name: value.format(**names) for name, value in changes.items()}
    result = run_module(lab, MODULE, options(lab, lab.bucket) | given, account=lab.log_archive)
    assert result.failed
    assert says.format(**names) in result.msg
    assert not [call for call in lab.journal(service="s3") if call["operation"].startswith(("Put", "Delete"))]


def test_a_policy_too_large_is_refused_before_the_write(lab: Lab) -> None:
    filler = {"Effect": "Allow", "Principal": {"AWS": lab.log_archive}, "Action": "s3:GetObject"}
    policy: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
    while len(compact(policy)) < 20_000:
        policy["Statement"].append({**filler, "Resource": f"arn:aws:s3:::is-full/{len(policy['Statement'])}"})
    make_bucket(lab, "is-full", policy)
    result = run_module(lab, MODULE, options(lab, "is-full"), account=lab.log_archive)
    assert "bytes; S3 takes 20480 at most" in result.msg
    assert read_policy(lab, "is-full") == policy


@pytest.mark.parametrize("counted", ["sent", "normalized"])
def test_a_policy_of_another_alphabet_fits_however_s3_counts(lab: Lab, counted: str) -> None:
    """aws-facts 3.11: as escapes the policy would have more than 20 KiB."""
    bucket = f"is-foreign-{counted}"
    make_bucket(lab, bucket, None)
    policy = {"Version": "2012-10-17", "Id": "語" * 4000, "Statement": [own(lab, bucket)]}
    assert len(compact(policy)) > 20 * 1024
    text = json.dumps(policy, ensure_ascii=False)
    lab.client("s3", lab.log_archive).put_bucket_policy(Bucket=bucket, Policy=text)
    with lab_options(lab, policy_size=counted):
        result = run_module(lab, MODULE, options(lab, bucket), account=lab.log_archive)
    assert result.changed, result.msg
    assert read_policy(lab, bucket)["Id"] == policy["Id"]


def own(lab: Lab, bucket: str, **changes: Any) -> dict[str, Any]:
    """A statement of the bucket's owner."""
    everything = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    principal = {"AWS": f"arn:aws:iam::{lab.log_archive}:root"}
    return {
        "Sid": "Own",
        "Effect": "Allow",
        "Principal": principal,
        "Action": "s3:*",
        "Resource": everything,
        **changes,
    }


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("is-locked", {"Effect": "Deny", "Action": "s3:PutBucketPolicy", "Principal": "*"}, "denies arn:aws:sts::"),
        ("is-public", {"Action": "s3:GetObject", "Principal": "*"}, "blocks public policies (BlockPublicPolicy)"),
    ],
)
def test_what_s3_would_refuse_is_told_before_the_write(lab: Lab, name: str, changes: dict[str, Any], says: str) -> None:
    make_bucket(lab, name, {"Version": "2012-10-17", "Statement": [own(lab, name, **changes)]})
    block = {"BlockPublicPolicy": True}
    lab.client("s3", lab.log_archive).put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
    lab.clear_journal()
    for arguments in (["--check"], []):
        result = run_module(lab, MODULE, options(lab, name), *arguments, account=lab.log_archive)
        assert result.failed
        assert says in result.msg
        assert "Own" in result.msg
    assert lab.journal(service="s3", writes=True) == []


def test_a_lost_reply_is_looked_up(lab: Lab) -> None:
    make_bucket(lab, "is-lossy", None)
    lab.control("POST", "faults", [{"fault": "lost_reply", "operation": "PutBucketPolicy", "nth": 1}])
    result = run_module(lab, MODULE, options(lab, "is-lossy"), account=lab.log_archive)
    lab.control("POST", "faults", [])
    assert result.changed
    assert read_policy(lab, "is-lossy") == result["policy"]
