# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the statuses mean together."""

from __future__ import annotations

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.statuses import (
    ANSWERED,
    FAIL_ON,
    HEALED_BY_WAITING,
    NOT_COUNTED,
    QUIET,
    STATUSES,
    UNCHECKED,
    failing_statuses,
)


def test_letters_are_told_apart() -> None:
    assert len({status.letter for status in STATUSES.values()}) == len(STATUSES)
    assert all(len(status.letter) == 1 for status in STATUSES.values())


def test_what_is_unchecked_is_no_answer() -> None:
    assert set(STATUSES) - set(ANSWERED) == {UNCHECKED}


def test_what_is_not_good_fails() -> None:
    assert set(FAIL_ON) == {
        "missing",
        "not_logging",
        "management_events_missing",
        "delivery_error",
        "home_region_disabled",
        "silent",
        "denied",
        "denied_by_scp",
        "unreachable",
    }
    assert set(ANSWERED) - set(FAIL_ON) == QUIET == {"covered", "pending", "region_disabled", "account_closed"}


def test_where_no_event_can_happen_nothing_is_counted() -> None:
    assert {"region_disabled", "account_closed"} == NOT_COUNTED


def test_waiting_heals_no_refusal() -> None:
    assert {"pending", "missing", "not_logging", "delivery_error", "silent", "unreachable"} == HEALED_BY_WAITING


@pytest.mark.parametrize(
    ("named", "more"),
    [
        ([], set()),
        (["denied"], {"denied_by_scp"}),
        (["denied_by_scp"], set()),
        (["missing"], {"home_region_disabled"}),
        (["silent"], set()),
    ],
)
def test_a_list_of_before_a_status_had_its_name_still_means_it(named: list[str], more: set[str]) -> None:
    assert failing_statuses(named) == {UNCHECKED, *named, *more}


@pytest.mark.parametrize("name", [*FAIL_ON, UNCHECKED, "pending"])
def test_what_is_not_covered_has_a_remedy(name: str) -> None:
    assert STATUSES[name].remedy.endswith(".")
