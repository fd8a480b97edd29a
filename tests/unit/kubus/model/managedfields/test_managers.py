"""Entries of managedFields: read, sorted, capped."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.managedfields.managers import (
    ANCIENT,
    APPLY,
    UPDATE,
    EntryError,
    Managed,
    Manager,
    capped,
    identity,
    is_reset,
    read_managers,
    same_but_for_times,
    stored_managers,
    written,
)

ENTRY = {"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:a": {}}}


def test_an_applier_is_one_whatever_version_it_applies_by() -> None:
    assert identity("m", APPLY, "v1") == identity("m", APPLY, "v2")
    assert identity("m", UPDATE, "v1") != identity("m", UPDATE, "v2")
    assert identity("", UPDATE, "v1").name == "unknown"


@pytest.mark.parametrize(
    ("manager", "said"),
    [
        (Manager("m", UPDATE, "apps/v1"), '"m" using apps/v1'),
        (Manager("m", UPDATE, "apps/v1", "scale"), '"m" with subresource "scale" using apps/v1'),
        (Manager("m", APPLY, ""), '"m"'),
    ],
)
def test_a_conflict_names_its_manager(manager: Manager, said: str) -> None:
    assert str(manager) == said


def test_entries_are_sorted_by_operation_time_and_name() -> None:
    managers = {
        Manager("b", UPDATE, "v1"): Managed("v1", {"f:a": {}}, "2026-01-01T00:00:00Z"),
        Manager("z", APPLY, ""): Managed("v1", {"f:a": {}}, "2026-01-03T00:00:00Z"),
        Manager("a", UPDATE, "v1"): Managed("v1", {"f:a": {}}, "2026-01-01T00:00:00Z"),
        Manager("c", UPDATE, "v1", "status"): Managed("v1", {"f:a": {}}),
    }
    entries = written(managers)
    assert [each["manager"] for each in entries] == ["z", "c", "a", "b"]
    assert "time" not in entries[1]
    assert entries[1]["subresource"] == "status"
    assert stored_managers(entries) == managers
    assert read_managers(entries) == managers


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"operation": "Delete"}, "operation must be `Apply` or `Update`"),
        ({"apiVersion": ""}, "apiVersion must not be empty"),
        ({"fieldsType": ""}, "missing fieldsType in managed fields entry 0"),
        ({"fieldsType": "FieldsV2"}, 'invalid fieldsType "FieldsV2" in managed fields entry 0'),
        ({"fieldsV1": {"x": {}}}, "unknown path element"),
        ({"manager": 3}, "holds no text"),
    ],
)
def test_entries_that_cannot_be_read_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(EntryError) as refused:
        read_managers([{**ENTRY, **change}])
    assert said in str(refused.value)


@pytest.mark.parametrize("bad", [None, {}, "x", [None], [1]])
def test_what_is_no_list_of_entries_is_refused(bad: Any) -> None:
    with pytest.raises(EntryError):
        read_managers(bad)


@pytest.mark.parametrize(
    ("entries", "reset"),
    [
        ([], True),
        ([{}], True),
        ([{"manager": ""}], True),
        (None, False),
        ([ENTRY], False),
        ([{}, {}], False),
        ([1], False),
    ],
)
def test_an_empty_list_or_entry_asks_to_forget(entries: Any, reset: bool) -> None:
    assert is_reset(entries) is reset


def test_times_alone_make_no_difference() -> None:
    assert same_but_for_times([{**ENTRY, "time": "a"}], [{**ENTRY, "time": "b"}])
    assert not same_but_for_times([ENTRY], [])
    assert not same_but_for_times([ENTRY], [{**ENTRY, "manager": "n"}])


def updaters(count: int, version: str = "v1") -> dict[Manager, Managed]:
    return {
        Manager(f"m{i:02}", UPDATE, version): Managed(version, {f"f:{i}": {}}, f"2026-01-01T00:00:{i:02}Z")
        for i in range(count)
    }


def test_ten_updaters_stay_as_they_are() -> None:
    managers = updaters(10)
    assert capped(managers) is managers


def test_the_oldest_updaters_are_thrown_together() -> None:
    done = capped(updaters(12))
    assert len(done) == 10
    ancient = done[Manager(ANCIENT, UPDATE, "v1")]
    assert ancient == Managed("v1", {"f:0": {}, "f:1": {}, "f:2": {}}, "2026-01-01T00:00:02Z")
    again = capped({**done, Manager("new", UPDATE, "v1"): Managed("v1", {"f:n": {}}, "2026-01-02T00:00:00Z")})
    assert again[Manager(ANCIENT, UPDATE, "v1")].fields == {"f:0": {}, "f:1": {}, "f:2": {}, "f:3": {}}
    assert len(again) == 10


def test_appliers_are_not_counted_and_versions_not_mixed() -> None:
    appliers = {Manager(f"a{i}", APPLY, ""): Managed("v1", {"f:x": {}}) for i in range(12)}
    done = capped({**updaters(6), **updaters(6, "v2"), **appliers})
    assert appliers.items() <= done.items()
    assert {each.api_version for each in done if each.name == ANCIENT} <= {"v1", "v2"}
    assert sum(each.operation == UPDATE for each in done) == 10


def test_an_updater_older_than_the_bucket_goes_into_it() -> None:
    bucket = {Manager(ANCIENT, UPDATE, "v1"): Managed("v1", {"f:b": {}}, "2026-01-01T00:00:00Z")}
    old = {Manager("old", UPDATE, "v1"): Managed("v1", {"f:o": {}}, "2025-01-01T00:00:00Z")}
    rest = dict(list(updaters(12).items())[3:])
    done = capped({**bucket, **old, **rest})
    assert done[Manager(ANCIENT, UPDATE, "v1")].fields == {"f:b": {}, "f:o": {}}
    assert len(done) == 10
