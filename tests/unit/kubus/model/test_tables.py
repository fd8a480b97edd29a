"""Tables: heads, rows, and as much of the object as was asked for."""

from __future__ import annotations

import pytest

from kubus.model.kinds import Kind
from kubus.model.kinds.configmaps import KIND as CONFIG_MAPS
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.tables import column_definitions, row, table
from kubus.testing.kinds import NOW, sent

MAP = sent(CONFIG_MAPS, data={"a": "1"}, metadata={"creationTimestamp": "2026-01-31T11:58:00Z"})


def test_a_table_has_columns_rows_and_the_lists_metadata():
    made = table(CONFIG_MAPS, [(MAP, 7)], NOW, list_metadata={"resourceVersion": "9"})
    assert made["kind"] == "Table"
    assert made["apiVersion"] == "meta.k8s.io/v1"
    assert made["metadata"] == {"resourceVersion": "9"}
    assert [column["name"] for column in made["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert made["rows"][0]["cells"] == ["x", 1, "2m"]


@pytest.mark.parametrize(
    ("include", "found"),
    [
        ("None", None),
        (
            "Metadata",
            {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": {**MAP["metadata"], "resourceVersion": "7"},
            },
        ),
        ("Object", {**MAP, "metadata": {**MAP["metadata"], "resourceVersion": "7"}}),
    ],
)
def test_a_row_carries_what_was_asked_for(include, found):
    assert row(CONFIG_MAPS, MAP, 7, NOW, include)["object"] == found


def test_later_tables_of_a_watch_need_no_head():
    assert table(CONFIG_MAPS, [(MAP, 7)], NOW, definitions=False)["columnDefinitions"] is None


def test_a_kind_without_columns_shows_name_and_age():
    plain = Kind("", "v1", "Thing", "things", namespaced=True, schema="")
    assert [column["name"] for column in column_definitions(plain)] == ["Name", "Age"]


@pytest.mark.parametrize(("phase", "marked"), [("Succeeded", True), ("Failed", True), ("Running", False)])
def test_rows_of_finished_pods_are_marked(phase, marked):
    made = row(PODS, sent(PODS, status={"phase": phase}), 1, NOW)
    assert ("conditions" in made) == marked
