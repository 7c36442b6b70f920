# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of drifts as a file for others."""

from __future__ import annotations

from xml.etree import ElementTree

from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.drifts import as_junit, failure_drift


def test_junit_is_xml_whatever_a_message_holds() -> None:
    text = as_junit(failure_drift(["\x1b[31mno\x00 \udc80 <é> 日本 \U0001f511"]), "2026-01-02T12:00:00Z")
    text.encode("utf-8")
    failure = ElementTree.fromstring(text).find("testcase/failure")
    assert failure is not None
    assert "\ufffd[31mno\ufffd \ufffd <é> 日本 \U0001f511" in failure.attrib["message"]
