# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make docs` builds the site without a warning, no link in it leads nowhere, and everything has a page."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from tests.packaging.collection_tree import ROOT, run_tool
from tests.unit.documented import MODULES, ROLES

SITE = ROOT / "dist" / "docs"
REPOSITORY = "https://github.com/cloudsec/org_trail/"
"""Links into the repository name a file or folder on its main branch."""
PUBLISHED = "https://cloudsec.github.io/org_trail/"
"""Where the workflow Release publishes the site."""

INVENTORIES = [path.stem for path in (ROOT / "plugins" / "inventory").glob("*.py")]


class Page(HTMLParser):
    """The anchors of a page and what it refers to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value or "")
            elif name in ("href", "src"):
                self.links.add(value or "")


@pytest.fixture(scope="module")
def pages() -> dict[Path, Page]:
    """Every page of the site, which is built first; a warning of Sphinx is an error."""
    done = run_tool(["make", "docs", f"PYTHON={sys.executable}"], ROOT, dict(os.environ))
    assert done.returncode == 0, done.stdout
    return {path: Page(path) for path in sorted(SITE.rglob("*.html"))}


def internal(path: Path, page: Page) -> Iterator[tuple[str, Path, str]]:
    """Links within the site: as written, the file, and the anchor in it."""
    for link in page.links:
        parts = urlsplit(link)
        if not parts.scheme and not parts.netloc:
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            yield link, file, unquote(parts.fragment)


def test_every_internal_link_resolves(pages: dict[Path, Page]) -> None:
    links = [(path, *link) for path, page in pages.items() for link in internal(path, page)]
    assert len(links) > 1000
    broken = [
        f"{path.relative_to(SITE)}: {link}"
        for path, link, file, anchor in links
        if not file.is_file() or (anchor and file in pages and anchor not in pages[file].anchors)
    ]
    assert broken == []


def test_links_into_the_repository_name_what_is_there(pages: dict[Path, Page]) -> None:
    named = {
        urldefrag(link)[0].split("/main/", 1)[1]
        for page in pages.values()
        for link in page.links
        if link.startswith(REPOSITORY) and "/main/" in link
    }
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_readme_links_to_pages_that_the_site_has(pages: dict[Path, Page]) -> None:
    """The README names them by the address of the published site, because GitHub shows a guide's source as text."""
    links = re.findall(rf"{re.escape(PUBLISHED)}([^)\s>]+\.html)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert "collection/docsite/start.html" in links
    assert [link for link in links if SITE / link not in pages] == []


def test_every_module_plugin_and_role_has_a_page(pages: dict[Path, Page]) -> None:
    names = [f"{name}_module" for name in MODULES] + [f"{name}_role" for name in ROLES]
    names += [f"{name}_inventory" for name in INVENTORIES]
    assert [name for name in names if SITE / "collection" / f"{name}.html" not in pages] == []


def test_every_page_is_reached_from_the_first(pages: dict[Path, Page]) -> None:
    seen, left = set(), [SITE / "index.html"]
    while left:
        path = left.pop()
        if path in pages and path not in seen:
            seen.add(path)
            left += [file for _link, file, _anchor in internal(path, pages[path])]
    assert set(pages) - seen - {SITE / "search.html"} == set()


def test_the_first_page_leads_a_newcomer(pages: dict[Path, Page]) -> None:
    text = (SITE / "index.html").read_text(encoding="utf-8")
    assert text.index("collection/docsite/start.html") < text.index("collection/docsite/conversion.html")
    assert {"_images/architecture.svg", "_images/coverage-report.png"} <= pages[SITE / "index.html"].links
