# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do what the sentences on a bucket's policy say, word for word, as a reader would."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace

from tests.broken_policies import Document
from tests.iam_files import listed
from tests.policy_cases import KEY


def follow(label: str, fix: str, policy: Document | None, place: LogPlace) -> tuple[Document, LogPlace]:
    """Do what the first alternative of a remedy says to the statement of that label, or to the trail."""
    fix = fix.rstrip(".")
    changed = copy.deepcopy(policy) or {"Version": "2012-10-17", "Statement": []}
    if match := re.match(r"Give the trail (?:a KMS key|the KMS key (\S+))", fix):
        return changed, replace(place, kms_key_arn=match[1] or KEY)
    if match := re.match(r"Set organization_trail_s3_key_prefix \(here s3_key_prefix\) to '(.*?)'", fix):
        return changed, replace(place, prefix=match[1])
    if match := re.match(r'Add (\{"Sid".*\})$', fix):
        statement = json.loads(match[1])
        statement["Sid"] += f"Added{len(changed['Statement'])}"
        changed["Statement"].append(statement)
        return changed, place
    labels = [one.get("Sid") or f"statement {index + 1}" for index, one in enumerate(changed["Statement"])]
    statement = changed["Statement"][labels.index(label)]
    first = re.split(r", or (?:add|give|let) ", fix)[0]
    if match := re.match(r"Let this Deny spare AWS services: add (\{.*\}) to its Condition", first):
        for operator, keys in json.loads(match[1]).items():
            statement.setdefault("Condition", {}).setdefault(operator, {}).update(keys)
        return changed, place
    for value, element in re.findall(r"[Aa]dd (.+?) to ((?:Condition \S+ \S+)|[A-Z]\w+)(?= and |$)", first):
        add(statement, element, value)
    assert changed != policy, fix
    return changed, place


def add(statement: dict[str, Any], element: str, value: str) -> None:
    """Add a value to an element of a statement."""
    if element.startswith("Condition "):
        _condition, operator, key = element.split(" ")
        keys = statement["Condition"][operator]
        keys[key] = [*listed(keys[key]), value]
    elif element.endswith("Principal"):
        for kind, one in json.loads(value).items():
            statement[element][kind] = [*listed(statement[element].get(kind, [])), one]
    else:
        statement[element] = [*listed(statement[element]), value]
