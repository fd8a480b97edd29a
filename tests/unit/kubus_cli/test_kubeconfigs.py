"""kubeconfig files, merged without loss."""

import os
import stat

import pytest

from kubus_cli import kubeconfigs
from kubus_cli.failures import Failure

OURS = kubeconfigs.document("kubus", "https://127.0.0.1:6443", b"ca", b"cert", b"key")
THEIRS = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "work", "cluster": {"server": "https://work"}}],
    "users": [{"name": "me", "user": {"token": "t"}}],
    "contexts": [{"name": "work", "context": {"cluster": "work", "user": "me"}}],
    "current-context": "work",
    "preferences": {"colors": True},
}


def test_what_was_there_stays_and_ours_becomes_current():
    both = kubeconfigs.merged(THEIRS, OURS)
    assert [each["name"] for each in both["contexts"]] == ["work", "kubus"]
    assert both["current-context"] == "kubus"
    assert both["preferences"] == {"colors": True}


def test_merging_again_changes_nothing():
    once = kubeconfigs.merged(THEIRS, OURS)
    assert kubeconfigs.merged(once, OURS) == once


def test_taking_ours_out_leaves_theirs():
    left = kubeconfigs.without(kubeconfigs.merged(THEIRS, OURS), "kubus")
    assert {key: left[key] for key in ("clusters", "users", "contexts")} == {
        key: THEIRS[key] for key in ("clusters", "users", "contexts")
    }
    assert left["current-context"] == ""


def test_a_file_is_made_private_and_read_back(tmp_path):
    path = tmp_path / ".kube" / "config"
    kubeconfigs.merge_into(path, OURS)
    kubeconfigs.merge_into(path, OURS)
    assert kubeconfigs.read(path)["clusters"] == OURS["clusters"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_to_a_kubeconfig_stays_a_link(tmp_path):
    (tmp_path / "real").write_text("")
    (tmp_path / "config").symlink_to(tmp_path / "real")
    kubeconfigs.merge_into(tmp_path / "config", OURS)
    assert (tmp_path / "config").is_symlink()


@pytest.mark.parametrize("text", ["- a", "{", "\x00"])
def test_what_is_no_kubeconfig_is_left_alone(tmp_path, text):
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(Failure):
        kubeconfigs.merge_into(path, OURS)
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"HOME": "/h"}, "/h/.kube/config"),
        ({"HOME": "/h", "KUBECONFIG": "/a:/b"}, "/a"),
        ({"HOME": "/h", "KUBECONFIG": ":/b"}, "/b"),
        ({"HOME": "/root", "SUDO_USER": "root"}, "/root/.kube/config"),
    ],
)
def test_the_users_file_is_where_kubectl_would_write(environ, path):
    assert str(kubeconfigs.user_file(environ)) == path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_under_sudo_the_file_is_of_who_called_it(tmp_path):
    path = tmp_path / ".kube" / "config"
    kubeconfigs.merge_into(path, OURS)
    kubeconfigs.give_to_caller(path, {"SUDO_UID": "12345", "SUDO_GID": "12345"})
    assert (path.stat().st_uid, path.parent.stat().st_uid) == (12345, 12345)
    assert tmp_path.stat().st_uid == os.geteuid()
