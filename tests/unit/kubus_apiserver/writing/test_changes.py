"""Changes that the server itself makes: binding, finalize."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.errors import StatusError
from kubus.service.clocks import SystemClock
from kubus_apiserver.writing.changes import bound, finalized


def pod(**changes: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p", "uid": "u"}, "spec": {}, **changes}


def test_a_binding_puts_a_pod_on_a_node_once() -> None:
    change = bound(
        "p", {"metadata": {"annotations": {"a": "b"}}, "target": {"kind": "Node", "name": "n"}}, SystemClock()
    )
    done = change(pod())
    assert (done["spec"]["nodeName"], done["metadata"]["annotations"]) == ("n", {"a": "b"})
    assert [each["type"] for each in done["status"]["conditions"]] == ["PodScheduled"]
    with pytest.raises(StatusError, match='pod p is already assigned to node "n"'):
        change(done)


@pytest.mark.parametrize(
    ("old", "words"),
    [
        (pod(metadata={"name": "p", "uid": "u", "deletionTimestamp": "t"}), "is being deleted, cannot be assigned"),
        (pod(spec={"schedulingGates": [{"name": "g"}]}), "has non-empty .spec.schedulingGates"),
        (pod(metadata={"name": "p", "uid": "other"}), "UID in precondition: u"),
    ],
)
def test_a_pod_that_cannot_be_bound_says_why(old: dict[str, Any], words: str) -> None:
    change = bound("p", {"metadata": {"uid": "u"}, "target": {"name": "n"}}, SystemClock())
    with pytest.raises(StatusError) as refused:
        change(old)
    assert (refused.value.code, words in refused.value.message) == (409, True)


@pytest.mark.parametrize(
    ("binding", "code"),
    [
        ({}, 422),
        ({"target": "n"}, 422),
        ({"target": {"name": ""}}, 422),
        ({"target": {"name": "n", "kind": "Moon"}}, 400),
        ({"target": {"name": "n"}, "metadata": {"name": "q"}}, 400),
    ],
)
def test_a_binding_has_to_name_a_node(binding: dict[str, Any], code: int) -> None:
    with pytest.raises(StatusError) as refused:
        bound("p", binding, SystemClock())
    assert refused.value.code == code


def test_finalizing_keeps_what_is_left() -> None:
    change = finalized({"spec": {"finalizers": ["a/b"]}})
    assert change({"spec": {"finalizers": ["kubernetes", "a/b"]}})["spec"]["finalizers"] == ["a/b"]
