# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of ansible-core's names sees each way in which one can be gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.release import __version__
from ansible_collections.cloudsec.org_trail.plugins.action import _direct

from tests.core_names import SOURCES, missing_names

KNOWN = (2, 19) <= tuple(map(int, __version__.split(".")[:2])) <= _direct.NEWEST_CORE
CLASS = "from ansible.plugins.action.normal import ActionModule as Normal\nclass ActionModule(Normal):\n"
ACTION = "ansible.plugins.action.normal.ActionModule"
JSONIFY = "from ansible.parsing.utils.jsonify import jsonify\n"


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("import json\nfrom json import nothing\n", []),
        ("from ansible.module_utils import basic\nbasic._ANSIBLE_ARGS = b''\n", []),
        ("from ansible.module_utils import _gone\n", ["ansible.module_utils._gone"]),
        ("try:\n    from ansible._gone import name\nexcept ImportError:\n    pass\n", ["ansible._gone.name"]),
        ("from ansible.module_utils import basic\nbasic._gone\n", ["ansible.module_utils.basic._gone"]),
        ("from ansible.module_utils import basic\nbasic._gone = 1\n", ["ansible.module_utils.basic._gone"]),
        ("from ansible.module_utils import basic as b\nb.os.gone()\n", ["ansible.module_utils.basic.os.gone"]),
        (f"{JSONIFY}jsonify({{}}, format=True)\n", []),
        (f"{JSONIFY}jsonify(*[{{}}], gone=True)\n", []),
        (f"{JSONIFY}jsonify(**{{}})\n", []),
        (
            f"{JSONIFY}jsonify({{}}, gone=True)\n",
            ["ansible.parsing.utils.jsonify.jsonify: got an unexpected keyword argument 'gone'"],
        ),
        (f"{JSONIFY}jsonify()\n", ["ansible.parsing.utils.jsonify.jsonify: missing a required argument: 'result'"]),
        (f"{CLASS}    a: int = 1\n    b = 2\n    def f(self): self.a, self.b, self.f, self._task, self.run\n", []),
        (f"{CLASS}    def f(self): self._gone\n", [f"{ACTION}._gone"]),
        (f"{CLASS}    def _gone(self): super()._gone()\n", [f"{ACTION}._gone"]),
    ],
)
def test_missing_names(source: str, missing: list[str]) -> None:
    assert missing_names(source) == missing


@pytest.mark.skipif(not KNOWN, reason="other releases of ansible-core have other names; ordinary modules run there")
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_this_ansible_core_has_every_name(path: Path) -> None:
    assert missing_names(path.read_text(encoding="utf-8")) == []
