# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The measured rows as a table for the terminal, as a table in Markdown and as a plot."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby
from typing import Any

from benchmarks.canned import COVERAGE, GROWTH
from benchmarks.main_job import EMPTY, OURS
from benchmarks.measure import ROOT

DOCUMENT = ROOT / "docs" / "benchmarks.md"
PLOT = ROOT / "docs" / "images" / "bench.svg"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
HEADS = ("case", "contender", "seconds", "spread", "ours / this", "CPU seconds", "calls", "CPU ms / call", "MiB")


def cells(rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """The rows of one section as text. The ratio is our median divided by the contender's."""
    for case, group in groupby(rows, key=lambda row: row["case"]):
        members = list(group)
        ours = next((row["seconds"] for row in members if row["contender"].startswith(OURS) and "seconds" in row), None)
        for row in members:
            if "seconds" not in row:
                yield (case, row["contender"], "–", row["note"], *[""] * (len(HEADS) - 4))
                continue
            own = row["contender"].startswith(OURS) or row["contender"] == EMPTY or ours is None
            yield (
                case,
                row["contender"],
                f"{row['seconds']:.2f}",
                f"{row['fastest']:.2f}–{row['slowest']:.2f}",
                "" if own else f"{ours / row['seconds']:.2f}",
                f"{row['cpu_seconds']:.2f}",
                f"{row['calls']:,}",
                f"{1000 * row['cpu_seconds'] / row['calls']:.2f}" if row["section"] in (COVERAGE, GROWTH) else "",
                f"{row['memory_mib']:.0f}",
            )


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a case together, cases and contenders in the order in which they first came."""
    cases = list(dict.fromkeys((row["section"], row["case"]) for row in rows))
    return sorted(rows, key=lambda row: cases.index((row["section"], row["case"])))


def sections(results: dict[str, Any]) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """Each section's name and its rows as text."""
    for section in dict.fromkeys(row["section"] for row in results["rows"]):
        yield section, list(cells(in_order([row for row in results["rows"] if row["section"] == section])))


def text(results: dict[str, Any]) -> str:
    """The table for the terminal."""
    blocks = list(sections(results))
    table = [HEADS, *(row for _, rows in blocks for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(HEADS))]

    def line(row: tuple[str, ...]) -> str:
        return "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()

    lines = []
    for section, rows in blocks:
        lines += ["", section, line(HEADS), *map(line, rows)]
    lines += ["", " ".join(f"{name}={value}" for name, value in results["machine"].items()), ""]
    return "\n".join(lines)


def markdown(results: dict[str, Any]) -> str:
    """The table for the documentation."""
    lines = []
    for section, rows in sections(results):
        lines += [f"### {section}", "", f"| {' | '.join(HEADS)} |", f"|---|---|{'---:|' * (len(HEADS) - 2)}"]
        days = sorted({row["date"] for row in results["rows"] if row["section"] == section})
        lines += [*(f"| {' | '.join(row)} |" for row in rows), "", f"Measured on {', '.join(days)}.", ""]
    facts = results["machine"]
    lines.append(
        f"Last on {facts['cpus']} CPUs, with a load of {facts['load_before']} before, Python {facts['python']}, "
        f"ansible-core {facts['ansible-core']}, boto3 {facts['boto3']}, AWS CLI {facts['awscli']}."
    )
    return "\n".join(lines)


def write_documentation(results: dict[str, Any]) -> None:
    """Replace the table in docs/benchmarks.md and draw the plot."""
    before, rest = DOCUMENT.read_text().split(BEGIN)
    after = rest.split(END)[1]
    DOCUMENT.write_text(f"{before}{BEGIN}\n{markdown(results)}\n{END}{after}")
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    PLOT.write_text(plot(results))


WIDTH, LABEL, BAR, ROW, GAP = 860, 330, 420, 20, 34
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2328}.head{font-weight:600}.bar{fill:#8c959f}.ours{fill:#0969da}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.ours{fill:#4493f8}}"
)


def plot(results: dict[str, Any]) -> str:
    """Bars of the medians, ours in colour; each case has a scale of its own."""
    parts, y = [], 10
    rows = in_order([row for row in results["rows"] if "seconds" in row])
    for (section, case), group in groupby(rows, key=lambda row: (row["section"], row["case"])):
        members = list(group)
        longest = max(row["seconds"] for row in members)
        all_ours = not any(row["contender"].startswith(OURS) for row in members)
        y += GAP
        parts.append(f'<text class="head" x="0" y="{y - 10}">{escape(section)}: {escape(case)}, seconds</text>')
        for row in members:
            kind = "ours" if all_ours or row["contender"].startswith(OURS) else "bar"
            length = max(2, BAR * row["seconds"] / longest)
            parts.append(f'<text x="0" y="{y + 11}">{escape(row["contender"])}</text>')
            parts.append(f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{length:.0f}" height="14" rx="2"/>')
            parts.append(f'<text x="{LABEL + length + 8:.0f}" y="{y + 11}">{row["seconds"]:.2f}</text>')
            y += ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 10}" role="img" '
        f'aria-label="Medians of the benchmarks in seconds"><style>{STYLE}</style>{"".join(parts)}</svg>\n'
    )
