# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guardrails as policies: names, types, and sizes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._guardrails.policies import guardrails, split
from ansible_collections.cloudsec.org_trail.plugins.module_utils._guardrails.statements import member_statements
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.policy_change import LARGEST

from .guarded import GUARDED


def test_guardrails() -> None:
    assert [(one.name, one.type, one.scope, len(one.sids())) for one in guardrails(GUARDED)] == [
        ("org-trail-members", "service_control_policy", "members", 8),
        ("org-trail-log-archive", "service_control_policy", "log_archive", 4),
        ("org-trail-resources", "resource_control_policy", "resources", 2),
    ]


@pytest.mark.parametrize("exempt", range(0, 100, 7))
def test_policies_are_as_few_and_as_large_as_aws_takes(exempt: int) -> None:
    names = tuple(f"arn:aws:iam::111122223333:role/automation/Number{number:04}" for number in range(exempt))
    guarded = replace(GUARDED, exempt=names)
    made = guardrails(guarded)
    assert all(one.characters <= LARGEST[one.type] for one in made)
    assert len({one.name for one in made}) == len(made)
    members = [one for one in made if one.scope == "members"]
    assert [sid for one in members for sid in one.sids()] == [one["Sid"] for one in member_statements(guarded)]
    for one, other in pairwise(members):
        longer = [*one.content["Statement"], other.content["Statement"][0]]
        assert len(split(longer, LARGEST[one.type])) == 2


def test_a_statement_that_fits_nowhere() -> None:
    names = tuple(f"arn:aws:iam::111122223333:role/automation/Number{number:04}" for number in range(300))
    with pytest.raises(AnsibleOrgTrailError, match=r"The guardrail OrgTrailKeepTrail has \d+ characters"):
        guardrails(replace(GUARDED, exempt=names))
