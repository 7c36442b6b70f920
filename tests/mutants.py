# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put small mistakes into module_utils, one at a time, and name those that no unit test sees.

``make mutants`` draws 200; ``make mutants MUTANTS="--number 50 --seed 7 --package _trail"`` others. The checkout stays
as it is: each of two processes works in a copy. A mistake in a message is none here: what a sentence says is tested
where it is shown.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).resolve().parent.parent
CODE = Path("plugins") / "module_utils"
TESTS = Path("tests") / "unit" / "plugins" / "module_utils"
COPIED = ("lab", "meta", "playbooks", "plugins", "pyproject.toml", "roles", "tests")
PROCESSES = 2
PATIENCE = 120.0
"""Seconds: a mistake may make a loop endless, which a test sees, too."""

OTHER_COMPARISON: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


@dataclass(frozen=True)
class Mutant:
    """One mistake: the file, the line, what it does, and the whole text with it."""

    path: Path
    line: int
    what: str
    text: str


def main() -> None:
    options = parse()
    mutants = draw(options.number, options.seed, options.package)
    free: Queue[Path] = Queue()
    with tempfile.TemporaryDirectory(prefix="org_trail_") as folder:
        for number in range(PROCESSES):
            free.put(copy_of_checkout(Path(folder) / str(number)))

        def survives(mutant: Mutant) -> bool:
            place = free.get()
            try:
                return passes(place, mutant)
            finally:
                free.put(place)

        with ThreadPoolExecutor(PROCESSES) as pool:
            alive = [mutant for mutant, lives in zip(mutants, pool.map(survives, mutants), strict=True) if lives]
    for mutant in alive:
        sys.stdout.write(f"{mutant.path}:{mutant.line}: {mutant.what}\n")
    killed = len(mutants) - len(alive)
    sys.stdout.write(f"{killed} of {len(mutants)} killed, {100 * killed / len(mutants):.1f} %\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--package", default="", help="for example _trail; by default all")
    return parser.parse_args()


def draw(number: int, seed: int, package: str) -> list[Mutant]:
    """So many mistakes, the same for the same seed and the same code, from all files alike."""
    files = [path for path in sorted((ROOT / CODE / package).rglob("*.py")) if path.stem != "__init__"]
    found = [mutant for path in files for mutant in mutants_of(path)]
    chosen = random.Random(seed).sample(found, min(number, len(found)))
    return sorted(chosen, key=lambda one: (str(one.path), one.line))


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Every mistake that can be put into a file."""
    source = path.read_text(encoding="utf-8")
    count = sum(1 for _node in mutable(ast.parse(source)))
    for index in range(count):
        tree = ast.parse(source)
        node = list(mutable(tree))[index]
        what = mutate(node)
        if what:
            yield Mutant(path.relative_to(ROOT), node.lineno, what, ast.unparse(tree))


Mutable = ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Constant | ast.IfExp | ast.If


def mutable(node: ast.AST) -> Iterator[Mutable]:
    """The nodes that a mistake can be made in: no annotation, docstring, message or import, and no setting.

    A setting is a number with a name in capitals, such as a number of seconds: another one is no mistake.
    """
    if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.Assign | ast.AnnAssign) and is_setting(node):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, Mutable):
        yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from mutable(child)


def is_setting(node: ast.Assign | ast.AnnAssign) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    named = all(isinstance(target, ast.Name) and target.id.isupper() for target in targets)
    constants = [one for one in ast.walk(node) if isinstance(one, ast.Constant)]
    return named and not any(isinstance(one.value, bool) for one in constants)


def mutate(node: Mutable) -> str:
    """Make the mistake; what it is, or "" where there is none to make."""
    before = ast.unparse(node.test if isinstance(node, ast.If | ast.IfExp) else node)
    if isinstance(node, ast.Compare):
        node.ops[0] = OTHER_COMPARISON[type(node.ops[0])]()
    elif isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        node.op = ast.UAdd()
        node.operand = ast.Call(ast.Name("bool", ast.Load()), [copy.deepcopy(node.operand)], [])
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        node.value = not node.value
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        node.value += 1
    elif isinstance(node, ast.If | ast.IfExp):
        node.test = ast.Constant(False)
        return f"{before} -> False"
    else:
        return ""
    return f"{before} -> {ast.unparse(node)}"


def copy_of_checkout(folder: Path) -> Path:
    """What the unit tests need, with the collection's own names leading to it."""
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", "output")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)
    link = folder / ".collections" / "ansible_collections" / "cloudsec" / "org_trail"
    link.parent.mkdir(parents=True)
    link.symlink_to(folder)
    return folder


def passes(place: Path, mutant: Mutant) -> bool:
    """Whether the unit tests pass with the mistake: first those of the file, then all of them."""
    path = place / mutant.path
    own = place / TESTS / mutant.path.parent.name / f"test_{mutant.path.name}"
    original = path.read_text(encoding="utf-8")
    path.write_text(mutant.text, encoding="utf-8")
    try:
        if own.exists() and not pytest(place, str(own)):
            return False
        return pytest(place, str(place / TESTS))
    finally:
        path.write_text(original, encoding="utf-8")


def pytest(place: Path, tests: str) -> bool:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", tests]
    try:
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


if __name__ == "__main__":
    main()
