# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run what the module cloudtrail_organization_trail does in this process, for tables of many runs against one lab."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import Connection, Role, Session
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.admission import admission_problems
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.ensure import ensure_trail
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.options import trail_options

from tests.lab_process import Lab
from tests.trail_options import parameters

CLOUDTRAIL = "cloudtrail.amazonaws.com"


class SharingSession(Session):
    """A session that shares its clients with all others of the same lab and keys: a client is slow to make."""

    def __init__(self, lab: Lab, connection: Connection) -> None:
        self.lab = lab
        super().__init__(connection)

    def regional_clients(
        self, service: str, regions: Iterable[str], endpoint: str | None = None, **settings: Any
    ) -> dict[str, Any]:
        known: dict[Any, Any] = self.lab.__dict__.setdefault("clients", {})
        made: dict[str, Any] = {}
        for region in regions:
            key = (service, region, endpoint, str(settings), str(self._keys))
            if key not in known:
                known[key] = super().regional_clients(service, [region], endpoint, **settings)[region]
            made[region] = known[key]
        return made


def connection_to(lab: Lab, params: dict[str, Any], region: str = "") -> Connection:
    """The connection to the lab that a module's options ask for. params: at least the options ``assume_role_*``."""
    name, arn = params["assume_role_session_name"], params["assume_role_arn"]
    return Connection(
        region=region or lab.home_region,
        endpoint=lab.endpoint,
        arguments={
            "aws_access_key_id": lab.environment["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": lab.environment["AWS_SECRET_ACCESS_KEY"],
        },
        role=Role(arn, name, params["assume_role_external_id"] or "") if arn else None,
        session_name=name,
    )


def open_session(lab: Lab, params: dict[str, Any], region: str = "") -> Session:
    """A session in the lab, without a module. params: at least the options ``assume_role_*``."""
    return SharingSession(lab, connection_to(lab, params, region))


def run_trail(lab: Lab, options: dict[str, Any], check_mode: bool = False, region: str = "") -> dict[str, Any]:
    """The module's result, with its warnings. Raises AnsibleAWSError where the module would fail."""
    params = parameters(**options)
    result, warnings = ensure_trail(
        open_session(lab, params, region), trail_options(params), check_mode, admission_problems
    )
    return {**result, "warnings": warnings}


def writes(lab: Lab) -> list[tuple[str, dict[str, Any]]]:
    """The writes that CloudTrail took, with their parameters but the trail's name."""
    return [
        (entry["operation"], {name: value for name, value in entry["parameters"].items() if name not in NAMES})
        for entry in lab.journal(service="cloudtrail", writes=True, outcome="ok")
    ]


NAMES = ("Name", "TrailName", "ResourceId")


def trust(lab: Lab) -> None:
    """Turn trusted access on."""
    lab.client("organizations").enable_aws_service_access(ServicePrincipal=CLOUDTRAIL)


def statement(action: list[str], resource: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def make_key(lab: Lab, alias: str = "alias/trail", *, for_cloudtrail: bool = True, account: str = "") -> str:
    """A KMS key in the home region, whose policy lets CloudTrail use it or not; its ARN.

    account: whose key it is, by default management's, which may use it in any case.
    """
    kms = lab.client("kms", account)
    owners = {"AWS": [f"arn:aws:iam::{one}:root" for one in sorted({lab.management, account or lab.management})]}
    owner = statement(["kms:*"], "*", Principal=owners)
    service = statement(
        ["kms:GenerateDataKey*", "kms:DescribeKey"],
        "*",
        Principal={"Service": CLOUDTRAIL},
        Condition={"StringEquals": {"aws:SourceArn": lab.trail_arn}},
    )
    key = kms.create_key(Policy=document(owner, *([service] if for_cloudtrail else [])))["KeyMetadata"]
    kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    return str(key["Arn"])


def make_topic(lab: Lab, name: str = "trail") -> str:
    """An SNS topic of management that CloudTrail may publish to; its ARN."""
    policy = document(statement(["SNS:Publish"], "*", Principal={"Service": CLOUDTRAIL}))
    topic = lab.client("sns").create_topic(Name=name, Attributes={"Policy": policy})
    return str(topic["TopicArn"])


def make_log_group(lab: Lab, *streams: str, name: str = "trail") -> dict[str, str]:
    """A log group and a role that may write the named log streams of it; the two options for them."""
    lab.client("logs").create_log_group(logGroupName=name)
    group = f"arn:aws:logs:{lab.home_region}:{lab.management}:log-group:{name}"
    iam = lab.client("iam")
    trusted = document(statement(["sts:AssumeRole"], "*", Principal={"Service": CLOUDTRAIL}))
    trusted = trusted.replace('"Resource": "*", ', "")
    role = iam.create_role(RoleName=f"{name}-logs", AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    for index, stream in enumerate(streams):
        allowed = statement(["logs:CreateLogStream", "logs:PutLogEvents"], f"{group}:log-stream:{stream}")
        iam.put_role_policy(RoleName=f"{name}-logs", PolicyName=f"logs{index}", PolicyDocument=document(allowed))
    return {"cloud_watch_logs_log_group_arn": group, "cloud_watch_logs_role_arn": role}
