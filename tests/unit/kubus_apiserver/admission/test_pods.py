"""What a new pod is given."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.errors import StatusError
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.priorityclasses import KIND as PRIORITIES
from kubus.model.objects import Key
from kubus.model.records import Note, encode_record, store_key
from kubus.store import StoreChange
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.plugins import built_in
from kubus_apiserver.admission.pods import is_class_unknown
from kubus_apiserver.calls import User
from kubus_apiserver.reading.watchcache import WatchCache


def classes(*values: tuple[str, int, bool]) -> WatchCache:
    cache = WatchCache()
    for revision, (name, value, is_default) in enumerate(values, start=1):
        obj = {"metadata": {"name": name}, "value": value, "globalDefault": is_default}
        key = store_key(Key("priorityclasses.scheduling.k8s.io", "", name))
        cache.apply([StoreChange(key, encode_record(Note("t", "t", "create", 0), obj), revision, revision, None)])
    return cache


def admitted(cache: WatchCache, **spec: Any) -> dict[str, Any]:
    pod: dict[str, Any] = {"metadata": {"name": "p"}, "spec": spec}
    built_in().mutate(Proposal(User("u"), "create", PODS, "", pod, None), cache)
    return pod["spec"]


def test_a_pod_runs_as_the_default_account_unless_it_names_one() -> None:
    assert admitted(classes())["serviceAccountName"] == "default"
    assert admitted(classes(), serviceAccountName="x")["serviceAccount"] == "x"
    assert admitted(classes(), serviceAccount="y")["serviceAccountName"] == "y"


def test_a_pod_tolerates_a_lost_node_for_five_minutes_unless_it_says_otherwise() -> None:
    keys = {each["key"]: each["tolerationSeconds"] for each in admitted(classes())["tolerations"]}
    assert keys == {"node.kubernetes.io/not-ready": 300, "node.kubernetes.io/unreachable": 300}
    own = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1}
    assert [each["tolerationSeconds"] for each in admitted(classes(), tolerations=[own])["tolerations"]] == [1, 300]
    everything = {"operator": "Exists"}
    assert admitted(classes(), tolerations=[everything])["tolerations"] == [everything]


def test_priority_comes_from_the_class_or_the_default_class() -> None:
    assert admitted(classes())["priority"] == 0
    known = classes(("high", 100, False), ("usual", 5, True))
    assert admitted(known, priorityClassName="high")["priority"] == 100
    usual = admitted(known)
    assert (usual["priority"], usual["priorityClassName"]) == (5, "usual")
    assert admitted(classes(), priorityClassName="system-node-critical")["priority"] == 2_000_001_000
    with pytest.raises(StatusError, match="no PriorityClass with name none was found"):
        admitted(known, priorityClassName="none")


def test_other_kinds_and_updates_are_left_alone() -> None:
    pod: dict[str, Any] = {"metadata": {"name": "p"}, "spec": {}}
    built_in().mutate(Proposal(User("u"), "update", PODS, "", pod, pod), WatchCache())
    assert pod["spec"] == {}


def test_there_is_one_default_priority() -> None:
    cache = classes(("usual", 5, True), ("other", 7, False))

    def refusal(verb: str, name: str, old: bool) -> str:
        obj = {"metadata": {"name": name}, "value": 1, "globalDefault": True}
        before = {**obj, "globalDefault": False} if old else None
        try:
            built_in().validate(Proposal(User("u"), verb, PRIORITIES, "", obj, before), cache)
        except StatusError as error:
            return str(error)
        return ""

    words = "PriorityClass usual is already marked as default. Only one default can exist"
    assert refusal("create", "new", old=False).endswith(words)
    assert refusal("update", "other", old=True).endswith(words)
    assert refusal("update", "usual", old=True) == ""


def test_a_name_that_the_cache_does_not_have_yet_is_looked_up() -> None:
    cache = classes(("usual", 5, True))
    assert not is_class_unknown({"spec": {"priorityClassName": "usual"}}, cache)
    assert not is_class_unknown({"spec": {"priorityClassName": "system-node-critical"}}, cache)
    assert is_class_unknown({"spec": {"priorityClassName": "new"}}, cache)
    assert is_class_unknown({"spec": {"runtimeClassName": "new"}}, cache)
    assert not is_class_unknown({"spec": {}}, cache)


def test_a_mirror_pod_runs_as_nobody() -> None:
    pod: dict[str, Any] = {"metadata": {"name": "p", "annotations": {"kubernetes.io/config.mirror": "x"}}, "spec": {}}
    built_in().mutate(Proposal(User("u"), "create", PODS, "", pod, None), classes())
    assert "serviceAccountName" not in pod["spec"]
