# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The execution environment, built for real, without an image registry: a Debian base by debootstrap, ansible-builder's
build with podman, and runs of the playbooks inside it, by podman and by ansible-navigator.

It takes minutes and root. Debian's packages: debootstrap, podman, buildah, runc.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.inventory import write_inventory
from tests.lab_process import Lab
from tests.packaging.collection_tree import BIN, ROOT, installed_collections
from tests.packaging.local_galaxy import pack

pytestmark = pytest.mark.scale

TOOLS = ("debootstrap", "podman", "runc")
BASE, IMAGE = "localhost/debian:bookworm", "org-trail:latest"
GUIDE = ROOT / "docs" / "docsite" / "rst" / "execution_environment.rst"
CERTIFICATES = Path(os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().openssl_cafile)
CONTAINERS = '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n[engine]\nruntime = "runc"\n'
"""Limits that root may set in a container, too."""


def missing() -> str:
    """What this machine lacks for these tests, "" when it is nothing."""
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


@pytest.fixture(scope="module")
def environment(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which podman knows the image, which is built from the sample."""
    if lacking := missing():
        pytest.skip(f"needs {lacking}")
    folder = tmp_path_factory.mktemp("image")
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
    definition = write_definition(folder, tarball)
    run(
        [
            *("ansible-builder", "build", "--container-runtime", "podman", "--file", str(definition)),
            *("--context", str(folder / "context"), "--tag", IMAGE, "--verbosity", "3"),
            "--extra-build-cli-args=--isolation chroot --network host",
        ],
        settings,
    )
    yield settings
    run(["podman", "system", "reset", "--force"], settings)


def write_definition(folder: Path, tarball: Path) -> Path:
    """The sample, on Debian, with collections from files, and with the certificates of this machine."""
    definition = yaml.safe_load((ROOT / "execution-environment.yml").read_text(encoding="utf-8"))
    debian = yaml.safe_load(block("apt-get"))
    installed = installed_collections(BIN)
    files = [tarball, *(pack(installed / name / "aws", folder) for name in ("amazon", "community"))]
    definition |= {"images": {"base_image": {"name": BASE}}, "options": debian["options"]}
    definition["dependencies"] |= {
        **debian["dependencies"],
        "galaxy": {"collections": [{"name": f"collections/{one.name}", "type": "file"} for one in files]},
    }
    definition["additional_build_files"] = [
        *({"src": str(one), "dest": "collections"} for one in files),
        {"src": str(CERTIFICATES), "dest": "certificates"},
    ]
    trusted = "/etc/ssl/certs/ca-certificates.crt"
    definition["additional_build_steps"] = {
        "prepend_base": [f"COPY _build/certificates/{CERTIFICATES.name} {trusted}", f"ENV PIP_CERT={trusted}"]
    }
    path = folder / "execution-environment.yml"
    path.write_text(yaml.safe_dump(definition), encoding="utf-8")
    return path


def blocks() -> list[str]:
    """The examples of the guide, without their indentation."""
    found = re.findall(r"code-block:: \w+\n\n((?:   .*\n|\n)+)", GUIDE.read_text(encoding="utf-8"))
    return [textwrap.dedent(one).replace("\\\n", " ").strip() for one in found]


def block(*words: str) -> str:
    """The last example with all the words."""
    return [one for one in blocks() if all(word in one for word in words)][-1]


def last_lines(output: str, about: str) -> list[str]:
    """The three lines at the end of a run."""
    return re.findall(r'^ +"((?:Changed|Drifted|Coverage|Report): .*?)",?$', output, re.MULTILINE)[-3:] or [about]


def test_three_runs_as_another_user(environment: dict[str, str], tmp_path: Path) -> None:
    """The guide's podman command; the report's path is the reader's own."""
    tmp_path.chmod(0o777)
    with Lab("--enforce-iam") as lab:
        write_inventory(tmp_path / "inventory.yml", lab.ready)

        def play(name: str) -> list[str]:
            words = shlex.split(block("podman run").replace("$PWD", str(tmp_path)))
            words = [name if word.startswith("cloudsec.") else word for word in words]
            words.insert(2, "--network=host")
            return last_lines(run(words, environment | lab.environment, tmp_path), name)

        first, again, drift = (
            play(f"cloudsec.org_trail.{name}") for name in ("enable_org_trail",) * 2 + ("detect_drift",)
        )
        assert first[0].startswith("Changed: trusted access of cloudtrail.amazonaws.com: off → on; ")
        assert again == [
            "Changed: nothing",
            "Coverage: 85 of 85 account regions in 5 accounts log to the organization trail.",
            f"Report: {tmp_path}/report/coverage.html",
        ]
        assert drift[0].startswith("Drifted: nothing; ")
        assert drift[2] == f"Report: {tmp_path}/drift/drift.json"
        assert (tmp_path / "report" / "coverage.html").stat().st_uid == 1000
        assert (tmp_path / "drift" / "drift.json").is_file()


@pytest.mark.parametrize("keys", ["environment", "profile"])
def test_ansible_navigator_takes_the_sample(environment: dict[str, str], tmp_path: Path, keys: str) -> None:
    """With keys in the environment and no ~/.aws, and with a profile's files in it."""
    if not Path("/dev/mqueue").is_dir():
        pytest.skip("needs /dev/mqueue, as ansible-navigator does with podman")
    navigator, home = tmp_path / "navigator", tmp_path / "home"
    home.mkdir()
    tools = os.environ | {"UV_PYTHON": sys.executable}
    run([str(BIN / "uv"), "venv", "--quiet", str(navigator)], tools)
    python = str(navigator / "bin" / "python")
    run([str(BIN / "uv"), "pip", "install", "--quiet", "--python", python, "ansible-navigator"], tools)
    settings = yaml.safe_load((ROOT / "ansible-navigator.yml").read_text(encoding="utf-8"))
    image = settings["ansible-navigator"]["execution-environment"]
    image["environment-variables"]["pass"].append("AWS_ENDPOINT_URL")
    image |= {"container-engine": "podman", "container-options": ["--net=host"]}
    (tmp_path / "ansible-navigator.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    with Lab("--enforce-iam") as lab:
        write_inventory(tmp_path / "inventory.yml", lab.ready)
        names = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"}
        given = {name: lab.environment[name] for name in names}
        command = next(one for one in blocks() if "navigator run" in one and ("--eev" in one) is (keys == "profile"))
        if keys == "profile":
            (home / ".aws").mkdir()
            secrets = "".join(f"{name.lower()} = {given.pop(name)}\n" for name in sorted(names - {"AWS_ENDPOINT_URL"}))
            (home / ".aws" / "credentials").write_text(f"[management]\n{secrets}", encoding="utf-8")
            given["AWS_PROFILE"] = "management"
        words = shlex.split(command.replace("~", str(home)))
        own = {"HOME": str(home), "PATH": f"{navigator / 'bin'}:{environment['PATH']}", **given}
        output = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", run(words, environment | own, tmp_path))
    assert last_lines(output, output)[1:] == [
        "Coverage: 85 of 85 account regions in 5 accounts log to the organization trail.",
        f"Report: {tmp_path}/report/coverage.html",
    ]
    assert (tmp_path / "report" / "coverage.html").is_file()
