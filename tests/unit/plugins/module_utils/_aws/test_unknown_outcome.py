# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.unknown_outcome import write_and_look

from tests.canned_aws import client_error

LOST, DENIED = client_error("ServiceException", 500), client_error("AccessDeniedException")


@pytest.mark.parametrize(
    ("outcomes", "writes", "raises"),
    [
        ([(True, None)], 1, False),
        ([(True, LOST)], 1, False),
        ([(False, LOST), (True, None)], 2, False),
        ([(False, LOST)] * 3, 3, True),
        ([(False, DENIED)], 1, True),
    ],
)
def test_a_write_is_made_again_only_when_it_was_not_done(
    outcomes: list[tuple[bool, Exception | None]], writes: int, raises: bool
) -> None:
    made: list[bool] = []

    def write() -> None:
        works, error = outcomes[len(made)]
        made.append(works)
        if error:
            raise AnsibleAWSError(message="Failed", exception=error)

    try:
        write_and_look(write, lambda: any(made), lambda _seconds: None)
    except AnsibleAWSError:
        assert raises
    else:
        assert not raises
    assert len(made) == writes
