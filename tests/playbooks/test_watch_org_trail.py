# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""watch_org_trail.yml against the lab: rules and queues set up, repaired and removed, and nothing of others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.policies import OWNER
from ansible_collections.cloudsec.org_trail.plugins.module_utils._watch.rules import OURS

from tests.ansible_run import PlaybookResult, run_playbook
from tests.iam_files import actions_of, filled, values_of, without
from tests.lab_process import MEMBER_ROLE, Lab
from tests.watching import events_in, make_senders, queue_url, watch, write_watched_inventory

REGION = "us-west-2"
"""The home region: not the one of Organizations, so that events have to be forwarded."""
QUEUES = ["org-trail-events", "org-trail-events-failed"]
FINDING = "Stealth:IAMUser/CloudTrailLoggingDisabled"
GIVEN: dict[str, Any] = {"drift_events_guardduty": True}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--scenario", "lesson", "--home-region", REGION) as lab:
        yield lab


def state(lab: Lab) -> dict[str, list[str]]:
    """Names of all rules and queues, by where they are."""
    places = [("", REGION), ("", "us-east-1"), (lab.log_archive, REGION)]
    rules = {
        f"{account or 'management'} {region}": sorted(
            one["Name"] for one in lab.client("events", account, region).list_rules()["Rules"]
        )
        for account, region in places
    }
    urls = lab.client("sqs").list_queues().get("QueueUrls", [])
    return {**rules, "queues": sorted(url.rpartition("/")[2] for url in urls)}


def tamper(lab: Lab) -> None:
    """Break each part in another way."""
    events, sqs, url = lab.client("events"), lab.client("sqs"), queue_url(lab)
    events.put_rule(Name="org-trail-trail", State="DISABLED", EventPattern="{}", Description=OURS)
    events.remove_targets(Rule="org-trail-organization", Ids=["org-trail"])
    lab.client("events", region="us-east-1").disable_rule(Name="org-trail-organization")
    archive = lab.client("events", lab.log_archive)
    archive.remove_targets(Rule="org-trail-bucket", Ids=["org-trail"])
    archive.delete_rule(Name="org-trail-bucket")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": "", "RedrivePolicy": ""})
    sqs.delete_queue(QueueUrl=queue_url(lab, "org-trail-events-failed"))
    lab.control("POST", "time", {"hours": 1})  # a queue's name is free again after a minute


def queue_arn(lab: Lab, name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{lab.management}:{name}"


def differences(run: PlaybookResult) -> list[Any]:
    """What the tasks that changed something, or would, showed of it."""
    return [one.diff for one in run.results if one.changed and one.diff]


def written(lab: Lab) -> list[str]:
    """What was written since the journal was cleared; entering an account writes nothing."""
    return [one["operation"] for one in lab.journal(writes=True) if one["service"] in ("events", "sqs")]


@pytest.fixture(scope="module")
def inventory(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lesson with the organization trail turned on, other people's rule and queue, and the senders' roles."""
    folder = tmp_path_factory.mktemp("watch")
    path = write_watched_inventory(folder, lab, make_senders(lab))
    watch(lab, path, playbook="enable_org_trail", coverage_enabled=False).ok()
    lab.client("events").put_rule(Name="other", EventPattern=json.dumps({"source": ["aws.ec2"]}))
    lab.client("sqs").create_queue(QueueName="other")
    return path


def drift(lab: Lab, inventory: Path) -> tuple[dict[str, list[str]], dict[tuple[str, str], Any]]:
    """What detect_drift.yml names of each object, and what it found as wanted."""
    folder = inventory.parent
    given = {**GIVEN, "detect_drift_watch": True, "detect_drift_report_dir": str(folder)}
    result = watch(lab, inventory, playbook="detect_drift", **given)
    document = json.loads((folder / "drift.json").read_text())
    assert (result.rc != 0) == bool(document["drift"]), result.msg
    rows: dict[str, list[str]] = {}
    for row in document["drift"]:
        rows.setdefault(row["object"].partition(":aws:")[2] or row["object"], []).append(row["what"])
    return rows, {(one["object"], one["what"]): one["found"] for one in document["passed"]}


def test_the_life_of_a_watch(lab: Lab, inventory: Path) -> None:
    """Set up, left alone, broken in every part and told, repaired, removed; others' rules and queues stay."""
    before = state(lab)
    watch(lab, inventory, **GIVEN).ok()
    assert state(lab) == {
        f"management {REGION}": ["org-trail-finding", "org-trail-organization", "org-trail-trail", "other"],
        "management us-east-1": ["org-trail-organization"],
        f"{lab.log_archive} {REGION}": ["org-trail-bucket"],
        "queues": [*QUEUES, "other"],
    }
    lab.clear_journal()
    assert watch(lab, inventory, "--diff", **GIVEN).ok().changed == 0
    assert written(lab) == []

    lab.client("cloudtrail").update_trail(Name=lab.trail_arn, EnableLogFileValidation=True)
    lab.client("organizations").enable_aws_service_access(ServicePrincipal="config.amazonaws.com")
    lab.client("organizations").disable_aws_service_access(ServicePrincipal="config.amazonaws.com")
    s3 = lab.client("s3", lab.log_archive)
    s3.put_bucket_policy(Bucket=lab.bucket, Policy=s3.get_bucket_policy(Bucket=lab.bucket)["Policy"])
    event = {"account": lab.management, "region": REGION, "service": "guardduty", "detail_type": "GuardDuty Finding"}
    lab.control("POST", "events", {**event, "detail": {"type": FINDING}})
    assert events_in(lab) == ["UpdateTrail", "DisableAWSServiceAccess", "PutBucketPolicy", FINDING]

    drifted, passed = drift(lab, inventory)
    assert drifted == {}
    queue = f"arn:aws:sqs:{REGION}:{lab.management}:org-trail-events"
    assert passed[queue, "age of the oldest message"] == "0 seconds"
    tamper(lab)
    drifted, passed = drift(lab, inventory)
    assert drifted == {
        f"events:{REGION}:{lab.management}:rule/org-trail-trail": ["state", "event_pattern"],
        f"events:{REGION}:{lab.management}:rule/org-trail-organization": ["targets"],
        f"events:us-east-1:{lab.management}:rule/org-trail-organization": ["state"],
        f"events:{REGION}:{lab.log_archive}:rule/org-trail-bucket": ["watch"],
        f"sqs:{REGION}:{lab.management}:org-trail-events": ["policy", "redrive_policy"],
        f"sqs:{REGION}:{lab.management}:org-trail-events-failed": ["watch"],
    }
    watch(lab, inventory, **GIVEN).ok()
    lab.client("cloudtrail").stop_logging(Name=lab.trail_arn)
    lab.client("cloudtrail").start_logging(Name=lab.trail_arn)
    assert events_in(lab) == ["StopLogging"]

    watch(lab, inventory, **GIVEN, drift_events_state="absent").ok()
    assert state(lab) == before


@pytest.mark.full
def test_what_is_refused_or_predicted_is_not_written(lab: Lab, inventory: Path) -> None:
    """Before the first write in any account, and in check mode; what others have stays."""
    before = state(lab)
    events, sqs = lab.client("events"), lab.client("sqs")
    lab.clear_journal()
    assert "Set forward_role_arn" in watch(lab, inventory, drift_events_forward_role_arn="").msg
    predicted = watch(lab, inventory, "--check", "--diff").ok()
    assert (written(lab), state(lab)) == ([], before)
    made = watch(lab, inventory, "--diff").ok()
    assert differences(made) == differences(predicted) != []

    events.put_targets(Rule="org-trail-trail", Targets=[{"Id": "others", "Arn": queue_arn(lab, "other")}])
    lab.clear_journal()
    assert watch(lab, inventory).ok().changed == 0
    for given in ({"drift_events_guardduty": True}, {"drift_events_state": "absent"}):
        events.disable_rule(Name="org-trail-trail")
        lab.clear_journal()
        assert "(others)" in watch(lab, inventory, **given).msg
        assert written(lab) == []
    events.remove_targets(Rule="org-trail-trail", Ids=["others"])

    events.put_rule(Name="org-trail-trail", EventPattern="{}", Description="Ours.")
    sqs.untag_queue(QueueUrl=queue_url(lab), TagKeys=["ManagedBy"])
    lab.clear_journal()
    refused = watch(lab, inventory).msg
    assert "has the description 'Ours.'" in refused
    assert "org-trail-events lacks the tag" in refused
    assert written(lab) == []
    watch(lab, inventory, drift_events_state="absent").ok()
    assert state(lab)["queues"] == ["org-trail-events", "other"]
    assert "org-trail-trail" in state(lab)[f"management {REGION}"]

    sqs.tag_queue(QueueUrl=queue_url(lab), Tags=OWNER)
    events.put_rule(Name="org-trail-trail", EventPattern="{}", Description=OURS)
    lab.control("POST", "time", {"hours": 1})
    lab.control("POST", "options", {"failing_targets": True})
    assert "still are not as wanted after they were written" in watch(lab, inventory).msg
    lab.control("POST", "options", {"failing_targets": False})
    watch(lab, inventory, drift_events_state="absent").ok()
    assert state(lab) == before


@pytest.mark.full
def test_all_modules_work_in_one_account(lab: Lab) -> None:
    """A play that gives the collection's module other keys than those of amazon.aws is refused before a write."""
    role_arn = f"arn:aws:iam::{lab.log_archive}:role/{MEMBER_ROLE}"
    keys = lab.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="other")["Credentials"]
    given = {
        "access_key": keys["AccessKeyId"],
        "secret_key": keys["SecretAccessKey"],
        "session_token": keys["SessionToken"],
    }
    variables = {
        "drift_events_trail_arn": lab.trail_arn,
        "drift_events_log_bucket": lab.bucket,
        "drift_events_log_bucket_account_id": lab.log_archive,
        "drift_events_log_bucket_region": REGION,
        "drift_events_forward_role_arn": f"arn:aws:iam::{lab.log_archive}:role/OrgTrailEvents",
    }
    defaults = {"cloudsec.org_trail.cloudtrail_watch_info": given}
    lab.clear_journal()
    role = [{"ansible.builtin.include_role": {"name": "cloudsec.org_trail.drift_events"}}]
    refused = run_playbook(lab, role, play={"vars": variables, "module_defaults": defaults})
    assert f"in account {lab.log_archive}, the modules of amazon.aws work in account {lab.management}" in " ".join(
        refused.msg.split()
    )
    assert written(lab) == []


@pytest.mark.full
def test_what_no_event_told_of_is_found_and_repaired_on_schedule(lab: Lab, inventory: Path) -> None:
    lab.control("POST", "time", {"hours": 1})  # a queue's name is free again after a minute
    watch(lab, inventory, **GIVEN).ok()
    lab.control("POST", "options", {"events_lost": True})
    lab.client("cloudtrail").stop_logging(Name=lab.trail_arn)
    assert events_in(lab) == []
    drifted, _passed = drift(lab, inventory)
    assert drifted == {lab.trail_arn.partition(":aws:")[2]: ["logging"]}
    watch(lab, inventory, playbook="enable_org_trail", coverage_enabled=False).ok()
    assert drift(lab, inventory)[0] == {}
    lab.control("POST", "options", {"events_lost": False})
    watch(lab, inventory, **GIVEN, drift_events_state="absent").ok()


def make_builder(lab: Lab, account: str, policies: dict[str, dict[str, Any]]) -> str:
    """A role that management may take, with policies of docs/iam; its ARN."""
    iam = lab.client("iam", account)
    trust = {"Effect": "Allow", "Principal": {"AWS": lab.management}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    arn = str(iam.create_role(RoleName="Builder", AssumeRolePolicyDocument=document)["Role"]["Arn"])
    for name, policy in policies.items():
        iam.put_role_policy(RoleName="Builder", PolicyName=name, PolicyDocument=json.dumps(policy))
    return arn


@pytest.mark.full
def test_docs_iam_allows_what_is_called_and_nothing_else(tmp_path: Path) -> None:
    """Set up, repaired, looked at and removed with exactly docs/iam, in a lab that checks every call."""
    with Lab("--enforce-iam", "--home-region", REGION) as lab:
        names = {
            lab.management: ["management", "management_events"],
            lab.log_archive: ["log_archive_lookup", "log_archive_events"],
        }
        values = values_of(lab)
        granted = {account: {name: filled(name, values) for name in policies} for account, policies in names.items()}
        hosts = make_senders(lab)
        path = write_watched_inventory(tmp_path, lab, hosts)
        watch(lab, path, playbook="enable_org_trail", coverage_enabled=False).ok()
        for host, account in (("management_account", lab.management), ("security_audit", lab.log_archive)):
            hosts[host]["assume_role_arn"] = make_builder(lab, account, granted[account])
        write_watched_inventory(tmp_path, lab, hosts)
        inventory = tmp_path / "inventory.yml"
        inventory.write_text(re.sub(r"\n +assume_role_arn: .*", "", inventory.read_text()))

        lab.clear_journal()
        watch(lab, inventory).ok()
        for account in names:
            events = lab.client("events", account)
            name = "org-trail-trail" if account == lab.management else "org-trail-bucket"
            events.disable_rule(Name=name)
            events.put_targets(Rule=name, Targets=[{"Id": "org-trail", "Arn": queue_arn(lab, "other")}])
        lab.client("sqs").send_message(QueueUrl=queue_url(lab), MessageBody="{}")
        watch(lab, inventory).ok()
        folder = {"detect_drift_watch": True, "detect_drift_report_dir": str(tmp_path)}
        watch(lab, inventory, playbook="detect_drift", **folder)
        assert '"object": "watch"' not in (tmp_path / "drift.json").read_text()  # nothing of it could not be judged
        watch(lab, inventory, drift_events_state="absent").ok()
        called: dict[str, set[str]] = {account: set() for account in names}
        for one in lab.journal():
            if "/Builder/" in one["principal"] and one["service"] in ("events", "sqs", "cloudwatch"):
                called[one["account"]].add(f"{one['service']}:{one['operation']}")
        for account, policies in names.items():
            assert called[account] == actions_of(granted[account][policies[1]]) - {"iam:PassRole"}

        policy = without(granted[lab.log_archive]["log_archive_events"], "iam:PassRole")
        iam = lab.client("iam", lab.log_archive)
        iam.put_role_policy(RoleName="Builder", PolicyName="log_archive_events", PolicyDocument=json.dumps(policy))
        lab.control("POST", "time", {"hours": 1})
        assert "iam:PassRole" in watch(lab, inventory).stdout
