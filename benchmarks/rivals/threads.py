# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GetTrailStatus in each account and region, a thread for an account: the script that everybody has.

Arguments: the trail's ARN, the number of accounts, the regions.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3

WORKERS = 20


def look(trail: str, account: str, keys: Any, regions: list[str]) -> dict[tuple[str, str], bool]:
    """Whether the trail logs, by account and region."""
    session = boto3.session.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    found = {}
    for region in regions:
        status = session.client("cloudtrail", region_name=region).get_trail_status(Name=trail)
        found[account, region] = status["IsLogging"] and not status.get("LatestDeliveryError")
    return found


def main(trail: str, accounts: int, regions: list[str]) -> None:
    sts = boto3.client("sts")
    management = int(trail.split(":")[4])

    def visit(number: int) -> dict[tuple[str, str], bool]:
        account = str(management + number)
        role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
        return look(trail, account, sts.assume_role(RoleArn=role, RoleSessionName="bench")["Credentials"], regions)

    found: dict[tuple[str, str], bool] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        for one in pool.map(visit, range(1, accounts)):
            found.update(one)
    print(sum(found.values()))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
