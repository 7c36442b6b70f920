# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Galaxy on this machine that has a few collections, so that a command which names galaxy.ansible.com's can run."""

from __future__ import annotations

import hashlib
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


def pack(installed: Path, target: Path) -> Path:
    """The tarball of a collection that is installed in a folder, made below ``target``."""
    info = json.loads((installed / "MANIFEST.json").read_bytes())["collection_info"]
    listed = json.loads((installed / "FILES.json").read_bytes())
    listed["files"] = [one for one in listed["files"] if (installed / one["name"]).exists()]  # PyPI's leave some out
    files = json.dumps(listed).encode()
    manifest = {
        "collection_info": info,
        "file_manifest_file": {
            "name": "FILES.json",
            "ftype": "file",
            "chksum_type": "sha256",
            "chksum_sha256": hashlib.sha256(files).hexdigest(),
            "format": 1,
        },
        "format": 1,
    }
    (target / "FILES.json").write_bytes(files)
    (target / "MANIFEST.json").write_text(json.dumps(manifest), encoding="utf-8")
    tarball = target / f"{info['namespace']}-{info['name']}-{info['version']}.tar.gz"
    with tarfile.open(tarball, "w:gz", compresslevel=1) as archive:
        for name in ("MANIFEST.json", "FILES.json"):
            archive.add(target / name, name)
        for one in listed["files"]:
            if one["name"] != ".":
                archive.add(installed / one["name"], one["name"], recursive=False)
    return tarball


def pages_of(tarball: Path, address: str) -> Iterator[tuple[str, Any]]:
    """What Galaxy's interface, version 3, answers about a collection of which there is one version."""
    with tarfile.open(tarball) as archive:
        manifest = archive.extractfile("MANIFEST.json")
        assert manifest
        info = json.loads(manifest.read())["collection_info"]
    root = f"/api/v3/collections/{info['namespace']}/{info['name']}/"
    href = f"{root}versions/{info['version']}/"
    version = {"version": info["version"], "href": href}
    yield root, {"href": root, "namespace": info["namespace"], "name": info["name"], "highest_version": version}
    yield f"{root}versions/", {"meta": {"count": 1}, "data": [version], "links": {"next": None}}
    yield (
        href,
        version
        | {
            "namespace": {"name": info["namespace"]},
            "collection": {"name": info["name"]},
            "download_url": f"{address}/{tarball.name}",
            "artifact": {"sha256": hashlib.sha256(tarball.read_bytes()).hexdigest(), "filename": tarball.name},
            "metadata": {"dependencies": info["dependencies"]},
            "signatures": [],
        },
    )


@contextmanager
def local_galaxy(tarballs: list[Path]) -> Iterator[str]:
    """Serve the collections of tarballs, one version each; the address for ANSIBLE_GALAXY_SERVER."""
    answers: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answers.get(self.path.partition("?")[0])
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{server.server_port}"
    answers["/api/"] = json.dumps({"available_versions": {"v3": "v3/"}}).encode()
    for tarball in tarballs:
        answers[f"/{tarball.name}"] = tarball.read_bytes()
        answers.update((path, json.dumps(page).encode()) for path, page in pages_of(tarball, address))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{address}/api/"
    finally:
        server.shutdown()
        server.server_close()
