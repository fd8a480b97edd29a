"""What the disk holds of one pod."""

from __future__ import annotations

import os

import pytest

from kubus_kubelet.inspections import EndNote
from kubus_kubelet.pod_directory import PodDirectory, is_pod_directory

APP = {"name": "app"}


def test_an_end_is_noted_until_the_next_attempt(tmp_path):
    directory = PodDirectory(tmp_path)
    assert directory.end_note("app", 0) == EndNote()
    directory.make_attempt("app", 0)
    directory.note_end("app", 0, EndNote("OOMKilled", "m", "t"))
    assert directory.end_note("app", 0) == EndNote("OOMKilled", "m", "t")
    directory.make_attempt("app", 0)
    assert directory.end_note("app", 0) == EndNote()


def test_a_half_written_note_is_none(tmp_path):
    directory = PodDirectory(tmp_path)
    (directory.make_attempt("app", 0) / "end.json").write_text('{"reason": "x", "unkn')
    assert directory.end_note("app", 0) == EndNote()


def test_last_words_come_from_the_file_or_if_asked_for_from_the_log(tmp_path):
    directory = PodDirectory(tmp_path)
    attempt = directory.make_attempt("app", 0)
    directory.log("app", 0).write_text("2026-01-31T12:00:00Z stdout F one\n2026-01-31T12:00:00Z stderr F two\n")
    assert directory.termination_message(APP, 0, 1) == ""
    fallback = {**APP, "terminationMessagePolicy": "FallbackToLogsOnError"}
    assert directory.termination_message(fallback, 0, 1) == "one\ntwo"
    assert directory.termination_message(fallback, 0, 0) == ""
    (attempt / "termination").write_bytes(b"x" * 5000)
    assert len(directory.termination_message(fallback, 0, 1)) == 4096


def test_a_termination_log_of_any_size_or_kind_is_read_for_its_end_only(tmp_path):
    directory = PodDirectory(tmp_path)
    attempt = directory.make_attempt("app", 0)
    with (attempt / "termination").open("wb") as file:
        file.truncate(2 << 40)  # sparse: two tebibytes of nothing
        file.seek(-5, 2)
        file.write(b"words")
    assert directory.termination_message(APP, 0, 1)[-5:] == "words"
    assert len(directory.termination_message(APP, 0, 1)) == 4096
    (attempt / "termination").unlink()
    os.mkfifo(attempt / "termination")
    assert directory.termination_message(APP, 0, 1) == ""
    (attempt / "termination").unlink()
    (attempt / "termination").symlink_to("/etc/passwd")
    assert directory.termination_message(APP, 0, 1) == ""


def test_a_log_of_any_size_is_read_for_its_last_lines_only(tmp_path):
    directory = PodDirectory(tmp_path)
    directory.make_attempt("app", 0)
    lines = "".join(f"2026-01-31T12:00:00Z stdout F {number}\n" for number in range(100))
    with directory.log("app", 0).open("wb") as file:
        file.truncate(1 << 40)
        file.seek(0, 2)
        file.write(lines.encode())
    found = directory.termination_message({**APP, "terminationMessagePolicy": "FallbackToLogsOnError"}, 0, 1)
    assert found.splitlines() == [str(number) for number in range(20, 100)]


@pytest.mark.parametrize(
    ("made", "is_pods"), [("notes.txt", False), ("lost+found", False), ("0a1b2c3d-0000-4000-8000-000000000000", True)]
)
def test_a_directory_of_a_pod_is_known_by_what_it_holds_or_by_its_name(tmp_path, made, is_pods):
    (tmp_path / made).mkdir()
    assert is_pod_directory(tmp_path / made) is is_pods
    (tmp_path / made / "pod.json").write_text("{}")
    assert is_pod_directory(tmp_path / made)
    (tmp_path / "file").touch()
    assert not is_pod_directory(tmp_path / "file")


def test_whose_directory_it_is_stands_in_it(tmp_path):
    pod = {"metadata": {"name": "web", "namespace": "default", "uid": "u"}, "spec": {"containers": []}}
    directory = PodDirectory(tmp_path / "u")
    assert directory.noted_pod() is None
    directory.note_pod(pod)
    assert directory.noted_pod() is None
    directory.make(pod)
    assert directory.noted_pod() == pod
    (tmp_path / "u" / "pod.json").write_text('{"metadata": {"uid": "other"}, "spec": {}}')
    assert directory.noted_pod() is None
