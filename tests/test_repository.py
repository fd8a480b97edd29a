"""The repository read as data: the habits that STYLE-minded people keep, kept by a test.

Exemptions are lists that may only shrink: an entry that is no longer needed fails too.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    path for root in ("services", "shared") for path in (ROOT / root).rglob("*.py") if not path.name.endswith("_pb2.py")
)
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
MODULE_LINES_UNTESTED_MAX = 40

BANNED_CALLS = {
    "asyncio.create_task": "a TaskGroup: a task that nobody awaits loses its error",
    "asyncio.ensure_future": "a TaskGroup",
    "time.time": "the Clock that is passed in",
    "time.monotonic": "the Clock that is passed in",
    "datetime.datetime.now": "the Clock that is passed in",
    "datetime.now": "the Clock that is passed in",
    "datetime.utcnow": "the Clock that is passed in",
    "copy.deepcopy": "a new dict around the parts that stay (decision 0004)",
    "random.random": "a Random that is passed in",
    "random.choice": "a Random that is passed in",
    "random.randint": "a Random that is passed in",
    "random.uniform": "a Random that is passed in",
}
CALL_EXEMPTIONS: dict[tuple[str, str], str] = {
    ("shared/kubus/service/clocks.py", "datetime.now"): "this is the clock",
    ("shared/kubus/service/clocks.py", "time.monotonic"): "this is the clock",
}
DOORS = {
    "aiohttp": 9,
    "hpack": 1,
    "nats": 1,
    "podman": 1,
    "typer": None,
    "msgspec": 1,
    "orjson": 1,
    "yaml": 1,
    "cryptography": 4,
    "jwt": 1,
    "nftables": 1,
    "cel_expr_python": 1,
    "re2": 1,
}
"""How many modules import each outside package, exactly; None: any number within `kubus_cli`."""


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _trees() -> list[tuple[Path, ast.Module]]:
    return [(path, ast.parse(path.read_text())) for path in SOURCES]


@cache
def _nodes() -> list[tuple[Path, ast.AST]]:
    """Every node of every file that a test here looks at: imports, functions and calls."""
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.Call)
    return [(path, node) for path, tree in _trees() for node in ast.walk(tree) if isinstance(node, kinds)]


def test_no_file_is_longer_than_one_idea_needs() -> None:
    long = {_name(path): lines for path in SOURCES if (lines := path.read_text().count("\n")) > FILE_LINES_MAX}
    assert not long, f"files over {FILE_LINES_MAX} lines; which idea in each wants a module of its own? {long}"


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{_name(path)}:{node.lineno} {node.name}"
        for path, node in _nodes()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert not long, f"functions over {FUNCTION_LINES_MAX} lines: {long}"


def test_every_module_says_what_it_is_for() -> None:
    silent = [_name(path) for path, tree in _trees() if not ast.get_docstring(tree)]
    assert not silent, f"modules without a docstring: {silent}"


def _module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts[1:])


def _tested_modules() -> set[str]:
    """Modules that some test imports, or something out of them."""
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
    return found


def test_every_module_has_its_test() -> None:
    """A file of its name, or a test that imports it. Built-in kinds are tested as a table, all of them at once."""
    names = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    imported = _tested_modules()
    missing = [
        _name(path)
        for path in SOURCES
        if path.name not in ("__init__.py", "__main__.py", "main.py")
        and "kubus/model/kinds/" not in path.as_posix()
        and path.read_text().count("\n") > MODULE_LINES_UNTESTED_MAX
        and f"test_{path.name}" not in names
        and _module_of(path) not in imported
    ]
    assert not missing, f"modules without a test: {missing}"


@cache
def _calls() -> list[tuple[str, int, str]]:
    """(file, line, name) of every banned call."""
    importing = {(path, alias.name) for path, node in _nodes() if isinstance(node, ast.Import) for alias in node.names}
    found = []
    for path, node in _nodes():
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        called = ast.unparse(node.func)
        is_argument = called.startswith("random.") and (path, "random") not in importing
        if called in BANNED_CALLS and not is_argument:
            found.append((_name(path), node.lineno, called))
    return found


def test_banned_calls_have_better_replacements() -> None:
    wrong = [
        f"{path}:{line} {call}: use {BANNED_CALLS[call]}"
        for path, line, call in _calls()
        if (path, call) not in CALL_EXEMPTIONS
    ]
    assert not wrong, "\n".join(wrong)


def test_exemptions_are_still_needed() -> None:
    used = {(path, call) for path, _, call in _calls()}
    stale = set(CALL_EXEMPTIONS) - used
    assert not stale, f"exemptions that nothing needs any more: {stale}"


def _importers(package: str) -> set[str]:
    found = set()
    for path, node in _nodes():
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        if any(name == package or name.startswith(f"{package}.") for name in names):
            found.add(_name(path))
    return found


@pytest.mark.parametrize("package", sorted(DOORS))
def test_an_outside_package_has_one_door(package: str) -> None:
    importers, allowed = _importers(package), DOORS[package]
    if allowed is None:
        outside = {name for name in importers if not name.startswith("services/kubus_cli/")}
        assert not outside, f"{package} is imported outside the command line: {outside}"
    else:
        assert len(importers) == allowed, f"{package} is imported in {len(importers)} modules: {sorted(importers)}"


def test_nothing_is_left_for_later_in_the_sources() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    found = [
        f"{_name(path)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if marks.search(line)
    ]
    assert not found, f"unfinished business belongs into an issue: {found}"
