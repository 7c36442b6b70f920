# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What galaxy.yml, the change log and git say of a release, and whether they agree.

python -m tests.release ready       before the change log is written: may galaxy.yml's version be released?
python -m tests.release next        after it: what is left to do
python -m tests.release tag 1.1.0   before it is published: is this commit the release of that name?
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
NEXT = """\
1. Read CHANGELOG.rst from its top. To change a sentence: git restore . brings the fragments back; edit there.
2. Commit: git add --all && git commit --message "Release {version}". Bring the commit to main as any other change.
3. When CI has passed there: gh workflow run release.yml --field version={version}"""


@dataclass(frozen=True)
class State:
    """What there is. Versions are text such as 1.1.0.

    version: of galaxy.yml; it is the next release, or, from the release's commit on, the newest one.
    releases: what the change log lists.
    fragments: names of the files that wait for the next release.
    tags: of git.
    changes: files that differ from the last commit.
    """

    version: str
    releases: tuple[str, ...]
    fragments: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()

    @property
    def newest(self) -> str:
        """The newest release of the change log."""
        return max(self.releases, key=number)


def number(version: str) -> tuple[int, ...]:
    """A version such as 1.10.0, for comparison. ValueError for another form: releases have three numbers."""
    major, minor, patch = version.split(".")
    return int(major), int(minor), int(patch)


def stale(state: State) -> list[str]:
    """Why the version is behind: no change may wait for a version that is released. Sentences; none when it is not."""
    if number(state.version) < number(state.newest):
        return [f"galaxy.yml says {state.version}, and the change log has {state.newest} already."]
    if state.version == state.newest and state.fragments:
        waiting = ", ".join(state.fragments)
        return [f"{state.version} is released, and changes wait ({waiting}): set the next version in galaxy.yml."]
    return []


def unready(state: State) -> list[str]:
    """Why the version of galaxy.yml cannot be released from this work tree. Sentences; none when it can."""
    reasons = stale(state)
    if state.version == state.newest and not reasons:
        reasons.append(f"{state.version} is released, and nothing waits in changelogs/fragments.")
    if state.changes:
        reasons.append(f"The work tree differs from the last commit: {', '.join(state.changes)}.")
    if state.version in state.tags:
        reasons.append(f"There is a tag {state.version} already.")
    return reasons


def unlike(state: State, tag: str) -> list[str]:
    """Why a commit cannot get a tag and be published under its name. Sentences; none when it can."""
    reasons = [
        f"The tag would be {tag}, and {place} says {version}."
        for place, version in (("galaxy.yml", state.version), ("the change log's newest entry", state.newest))
        if version != tag
    ]
    if state.fragments:
        reasons.append(f"Changes wait that the change log lacks: {', '.join(state.fragments)}.")
    if tag in state.tags:
        reasons.append(f"There is a tag {tag} already.")
    return reasons


def look() -> State:
    """What the work tree and git say now. The tags are those that were fetched."""
    changelog = yaml.safe_load((ROOT / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))
    return State(
        version=yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"],
        releases=tuple(changelog["releases"]),
        fragments=tuple(sorted(path.name for path in (ROOT / "changelogs" / "fragments").glob("*.y*ml"))),
        tags=git("tag", "--list"),
        changes=git("status", "--short"),
    )


def git(*arguments: str) -> tuple[str, ...]:
    """The lines that a git command prints."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return tuple(line.strip() for line in done.stdout.splitlines())


def main(question: str, tag: str = "") -> str:
    """Answer one of the questions above; the text says why not, and is empty when all is well."""
    state = look()
    if question == "next":
        sys.stdout.write(NEXT.format(version=state.version) + "\n")
        return ""
    reasons = unlike(state, tag) if question == "tag" else unready(state)
    return "\n".join(reasons)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) or 0)
