"""Paths that may not leave their root."""

from __future__ import annotations

import os

import pytest

from kubus_kubelet import kernel


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root" / "sub").mkdir(parents=True)
    (tmp_path / "root" / "sub" / "file").write_text("in")
    (tmp_path / "secret").write_text("out")
    for name, target in {"good": "sub/file", "up": "../secret", "abs": str(tmp_path / "secret"), "in": "sub"}.items():
        (tmp_path / "root" / name).symlink_to(target)
    handle = os.open(tmp_path / "root", os.O_PATH | os.O_DIRECTORY)
    yield handle
    os.close(handle)


@pytest.mark.parametrize("path", ["sub/file", "good", "in/file", "sub/../sub/file"])
def test_what_lies_below_is_opened(root, path):
    handle = kernel.open_beneath(root, path, os.O_RDONLY)
    assert os.read(handle, 9) == b"in"
    os.close(handle)


@pytest.mark.parametrize("path", ["../secret", "up", "abs", "/etc/passwd", "sub/../../secret", "in/../../secret"])
def test_what_leads_out_is_refused(root, path):
    with pytest.raises(OSError, match="cross-device"):
        kernel.open_beneath(root, path)


def test_what_is_missing_is_missing(root):
    with pytest.raises(FileNotFoundError):
        kernel.open_beneath(root, "none")


def test_nothing_is_mounted_below_a_fresh_directory(tmp_path):
    assert kernel.mounts_below(tmp_path) == []
    kernel.unmount(tmp_path)
