"""The tap on a real cluster, and the examples that do the same."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from .conftest import ROOT, Cluster

pytestmark = pytest.mark.e2e


@pytest.fixture
def config_map(one_node: Cluster) -> str:
    one_node.kubectl("delete", "configmap", "tapped", "--ignore-not-found")
    one_node.kubectl("create", "configmap", "tapped", "--from-literal=colour=red")
    one_node.kubectl("patch", "configmap", "tapped", "-p", '{"data": {"colour": "blue"}}')
    return "tapped"


def test_what_happened_is_told_with_what_changed_and_who_did_it(one_node: Cluster, config_map: str) -> None:
    told = one_node.kubus("tap", f"configmaps/{config_map}", "--since", "1m", "--count", "2").stdout.splitlines()[-1]
    assert f"configmaps default/{config_map}" in told
    done = one_node.kubus(
        "tap", f"cm/{config_map}", "--since", "r1", "-n", "default", "--count", "2", "-o", "json"
    ).stdout.splitlines()
    added, modified = (json.loads(line) for line in done[-2:])
    assert added["change"] == "added" and added["note"]["by"] == "kubernetes-admin"
    assert modified["changes"] == [{"field": "data.colour", "before": "red", "after": "blue"}]


def test_an_unknown_resource_is_refused_in_a_sentence(one_node: Cluster) -> None:
    done = one_node.kubus("tap", "nonsense", check=False)
    assert done.returncode == 2
    assert "there is no resource 'nonsense'" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("example", ["tap.py", "tap_raw.py"])
def test_ten_lines_can_do_it_too(one_node: Cluster, example: str) -> None:
    command = [sys.executable, str(ROOT / "examples" / example), str(one_node.home), "kubus.ev.leases.>"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()  # leaders and nodes renew their Leases all the time
        process.terminate()
        assert process.wait(20) != 1
    assert line.split()[2 if example == "tap.py" else 0].startswith("kubus.ev.")
