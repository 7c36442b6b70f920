# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Made-up findings of coverage, of any size and always the same, for tests, benchmarks and pictures of the report."""

from __future__ import annotations

import random
from typing import Any

REGIONS = [
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1",
    "us-east-2", "us-west-1", "us-west-2",
]  # fmt: skip
UNITS = ["Root", "Root/Security", "Root/Workloads/Production", "Root/Workloads/Test", "Root/Sandbox", "Root/Suspended"]
TEAMS = ["payments", "search", "billing", "identity", "data", "mobile", "edge", "reports", "hiring", "logistics"]
CHECKED = "2026-08-01T14:03:27Z"
TRAIL = {
    "name": "default",
    "arn": "arn:aws:cloudtrail:us-east-1:111122223333:trail/default",
    "home_region": "us-east-1",
    "is_organization_trail": True,
    "is_multi_region_trail": True,
    "enable_log_file_validation": True,
    "logging": True,
    "s3_key_prefix": "",
}
BUCKET = {
    "name": "aws-cloudtrail-logs-444455556666-0a1b2c3d",
    "account_id": "444455556666",
    "region": "us-east-1",
    "health": {
        "versioning": "Disabled",
        "public_access_block": {"block_public_acls": True, "block_public_policy": True},
        "access_logging": None,
        "lifecycle": [{"id": "keep", "enabled": True, "expiration_days": 400}],
        "tls_only": False,
        "problems": [
            {"setting": "versioning", "found": "Disabled", "expected": "Enabled", "fix": "Turn versioning on."},
            {
                "setting": "access_logging",
                "found": "not readable: Access Denied.",
                "expected": "a setting that the caller may read",
                "fix": "Allow the call.",
            },
        ],
    },
}
WHOLE = {
    "scope": {"accounts": "organization", "regions": "enabled", "enabled_regions": []},
    "management_events": {"logged": "all management events", "all": True},
}
CHANGES = [
    "Allowed CloudTrail in the organization (EnableAWSServiceAccess)",
    "Changed the trail in us-east-1 (UpdateTrail: IsOrganizationTrail, S3BucketName)",
]
HOSTILE_NAMES = [
    "<script>document.title='owned'</script>",
    "</script><img src=x onerror=\"document.title='owned'\">",
    "<!--<script>",
    "\"'><b>bold</b>",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe \u05d7\u05e9\u05d1\u05d5\u05df \u062d\u0633\u0627\u0628",
    "Zürich 東京 \u2028 🛰",
    "\u001b[31mred\u0007",
    "{account} {region}",
]


def world(
    accounts: int, regions: int = 17, wrong: int = 3, pending: int = 0, names: list[str] | None = None
) -> dict[str, Any]:
    """What cloudtrail_coverage_info finds: ``wrong`` accounts made wrong in turn in each way, ``pending`` ones new."""
    dice = random.Random(accounts * 100 + regions)
    names = names or []
    ids = [f"{100000000000 + dice.randrange(8 * 10**7) * 10000 + number}" for number in range(accounts)]
    described = [
        {
            "id": ids[number],
            "name": names[number] if number < len(names) else _name(number, dice),
            "state": "ACTIVE",
            "ou_path": dice.choice(UNITS[1:5]),
        }
        for number in range(accounts)
    ]
    chosen = dice.sample(range(accounts), min(accounts, wrong + pending))
    rows: list[dict[str, Any]] = []
    for number, account in enumerate(described):
        place = chosen.index(number) if number in chosen else -1
        kind = "covered" if place < 0 else list(WAYS)[place % len(WAYS)] if place < wrong else "pending"
        if kind == "account_closed":
            account |= {"state": "SUSPENDED", "ou_path": "Root/Suspended"}
        for region in REGIONS[:regions]:
            rows.append(_row(account["id"], region, kind, dice))
    return {**WHOLE, "accounts": described, "regions": REGIONS[:regions], "coverage": rows}


WAYS = {
    "missing": "The account has no trail with the ARN " + str(TRAIL["arn"]) + ".",
    "denied": "AssumeRole of arn:aws:iam::{account}:role/OrganizationAccountAccessRole was refused (AccessDenied).",
    "delivery_error": "The last delivery failed: AccessDenied.",
    "region_disabled": "The region {region} is not enabled in the account.",
    "not_logging": "IsLogging is false.",
    "account_closed": "The account is SUSPENDED.",
    "denied_by_scp": "AWS: not authorized with an explicit deny in a service control policy: arn:aws:… (AccessDenied).",
    "home_region_disabled": "The account has not enabled the trail's home region eu-south-1.",
    "silent": "Logging is on since 2026-07-01T00:00:00Z, but CloudTrail never delivered anything.",
    "management_events_missing": "The trail's event selectors log no management events.",
    "unreachable": "cloudtrail.{region}.amazonaws.com gave no answer within 10 seconds.",
}
SOME_REGIONS = {
    "delivery_error": ("eu-west-1", "eu-west-2"),
    "region_disabled": ("ap-northeast-3", "sa-east-1"),
    "unreachable": ("ca-central-1",),
    "denied_by_scp": ("sa-east-1",),
    "silent": ("us-west-1",),
    "management_events_missing": ("eu-north-1",),
    "not_logging": ("us-east-1", "us-east-2", "us-west-2"),
}


def _name(number: int, dice: random.Random) -> str:
    return f"{dice.choice(TEAMS)}-{dice.choice(['prod', 'test', 'dev', 'shared'])}-{number:04}"


def _row(account: str, region: str, kind: str, dice: random.Random) -> dict[str, Any]:
    status = kind if region in SOME_REGIONS.get(kind, (region,)) else "covered"
    minutes = dice.randrange(3, 180)
    row: dict[str, Any] = {"account_id": account, "region": region, "status": status}
    if status == "covered":
        row["latest_delivery_time"] = f"2026-08-01T{13 - minutes // 60:02}:{59 - minutes % 60:02}:00Z"
    elif status == "pending":
        row["reason"] = "The trail is there and has delivered nothing yet."
    else:
        row["reason"] = WAYS[status].replace("{account}", account).replace("{region}", region)
    return row
