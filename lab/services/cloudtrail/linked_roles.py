# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudTrail's service-linked roles, which it makes with the caller's permissions (aws-facts 1.5, 1.8)."""

from __future__ import annotations

from copy import copy

from lab.kernel.call import Call, LabError
from lab.kernel.world import World
from lab.services.cloudtrail.access import SERVICE
from lab.services.iam.api import has_service_linked_role, make_service_linked_role
from lab.services.iam.authorizer import authorize


def may(world: World, call: Call, service: str, operation: str, **parameters: str) -> bool:
    """Whether the caller might make another call, which CloudTrail makes in its name."""
    other = copy(call)
    other.service, other.operation, other.parameters = service, operation, parameters
    try:
        authorize(world, other)
    except LabError:
        return False
    return True


def make_linked_role(world: World, call: Call, management: str, service: str) -> bool:
    """Make a role unless it is there; False when the caller may not."""
    if not has_service_linked_role(world, management, service):
        if not may(world, call, "iam", "CreateServiceLinkedRole", AWSServiceName=service):
            return False
        make_service_linked_role(world, management, service)
    return True


def require_service_linked_role(world: World, call: Call, management: str) -> None:
    """Make AWSServiceRoleForCloudTrail as CloudTrail does, with the caller's permissions (aws-facts 1.5, 1.9)."""
    if not make_linked_role(world, call, management, SERVICE):
        raise LabError(
            "InsufficientDependencyServiceAccessPermissionException",
            "AWS CloudTrail cannot create resources for your organization because access to one or more required APIs "
            "has been denied.",
        )
