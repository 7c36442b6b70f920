# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are not AWS's, for each operation of the main job, the drift check, the coverage and the inventory.

What the modules do runs in this process, against the lab; each answer to one operation is spoilt on its way. A run
ends well or in a sentence, and it writes nothing that a run without spoilt answers would not write.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.answers import NEEDED
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import sentence
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import Session
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.transport import Transport
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.ensure import (
    ensure_policy,
    policy_options,
    wanted_policy,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.search import (
    describe_log_buckets,
    search_options,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.check import check_coverage, summarize
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.options import coverage_options
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.drifts import DriftOptions
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.find import judge_drift
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.reader import Paces, read_organization
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.service_access import (
    Wanted,
    describe_service_access,
    ensure_service_access,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.service_access import (
    summarize as summarize_access,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.options import options_of
from ansible_collections.cloudsec.org_trail.plugins.modules import (
    cloudtrail_coverage_info,
    cloudtrail_drift_info,
    cloudtrail_log_bucket_info,
    cloudtrail_log_bucket_policy,
)
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.retries.standard import ExponentialBackoff

from tests.aws_answers import BODIES, MUTATIONS, UNPARSED
from tests.lab_process import MEMBER_ROLE, Lab
from tests.trail_options import parameters_of
from tests.trail_run import CLOUDTRAIL, connection_to, open_session, run_trail, trust

Job = Callable[[Lab], Any]

REGIONS = ["eu-central-1", "us-east-1"]
S3 = {
    "acl": "GetBucketAcl",
    "encryption": "GetBucketEncryption",
    "lifecycle": "GetBucketLifecycleConfiguration",
    "list-type": "ListObjectsV2",
    "location": "GetBucketLocation",
    "logging": "GetBucketLogging",
    "notification": "GetBucketNotificationConfiguration",
    "object-lock": "GetObjectLockConfiguration",
    "ownershipControls": "GetBucketOwnershipControls",
    "policy": "GetBucketPolicy",
    "publicAccessBlock": "GetPublicAccessBlock",
    "replication": "GetBucketReplication",
    "requestPayment": "GetBucketRequestPayment",
    "tagging": "GetBucketTagging",
    "versioning": "GetBucketVersioning",
}
"""Operations of S3 by what their addresses ask for."""


def operation_of(request: Any) -> str:
    """AWS's name of the operation that a prepared request asks for."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    target = headers.get("x-amz-target", "")
    if target := target.decode() if isinstance(target, bytes) else target:
        return str(target.rpartition(".")[2])
    address = urlsplit(request.url)
    if address.path == "/listRegions":
        return "ListRegions"
    body = request.body or ""
    named = parse_qs(body.decode() if isinstance(body, bytes) else str(body)).get("Action") if body else None
    if named:
        return named[0]
    asked = parse_qs(address.query, keep_blank_values=True)
    operation = next((name for key, name in S3.items() if key in asked), "")
    if request.method == "HEAD":
        return "HeadBucket"
    if request.method in ("PUT", "DELETE"):
        return operation.replace("Get", request.method.title(), 1)
    return operation or ("ListBuckets" if address.path == "/" else "GetObject")


class Proxy:
    """Stands between botocore and the lab. seen: the operations that were called."""

    def __init__(self) -> None:
        self.seen: dict[str, None] = {}
        self.operation = ""
        self.spoil: Callable[[bytes], bytes] = lambda body: body
        self.times = 0

    def spoils(self, operation: str, mutation: str, times: int = 1_000_000) -> None:
        """Spoil the first answers to an operation."""
        self.operation, self.spoil, self.times = operation, MUTATIONS[mutation], times

    def pass_on(self, operation: str, response: Any) -> Any:
        self.seen[operation] = None
        if operation == self.operation and self.times:
            self.times -= 1
            response._content = self.spoil(response.content)
        return response


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Proxy:
    made, send, sleep = Proxy(), URLLib3Session.send, time.sleep
    monkeypatch.setattr(time, "sleep", lambda _seconds: sleep(0.001))
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda _backoff, _context: 0.001)
    monkeypatch.setattr(
        URLLib3Session, "send", lambda session, request: made.pass_on(operation_of(request), send(session, request))
    )
    plain = Transport.send

    def send_plain(transport: Any, method: str, target: str, headers: Any, body: bytes) -> Any:
        request = AWSRequest(method, transport._url.rstrip("/") + target, headers=headers, data=body)
        answer = SimpleNamespace(_content=b"", content=b"")
        response = plain(transport, method, target, headers, body)
        answer.content = answer._content = response.body
        return replace(response, body=made.pass_on(operation_of(request), answer)._content)

    monkeypatch.setattr(Transport, "send", send_plain)
    return made


# --- what runs ----------------------------------------------------------------------------------------


def parameters(module: Any, **given: Any) -> dict[str, Any]:
    """A module's parameters with its defaults."""
    return parameters_of(module.ARGUMENTS, **given)


def role(lab: Lab, account: str) -> str:
    return f"arn:aws:iam::{account}:role/{MEMBER_ROLE}"


def session_of(lab: Lab, account: str = "") -> Session:
    given = {"assume_role_arn": role(lab, account)} if account else {}
    return open_session(lab, parameters(cloudtrail_drift_info, **given))


def main_job(lab: Lab) -> None:
    """The steps of playbooks/enable_org_trail.yml up to the trail."""
    management, log_archive = session_of(lab), session_of(lab, lab.log_archive)
    ensure_service_access(
        management, describe_service_access(management), Wanted(CLOUDTRAIL, "present", False), check_mode=False
    )
    found = parameters(cloudtrail_log_bucket_info, trail_arn=lab.trail_arn, select="one", health=True)
    bucket = describe_log_buckets(log_archive, search_options(found))["buckets"][0]["name"]
    wanted = wanted_policy(
        log_archive,
        policy_options(parameters(cloudtrail_log_bucket_policy, bucket=bucket, trail_arn=lab.trail_arn)),
    )
    client, once = log_archive.client("s3"), log_archive.client("s3", once=True)
    ensure_policy(client, once, log_archive.account_id, wanted, False)
    run_trail(
        lab,
        {"name": lab.trail_arn, "s3_bucket_name": bucket, "bucket_account_id": lab.log_archive, "tags": {"a": "b"}},
    )


def coverage(lab: Lab) -> dict[str, Any]:
    """What the module cloudtrail_coverage_info does, with everything that it can look at."""
    with tempfile.TemporaryDirectory() as folder:
        options = coverage_options(
            parameters(
                cloudtrail_coverage_info,
                trail_arn=lab.trail_arn,
                regions=REGIONS,
                event_history=True,
                log_delivery="prefix",
                log_archive_role_arn=role(lab, lab.log_archive),
                output_path=str(Path(folder) / "coverage.json"),
            )
        )
        return dict(summarize(check_coverage(session_of(lab), options), options))


def drift(lab: Lab) -> None:
    """The reads of playbooks/detect_drift.yml, and the attribution of what drifted."""
    management = session_of(lab)
    before = describe_service_access(management)
    found = parameters(cloudtrail_log_bucket_info, trail_arn=lab.trail_arn, select="one", health=True)
    log_bucket = describe_log_buckets(session_of(lab, lab.log_archive), search_options(found))
    trail = run_trail(lab, {"name": lab.trail_arn, "tags": {"a": "c"}}, check_mode=True)
    access = summarize_access(before, before)
    given = parameters(
        cloudtrail_drift_info,
        organization_trail=trail,
        trusted_access=access,
        log_bucket=log_bucket["buckets"][0],
        log_archive_role_arn=role(lab, lab.log_archive),
        delegated_administrators=[],
    )
    assert judge_drift(connection_to(lab, given), options_of(DriftOptions, given), "").drifts


def inventory(lab: Lab) -> list[str]:
    """What the dynamic inventory reads; ids of the accounts."""
    found = read_organization(session_of(lab).client("organizations"), Paces(0), names=True, tags=True)
    return [account.id for account in found.accounts]


JOBS: dict[str, Job] = {"main job": main_job, "coverage": coverage, "drift": drift, "inventory": inventory}


# --- the matrix ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab in which the main job has run."""
    with Lab() as lab:
        main_job(lab)
        lab.control("POST", "deliver", {"hours": 1})
        yield lab


def change(lab: Lab) -> list[str]:
    """The operations that changed something; roles that were assumed are no change."""
    return [call["operation"] for call in lab.journal(writes=True) if call["service"] != "sts"]


def ends(job: Job, lab: Lab) -> str:
    """The sentence with which a job fails, "" for none. What is no sentence is raised."""
    try:
        job(lab)
    except AnsibleAWSError as error:
        text = sentence(error)
        assert re.fullmatch(r"[A-Z][^\n<>{}]+", text), text
        return text
    return ""


USERS_TEXT = "GetBucketPolicy"
"""Its body is a text of users: other values in it are another policy, which may well be one to mend."""

FEW = ("an empty object",)
"""What every contributor runs; test_answers.py of the unit tests holds that all others are told from answers."""


@pytest.mark.parametrize(
    "mutations",
    [pytest.param(FEW, id="few"), pytest.param(tuple(MUTATIONS), id="all", marks=pytest.mark.scale)],
)
@pytest.mark.parametrize("name", JOBS)
def test_a_spoilt_answer_ends_in_a_sentence_and_writes_nothing(
    lab: Lab, proxy: Proxy, name: str, mutations: tuple[str, ...]
) -> None:
    job = JOBS[name]
    lab.clear_journal()
    assert ends(job, lab) == ""
    assert change(lab) == []
    assert proxy.seen.keys() <= NEEDED.keys()
    wrong = []
    for operation in [one for one in proxy.seen if one not in UNPARSED]:
        for mutation in [one for one in mutations if one in BODIES or operation != USERS_TEXT]:
            lab.clear_journal()
            proxy.spoils(operation, mutation)
            try:
                ends(job, lab)
            except Exception as error:
                wrong.append(f"{operation}, {mutation}: {error!r}")
            if changed := change(lab):
                wrong.append(f"{operation}, {mutation}: wrote {changed}")
    assert wrong == []


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[] if one == "inventory" else pytest.mark.scale) for one in JOBS]
)
def test_an_answer_that_is_spoilt_once_is_asked_for_again(lab: Lab, proxy: Proxy, name: str) -> None:
    assert ends(JOBS[name], lab) == ""
    for operation in [one for one in proxy.seen if one not in UNPARSED]:
        proxy.spoils(operation, "nothing", times=1)
        assert (operation, ends(JOBS[name], lab)) == (operation, "")


def test_coverage_tells_of_no_answer_and_asks_the_others(lab: Lab, proxy: Proxy) -> None:
    proxy.spoils("GetTrailStatus", "an empty object")
    found = coverage(lab)
    assert {row["status"] for row in found["exceptions"]} == {"unreachable"}
    assert all("GetTrailStatus answered without IsLogging" in row["reason"] for row in found["exceptions"])


def test_accounts_count_once(lab: Lab, proxy: Proxy) -> None:
    ids = inventory(lab)
    proxy.spoils("ListAccounts", "lists twice")
    assert inventory(lab) == ids


def lesson(lab: Lab) -> None:
    """An account trail that logs into its old bucket, trusted access off."""
    lab.client("organizations").disable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
    cloudtrail = lab.client("cloudtrail")
    cloudtrail.update_trail(Name=lab.trail_arn, IsOrganizationTrail=False, EnableLogFileValidation=False)
    cloudtrail.remove_tags(ResourceId=lab.trail_arn, TagsList=[{"Key": "a"}])
    lab.client("s3", account=lab.log_archive).delete_bucket_policy(Bucket=lab.bucket)


@pytest.mark.scale
@pytest.mark.parametrize("mutation", BODIES)
def test_a_spoilt_answer_to_a_write_leaves_nothing_half_done(proxy: Proxy, mutation: str) -> None:
    with Lab() as lab:
        main_job(lab)
        trust(lab)
        proxy.seen.clear()
        lesson(lab)
        lab.clear_journal()
        main_job(lab)
        writes = change(lab)
        assert {"EnableAWSServiceAccess", "PutBucketPolicy", "UpdateTrail"} <= set(writes)
        for operation in dict.fromkeys(writes):
            lesson(lab)
            lab.clear_journal()
            proxy.spoils(operation, mutation)
            with contextlib.suppress(AssertionError):
                assert ends(main_job, lab) == ""
            assert (operation, [one for one in change(lab) if one not in writes]) == (operation, [])
            proxy.spoils("", mutation)
            assert (operation, ends(main_job, lab)) == (operation, "")
            lab.clear_journal()
            main_job(lab)
            assert (operation, change(lab)) == (operation, [])
            assert lab.client("cloudtrail").get_trail_status(Name=lab.trail_arn)["IsLogging"]
