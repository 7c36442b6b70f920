# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KMS as CloudTrail asks it: find a key by whatever names it (aws-facts 2.11). moto answers KMS's own calls."""

from __future__ import annotations

from typing import Any

from lab.kernel.call import LabError
from lab.kernel.world import World


def find_key(world: World, text: str, account: str, bucket_region: str) -> Any:
    """moto's key for a key id, key ARN, alias name or alias ARN; it must be in the bucket's region.

    Raises LabError: InvalidKmsKeyIdException, KmsKeyNotFoundException (also for another region) or
    KmsKeyDisabledException.
    """
    region = bucket_region
    if text.startswith("arn:"):
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[2] != "kms" or not parts[5].startswith(("key/", "alias/")):
            raise LabError("InvalidKmsKeyIdException", f"Invalid KMS key ID or ARN: {text}")
        region, account, text = parts[3], parts[4], parts[5].removeprefix("key/")
    backend = world.moto("kms", account, region)
    identifier = backend.get_key_id_from_alias(text) if text.startswith("alias/") else text
    key = backend.keys.get(identifier)
    if key is None or region != bucket_region:
        raise LabError(
            "KmsKeyNotFoundException",
            f"KMS key {text} does not exist in region {bucket_region}, the region of the S3 bucket.",
        )
    if key.key_state != "Enabled":
        raise LabError("KmsKeyDisabledException", f"KMS key {key.arn} is disabled.")
    return key
