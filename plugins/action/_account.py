# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell a module the account that its host stands for: the host variable ``account_id`` as the option of that name."""

from __future__ import annotations

from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.action._direct import ActionModule as Direct

ACCOUNT = "account_id"


class ActionModule(Direct):
    """The action of modules with the options of the doc fragment assume_role."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        given = self._task.args
        account = None if ACCOUNT in given else self._account(task_vars or {})
        try:
            if account is not None:
                self._task.args = {**given, ACCOUNT: str(account)}
            return super().run(tmp, task_vars)
        finally:
            self._task.args = given

    def _account(self, variables: dict[str, Any]) -> Any:
        """The account of the host that the task is delegated to, else of the task's host; None where none is named."""
        hostvars = variables.get("hostvars") or {}
        delegate = self._task.delegate_to
        account = hostvars[delegate].get(ACCOUNT) if delegate and delegate in hostvars else None
        return self._host_account(variables) if account is None else account

    def _host_account(self, variables: dict[str, Any]) -> Any:
        """The account of the task's host; None where it names none."""
        return self._templar.template(variables.get(ACCOUNT))
