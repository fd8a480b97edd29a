"""From definitions to kinds, names and conditions."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.codec import DecodeError
from kubus.model.custom.acceptance import judged, terminating
from kubus.model.custom.definitions import is_established, kinds_of

NOW = "2024-01-01T00:00:00Z"
SPEC = {"type": "object", "properties": {"size": {"type": "string", "default": "small"}}}


def _version(name: str, **more: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"spec": SPEC}}
    return {"name": name, "served": True, "storage": False, "schema": {"openAPIV3Schema": schema}, **more}


def _definition(plural: str = "widgets", kind: str = "Widget", **spec: Any) -> dict[str, Any]:
    names = {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    return {
        "metadata": {"name": f"{plural}.example.com", "uid": plural, "generation": 1},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {**names, **spec.pop("names", {})},
            "versions": [_version("v1", storage=True)],
            **spec,
        },
    }


def _accepted(definition: dict[str, Any], *others: dict[str, Any]) -> dict[str, Any]:
    return {**definition, "status": judged(definition, others, NOW)}


def test_a_kind_is_what_its_definition_says() -> None:
    subresources = {"status": {}, "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}}
    version = _version("v1", storage=True, subresources=subresources, selectableFields=[{"jsonPath": ".spec.size"}])
    (kind,) = kinds_of(_accepted(_definition(names={"shortNames": ["wd"]}, versions=[version])))
    assert (kind.collection, kind.path, kind.namespaced) == ("widgets.example.com", "/apis/example.com/v1", True)
    assert (kind.short_names, kind.status, kind.generation) == (("wd",), True, True)
    assert kind.scale is not None
    assert kind.scale.replicas == ("spec", "n")
    assert kind.fields["spec.size"]({"spec": {"size": "big"}}) == "big"


def test_a_version_that_is_not_served_is_no_kind() -> None:
    versions = [_version("v1", storage=True), _version("v2"), _version("v3", served=False)]
    assert [kind.version for kind in kinds_of(_accepted(_definition(versions=versions)))] == ["v1", "v2"]


def test_versions_are_views_of_what_is_stored() -> None:
    versions = [_version("v1"), _version("v2", storage=True)]
    stored, other = kinds_of(_accepted(_definition(versions=versions)))
    assert (stored.version, stored.stored_as) == ("v2", "")
    assert (other.version, other.stored_as) == ("v1", "widgets.example.com")
    obj = {"apiVersion": "example.com/v2", "spec": {}}
    assert other.from_stored is not None
    assert other.from_stored(obj) == {"apiVersion": "example.com/v1", "spec": {"size": "small"}}
    assert obj["spec"] == {}
    assert other.to_stored is not None
    assert other.to_stored({"apiVersion": "example.com/v1"}) == {"apiVersion": "example.com/v2"}


def test_what_a_webhook_converts_cannot_be_seen_before_it_has() -> None:
    versions = [_version("v1"), _version("v2", storage=True)]
    conversion = {"strategy": "Webhook", "webhook": {"clientConfig": {"url": "https://x"}}}
    _, other = kinds_of(_accepted(_definition(versions=versions, conversion=conversion)))
    assert other.from_stored is not None
    with pytest.raises(DecodeError):
        other.from_stored({"apiVersion": "example.com/v2"})


def test_objects_are_checked_by_types_first_and_rules_then() -> None:
    rules = [{"rule": "self.spec.size == 'small'", "message": "only small"}]
    schema = {"type": "object", "x-kubernetes-validations": rules, "properties": {"spec": SPEC}}
    (kind,) = kinds_of(
        _accepted(_definition(versions=[_version("v1", storage=True, schema={"openAPIV3Schema": schema})]))
    )
    (rule,) = kind.rules
    assert rule({"spec": {"size": "small"}}, None) == []
    assert [error.message for error in rule({"spec": {"size": "big"}}, None)] == ['Invalid value: "object": only small']
    words = [error.message for error in rule({"spec": {"size": 1}}, None)]
    assert len(words) == 2
    assert "some validation rules were not checked" in words[1]


def test_free_names_are_accepted_at_once() -> None:
    definition = _accepted(_definition())
    assert is_established(definition)
    assert definition["status"]["acceptedNames"]["kind"] == "Widget"
    assert judged(definition, [], "later") == definition["status"]


def test_who_wants_a_taken_name_waits_for_it() -> None:
    first = _accepted(_definition())
    second = _accepted(_definition("gadgets", "Widget", names={"shortNames": ["widgets"]}), first)
    assert not is_established(second)
    reasons = {each["type"]: each["reason"] for each in second["status"]["conditions"]}
    assert reasons == {"NamesAccepted": "ShortNamesConflict", "Established": "NotAccepted"}
    assert is_established(_accepted(second))


def test_who_is_established_stays_so() -> None:
    first = _accepted(_definition())
    rival = _accepted(_definition("gadgets", "Gadget", names={"shortNames": ["gd"]}))
    changed = {**first, "spec": {**first["spec"], "names": {**first["spec"]["names"], "shortNames": ["gd"]}}}
    assert is_established(_accepted(changed, rival))


def test_another_groups_names_do_not_matter() -> None:
    other = _accepted(_definition(group="example.org"))
    assert is_established(_accepted(_definition(), other))


def test_a_definition_that_goes_says_so() -> None:
    status = terminating(_accepted(_definition()), "InstanceDeletionInProgress", "in progress", NOW)
    assert status["conditions"][-1]["type"] == "Terminating"
