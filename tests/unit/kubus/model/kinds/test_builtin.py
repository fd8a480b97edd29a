"""All built-in kinds: complete, consistent with the schema, and at peace with an empty object."""

from __future__ import annotations

import re

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
    "cj", "cm", "crd", "crds", "csr", "deploy", "ds", "ep", "ev", "hpa", "ing", "ip", "limits", "netpol", "no", "ns",
    "pc", "pdb", "po", "pv", "pvc", "quota", "rc", "rs", "sa", "sc", "sts", "svc", "vac",
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
def test_an_empty_object_in_full_is_judged_without_a_fault(kind):
    """Rules take types for given and nothing else: every struct there, and empty."""
    complaints(kind, sent(kind, **_hollow(kind.schema, 3)))


def _hollow(definition, depth):
    fields = {}
    for name, field in SCHEMAS.fields(definition).items():
        if name in ("metadata", "apiVersion", "kind") or depth == 0:
            continue
        if field.type == "ref" and SCHEMAS.definition(field.ref).type == "struct":
            fields[name] = _hollow(field.ref, depth - 1)
        elif field.items_ref and SCHEMAS.definition(field.items_ref).type == "struct":
            inner = _hollow(field.items_ref, depth - 1)
            fields[name] = [inner] if field.type == "array" else {"a": inner}
    return fields
