"""Makes docs/conformance.md from tests/conformance/behaviours.txt.

The file lists by name what Kubernetes' published conformance list asks for, with a verdict and the tests that show it.
A verdict `holds` without a test, or a test that does not exist, is an error: a claim in the document cannot be without
a test. Run `python scripts/make_conformance.py` after the file has changed; a test compares.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "tests" / "conformance" / "behaviours.txt"
TARGET = ROOT / "docs" / "conformance.md"
VERDICTS = {
    "holds": "shown by the tests named; under e2e/ with real etcd, NATS, Podman and kubectl, else in memory",
    "differs": "otherwise on purpose",
    "open": "not there yet",
    "not shown": "may hold, but no test of this repository shows it",
}
_TEST = re.compile(r"(?P<path>[\w./-]+)(?:::(?P<name>\w+))?(?:\[(?P<case>[^\]]+)\])?")


class Behaviour(NamedTuple):
    """One entry of the list."""

    verdict: str
    name: str
    tests: tuple[str, ...]
    """`e2e/conformance/test_apis.py::test_x[case]`, under tests/."""
    note: str


class Problem(ValueError):
    """The file says something that is not so."""


def sections(text: str) -> dict[str, list[Behaviour]]:
    """The entries by group.

    Raises:
        Problem
    """
    short: dict[str, str] = {}
    found: dict[str, list[Behaviour]] = {}
    current: list[Behaviour] = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            current = found.setdefault(line.strip("[]"), [])
        elif " | " in line:
            current.append(_behaviour(line, short))
        else:
            name, _, path = line.partition(" = ")
            short[name] = path
    return found


def _behaviour(line: str, short: dict[str, str]) -> Behaviour:
    verdict, name, said = (part.strip() for part in f"{line} ".split(" | ", 2))
    words = [_long(word, short) for word in said.split()]
    tests = tuple(word for word in words if "::" in word)
    note = " ".join(word for word in said.split() if "::" not in _long(word, short))
    if verdict not in VERDICTS:
        raise Problem(f"{name}: no verdict is called {verdict}")
    if verdict == "holds" and not tests:
        raise Problem(f"{name}: nothing shows that it holds")
    if verdict == "differs" and not note:
        raise Problem(f"{name}: why does it differ?")
    if verdict == "open" and not note:
        raise Problem(f"{name}: what is missing?")
    return Behaviour(verdict, name, tests, note)


def _long(word: str, short: dict[str, str]) -> str:
    head = re.match(r"\w+", word)
    if head is None or head[0] not in short:
        return word
    return short[head[0]] + word.removeprefix(head[0])


def problems(behaviours: Iterator[Behaviour]) -> list[str]:
    """Claims whose tests do not exist, and names that come twice."""
    wrong = []
    seen: Counter[str] = Counter()
    for behaviour in behaviours:
        seen[behaviour.name] += 1
        wrong += [f"{behaviour.name}: there is no {test}" for test in behaviour.tests if not _exists(test)]
    return wrong + [f"{name} comes {count} times" for name, count in seen.items() if count > 1]


def _exists(test: str) -> bool:
    parts = _TEST.fullmatch(test)
    if parts is None:
        return False
    tests, cases = _tests_of(ROOT / "tests" / parts["path"])
    return parts["name"] in tests and (parts["case"] is None or parts["case"] in cases)


@cache
def _tests_of(path: Path) -> tuple[frozenset[str], frozenset[str]]:
    """(names of the tests in a file, cases that they are called with: kinds as `resource.group`)."""
    if not path.is_file():
        return frozenset(), frozenset()
    tree = ast.parse(path.read_text())
    names = (node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    kinds = path.parent / "kinds.py"
    return frozenset(names), frozenset(_kinds_of(kinds)) if kinds.is_file() else frozenset()


def _kinds_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Api":
            group, _, resource = (ast.literal_eval(each) for each in node.args[:3])
            yield f"{resource}.{group or 'core'}"


def document(groups: dict[str, list[Behaviour]]) -> str:
    """The document."""
    lines = [
        "# Conformance",
        "",
        "What Kubernetes' published conformance list asks for, and what kubus makes of it: the names are those of",
        "`test/conformance/testdata/conformance.yaml` in Kubernetes' repository, without their tags. This is kubus'",
        "own account, made by tests of its own; it is no certification. The table is made of",
        "`tests/conformance/behaviours.txt` by `scripts/make_conformance.py`; a test fails if one that is named here",
        "does not exist.",
        "",
    ]
    lines += [f"- **{verdict}**: {meaning}" for verdict, meaning in VERDICTS.items()]
    lines += ["", "| | " + " | ".join(VERDICTS) + " |", "|---|" + "---:|" * len(VERDICTS)]
    total: Counter[str] = Counter()
    for group, behaviours in groups.items():
        counts = Counter(each.verdict for each in behaviours)
        total += counts
        lines.append(f"| {group} | " + " | ".join(str(counts[verdict]) for verdict in VERDICTS) + " |")
    lines.append("| all | " + " | ".join(str(total[verdict]) for verdict in VERDICTS) + " |")
    for group, behaviours in groups.items():
        lines += ["", f"## {group}", "", "| behaviour | | shown by |", "|---|---|---|"]
        lines += [_row(each) for each in behaviours]
    return "\n".join(lines) + "\n"


def _row(behaviour: Behaviour) -> str:
    shown = [f"`{test}`" for test in behaviour.tests]
    name = behaviour.name.replace("*", "\\*")
    return f"| {name} | {behaviour.verdict} | {'; '.join([*shown, *filter(None, [behaviour.note])])} |"


def main() -> None:
    """Write the document.

    Raises:
        Problem
    """
    groups = sections(SOURCE.read_text())
    wrong = problems(each for behaviours in groups.values() for each in behaviours)
    if wrong:
        raise Problem("\n".join(wrong))
    TARGET.write_text(document(groups))


if __name__ == "__main__":
    main()
