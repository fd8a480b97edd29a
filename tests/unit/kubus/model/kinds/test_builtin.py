"""All built-in kinds: complete, consistent with the schema, and at peace with an empty object."""

from __future__ import annotations

import re
from random import Random

import pytest

from kubus.model.kinds import STANDARD_VERBS, Registry
from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.schema import load_schemas
from kubus.model.tables import table
from kubus.testing.kinds import NOW, complaints, copy_of, created, sent, updated

KINDS = builtin_kinds()
SCHEMAS = load_schemas()
STORED = [kind for kind in KINDS if kind.verbs != ("create",)]
NOT_SERVED = {
    "APIGroup", "APIVersions", "Binding", "ComponentStatus", "DeleteOptions", "Eviction", "Scale", "Status",
    "TokenRequest", "WatchEvent",
}  # fmt: skip
SHORT_NAMES = {
    "cj", "cm", "crd", "crds", "cs", "csr", "deploy", "ds", "ep", "ev", "hpa", "ing", "ip", "limits", "netpol", "no",
    "ns", "pc", "pdb", "po", "pv", "pvc", "quota", "rc", "rs", "sa", "sc", "sts", "svc", "vac",
}  # fmt: skip


def _ids(kind):
    return f"{kind.resource}-{kind.version}"


def test_every_generally_available_kind_is_served():
    served = {(kind.group, kind.version, kind.name) for kind in KINDS}
    missing = [
        each
        for each in SCHEMAS.kinds()
        if re.fullmatch(r"v\d+", each[1])
        and each not in served
        and not each[2].endswith("List")
        and each[2] not in NOT_SERVED
    ]
    assert not missing


def test_collections_and_short_names_are_unique_but_for_views():
    own = [kind for kind in KINDS if not kind.stored_as]
    assert len({kind.collection for kind in own}) == len(own)
    names = [name for kind in own for name in kind.short_names]
    assert sorted(names) == sorted(SHORT_NAMES)
    registry = Registry(KINDS)
    for kind in KINDS:
        assert registry[kind.collection].stored_as == ""


def test_what_get_all_shows():
    assert {kind.plural for kind in KINDS if "all" in kind.categories} == {
        "cronjobs", "daemonsets", "deployments", "horizontalpodautoscalers", "jobs", "pods", "replicasets",
        "replicationcontrollers", "services", "statefulsets",
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=_ids)
def test_a_kind_agrees_with_its_schema(kind):
    definition = SCHEMAS.definition(kind.schema)
    assert (kind.group, kind.version, kind.name) in definition.kinds
    assert set(kind.verbs) <= set(STANDARD_VERBS)
    if kind.status:
        assert "status" in definition.fields


@pytest.mark.parametrize("kind", STORED, ids=_ids)
def test_an_empty_object_is_defaulted_judged_and_shown(kind):
    bare = sent(kind)
    once = created(kind, bare)
    assert SCHEMAS.check(kind.schema, once) == ((), ())
    again = copy_of(once)
    if kind.defaults is not None:
        kind.defaults(again)
    assert again == once, "defaults may be applied twice"
    assert updated(kind, once, once) == once, "an update that changes nothing changes nothing"
    assert set(complaints(kind, once, once)) <= set(complaints(kind, once)), "nothing changed, so nothing is immutable"
    (row,) = table(kind, [(once, 1)], NOW)["rows"]
    assert all(isinstance(cell, str | int | bool | None) for cell in row["cells"])
    for get in kind.fields.values():
        assert isinstance(get(once), str)


@pytest.mark.parametrize("kind", STORED, ids=_ids)
def test_no_object_of_the_right_types_breaks_a_kind(kind):
    """Rules, defaults and columns take types for given and nothing else: whatever is sent, nothing is raised."""
    random = Random(kind.schema)
    for _ in range(25):
        old, new = (sent(kind, **_anything(random, kind.schema, 5)) for _ in range(2))
        assert SCHEMAS.check(kind.schema, new).wrong_types == ()
        made = created(kind, SCHEMAS.normalized(kind.schema, new))
        complaints(kind, made)
        complaints(kind, updated(kind, made, SCHEMAS.normalized(kind.schema, old)), old)
        table(kind, [(made, 1)], NOW)
        for get in kind.fields.values():
            assert isinstance(get(made), str)


TEXTS = ["", "a", "A b", "/x", "In", "Always", "v1", "None", "10.0.0.1", "1.2.3.4/8", "*/5 * * * *", "x.example.com"]
SCALARS = {
    "string": lambda random: random.choice(TEXTS),
    "boolean": lambda random: random.random() < 0.5,
    "integer": lambda random: random.choice([-1, 0, 1, 80, 2**31 - 1]),
    "number": lambda random: random.choice([0, 0.5]),
    "object": lambda _: {"a": [None]},
    "any": lambda random: random.choice(["a", 1, [1], {"a": None}]),
    "quantity": lambda random: random.choice(["1", "-1", "0", "1Gi", 0.5]),
    "int-or-string": lambda random: random.choice([0, 1, "25%", "http", "200%"]),
    "date-time": lambda _: "2026-01-31T11:00:00Z",
    "micro-time": lambda _: "2026-01-31T11:00:00.000000Z",
}


def _anything(random, definition, depth):
    fields = SCHEMAS.fields(definition)
    return {
        name: _value(random, field, depth)
        for name, field in fields.items()
        if name not in ("metadata", "apiVersion", "kind") and random.random() < 0.6
    }


def _value(random, field, depth):
    if field.type == "ref":
        kind = SCHEMAS.definition(field.ref).type
        if kind == "struct":
            return _anything(random, field.ref, depth - 1) if depth else {}
        return SCALARS[kind](random)
    if field.items is not None:
        values = [_value(random, field.items, depth) for _ in range(random.choice([0, 1, 2]) if depth else 0)]
        return values if field.type == "array" else {random.choice(TEXTS): value for value in values}
    return "AA==" if field.format == "byte" else SCALARS[field.type](random)
