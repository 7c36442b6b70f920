# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report in a real browser: right, usable at any size, by keyboard and by everyone, and safe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.statuses import QUIET, STATUSES
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.document import Document, cells
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.report.conftest import Browser, axe_source, write_page
from tests.report.worlds import HOSTILE_NAMES, REGIONS, WAYS, world

MATRIX = """
return [...document.querySelectorAll('#grid .rows .line')].map((line) => ({
  id: line.querySelector('.id').textContent,
  name: line.querySelector('.who bdi').textContent,
  row: Number(line.getAttribute('aria-rowindex')),
  cells: [...line.querySelectorAll('.cell')].map((cell) => cell.getAttribute('aria-label')),
}));
"""
CONTRASTS = """
const parse = (text) => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
const channel = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const over = ([r, g, b, a = 1], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
const background = (element) => {
  if (!element) return [255, 255, 255];
  return over(parse(getComputedStyle(element).backgroundColor), background(element.parentElement));
};
const opacity = (element) => element ? Number(getComputedStyle(element).opacity) * opacity(element.parentElement) : 1;
const found = [];
for (const element of document.querySelectorAll('body *')) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || !element.checkVisibility() || element.closest('.badge.covered, .skip, option')) continue;
  const behind = background(element);
  const [r, g, b, a = 1] = parse(getComputedStyle(element).color);
  const before = over([r, g, b, a * opacity(element)], behind);
  const [light, dark] = [luminance(before), luminance(behind)].sort((left, right) => right - left);
  found.push([(light + 0.05) / (dark + 0.05), element.className || element.tagName, element.textContent.slice(0, 40)]);
}
return found;
"""
COLUMNS = """
const middles = (selector) => [...document.querySelectorAll(selector)].map((cell) => {
  const {left, right} = cell.getBoundingClientRect();
  return Math.round((left + right) / 2);
});
return [middles('#grid .head .cell'), middles('#grid .rows .line:first-child .cell')];
"""
TWENTY = world(20, wrong=len(WAYS), pending=1)


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture
def twenty(browser: Browser, pages: Path) -> Document:
    document = write_page(pages / "twenty.html", TWENTY)
    browser.open(pages / "twenty.html")
    return document


@pytest.fixture(scope="session")
def written_big(pages: Path) -> Document:
    return write_page(pages / "big.html", world(10_000, wrong=40, pending=25))


@pytest.fixture
def big(browser: Browser, pages: Path, written_big: Document) -> Document:
    browser.open(pages / "big.html")
    return written_big


def expected_cells(document: Document) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for account, region, status in cells(document):
        found.setdefault(account, []).append(f"{region}: {STATUSES[status].title}")
    return found


def shown(browser: Browser) -> str:
    return str(browser.driver.find_element(By.ID, "shown").text)


def details(browser: Browser) -> str:
    return str(browser.driver.find_element(By.ID, "details").text)


def choose(browser: Browser, field: str, value: str) -> None:
    browser.js(
        "const field = document.getElementById(arguments[0]); field.value = arguments[1];"
        "field.dispatchEvent(new Event('input', {bubbles: true}));",
        field,
        value,
    )


def press(browser: Browser, *keys: str) -> None:
    for key in keys:
        browser.driver.switch_to.active_element.send_keys(key)


def focused(browser: Browser) -> tuple[int, int]:
    """Row and column of the cell with the focus."""
    return tuple(
        browser.js("const {row, column} = document.activeElement.dataset; return [Number(row), Number(column)]")
    )


# What it shows


def test_every_cell_of_20_accounts_is_right(browser: Browser, twenty: Document) -> None:
    assert {line["id"]: line["cells"] for line in browser.js(MATRIX)} == expected_cells(twenty)


def test_every_cell_of_10000_accounts_is_right(browser: Browser, big: Document) -> None:
    expected = expected_cells(big)
    found: dict[str, list[str]] = {}
    choose(browser, "order", "id")
    for first in range(0, 10_000, 400):
        browser.js("document.getElementById('grid').scrollTop = arguments[0] * 32", first)
        # two frames: the scroll event, then the drawing it asks for
        browser.driver.execute_async_script(
            "requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(arguments[0])))"
        )
        found |= {line["id"]: line["cells"] for line in browser.js(MATRIX)}
    assert len(found) > 750  # a window of rows at each of 25 places
    assert found.items() <= expected.items()


def test_few_rows_are_drawn_of_10000(browser: Browser, big: Document) -> None:
    rows = browser.js(MATRIX)
    assert len(rows) < 100
    assert browser.js("return document.getElementById('grid').getAttribute('aria-rowcount')") == "10001"


@pytest.mark.parametrize("size", ["twenty", "big"])
@pytest.mark.parametrize("width", [390, 1024, 1440])
def test_regions_stand_above_their_columns(
    browser: Browser, size: str, width: int, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(size)
    browser.cdp("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 1000)
    try:
        heads, columns = browser.js(COLUMNS)
    finally:
        browser.cdp("Emulation.clearDeviceMetricsOverride")
    assert len(heads) == len(REGIONS)
    assert heads == columns


def test_regions_scroll_behind_the_head_of_the_accounts(browser: Browser, twenty: Document) -> None:
    browser.cdp("Emulation.setDeviceMetricsOverride", width=390, height=800, deviceScaleFactor=1, mobile=True)
    try:
        over = browser.js("""
            document.getElementById('grid').scrollIntoView();
            document.getElementById('grid').scrollLeft = 100;
            const {left, top} = document.querySelector('#grid .head').parentElement.getBoundingClientRect();
            return document.elementFromPoint(left + 60, top + 10).className;
        """)
    finally:
        browser.cdp("Emulation.clearDeviceMetricsOverride")
    assert over == "who"


def test_20_accounts_are_all_in_sight(browser: Browser, twenty: Document) -> None:
    assert browser.js("const grid = document.getElementById('grid'); return grid.scrollHeight - grid.clientHeight") == 0


def test_verdict_comes_first(browser: Browser, twenty: Document) -> None:
    text = browser.driver.find_element(By.TAG_NAME, "body").text
    headline = "41 account regions are not covered, 19 not known"
    assert text.startswith(f"CloudTrail coverage of the organization\n{headline}\n60 of 321")
    assert browser.driver.title.startswith(headline)


def test_trail_bucket_changes_and_time_are_told(browser: Browser, twenty: Document) -> None:
    text = browser.driver.find_element(By.TAG_NAME, "body").text
    for part in (
        "arn:aws:cloudtrail:us-east-1:111122223333:trail/default",
        "aws-cloudtrail-logs-444455556666-0a1b2c3d",
        "UpdateTrail: IsOrganizationTrail, S3BucketName",
        "Checked 2026-08-01 14:03 UTC · 20 accounts · 17 regions",
    ):
        assert part in text


def test_each_kind_of_exception_says_what_to_do(browser: Browser, twenty: Document) -> None:
    articles = [one.text for one in browser.driver.find_elements(By.CLASS_NAME, "group")]
    kinds = [name for name in STATUSES if name in WAYS and name not in QUIET]
    assert len(articles) == len(kinds)
    for kind, article in zip(kinds, articles, strict=True):
        assert STATUSES[kind].title in article
        assert f"What to do: {STATUSES[kind].remedy}" in article


def test_settings_of_the_bucket_are_shown(browser: Browser, twenty: Document) -> None:
    text = browser.driver.find_element(By.TAG_NAME, "body").text
    assert "Versioning: Disabled; expected Enabled. Turn versioning on." in text
    assert "Access logging\nnot read" in text
    assert "Lifecycle\nid: keep, enabled: yes, expiration days: 400" in text
    assert "Tls only\nno" in text


def test_without_scripts_the_verdict_and_the_exceptions_are_there(browser: Browser, pages: Path) -> None:
    write_page(pages / "twenty.html", TWENTY)
    browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(pages / "twenty.html")
        assert browser.driver.find_element(By.TAG_NAME, "h1").text == "41 account regions are not covered, 19 not known"
        assert len(browser.driver.find_elements(By.CLASS_NAME, "group")) == 9
        assert browser.driver.find_element(By.ID, "filters").is_displayed() is False
        assert "The matrix needs JavaScript" in browser.driver.find_element(By.TAG_NAME, "body").text
    finally:
        browser.cdp("Emulation.setScriptExecutionDisabled", value=False)


# Filter and order


@pytest.mark.parametrize(
    ("field", "value", "keep"),
    [
        ("text", "PAYMENTS", lambda account: "payments" in account["name"]),
        ("text", "4252", lambda account: "4252" in account["id"]),
        ("ou", "Root/Workloads", lambda account: account["ou_path"].startswith("Root/Workloads/")),
        ("ou", "Root", lambda account: True),
        ("region", "6", lambda account: True),
        ("text", "no such account", lambda account: False),
    ],
)
def test_filter(browser: Browser, twenty: Document, field: str, value: str, keep: Callable[[Any], bool]) -> None:
    choose(browser, field, value)
    expected = [account["id"] for account in twenty["accounts"] if keep(account)]
    rows = browser.js(MATRIX)
    assert sorted(line["id"] for line in rows) == expected
    assert shown(browser).startswith(f"{len(expected)} of 20 accounts")
    if field == "region":
        assert {len(line["cells"]) for line in rows} == {1}
        assert all(line["cells"][0].startswith(f"{REGIONS[int(value)]}: ") for line in rows)


@pytest.mark.parametrize("status", [*WAYS, "pending", "covered"])
def test_filter_by_status(browser: Browser, big: Document, status: str) -> None:
    browser.driver.find_element(By.CSS_SELECTOR, f".chip[data-status={status}]").click()
    accounts = {account for account, _, found in cells(big) if found == status}
    assert shown(browser).startswith(f"{len(accounts):,} of 10,000 accounts")
    assert {line["id"] for line in browser.js(MATRIX)} <= accounts
    browser.driver.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
    assert shown(browser).startswith("10,000 of 10,000 accounts, 220 exceptions")


def test_two_statuses_show_the_accounts_of_both(browser: Browser, twenty: Document) -> None:
    for status in ("missing", "denied"):
        browser.driver.find_element(By.CSS_SELECTOR, f".chip[data-status={status}]").click()
    assert shown(browser) == "2 of 20 accounts, 34 exceptions"


COPIED = "navigator.clipboard.writeText = async (text) => { window.copied = text; }"


@pytest.mark.parametrize("ou", ["", "Root/Workloads"])
def test_the_exceptions_shown_are_copied_as_a_table(browser: Browser, twenty: Document, ou: str) -> None:
    browser.js(COPIED)
    if ou:
        choose(browser, "ou", ou)
    button = browser.driver.find_element(By.ID, "copy")
    button.click()
    head, *lines = [line.split("\t") for line in browser.js("return window.copied").splitlines()]
    places = {account["id"]: account["ou_path"] for account in twenty["accounts"]}
    expected = {
        (account, region)
        for account, region, status in cells(twenty)
        if status not in QUIET and places[account].startswith(ou)
    }
    assert head == ["Account id", "Account", "Organizational unit", "Region", "Status", "Reason"]
    assert {(line[0], line[3]) for line in lines} == expected
    assert {len(line) for line in lines} == {6}
    choose(browser, "text", "no such account")
    assert not button.is_enabled()


def test_button_of_an_exception_filters_the_matrix(browser: Browser, twenty: Document) -> None:
    browser.driver.find_element(By.CSS_SELECTOR, ".group button[data-status=denied]").click()
    assert shown(browser) == "1 of 20 accounts, 17 exceptions"
    assert browser.js("return document.activeElement.getAttribute('role')") == "rowheader"


def ranks(document: Document) -> dict[str, tuple[int, int]]:
    """For each account its worst status and minus its number of exceptions."""
    found: dict[str, list[str]] = {}
    for account, _, status in cells(document):
        found.setdefault(account, []).append(status)
    order = list(STATUSES)
    return {
        account: (min(map(order.index, line)), -sum(status not in QUIET for status in line))
        for account, line in found.items()
    }


def test_order(browser: Browser, twenty: Document) -> None:
    rank = ranks(twenty)
    keys = {
        "worst": lambda line: (*rank[line["id"]], line["name"]),
        "name": lambda line: line["name"],
        "id": lambda line: line["id"],
    }
    for order, key in keys.items():
        choose(browser, "order", order)
        rows = browser.js(MATRIX)
        assert rows == sorted(rows, key=key), order
        assert [line["row"] for line in rows] == list(range(2, 22))


def test_order_by_a_click_on_a_header_and_back(browser: Browser, twenty: Document) -> None:
    header = "#grid [role=columnheader]:first-child"
    for direction, backwards in (("ascending", False), ("descending", True)):
        browser.driver.find_element(By.CSS_SELECTOR, f"{header} button").click()
        names = [line["name"] for line in browser.js(MATRIX)]
        assert names == sorted(names, reverse=backwards)
        assert browser.driver.find_element(By.CSS_SELECTOR, header).get_attribute("aria-sort") == direction


def test_order_by_a_region(browser: Browser, twenty: Document) -> None:
    place = REGIONS.index("ca-central-1")
    browser.driver.find_elements(By.CSS_SELECTOR, "#grid .place button")[place].click()
    titles = [status.title for status in STATUSES.values()]
    found = [titles.index(line["cells"][place].split(": ")[1]) for line in browser.js(MATRIX)]
    assert found == sorted(found)


# Keyboard


def test_keyboard_moves_in_the_matrix(browser: Browser, big: Document) -> None:
    browser.js("document.querySelector('#grid .rows [tabindex=\"0\"]').focus()")
    assert focused(browser) == (0, 0)
    press(browser, Keys.ARROW_DOWN, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert focused(browser) == (1, 2)
    press(browser, Keys.ARROW_UP, Keys.ARROW_UP, Keys.END)
    assert focused(browser) == (0, 17)
    press(browser, Keys.HOME, Keys.PAGE_DOWN)
    row, column = focused(browser)
    assert (row > 5, column) == (True, 0)
    press(browser, Keys.CONTROL + Keys.END)
    assert focused(browser) == (9_999, 17)
    assert browser.js("return document.activeElement.closest('.line').getAttribute('aria-rowindex')") == "10001"
    press(browser, Keys.CONTROL + Keys.HOME)
    assert focused(browser) == (0, 0)


def test_keyboard_keeps_the_focus_in_sight(browser: Browser, big: Document) -> None:
    browser.js("document.querySelector('#grid .rows [tabindex=\"0\"]').focus()")
    press(browser, *[Keys.PAGE_DOWN] * 5)
    assert browser.js("""
        const cell = document.activeElement.getBoundingClientRect(), grid = document.getElementById('grid');
        const box = grid.getBoundingClientRect(), head = grid.querySelector('.head').getBoundingClientRect();
        return cell.top >= head.bottom - 1 && cell.bottom <= box.bottom + 1;
    """)


def test_keys_for_the_next_exception_and_the_filter(browser: Browser, twenty: Document) -> None:
    choose(browser, "order", "id")
    ids = [account for account, (_, number) in sorted(ranks(twenty).items()) if number]
    order = [account["id"] for account in twenty["accounts"]]
    browser.js("document.querySelector('#grid .rows [tabindex=\"0\"]').focus()")
    start = 1 if order[0] == ids[0] else 0
    for account in ids[start:]:
        press(browser, "n")
        assert order[focused(browser)[0]] == account
    press(browser, "p")
    assert order[focused(browser)[0]] == ids[-2]
    press(browser, "/")
    assert browser.js("return document.activeElement.id") == "text"
    press(browser, "n")
    assert browser.js("return document.getElementById('text').value") == "n"


def test_one_stop_of_the_tab_key_in_the_matrix(browser: Browser, big: Document) -> None:
    assert browser.js("return document.querySelectorAll('#grid .rows [tabindex=\"0\"]').length") == 1


@pytest.mark.parametrize("status", [*WAYS, "pending"])
def test_details_tell_reason_and_remedy(browser: Browser, twenty: Document, status: str) -> None:
    row = next(row for row in twenty["coverage"] if row["status"] == status)
    browser.js(
        "[...document.querySelectorAll('#grid .rows .line')].find((line) => line.textContent.includes(arguments[0]))"
        ".querySelectorAll('.cell')[arguments[1]].click()",
        row["account_id"],
        REGIONS.index(row["region"]),
    )
    text = details(browser)
    for part in (row["account_id"], f"{STATUSES[status].title} in {row['region']}", row["reason"]):
        assert part in text
    assert (f"What to do: {STATUSES[status].remedy}" in text) is bool(STATUSES[status].remedy)


def test_details_tell_the_last_delivery(browser: Browser, twenty: Document) -> None:
    row = next(row for row in twenty["coverage"] if row["status"] == "covered")
    browser.js(
        "[...document.querySelectorAll('#grid .rows .line')].find((line) => line.textContent.includes(arguments[0]))"
        ".querySelectorAll('.cell')[arguments[1]].click()",
        row["account_id"],
        REGIONS.index(row["region"]),
    )
    time = row["latest_delivery_time"]
    assert f"Last delivery {time[:10]} {time[11:16]} UTC" in details(browser)


# Safety


def test_hostile_names_are_only_text(browser: Browser, pages: Path) -> None:
    found = world(20, wrong=len(HOSTILE_NAMES), names=HOSTILE_NAMES)
    for row in found["coverage"]:
        if row["status"] == "denied":
            row["reason"] = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>"
    for account in found["accounts"]:
        account["ou_path"] = "Root/<i>unit</i>"
    document = write_page(pages / "hostile.html", found)
    browser.open(pages / "hostile.html")
    assert browser.complaints() == []
    assert "owned" not in browser.driver.title
    assert browser.js("return document.querySelectorAll('img, b, i, iframe, object').length") == 0
    assert browser.js("return document.scripts.length") == 2
    names = {account["id"]: account["name"] for account in document["accounts"]}
    assert {line["id"]: line["name"] for line in browser.js(MATRIX)} == names
    assert set(HOSTILE_NAMES) <= set(names.values())
    text = browser.js("return [...document.querySelectorAll('.group li bdi')].map((one) => one.textContent)")
    assert HOSTILE_NAMES[1] in text


def test_policy_refuses_a_script_that_is_not_ours(browser: Browser, pages: Path) -> None:
    write_page(pages / "twenty.html", TWENTY)
    page = (pages / "twenty.html").read_text(encoding="utf-8")
    attacks = (
        "<script>document.title='owned'</script><img src='data:,' onerror=\"document.title='owned'\">"
        "<style>body{display:none}</style>"
    )
    (pages / "attacked.html").write_text(page.replace("<footer>", f"{attacks}<footer>"), encoding="utf-8")
    browser.open(pages / "attacked.html")
    assert browser.driver.title.startswith("41 account regions")
    assert browser.driver.find_element(By.TAG_NAME, "h1").is_displayed()
    refused = Counter(
        part for line in browser.complaints() for part in ("script-src", "style-src", "img-src") if part in line
    )
    assert refused["script-src"] >= 1
    assert refused["style-src"] >= 1


@pytest.mark.parametrize("size", ["twenty", "big"])
def test_it_loads_nothing_and_complains_of_nothing(
    browser: Browser, size: str, request: pytest.FixtureRequest, pages: Path
) -> None:
    request.getfixturevalue(size)
    assert browser.complaints() == []
    assert browser.js("return performance.getEntriesByType('resource').length") == 0
    page = (pages / f"{size}.html").read_text(encoding="utf-8")
    assert "http://" not in page
    assert "https://" not in page.replace("https://www.gnu.org/licenses/", "")


def test_size_of_10000_accounts(written_big: Document, pages: Path) -> None:
    assert (pages / "big.html").stat().st_size < 1_500_000


# For everyone


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_of_all_text(browser: Browser, twenty: Document, theme: str) -> None:
    browser.theme(theme)
    browser.js("document.querySelector('#grid .rows .cell').click()")
    found = browser.js(CONTRASTS)
    assert len(found) > 100
    assert [one for one in found if one[0] < 4.5] == []


def test_dark_is_dark_and_light_is_light(browser: Browser, twenty: Document) -> None:
    colours = {}
    for theme in ("light", "dark"):
        browser.theme(theme)
        colours[theme] = browser.js("return getComputedStyle(document.body).backgroundColor")
    assert colours == {"light": "rgb(246, 247, 248)", "dark": "rgb(17, 22, 27)"}


def test_statuses_differ_without_colour(browser: Browser, twenty: Document) -> None:
    letters = browser.js(
        "return [...document.querySelectorAll('.chip')].map((chip) => chip.querySelector('.badge').textContent)"
    )
    assert len(letters) == len(set(letters)) == len(WAYS) + 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_fault(browser: Browser, twenty: Document, theme: str) -> None:
    browser.theme(theme)
    browser.js(axe_source())
    browser.js("document.querySelector('#grid .rows .cell').click()")
    found = browser.driver.execute_async_script(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}).then((found) =>"
        "arguments[0](found.violations.map((one) => [one.id, one.help, one.nodes.map((node) => node.html)])))"
    )
    assert found == []


def test_narrow_screens_need_no_sideways_scroll_of_the_page(browser: Browser, twenty: Document) -> None:
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.cdp("Emulation.setDeviceMetricsOverride", **size)
    try:
        assert browser.js("return document.documentElement.scrollWidth") <= 390
    finally:
        browser.cdp("Emulation.clearDeviceMetricsOverride")


# Paper


def test_print_shows_every_account_of_20(browser: Browser, twenty: Document) -> None:
    browser.js("dispatchEvent(new Event('beforeprint'))")
    assert len(browser.js(MATRIX)) == 20
    assert browser.driver.find_element(By.ID, "print-note").is_displayed() is False
    browser.js("dispatchEvent(new Event('afterprint'))")


def test_print_shows_the_exceptions_of_10000(browser: Browser, big: Document) -> None:
    browser.js("dispatchEvent(new Event('beforeprint'))")
    exceptions = {account for account, _, status in cells(big) if status not in QUIET}
    assert {line["id"] for line in browser.js(MATRIX)} == exceptions
    assert "32 accounts with exceptions are printed of 10,000" in browser.driver.find_element(By.ID, "print-note").text
    browser.js("dispatchEvent(new Event('afterprint'))")
    assert shown(browser).startswith("10,000 of 10,000")
    assert len(browser.js(MATRIX)) > len(exceptions)
