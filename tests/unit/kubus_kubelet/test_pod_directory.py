"""What the disk holds of one pod."""

from __future__ import annotations

from kubus_kubelet.inspections import EndNote
from kubus_kubelet.pod_directory import PodDirectory

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
