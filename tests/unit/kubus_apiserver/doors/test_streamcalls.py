"""From a log or exec request to the kubelet's call."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.errors import StatusError
from kubus_apiserver.doors.queries import parse_query
from kubus_apiserver.doors.streamcalls import stream_call


def pod(*containers: str, node: str = "n", **changes: Any) -> dict[str, Any]:
    spec = {"nodeName": node, "containers": [{"name": name} for name in containers or ("c",)]}
    return {"metadata": {"name": "p", "namespace": "d", "uid": "u"}, "spec": spec, **changes}


def test_an_exec_says_what_runs_where() -> None:
    query = parse_query("command=sh&command=-c&stdin=true&stdout=true&stderr=true&tty=true")
    node, call = stream_call("exec", pod(), query)
    assert (node, call["container"], call["command"], call["uid"]) == ("n", "c", ["sh", "-c"], "u")
    assert (call["tty"], call["stderr"]) == (True, False)


def test_a_log_takes_its_options_along() -> None:
    query = parse_query("follow=true&tailLines=5&timestamps=1&sinceSeconds=60&limitBytes=10")
    _, call = stream_call("log", pod(), query)
    assert call["options"] == {
        "follow": True, "previous": False, "timestamps": True, "tailLines": 5, "sinceSeconds": 60, "limitBytes": 10,
    }  # fmt: skip


def test_a_default_container_can_be_marked() -> None:
    marked = pod("a", "b")
    marked["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "b"}
    assert stream_call("log", marked, {})[1]["container"] == "b"


@pytest.mark.parametrize(
    ("verb", "of", "query", "words"),
    [
        ("log", pod("a", "b"), "", "a container name must be specified for pod p, choose one of: [a b]"),
        ("log", pod(), "container=x", "container x is not valid for pod p"),
        ("log", pod(node=""), "", "pod p does not have a host assigned"),
        ("log", pod(), "tailLines=-1", "tailLines: Invalid value: -1"),
        ("log", pod(), "sinceTime=yesterday", "sinceTime: Invalid value"),
        ("log", pod(), "sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z", "at most one of"),
        ("exec", pod(), "stdout=1", "you must specify at least one command for the container"),
        ("exec", pod(), "command=x", "you must specify at least 1 of stdin, stdout, stderr"),
        ("exec", pod(status={"phase": "Failed"}), "command=x&stdout=1", "current phase is Failed"),
    ],
)
def test_refusals_are_in_kubernetes_words(verb: str, of: dict[str, Any], query: str, words: str) -> None:
    with pytest.raises(StatusError) as refused:
        stream_call(verb, of, parse_query(query))
    assert (refused.value.code, words in refused.value.message) == (400, True)
