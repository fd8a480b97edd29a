"""Which cluster a command is about."""

from pathlib import Path

import pytest

from kubus_cli import clusters
from kubus_cli.failures import Misused, NotRunning
from kubus_cli.places import existing, place


@pytest.mark.parametrize(
    ("name", "home", "environ", "expected"),
    [
        ("", "", {}, ("kubus", "/var/lib/kubus")),
        ("test", "", {}, ("test", "/var/lib/kubus-test")),
        ("", "", {"KUBUS_NAME": "test"}, ("test", "/var/lib/kubus-test")),
        ("", "/tmp/a", {}, ("a", "/tmp/a")),
        ("b", "/tmp/a", {}, ("b", "/tmp/a")),
        ("", "", {"KUBUS_HOME": "/tmp/a.b_c"}, ("a-b-c", "/tmp/a.b_c")),
        ("", "/var/lib/kubus", {}, ("kubus", "/var/lib/kubus")),
    ],
)
def test_options_come_before_variables_before_defaults(name, home, environ, expected):
    assert place(name, home, environ) == (expected[0], Path(expected[1]))


@pytest.mark.parametrize("name", ["a/b", "ü", "-" * 41, "a b"])
def test_a_name_that_cannot_be_one_is_refused(name):
    with pytest.raises(Misused):
        place(name, "", {})


def test_a_home_knows_its_clusters_name(cluster):
    clusters.save(cluster)
    assert place("", str(cluster.home), {}).name == cluster.name
    assert existing(place("", str(cluster.home), {})).ports == cluster.ports


def test_a_home_has_one_path_whatever_leads_to_it(cluster, tmp_path):
    clusters.save(cluster)
    (tmp_path / "link").symlink_to(cluster.home)
    assert place("", str(tmp_path / "link"), {}) == (cluster.name, cluster.home)


def test_no_cluster_is_said_with_advice(tmp_path):
    with pytest.raises(NotRunning) as caught:
        existing(place("here", str(tmp_path), {}))
    assert caught.value.advice == f"start one: kubus up --name here --home {tmp_path}"
