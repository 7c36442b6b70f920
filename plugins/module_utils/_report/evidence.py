# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a report evidence: of which organization, who looked, when, with what, and at how much."""

from __future__ import annotations

from .document import Document, checked_between

ASKED = {
    "accounts": {"organization": "all of the organization", "given": "those given"},
    "regions": {"enabled": "all that are enabled", "given": "those given"},
}


def organization_of(document: Document) -> str:
    """Id of the organization, by the trail, the bucket or the accounts' own places in it; "" when none tells."""
    roots = {account["ou_path"].split("/")[0] for account in document["accounts"]}
    named = (document["trail"].get("organization_id"), document["log_bucket"].get("organization_id"), *sorted(roots))
    return next((str(one) for one in named if str(one or "").startswith("o-")), "")


def describe_look(document: Document) -> list[tuple[str, str]]:
    """Label and text of what a reader has to know to rely on the report; what nobody told is said to be so."""
    first, last = checked_between(document)
    scope = document["scope"]
    return [
        ("Organization", organization_of(document) or "not told"),
        ("By", ", ".join(document["checked_by"]) or "not told"),
        ("With", ", ".join(f"cloudsec.org_trail {one}" for one in document["versions"]) or "not told"),
        ("From", first or "not told"),
        ("Until", last or "not told"),
        ("Accounts", f"{len(document['accounts']):,}, {_asked('accounts', scope.get('accounts'))}"),
        ("Regions", f"{len(document['regions'])}, {_asked('regions', scope.get('regions'))}"),
    ]


def _asked(what: str, scope: str | None) -> str:
    return ASKED[what].get(scope or "", "perhaps not all")
