"""`kubus up`, `status` and `down`: what they say, and that nothing is left behind."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from .conftest import IMAGE, Cluster, deployment

pytestmark = pytest.mark.e2e


def world() -> dict[str, set[str]]:
    """What a cluster could leave on a machine."""

    def lines(*command: str) -> set[str]:
        return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())

    mounts = {line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()}
    links = {line.split(":")[1].strip() for line in lines("ip", "-o", "link")}
    return {
        "namespaces": {line.split()[0] for line in lines("ip", "netns")},
        "tables": lines("nft", "list", "tables"),
        "links": links,
        "mounts": mounts,
    }


def processes_of(home: Path) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(home) in line and "pytest" not in line:
                found.append(line)
    return found


def test_down_leaves_nothing_behind_and_data_stays_until_purged(image: str, tmp_path: Path) -> None:
    before = world()
    cluster = Cluster(tmp_path / "home", 1)
    cluster.home.mkdir()
    try:
        up = cluster.kubus("up")
        assert "✓" in up.stderr
        assert up.stdout == "" or "Traceback" not in up.stdout
        contexts = cluster.kubectl("config", "get-contexts", "-o", "name").stdout.split()
        assert cluster.name in contexts
        cluster.kubectl("apply", "-f", "-", stdin=deployment("web", 2, IMAGE))
        cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        assert all(each["state"] == "ready" for each in cluster.status().values())
        cluster.kubus("down")
        assert processes_of(cluster.home) == []
        after = world()
        for what, were in before.items():
            assert not after[what] - were, f"{what} left behind: {after[what] - were}"
        cluster.kubus("up")
        kept = json.loads(cluster.kubectl("get", "deployment/web", "-o", "json").stdout)
        assert kept["spec"]["replicas"] == 2
        cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    finally:
        cluster.kubus("down", "--purge", check=False)
    assert not (cluster.home / "etcd").exists()
    assert processes_of(cluster.home) == []
    after = world()
    for what, were in before.items():
        assert not after[what] - were, f"{what} left behind: {after[what] - were}"
    assert cluster.kubus("status", check=False).returncode != 0
