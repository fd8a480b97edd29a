"""CustomResourceDefinitions: names that follow, versions that are remembered."""

from __future__ import annotations

from kubus.model.kinds.customresourcedefinitions import KIND
from kubus.testing.kinds import created, sent, shown, updated


def _definition(*versions):
    made = [{"name": name, "storage": index == 0} for index, name in enumerate(versions)]
    return sent(KIND, spec={"names": {"kind": "Thing", "plural": "things"}, "versions": made})


def test_names_follow_from_the_kind():
    names = created(KIND, _definition("v1"))["spec"]["names"]
    assert (names["singular"], names["listKind"]) == ("thing", "ThingList")


def test_every_version_that_was_stored_is_remembered():
    old = created(KIND, _definition("v1"))
    assert old["status"]["storedVersions"] == ["v1"]
    new = {**_definition("v2", "v1"), "status": old["status"]}
    assert updated(KIND, new, old)["status"]["storedVersions"] == ["v1", "v2"]


def test_the_row_has_the_moment_of_creation():
    made = sent(KIND, metadata={"creationTimestamp": "2026-01-31T11:00:00Z"})
    assert shown(KIND, made) == {"Name": "x", "Created At": "2026-01-31T11:00:00Z"}
