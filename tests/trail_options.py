# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the module cloudtrail_organization_trail, made as Ansible and its main() make them; and a trail."""

from __future__ import annotations

import copy
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.options import TrailOptions, trail_options
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.settings import NEW_TRAIL, Settings
from ansible_collections.cloudsec.org_trail.plugins.modules.cloudtrail_organization_trail import ARGUMENTS

ME = "111122223333"
HOME = TrailArn("aws", "eu-central-1", ME, "default")
ARN = str(HOME)
KEY = f"arn:aws:kms:eu-central-1:{ME}:key/0a1b"
TOPIC = f"arn:aws:sns:eu-central-1:{ME}:topic"
GROUP = f"arn:aws:logs:eu-central-1:{ME}:log-group:trail"
ROLE = f"arn:aws:iam::{ME}:role/logs"

AFTER: Settings = {
    **NEW_TRAIL,
    "s3_bucket_name": "bucket",
    "is_organization_trail": True,
    "is_multi_region_trail": True,
    "logging": True,
}
"""An organization trail after a run, with what it must have and nothing more."""


def parameters_of(arguments: dict[str, Any], **given: object) -> dict[str, Any]:
    """A module's parameters: what is given, and the defaults. Raises ValueError for what the module would refuse."""
    result = ArgumentSpecValidator(copy.deepcopy(arguments)).validate(given)
    if result.error_messages or result.unsupported_parameters:
        raise ValueError(f"{result.error_messages} {result.unsupported_parameters}")
    validated: dict[str, Any] = result.validated_parameters
    return validated


def parameters(**given: object) -> dict[str, Any]:
    """The parameters of this module."""
    return parameters_of(ARGUMENTS, **given)


def options(**given: object) -> TrailOptions:
    """The module's options, typed."""
    return trail_options(parameters(**given))
