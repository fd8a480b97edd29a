"""How objects look when they leave."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubus.model.codec import DecodeError, Raw, from_json, pack
from kubus.model.errors import StatusError
from kubus.model.kinds.configmaps import KIND as CONFIG_MAPS
from kubus.model.kinds.events_v1 import KIND as NEW_EVENTS
from kubus.model.kinds.pods import KIND as PODS
from kubus_apiserver.calls import ReadOptions
from kubus_apiserver.reading.entries import Entry, without_revision
from kubus_apiserver.reading.negotiation import Form
from kubus_apiserver.reading.reads import Listed
from kubus_apiserver.reading.representations import PLAIN_VIEW, View, many, one
from kubus_apiserver.reading.selection import selection

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = Form(transform="Table")


def entry(name: str = "a", **labels: str) -> Entry:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "d", "labels": labels}}
    return Entry("d", name, 7, Raw(pack(obj)))


def test_a_list_is_its_objects_joined() -> None:
    listed = from_json(many(CONFIG_MAPS, Listed([entry("a"), entry("b")], 9, "token", 3), PLAIN_VIEW, NOW))
    assert (listed["kind"], listed["apiVersion"]) == ("ConfigMapList", "v1")
    assert listed["metadata"] == {"resourceVersion": "9", "continue": "token", "remainingItemCount": 3}
    assert [item["metadata"]["resourceVersion"] for item in listed["items"]] == ["7", "7"]


def test_an_empty_list_has_an_empty_list_of_items() -> None:
    assert from_json(many(CONFIG_MAPS, Listed([], 9), PLAIN_VIEW, NOW))["items"] == []


@pytest.mark.parametrize(("include", "kind"), [("", "PartialObjectMetadata"), ("Object", "ConfigMap"), ("None", None)])
def test_rows_carry_as_much_as_is_asked_for(include: str, kind: str | None) -> None:
    table = from_json(one(CONFIG_MAPS, entry(), View(TABLE, include), NOW))
    carried = table["rows"][0]["object"]
    assert (carried["kind"] if carried else None) == kind
    assert table["metadata"]["resourceVersion"] == "7"


def test_metadata_alone_can_be_had_of_lists_too() -> None:
    listed = from_json(many(CONFIG_MAPS, Listed([entry()], 9), View(Form(transform="PartialObjectMetadata")), NOW))
    assert listed["kind"] == "PartialObjectMetadataList"
    assert set(listed["items"][0]) == {"kind", "apiVersion", "metadata"}


def test_an_event_is_shown_in_the_shape_of_either_group() -> None:
    obj = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "d"}, "message": "hello"}
    shown = Entry("d", "e", 7, Raw(pack(obj))).viewed(NEW_EVENTS)
    assert (shown.object["apiVersion"], shown.object["note"]) == ("events.k8s.io/v1", "hello")
    assert b"resourceVersion" not in bytes(shown.raw)
    assert shown.object["metadata"]["resourceVersion"] == "7"


def test_what_is_no_object_cannot_be_read() -> None:
    for value in ([], {}, {"metadata": 1}, "x"):
        with pytest.raises(DecodeError):
            _ = Entry("d", "a", 1, Raw(pack(value))).object


def test_the_stored_form_has_no_revision() -> None:
    assert without_revision(entry().object)["metadata"].get("resourceVersion") is None
    assert entry().object["metadata"]["resourceVersion"] == "7"


def chosen(**options: Any) -> Any:
    return selection(PODS, ReadOptions(**options))


def test_selectors_look_at_labels_and_fields() -> None:
    pod = {"metadata": {"name": "p", "labels": {"a": "b"}}, "spec": {"nodeName": "n"}, "status": {"phase": "Running"}}
    assert chosen().everything
    assert chosen(label_selector="a=b", field_selector="spec.nodeName=n,status.phase!=Failed").matches(pod)
    assert not chosen(field_selector="metadata.name=q").matches(pod)
    assert chosen(field_selector="metadata.name=p").name == "p"
    for wrong in ({"field_selector": "spec.color=red"}, {"label_selector": "a=b=c"}, {"field_selector": "x"}):
        with pytest.raises(StatusError) as refused:
            chosen(**wrong)
        assert refused.value.code == 400
