# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attack catalogue: every public way to blind an organization trail, and the rest that the API allows.

For each: detect_drift.yml names it; enable_org_trail.yml repairs it, or says what a person must do; when that is done,
a further run changes nothing. The table in docs/docsite/rst/attacks.rst is made from this catalogue.

Sources: MITRE ATT&CK T1562.008 (Impair Defenses: Disable or Modify Cloud Logs), Stratus Red Team's catalogue of
CloudTrail and Organizations techniques, and the operations of CloudTrail, Organizations, S3 and Account Management.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.inventory import write_inventory
from tests.ansible_run import ROOT, PlaybookResult, run_module, run_playbook
from tests.lab_process import Lab
from tests.trail_run import CLOUDTRAIL, make_key, make_log_group, make_topic

PAGE = ROOT / "docs" / "docsite" / "rst" / "attacks.rst"
STRATUS = "Stratus aws.defense-evasion."


class World:
    """A lab with the organization trail turned on, with a key, a topic, a log group, insights and tags."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.cloudtrail = lab.client("cloudtrail")
        self.organizations = lab.client("organizations")
        self.s3 = lab.client("s3", lab.log_archive)
        self.arn = lab.trail_arn
        make_key(lab)
        self.foreign_key = make_key(lab, "alias/foreign")
        make_topic(lab)
        streams = (f"{lab.management}_*", f"{lab.organization_id}_*")
        options = {
            "kms_key_id": "alias/trail",
            "sns_topic_name": "trail",
            **make_log_group(lab, *streams),
            "insight_selectors": [{"insight_type": "ApiCallRateInsight"}],
            "tags": {"Owner": "security"},
        }
        self.variables = folder / "variables.json"
        wanted = {f"organization_trail_{name}": value for name, value in options.items()}
        self.variables.write_text(json.dumps({**wanted, "coverage_enabled": False}))
        self.enable().ok()
        self.policy: str = self.s3.get_bucket_policy(Bucket=lab.bucket)["Policy"]
        self.own_policy: str = lab.client("s3").get_bucket_policy(Bucket=self.own_bucket())["Policy"]

    def run(self, playbook: str, *arguments: str) -> PlaybookResult:
        inventory = write_inventory(self.folder / "inventory.yml", self.lab.ready)
        return run_playbook(
            self.lab, f"playbooks/{playbook}.yml", "-i", str(inventory), "-e", f"@{self.variables}", *arguments
        )

    def enable(self) -> PlaybookResult:
        return self.run("enable_org_trail")

    def drift(self) -> list[dict[str, Any]]:
        """What detect_drift.yml lists; it fails when, and only when, the list is not empty."""
        self.lab.clear_journal()
        result = self.run("detect_drift", "-e", f"detect_drift_report_dir={self.folder}")
        document = json.loads((self.folder / "drift.json").read_text())
        assert self.lab.journal(writes=True) == []
        assert (result.rc != 0) == bool(document["drift"]), result.msg
        rows: list[dict[str, Any]] = document["drift"]
        return rows

    def update(self, **parameters: Any) -> None:
        self.cloudtrail.update_trail(Name=self.arn, **parameters)

    def select(self, **selector: Any) -> None:
        self.cloudtrail.put_event_selectors(TrailName=self.arn, EventSelectors=[selector])

    def own_bucket(self) -> str:
        """The bucket that the lesson's account trail had."""
        [bucket] = self.lab.client("s3").list_buckets()["Buckets"]
        return str(bucket["Name"])

    def create_trail(self, region: str, name: str) -> None:
        """A trail of the attacker's, in the bucket that the lesson's account trail had."""
        bucket, s3 = self.own_bucket(), self.lab.client("s3")
        arn = f":{region}:{self.lab.management}:trail/{name}"
        policy = self.own_policy.replace(f":{self.lab.home_region}:{self.lab.management}:trail/default", arn)
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
        self.lab.client("cloudtrail", region=region).create_trail(Name=name, S3BucketName=bucket)

    def put_policy(self, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
        document = json.loads(self.policy)
        policy = json.dumps({**document, "Statement": change(document["Statement"])})
        self.s3.put_bucket_policy(Bucket=self.lab.bucket, Policy=policy)


# What a person does, where the message asks for it.


def repair_policy(world: World) -> None:
    options = {"bucket": world.lab.bucket, "trail_arn": world.arn, "organization_id": world.lab.organization_id}
    assert run_module(world.lab, "cloudtrail_log_bucket_policy", options, account=world.lab.log_archive).changed


def restore_policy(world: World) -> None:
    world.s3.put_bucket_policy(Bucket=world.lab.bucket, Policy=world.policy)


def remove_lifecycle(world: World) -> None:
    world.s3.delete_bucket_lifecycle(Bucket=world.lab.bucket)


def resume_versioning(world: World) -> None:
    world.s3.put_bucket_versioning(Bucket=world.lab.bucket, VersioningConfiguration={"Status": "Enabled"})


def make_bucket_again(world: World) -> None:
    world.s3.create_bucket(Bucket=world.lab.bucket)
    restore_policy(world)


def delete_namesake(world: World) -> None:
    world.lab.client("cloudtrail", region="eu-west-1").delete_trail(Name="default")


# What an attacker does, where it takes more than a call.


def delete_bucket(world: World) -> None:
    listed = world.s3.list_objects_v2(Bucket=world.lab.bucket).get("Contents", [])
    for entry in listed:
        world.s3.delete_object(Bucket=world.lab.bucket, Key=entry["Key"])
    world.s3.delete_bucket(Bucket=world.lab.bucket)


def expire_after_a_day(world: World) -> None:
    rule = {"ID": "tidy", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    world.s3.put_bucket_lifecycle_configuration(Bucket=world.lab.bucket, LifecycleConfiguration={"Rules": [rule]})


def suspend_versioning(world: World) -> None:
    world.s3.put_bucket_versioning(Bucket=world.lab.bucket, VersioningConfiguration={"Status": "Suspended"})


def deny_writes(world: World) -> None:
    deny = {
        "Sid": "Quiet",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{world.lab.bucket}/*",
    }
    world.put_policy(lambda statements: [*statements, deny])


def trust_off_and_on(world: World) -> None:
    world.organizations.disable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
    world.organizations.enable_aws_service_access(ServicePrincipal=CLOUDTRAIL)


def rename(world: World) -> None:
    world.cloudtrail.delete_trail(Name=world.arn)
    world.create_trail(world.lab.home_region, "decoy")


def make_namesake(world: World) -> None:
    world.update(IsMultiRegionTrail=False)
    world.create_trail("eu-west-1", "default")


@dataclass(frozen=True)
class Attack:
    """One technique.

    named: what detect_drift calls it (a part of each must appear). by_hand: what enable_org_trail.yml says where it
    cannot repair, "" where it repairs. remedy: what the person then does. quiet: enable_org_trail.yml succeeds, with a
    warning, where the trail itself is right.
    """

    title: str
    act: Callable[[World], Any]
    named: tuple[str, ...]
    source: str = "MITRE T1562.008"
    by_hand: str = ""
    remedy: Callable[[World], None] | None = None
    quiet: bool = False


ATTACKS = [
    Attack("Stop logging", lambda w: w.cloudtrail.stop_logging(Name=w.arn), ("logging",), STRATUS + "cloudtrail-stop"),
    Attack(
        "Delete the trail", lambda w: w.cloudtrail.delete_trail(Name=w.arn), ("trail",), STRATUS + "cloudtrail-delete"
    ),
    Attack(
        "Point the trail to another bucket, for this account only",
        lambda w: w.update(IsOrganizationTrail=False, S3BucketName=w.own_bucket(), KmsKeyId=""),
        ("s3_bucket_name", "is_organization_trail", "kms_key_id"),
    ),
    Attack("Turn the organization flag off", lambda w: w.update(IsOrganizationTrail=False), ("is_organization_trail",)),
    Attack("Log one region only", lambda w: w.update(IsMultiRegionTrail=False), ("is_multi_region_trail",)),
    Attack(
        "Leave out global service events",
        lambda w: w.update(IsMultiRegionTrail=False, IncludeGlobalServiceEvents=False),
        ("include_global_service_events",),
    ),
    Attack(
        "Turn log file validation off",
        lambda w: w.update(EnableLogFileValidation=False),
        ("enable_log_file_validation",),
    ),
    Attack("Encrypt with a foreign KMS key", lambda w: w.update(KmsKeyId=w.foreign_key), ("kms_key_id",)),
    Attack("Remove the SNS topic", lambda w: w.update(SnsTopicName=""), ("sns_topic_name",)),
    Attack(
        "Remove the CloudWatch Logs log group",
        lambda w: w.update(CloudWatchLogsLogGroupArn="", CloudWatchLogsRoleArn=""),
        ("cloud_watch_logs_log_group_arn", "cloud_watch_logs_role_arn"),
    ),
    Attack(
        "Drop management events",
        lambda w: w.select(
            IncludeManagementEvents=False, DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::x/"]}]
        ),
        ("event_selectors",),
        STRATUS + "cloudtrail-event-selectors",
    ),
    Attack("Log read-only events", lambda w: w.select(ReadWriteType="ReadOnly"), ("event_selectors",)),
    Attack("Log write-only events", lambda w: w.select(ReadWriteType="WriteOnly"), ("event_selectors",)),
    Attack(
        "Exclude an event source",
        lambda w: w.select(ReadWriteType="All", ExcludeManagementEventSources=["kms.amazonaws.com"]),
        ("event_selectors",),
    ),
    Attack(
        "Turn Insights off",
        lambda w: w.cloudtrail.put_insight_selectors(TrailName=w.arn, InsightSelectors=[]),
        ("insight_selectors",),
    ),
    Attack(
        "Remove tags",
        lambda w: w.cloudtrail.remove_tags(ResourceId=w.arn, TagsList=[{"Key": "Owner", "Value": "security"}]),
        ("tags",),
    ),
    Attack(
        "Switch trusted access off",
        lambda w: w.organizations.disable_aws_service_access(ServicePrincipal=CLOUDTRAIL),
        ("trusted access", "is_organization_trail"),
        "aws-facts section 5",
    ),
    Attack("Switch trusted access off and on", trust_off_and_on, ("is_organization_trail",), "aws-facts section 5"),
    Attack("Delete the trail, create one of another name", rename, ("trail",)),
    Attack(
        "Empty the bucket policy",
        lambda w: w.s3.delete_bucket_policy(Bucket=w.lab.bucket),
        ("AWSCloudTrailOrganizationWrite20150319",),
        by_hand="cloudtrail_log_bucket_policy",
        remedy=restore_policy,
    ),
    Attack(
        "Remove one statement of the bucket policy",
        lambda w: w.put_policy(lambda found: [one for one in found if "OrganizationWrite" not in one["Sid"]]),
        ("AWSCloudTrailOrganizationWrite20150319",),
        by_hand="cloudtrail_log_bucket_policy",
        remedy=repair_policy,
    ),
    Attack("Deny writes in the bucket policy", deny_writes, ("Quiet",), by_hand="Quiet", remedy=restore_policy),
    Attack("Delete the bucket", delete_bucket, ("bucket",), by_hand="log_bucket", remedy=make_bucket_again),
    Attack(
        "Let log files expire after a day",
        expire_after_a_day,
        ("lifecycle",),
        STRATUS + "cloudtrail-lifecycle-rule",
        by_hand="deletes log files after 1 days",
        remedy=remove_lifecycle,
        quiet=True,
    ),
    Attack(
        "Suspend versioning of the bucket",
        suspend_versioning,
        ("versioning",),
        by_hand="ersioning",
        remedy=resume_versioning,
        quiet=True,
    ),
    Attack(
        "Make a second trail of the same name elsewhere",
        make_namesake,
        ("eu-west-1",),
        by_hand="eu-west-1",
        remedy=delete_namesake,
    ),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Lab() as lab:
        yield World(lab, tmp_path_factory.mktemp("attacks"))


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.title for attack in ATTACKS])
def test_attack(world: World, attack: Attack) -> None:
    lab = world.lab
    attack.act(world)
    drift = json.dumps(world.drift())
    for name in attack.named:
        assert name in drift

    lab.clear_journal()
    done = world.enable()
    if attack.by_hand:
        assert (done.rc == 0) == attack.quiet, done.msg
        assert lab.journal(writes=True) == []
        assert attack.by_hand in (json.dumps(warnings_of(done)) if attack.quiet else done.msg)
        assert attack.remedy
        attack.remedy(world)
        done = world.enable()
    done.ok()

    # Nothing else was touched: the trail is the only thing that the run writes to, beside trusted access.
    written = {
        (entry["service"], entry["account"])
        for entry in lab.journal(writes=True)
        if "ansible" in entry["user_agent"].lower()
    }
    assert written <= {("cloudtrail", lab.management), ("organizations", lab.management), ("s3", lab.log_archive)}
    again = world.enable().ok()
    assert again.changed == 0
    assert world.cloudtrail.get_trail_status(Name=world.arn)["IsLogging"]


def warnings_of(result: PlaybookResult) -> list[str]:
    return [warning for one in result.results for warning in one.result.get("warnings", [])]


def test_the_page_shows_this_catalogue() -> None:
    """Run this file as a program to write the page anew."""
    assert PAGE.read_text(encoding="utf-8") == page()


def page() -> str:
    """docs/docsite/rst/attacks.rst."""
    lines = [
        "..",
        "  Copyright: Contributors to the cloudsec.org_trail collection",
        "  GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)",
        # REUSE-IgnoreStart
        "  SPDX-License-Identifier: GPL-3.0-or-later",
        # REUSE-IgnoreEnd
        "",
        ".. _ansible_collections.cloudsec.org_trail.docsite.attacks:",
        "",
        "What is detected and repaired",
        "=============================",
        "",
        "Each row is a test. ``detect_drift.yml`` names all of them. Where ``enable_org_trail.yml`` repairs, one run",
        "is enough. Where it does not, its message says what to do.",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "   :widths: 40 30 30",
        "",
        "   * - What is done",
        "     - Known from",
        "     - enable_org_trail.yml",
    ]
    for attack in ATTACKS:
        how = (
            "repairs it"
            if not attack.by_hand
            else "warns, and says what to do"
            if attack.quiet
            else "refuses, and says what to do"
        )
        lines += [f"   * - {attack.title}", f"     - {attack.source}", f"     - {how}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
