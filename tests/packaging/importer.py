# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge a built collection as Galaxy does when it is uploaded: python -m tests.packaging.importer dist/….tar.gz"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

from tests.packaging.collection_tree import BIN, ROOT, run_tool, tool_environment

COMPLAINT = re.compile(r"^(?:.*\b(?:ERROR|WARNING|CRITICAL)\b.*|\[DEPRECATION.*|Importer processing failed.*)$", re.M)
"""The importer logs much that is wrong, and then ends well."""


def judge(tarball: Path, folder: Path) -> tuple[list[str], str]:
    """Import a collection in an empty folder. Returns what is wrong, a line each, and all that the importer wrote."""
    shutil.copy2(tarball, folder)  # it writes beside the file
    environment = tool_environment(folder / "home", ANSIBLE_COLLECTIONS_PATH=str(ROOT / ".collections"))
    done = run_tool([BIN / "python", "-m", "galaxy_importer.main", folder / tarball.name], folder, environment)
    complaints = COMPLAINT.findall(done.stdout)
    if done.returncode or "Importer processing completed successfully" not in done.stdout:
        complaints.append(f"The importer ended with {done.returncode}.")
    return complaints, done.stdout


def main(tarball: str) -> str:
    """Judge a tarball; the text is what the importer wrote if something is wrong, and empty otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        complaints, output = judge(Path(tarball), Path(folder))
    return output + "\n".join(complaints) if complaints else ""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) or 0)
