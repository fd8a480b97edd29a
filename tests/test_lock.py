"""The lock files hold what pyproject.toml asks for, with hashes, and say nothing of where packages come from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNTIME = [Requirement(each) for each in PROJECT["project"]["dependencies"]]
DEVELOPMENT = [Requirement(each) for each in PROJECT["dependency-groups"]["dev"]]
LOCKS = {"runtime.txt": RUNTIME, "dev.txt": RUNTIME + DEVELOPMENT}
REMEDY = "run: make lock"


def read_lock(name: str) -> dict[str, list[str]]:
    """Package → the blocks of text that pin it (several where platforms or versions of Python differ)."""
    blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / "requirements" / name).read_text())
    pins: dict[str, list[str]] = {}
    for block in blocks:
        if found := re.match(r"([a-z0-9._-]+)==", block):
            pins.setdefault(canonicalize_name(found[1]), []).append(block)
    return pins


def version_of(block: str) -> str:
    return re.split(r"==|[ \n]", block)[1]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_every_dependency_to_a_version_that_is_asked_for(name: str) -> None:
    pins = read_lock(name)
    wrong = [
        str(wanted)
        for wanted in LOCKS[name]
        if not (blocks := pins.get(canonicalize_name(wanted.name)))
        or not all(wanted.specifier.contains(version_of(block), prereleases=True) for block in blocks)
    ]
    assert not wrong, f"{name} does not hold {wrong}; {REMEDY}"


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_nothing_that_is_asked_for_no_longer(name: str) -> None:
    wanted = {canonicalize_name(each.name) for each in LOCKS[name]}
    direct = {package for package, blocks in read_lock(name).items() if "kubus (pyproject.toml" in blocks[0]}
    assert direct == wanted, REMEDY


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_hashes_and_nothing_else_is_in_a_lock(name: str) -> None:
    pins = read_lock(name)
    assert all("--hash=sha256:" in block for blocks in pins.values() for block in blocks)
    text = (ROOT / "requirements" / name).read_text()
    foreign = [
        line
        for line in text.splitlines()
        if not re.match(r"#| +# via |[a-z0-9._-]+==[^/]+$| +--hash=sha256:[0-9a-f]{64}", line)
    ]
    assert not foreign, f"{name} names an index, a path or something that is not pinned: {foreign}"


def test_development_runs_the_versions_that_users_get() -> None:
    runtime, dev = read_lock("runtime.txt"), read_lock("dev.txt")
    assert {name: [version_of(block) for block in blocks] for name, blocks in runtime.items()} == {
        name: [version_of(block) for block in dev.get(name, [])] for name in runtime
    }
