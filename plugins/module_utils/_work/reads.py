# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads that do not need each other's answer, made at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Thing = TypeVar("Thing")
Answer = TypeVar("Answer")

Reads = dict[str, Callable[[], Any]]
"""What is to be read, each by its name."""

Answers = dict[str, Any]
"""The answer of each read, by its name."""


def read_all(reads: Mapping[str, Callable[[], Any]]) -> Answers:
    """The answer of each read, by its name; raises the first one's error, in their order.

    At most one of them may make clients, because boto3's sessions are not thread-safe.
    """
    if len(reads) < 2:
        return {name: read() for name, read in reads.items()}
    with ThreadPoolExecutor(max_workers=len(reads)) as pool:
        futures = {name: pool.submit(read) for name, read in reads.items()}
    return {name: future.result() for name, future in futures.items()}


def read_rest(reads: Mapping[str, Callable[[], Any]], known: Answers) -> Callable[[], Answers]:
    """As ``read_all``, when it is called, but the first time without the reads whose answers are known."""
    left = [known]

    def read() -> Answers:
        have = left.pop() if left else {}
        return have | read_all({name: one for name, one in reads.items() if name not in have})

    return read


def read_each(read: Callable[[Thing], Answer], things: Iterable[Thing], threads: int) -> list[Answer]:
    """The answer about each thing, in their order, so many at a time; raises the first one's error."""
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return list(pool.map(read, things))
