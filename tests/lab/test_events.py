# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EventBridge and SQS in the lab: which calls become events, and who gets them (aws-facts section 12)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.lab.organization_trail import SERVICE, member_of, options, organization_trail, refusal
from tests.lab_process import Lab

NUMBERS = count(1)
REGION = "us-west-2"
"""The home region: not the one of Organizations, so that the two cannot be taken for each other."""

TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--scenario", "lesson", "--home-region", REGION) as lab:
        yield lab


class Watch:
    """A rule and a queue that its events go to, in management unless another account is given."""

    def __init__(self, lab: Lab, pattern: dict[str, Any], account: str = "", region: str = REGION, **rule: Any) -> None:
        self.name = f"watch-{next(NUMBERS)}"
        self.account = account or lab.management
        self.sqs, self.events = lab.client("sqs", account, region), lab.client("events", account, region)
        self.url = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        self.queue = f"arn:aws:sqs:{region}:{self.account}:{self.name}"
        self.rule = self.events.put_rule(Name=self.name, EventPattern=json.dumps(pattern), **rule)["RuleArn"]
        self.send_to(self.queue)
        self.let_in({"aws:SourceArn": self.rule})

    def send_to(self, arn: str, **target: Any) -> None:
        self.events.put_targets(Rule=self.name, Targets=[{"Id": "queue", "Arn": arn, **target}])

    def let_in(self, condition: dict[str, Any], principal: Any = None) -> None:
        """The queue's policy, for EventBridge under a condition unless another principal is given."""
        statement = {
            "Effect": "Allow",
            "Principal": principal or {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": self.queue,
            "Condition": {"ArnEquals": condition},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})

    def bodies(self, wait: int = 0) -> list[dict[str, Any]]:
        """The events that came, which are then gone."""
        given = {"QueueUrl": self.url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": wait}
        found = self.sqs.receive_message(**given).get("Messages", [])
        for message in found:
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found]

    def names(self, wait: int = 0) -> list[str]:
        return [body["detail"]["eventName"] for body in self.bodies(wait)]


def named(*names: str) -> dict[str, Any]:
    return {"detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventName": list(names)}}


def make_role(lab: Lab, account: str, name: str, action: str, resource: str) -> str:
    """A role that EventBridge may take, and that may do one thing."""
    iam = lab.client("iam", account)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **TRUST}))
    iam.put_role_policy(RoleName=name, PolicyName="send", PolicyDocument=json.dumps(policy))
    return str(arn["Role"]["Arn"])


def test_fact_12_1_only_where_a_trail_logs(lab: Lab) -> None:
    member = member_of(lab)
    own, members = Watch(lab, named("CreateKey")), Watch(lab, named("CreateKey"), account=member)
    lab.client("kms").create_key()
    lab.client("kms", member).create_key()
    assert (own.names(), members.names()) == (["CreateKey"], [])
    with organization_trail(lab):
        lab.client("kms", member).create_key()
        [event] = members.bodies()
    assert (event["source"], event["account"], event["region"]) == ("aws.kms", member, REGION)
    assert event["detail"]["recipientAccountId"] == member


def test_fact_12_1_reads_are_seen_only_by_a_rule_that_asks_for_them(lab: Lab) -> None:
    writes = Watch(lab, named("ListKeys", "CreateAlias"))
    both = Watch(lab, named("ListKeys", "CreateAlias"), State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
    disabled = Watch(lab, named("ListKeys", "CreateAlias"), State="DISABLED")
    kms = lab.client("kms")
    kms.list_keys()
    kms.create_alias(AliasName="alias/events", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    assert (writes.names(), sorted(both.names()), disabled.names()) == (
        ["CreateAlias"],
        ["CreateAlias", "ListKeys"],
        [],
    )


def test_fact_12_1_best_effort_and_late(lab: Lab) -> None:
    watch = Watch(lab, named("CreateKey"))
    with options(lab, events_lost=True):
        lab.client("kms").create_key()
    assert watch.names() == []
    with options(lab, event_delay_seconds=0.5):
        lab.client("kms").create_key()
        assert watch.names() == []
        assert watch.names(wait=5) == ["CreateKey"]


def test_fact_12_2_in_the_region_of_the_call(lab: Lab) -> None:
    calls = named("EnableAWSServiceAccess", "AddTags", "PutBucketPolicy")
    home, control = Watch(lab, calls), Watch(lab, calls, region="us-east-1")
    archive = Watch(lab, calls, account=lab.log_archive)
    with organization_trail(lab) as arn:
        lab.client("cloudtrail").add_tags(ResourceId=arn, TagsList=[{"Key": "a", "Value": "b"}])
        s3 = lab.client("s3", lab.log_archive)
        s3.put_bucket_policy(Bucket=lab.bucket, Policy=s3.get_bucket_policy(Bucket=lab.bucket)["Policy"])
    assert (home.names(), control.names(), archive.names()) == (
        ["AddTags"],
        ["EnableAWSServiceAccess"],
        ["PutBucketPolicy"],
    )


@pytest.mark.parametrize("last_event", [True, False])
def test_fact_12_3_the_event_of_the_call_that_ends_logging(lab: Lab, last_event: bool) -> None:
    watch = Watch(lab, named("StopLogging", "StartLogging"))
    cloudtrail = lab.client("cloudtrail")
    with options(lab, last_event=last_event):
        cloudtrail.stop_logging(Name=lab.trail_arn)
        cloudtrail.start_logging(Name=lab.trail_arn)
    assert watch.names() == (["StopLogging"] if last_event else []) + ["StartLogging"]


def test_fact_12_4_put_rule_replaces_the_rule(lab: Lab) -> None:
    watch = Watch(lab, named("CreateKey"), Description="first")
    watch.events.put_rule(Name=watch.name, EventPattern=json.dumps(named("CreateAlias")))
    assert "Description" not in watch.events.describe_rule(Name=watch.name)
    assert len(watch.events.list_targets_by_rule(Rule=watch.name)["Targets"]) == 1


def test_fact_12_4_limits(lab: Lab) -> None:
    watch = Watch(lab, named("CreateKey"))
    long = json.dumps({"source": ["a" * 4096]})
    assert refusal(watch.events.put_rule, Name="long", EventPattern=long) == "ValidationException"
    targets = [{"Id": f"t{number}", "Arn": watch.queue} for number in range(5)]
    assert refusal(watch.events.put_targets, Rule=watch.name, Targets=targets) == "LimitExceededException"
    assert watch.events.put_targets(Rule=watch.name, Targets=targets[:4])["FailedEntryCount"] == 0


def test_fact_12_4_a_target_that_fails_is_in_a_good_answer(lab: Lab) -> None:
    watch = Watch(lab, named("CreateKey"))
    with options(lab, failing_targets=True):
        answer = watch.events.put_targets(Rule=watch.name, Targets=[{"Id": "late", "Arn": watch.queue}])
    assert [entry["TargetId"] for entry in answer["FailedEntries"]] == ["late"]
    assert [target["Id"] for target in watch.events.list_targets_by_rule(Rule=watch.name)["Targets"]] == ["queue"]


def test_fact_12_5_a_deleted_name_is_free_after_a_minute(lab: Lab) -> None:
    sqs = lab.client("sqs")
    url = sqs.create_queue(QueueName="short-lived")["QueueUrl"]
    sqs.delete_queue(QueueUrl=url)
    refused = refusal(sqs.create_queue, QueueName="short-lived")
    assert refused == "AWS.SimpleQueueService.QueueDeletedRecently"
    lab.control("POST", "time", {"hours": 1 / 60})
    sqs.create_queue(QueueName="short-lived")


def test_fact_12_5_a_policy_counts_late(lab: Lab) -> None:
    watch = Watch(lab, named("CreateKey"))
    lab.control("POST", "time", {"hours": 1 / 60})
    with options(lab, queue_policy_seconds=60):
        watch.let_in({"aws:SourceArn": "arn:aws:events:us-west-2:111122223333:rule/other"})
        lab.client("kms").create_key()
        assert watch.names() == ["CreateKey"]
        lab.control("POST", "time", {"hours": 1 / 60})
        lab.client("kms").create_key()
        assert watch.names() == []


def test_who_gets_an_event(lab: Lab) -> None:
    """A queue's policy, a missing queue and one of another region cost the event, and the caller learns of nothing."""
    shut, undelivered = Watch(lab, named("CreateKey")), Watch(lab, named("never"))
    shut.let_in({"aws:SourceArn": undelivered.rule})
    undelivered.let_in({"aws:SourceArn": shut.rule})
    elsewhere = Watch(lab, named("never"), region="us-east-1")
    for arn in (shut.queue, shut.queue + "-missing", elsewhere.queue):
        shut.send_to(arn, DeadLetterConfig={"Arn": undelivered.queue})
        lab.client("kms").create_key()
    assert (shut.names(), elsewhere.names(), undelivered.names()) == ([], [], ["CreateKey"] * 3)
    own = {"Source": "team", "DetailType": "told", "Detail": "{}"}
    answer = shut.events.put_events(Entries=[own, {**own, "Source": "aws.kms"}, {**own, "Detail": "{"}])
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == [
        None,
        "NotAuthorizedForSourceException",
        "MalformedDetail",
    ]


def test_an_encrypted_queue_needs_a_key_that_lets_eventbridge_in(lab: Lab) -> None:
    watch = Watch(lab, named("CreateAlias"))
    kms = lab.client("kms")
    key = kms.create_key()["KeyMetadata"]
    watch.sqs.set_queue_attributes(QueueUrl=watch.url, Attributes={"KmsMasterKeyId": key["KeyId"]})
    watch.let_in({"aws:SourceArn": watch.rule})
    kms.create_alias(AliasName="alias/shut", TargetKeyId=key["KeyId"])
    assert watch.names() == []
    service = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "kms:*", "Resource": "*"}
    kms.put_key_policy(
        KeyId=key["KeyId"], PolicyName="default", Policy=json.dumps({"Version": "2012-10-17", "Statement": [service]})
    )
    kms.create_alias(AliasName="alias/open", TargetKeyId=key["KeyId"])
    assert watch.names() == ["CreateAlias"]


def test_a_queue_of_another_account_needs_a_role(lab: Lab) -> None:
    target = Watch(lab, named("never"))
    watch = Watch(lab, named("CreateKey"), account=lab.log_archive)
    kms = lab.client("kms", lab.log_archive)
    with organization_trail(lab):
        watch.send_to(target.queue)
        target.let_in({"aws:SourceArn": watch.rule})
        kms.create_key()
        assert target.names() == []
        role = make_role(lab, lab.log_archive, "to-queue", "sqs:SendMessage", target.queue)
        watch.send_to(target.queue, RoleArn=role)
        kms.create_key()
        assert target.names() == []
        target.let_in({"aws:PrincipalArn": role}, {"AWS": lab.log_archive})
        kms.create_key()
        [event] = target.bodies()
    assert event["account"] == lab.log_archive


def test_forwarding_between_regions_and_accounts_goes_one_way(lab: Lab) -> None:
    """An event keeps its account and region, and no bus hands it on once more."""
    calls = named("CreateKey")
    home, source = Watch(lab, calls), Watch(lab, calls, account=lab.log_archive, region="eu-west-1")
    bus = f"arn:aws:events:{REGION}:{lab.management}:event-bus/default"
    role = make_role(lab, lab.log_archive, "to-bus", "events:PutEvents", bus)
    kms = lab.client("kms", lab.log_archive, "eu-west-1")
    with organization_trail(lab):
        source.send_to(bus, RoleArn=role)
        kms.create_key()
        assert home.bodies() == []
        home.events.put_permission(Action="events:PutEvents", Principal=lab.log_archive, StatementId="archive")
        kms.create_key()
        [event] = home.bodies()
        assert (event["account"], event["region"]) == (lab.log_archive, "eu-west-1")
        source.send_to(bus)
        kms.create_key()
        assert home.bodies() == []
    third = Watch(lab, calls, region="us-east-1")
    back = make_role(lab, lab.management, "to-third", "events:PutEvents", "*")
    home.send_to(f"arn:aws:events:us-east-1:{lab.management}:event-bus/default", RoleArn=back)
    lab.client("kms").create_key()
    assert third.names() == ["CreateKey"]
    source.send_to(bus, RoleArn=role)
    with organization_trail(lab):
        kms.create_key()
    assert third.names() == []


def test_an_event_of_another_service_and_arrays_of_objects(lab: Lab) -> None:
    pattern = {"source": ["aws.guardduty"], "detail": {"resources": {"kind": ["trail"], "name": ["default"]}}}
    watch = Watch(lab, pattern)
    for resources in (
        [{"kind": "trail", "name": "other"}, {"kind": "bucket", "name": "default"}],
        [{"kind": "bucket", "name": "other"}, {"kind": "trail", "name": "default"}],
    ):
        body = {"service": "guardduty", "detail_type": "GuardDuty Finding", "detail": {"resources": resources}}
        lab.control("POST", "events", {"account": lab.management, "region": REGION, **body})
    assert [len(event["detail"]["resources"]) for event in watch.bodies()] == [2]


def test_the_age_of_the_oldest_message(lab: Lab) -> None:
    watch = Watch(lab, named("CreateKey"))
    asked = {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateAgeOfOldestMessage",
        "Dimensions": [{"Name": "QueueName", "Value": watch.name}],
        "StartTime": time.time() - 600,
        "EndTime": time.time() + 600,
        "Period": 60,
        "Statistics": ["Maximum"],
    }
    metrics = lab.client("cloudwatch")
    assert [point["Maximum"] for point in metrics.get_metric_statistics(**asked)["Datapoints"]] == [0]
    lab.client("kms").create_key()
    [point] = metrics.get_metric_statistics(**asked)["Datapoints"]
    assert 0 <= point["Maximum"] < 3600
    assert metrics.get_metric_statistics(**{**asked, "MetricName": "other"})["Datapoints"] == []


def test_trusted_access_is_off_again(lab: Lab) -> None:
    """What the tests above leave behind is the lesson's world."""
    found = lab.client("organizations").list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert SERVICE not in {one["ServicePrincipal"] for one in found}
