"""Views: rules, columns and selectors of the stored kind, asked of objects in another shape."""

from __future__ import annotations

from kubus.model.cells import NAME, at
from kubus.model.errors import invalid
from kubus.model.kinds import Column, Kind
from kubus.model.views import view_of
from kubus.testing.kinds import complaints, sent, shown


def _rule(obj, old):
    was = old["new"] if old else None
    return [invalid("new", obj["new"], f"was {was}")] if obj["new"] != was else []


STORED = Kind(
    "g.io",
    "v2",
    "Thing",
    "things",
    namespaced=False,
    schema="v2",
    rules=(_rule,),
    columns=(NAME, Column("New", at("new"))),
    fields={"new": lambda obj: obj["new"]},
)
VIEW = view_of(
    STORED,
    to_stored=lambda obj: {**{k: v for k, v in obj.items() if k != "old"}, "new": obj["old"]},
    from_stored=lambda obj: {**{k: v for k, v in obj.items() if k != "new"}, "old": obj["new"]},
    version="v1",
    schema="v1",
)


def test_a_view_shares_the_collection_of_the_stored_kind():
    assert VIEW.collection == STORED.collection == "things.g.io"
    assert VIEW.api_version == "g.io/v1"


def test_a_view_shows_and_checks_objects_in_its_own_shape():
    obj = sent(VIEW, old="a")
    assert shown(VIEW, obj) == {"Name": "x", "New": "a"}
    assert VIEW.fields["new"](obj) == "a"
    assert complaints(VIEW, obj, obj) == []
    assert complaints(VIEW, sent(VIEW, old="b"), obj) == ['new: Invalid value: "b": was a']
