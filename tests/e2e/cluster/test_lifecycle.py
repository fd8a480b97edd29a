"""`kubus up`, `status` and `down`: what they say, and that nothing is left behind."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from .conftest import IMAGE, KUBUS, Cluster, deployment

pytestmark = pytest.mark.e2e


def left_on_the_machine(cluster: Cluster, tag: str) -> dict[str, list[str]]:
    """What there is of a cluster: other clusters may come and go on the machine meanwhile."""

    def lines(*command: str) -> list[str]:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return {
        "namespaces": [line for line in lines("ip", "netns") if line.startswith(f"{tag}-")],
        "tables": [line for line in lines("nft", "list", "tables") if line.split()[-1].split("-")[0] == tag],
        "links": [line for line in lines("ip", "-o", "link") if re.search(rf" {tag}(v[0-9]+)?[:@ ]", line)],
        "mounts": [mount for mount in mounts if mount.startswith(str(cluster.home))],
        "processes": processes_of(cluster.home),
    }


def processes_of(home: Path) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(home) in line:
                found.append(line)
    return found


def test_down_leaves_nothing_behind_and_data_stays_until_purged(image: str, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "home", 1)
    cluster.home.mkdir()
    try:
        up = cluster.kubus("up")
        assert "✓" in up.stderr
        tag = f"kubus{json.loads((cluster.home / 'cluster.json').read_text())['number']}"
        contexts = cluster.kubectl("config", "get-contexts", "-o", "name").stdout.split()
        assert cluster.name in contexts
        cluster.kubectl("apply", "-f", "-", stdin=deployment("web", 2, IMAGE))
        cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s")
        assert all(each["ready"] for each in cluster.status().values())
        there = left_on_the_machine(cluster, tag)
        assert all(there.values()), f"the test looks in the wrong places: {there}"
        tap = [str(KUBUS), "tap", "leases", "--name", cluster.name, "--home", str(cluster.home)]
        with subprocess.Popen(tap, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tapping:
            assert tapping.stdout is not None and tapping.stdout.readline(), "leases are renewed all the time"
            cluster.kubus("down")
            said = tapping.communicate(timeout=90)[1]
        assert tapping.returncode == 4 and "the cluster has gone down" in said, said
        assert not any(left_on_the_machine(cluster, tag).values()), left_on_the_machine(cluster, tag)
        cluster.kubus("up")
        kept = json.loads(cluster.kubectl("get", "deployment/web", "-o", "json").stdout)
        assert kept["spec"]["replicas"] == 2
        cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s")
    finally:
        cluster.kubus("down", "--purge", check=False)
    assert not (cluster.home / "etcd").exists()
    assert not any(left_on_the_machine(cluster, tag).values()), left_on_the_machine(cluster, tag)
    assert cluster.kubus("status", check=False).returncode != 0
