# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookup plugin: what a run did, in three lines."""

from __future__ import annotations

DOCUMENTATION = r"""
name: run_outcome
version_added: 1.2.0
short_description: Tells what a run changed or found, what is covered, and where the report lies
description:
  - The collection's playbooks end with these three lines, in check mode, too.
author:
  - The cloudsec.org_trail maintainers (@cloudsec)
options:
  trusted_access:
    description:
      - The variable that the role P(cloudsec.org_trail.trusted_access#role) leaves.
    type: dict
    default: {}
  organization_trail:
    description:
      - The variable that the role P(cloudsec.org_trail.organization_trail#role) leaves.
    type: dict
    default: {}
  coverage:
    description:
      - The variable that the role P(cloudsec.org_trail.coverage#role) leaves.
    type: dict
    default: {}
  drift:
    description:
      - Result of M(cloudsec.org_trail.cloudtrail_drift_info), for a run that only looks. The first line then says what
        drifted, not what changed.
    type: dict
    default: {}
  delegated_administrator:
    description:
      - Result of M(cloudsec.org_trail.cloudtrail_delegated_administrator) that registered, for a run that does.
    type: dict
    default: {}
  administrator:
    description:
      - Id of the account that is to be CloudTrail's delegated administrator. The first line then also says whether
        O(proof) proves that it sees and may change the trail.
    type: str
    default: ""
  proof:
    description:
      - Result of M(cloudsec.org_trail.cloudtrail_delegated_administrator) with C(state=proven).
    type: dict
    default: {}
  check_mode:
    description:
      - Whether the changes are foretold, not made.
    type: bool
    default: false
  not_asked:
    description:
      - Why the coverage was not asked for. When this is empty and there is no O(coverage), asking for it failed.
    type: str
    default: ""
  file:
    description:
      - The file that is named in place of the coverage's report.
    type: str
    default: ""
seealso:
  - module: cloudsec.org_trail.coverage_report
"""

EXAMPLES = r"""
- name: Show what happened
  ansible.builtin.debug:
    msg: >-
      {{ query('cloudsec.org_trail.run_outcome', trusted_access=trusted_access,
               organization_trail=organization_trail, coverage=coverage) }}
"""

RETURN = r"""
_raw:
  description:
    - Three lines. The first says what changed, would change or drifted, the second how many accounts and regions are
      covered, the third where the report lies.
  type: list
  elements: str
  sample:
    - "Changed: arn:aws:cloudtrail:us-east-1:111122223333:trail/default: logging: false → true"
    - "Coverage: 85 of 85 account regions in 5 accounts log to the organization trail."
    - "Report: /srv/org_trail/coverage/coverage.html"
"""

from collections.abc import Mapping
from typing import Any

from ansible.plugins.lookup import LookupBase
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.outcome import Outcome, outcome_lines


class LookupModule(LookupBase):  # type: ignore[misc, unused-ignore]
    """Answers lines; no connection, no module."""

    def run(self, terms: Any, variables: Mapping[str, Any] | None = None, **options: Any) -> list[str]:
        """The three lines."""
        self.set_options(var_options=variables, direct=options)
        return outcome_lines(Outcome(**{name: self.get_option(name) for name in Outcome.__dataclass_fields__}))
