# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GetTrailStatus in each account and region with botocove. Arguments: the trail's ARN, the regions."""

from __future__ import annotations

import sys
from typing import Any

from botocove import cove


def main(trail: str, regions: list[str]) -> None:
    @cove  # type: ignore[untyped-decorator, unused-ignore]
    def look(session: Any) -> list[bool]:
        clients = (session.client("cloudtrail", region_name=region) for region in regions)
        states = [client.get_trail_status(Name=trail) for client in clients]
        return [state["IsLogging"] and not state.get("LatestDeliveryError") for state in states]

    answer = look()
    assert not answer["Exceptions"], answer["Exceptions"]
    assert not answer["FailedAssumeRole"], answer["FailedAssumeRole"]
    print(sum(sum(one["Result"]) for one in answer["Results"]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
