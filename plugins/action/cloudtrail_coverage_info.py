# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of the module of the same name: the play's hosts as accounts, and the module's progress.

A module knows no hosts and cannot print. It appends lines to a file, and while it runs in a fork (see ``_direct``) this
plugin shows them. An ordinary module's progress is not shown.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from typing import IO, Any

from ansible import constants
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.utils.display import Display
from ansible_collections.cloudsec.org_trail.plugins.action._account import ActionModule as AccountAction
from ansible_collections.cloudsec.org_trail.plugins.action._direct import preload

preload(__name__)
display = Display()

HOST_VARIABLES = {
    "id": "account_id",
    "name": "account_name",
    "state": "account_state",
    "ou_path": "account_ou_path",
    "ou_names": "account_ou_names",
    "joined_at": "account_joined_at",
    "assume_role_arn": "assume_role_arn",
    "assume_role_external_id": "assume_role_external_id",
}
"""Fields of the option ``accounts``, and the host variables that the inventory organizations_accounts gives them in."""


class ActionModule(AccountAction):
    """The module's action, with lines of progress in the play's output."""

    _lines: IO[str] | None = None
    _asks_hosts = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        given, variables = self._task.args, task_vars or {}
        arguments = dict(given)
        self._asks_hosts = boolean(given.get("accounts_from_hosts"), strict=False)  # the module refuses what is none
        if self._asks_hosts:
            del arguments["accounts_from_hosts"]
            if arguments.get("accounts") is not None:
                return {"failed": True, "msg": "parameters are mutually exclusive: accounts|accounts_from_hosts"}
            hosts = variables.get("ansible_play_hosts_all") or []
            arguments["accounts"] = accounts_of(hosts, variables["hostvars"])
        shows = self._connection.transport == "local" and not self._task.async_val and not given.get("progress_path")
        try:
            # Ansible's own folder, which goes with the run, also when the run is ended by a signal.
            with tempfile.NamedTemporaryFile("r", prefix="coverage_", dir=constants.DEFAULT_LOCAL_TMP) as file:
                if shows:
                    self._lines = file
                    arguments["progress_path"] = file.name
                self._task.args = arguments
                return super().run(tmp, task_vars)
        finally:
            self._task.args, self._lines = given, None

    def _host_account(self, variables: dict[str, Any]) -> Any:
        """Where hosts are the accounts to ask, none of them says in which account to work."""
        return None if self._asks_hosts else super()._host_account(variables)

    def _tick(self) -> None:
        for line in self._lines or ():
            display.display(line.rstrip("\n"))


def accounts_of(hosts: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The hosts as accounts, in the form of the option ``accounts``; "" for a host variable that is not set."""
    # Each look into hostvars gathers all variables of the host anew.
    return [
        {field: _plain(of.get(name)) for field, name in HOST_VARIABLES.items()}
        for of in map(hostvars.__getitem__, hosts)
    ]


def _plain(value: Any) -> str | list[str]:
    return [str(one) for one in value] if isinstance(value, list) else str(value or "")
