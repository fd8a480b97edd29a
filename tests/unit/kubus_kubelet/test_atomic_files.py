"""Files of a volume change together, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubus_kubelet import atomic_files
from kubus_kubelet.payloads import File

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def files(**texts):
    return {name: File(text.encode(), 0o644) for name, text in texts.items()}


def test_keys_are_links_into_one_generation(tmp_path):
    assert atomic_files.write(tmp_path, files(a="1", b="2"), NOW)
    assert (tmp_path / "a").read_text() == "1"
    assert (tmp_path / "a").readlink().as_posix() == "..data/a"
    assert (tmp_path / "..data").readlink().name.startswith("..2026_01_31_12_00_00")


def test_unchanged_files_are_not_touched(tmp_path):
    atomic_files.write(tmp_path, files(a="1"), NOW)
    before = (tmp_path / "..data").readlink()
    assert not atomic_files.write(tmp_path, files(a="1"), NOW)
    assert (tmp_path / "..data").readlink() == before


def test_a_change_replaces_everything_and_leaves_nothing_behind(tmp_path):
    atomic_files.write(tmp_path, files(a="1", old="x"), NOW)
    atomic_files.write(tmp_path, files(a="2", new="y"), NOW)
    assert sorted(each.name for each in tmp_path.iterdir() if not each.name.startswith("..")) == ["a", "new"]
    assert (tmp_path / "a").read_text() == "2"
    assert len([each for each in tmp_path.iterdir() if each.name.startswith("..2026")]) == 1


def test_paths_may_have_directories_and_modes(tmp_path):
    atomic_files.write(tmp_path, {"deep/er/file": File(b"x", 0o400)}, NOW)
    assert (tmp_path / "deep" / "er" / "file").stat().st_mode & 0o777 == 0o400
    assert (tmp_path / "deep").is_symlink()


@pytest.mark.parametrize("path", ["/etc/passwd", "../up", "a/../../b", "..data"])
def test_a_path_that_leads_out_is_refused(tmp_path, path):
    with pytest.raises(ValueError, match="invalid path"):
        atomic_files.write(tmp_path, {path: File(b"", 0o644)}, NOW)
