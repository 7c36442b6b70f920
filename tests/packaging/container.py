# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images built for real from the samples, without an image registry: a Debian base by debootstrap, then ansible-builder
with podman.

It takes minutes and root. Debian's packages: debootstrap, podman, buildah, runc.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import ssl
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.packaging.collection_tree import BIN, ROOT

TOOLS = ("debootstrap", "podman", "runc")
BASE = "localhost/debian:bookworm"
GUIDE = ROOT / "docs" / "docsite" / "rst" / "execution_environment.rst"
CERTIFICATES = Path(os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().openssl_cafile)
CONTAINERS = '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n[engine]\nruntime = "runc"\n'
"""Limits that root may set in a container, too."""


def missing() -> str:
    """What this machine lacks to build an image, "" when it is nothing."""
    lacking = [tool for tool in TOOLS if not shutil.which(tool)]
    if os.geteuid() != 0:
        lacking.append("root")
    return ", ".join(lacking)


def run(command: list[str], environment: dict[str, str], cwd: Path = ROOT, data: Any = None) -> str:
    """Run a command that must succeed; its output."""
    done = subprocess.run(
        command, cwd=cwd, env=environment, stdin=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    output = done.stdout.decode(errors="replace")
    assert done.returncode == 0, f"{shlex.join(command)}\n{output[-5000:]}"
    return output


@contextmanager
def podman(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of a podman that keeps its images below a folder, until the block ends, and knows Debian."""
    (folder / "containers.conf").write_text(CONTAINERS, encoding="utf-8")
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "{os.environ.get("STORAGE_DRIVER", "overlay")}"\n'
        f'graphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n',
        encoding="utf-8",
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_"))}
    settings = kept | {
        "PATH": f"{BIN}:{kept['PATH']}",
        "HOME": str(folder / "home"),
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
    }
    (folder / "home").mkdir()
    base = folder / "base"
    run(["debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", str(base)], settings)
    with subprocess.Popen(["tar", "--create", "--directory", base, "."], stdout=subprocess.PIPE) as archive:
        run(["podman", "import", "-", BASE], settings, data=archive.stdout)
    shutil.rmtree(base)
    try:
        yield settings
    finally:
        run(["podman", "system", "reset", "--force"], settings)


def build(sample: Path, tag: str, collections: list[Path], settings: dict[str, str], folder: Path) -> None:
    """Build a sample on Debian, with collections from files, and with the certificates of this machine.

    Debian's names of packages are those of the guide and, in a comment, of the sample.
    """
    definition = yaml.safe_load(sample.read_text(encoding="utf-8"))
    debian = yaml.safe_load(block("apt-get"))
    definition |= {"images": {"base_image": {"name": BASE}}, "options": debian["options"]}
    definition["dependencies"] |= {
        **debian["dependencies"],
        "galaxy": {"collections": [{"name": f"collections/{one.name}", "type": "file"} for one in collections]},
    }
    if "system" in definition["dependencies"]:
        definition["dependencies"]["system"] = re.findall(r"on Debian (\S+)", sample.read_text(encoding="utf-8"))
    definition["additional_build_files"] = [
        *({"src": str(one), "dest": "collections"} for one in collections),
        {"src": str(CERTIFICATES), "dest": "certificates"},
    ]
    trusted = "/etc/ssl/certs/ca-certificates.crt"
    definition["additional_build_steps"] = {
        "prepend_base": [f"COPY _build/certificates/{CERTIFICATES.name} {trusted}", f"ENV PIP_CERT={trusted}"]
    }
    path = folder / f"{tag}.yml"
    path.write_text(yaml.safe_dump(definition), encoding="utf-8")
    run(
        [
            *("ansible-builder", "build", "--container-runtime", "podman", "--file", str(path)),
            *("--context", str(folder / f"{tag}.context"), "--tag", f"{tag}:latest", "--verbosity", "3"),
            "--extra-build-cli-args=--isolation chroot --network host",
        ],
        settings,
    )


def blocks(guide: Path = GUIDE) -> list[str]:
    """The examples of a guide, without their indentation."""
    found = re.findall(r"code-block:: \w+\n\n((?:   .*\n|\n)+)", guide.read_text(encoding="utf-8"))
    return [textwrap.dedent(one).replace("\\\n", " ").strip() for one in found]


def block(*words: str) -> str:
    """The last example of the guide to execution environments with all the words."""
    return [one for one in blocks() if all(word in one for word in words)][-1]
