"""kubus as an installed tool: the wheel in a virtual environment of its own, as pipx makes it, far from the clone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT, Cluster

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


def _run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `kubus` of a virtual environment that holds the wheel and what it depends on; it needs a package index."""
    scratch = tmp_path_factory.mktemp("installed")
    _run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", scratch, cwd=ROOT)
    _run(sys.executable, "-m", "venv", scratch / "venv", cwd=scratch)
    pip = (scratch / "venv" / "bin" / "python", "-m", "pip", "--disable-pip-version-check")
    _run(*pip, "install", "--require-hashes", "--requirement", ROOT / "requirements" / "runtime.txt", cwd=scratch)
    (wheel,) = scratch.glob("kubus-*.whl")
    _run(*pip, "install", "--no-deps", "--no-index", wheel, cwd=scratch)
    assert "No broken requirements" in _run(*pip, "check", cwd=scratch)
    return scratch / "venv" / "bin" / "kubus"


def test_the_demo_of_an_installed_kubus_runs_in_any_directory(
    image: str, installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    cluster = Cluster(tmp_path / "home", 1, installed)
    cluster.home.mkdir()
    clone = os.fsencode(ROOT)
    try:
        done = cluster.kubus("demo", timeout=200)
        assert "the app answers through its ClusterIP" in done.stderr and "hello from hello-" in done.stderr
        components = cluster.status()
        assert all(each["ready"] for each in components.values()), components
        for each in filter(lambda each: each["pid"], components.values()):
            command = Path(f"/proc/{each['pid']}/cmdline").read_bytes()
            assert clone not in command, command
        assert list(Path().iterdir()) == []
    finally:
        cluster.kubus("down", "--purge", check=False, timeout=120)
