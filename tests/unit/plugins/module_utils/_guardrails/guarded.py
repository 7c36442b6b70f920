# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A trail with its bucket and key, the roles of docs/iam, and guardrails that spare those that change something."""

from __future__ import annotations

from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import parse_trail_arn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace
from ansible_collections.cloudsec.org_trail.plugins.module_utils._guardrails.lockout import Keepers
from ansible_collections.cloudsec.org_trail.plugins.module_utils._guardrails.statements import Guarded

MANAGEMENT, ARCHIVE, ADMINISTRATOR = "111122223333", "444455556666", "777788889999"
TRAIL = parse_trail_arn(f"arn:aws:cloudtrail:us-east-1:{MANAGEMENT}:trail/default")
KEY = f"arn:aws:kms:us-east-1:{ARCHIVE}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
PLACE = LogPlace("org-logs", TRAIL, "o-exampleorgid", "central", KEY, ARCHIVE)

LOOKUP = f"arn:aws:iam::{ARCHIVE}:role/OrgTrailLogArchiveLookup"
REPAIR = f"arn:aws:iam::{ARCHIVE}:role/audit/OrgTrailLogArchiveRepair"
DELEGATE = f"arn:aws:iam::{ADMINISTRATOR}:role/OrgTrailAdministrator"
RETIRE = "arn:aws:iam::*:role/OrgTrailRetire"
WATCH = "arn:aws:iam::*:role/OrgTrailWatch"

KEEPERS = Keepers(LOOKUP, REPAIR, "OrgTrailCoverage", (DELEGATE,), "OrgTrailRetire", "OrgTrailWatch")
EXEMPT = (REPAIR, DELEGATE, RETIRE, WATCH)
GUARDED = Guarded(PLACE, EXEMPT, "OrgTrailCoverage", rules=("org-trail-*",), queues=("org-trail-drift",))
