"""Definitions come, and their kinds are served; they go, and their objects go first."""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import Any

import pytest

from kubus.model.codec import from_json
from kubus.model.kinds import Registry
from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.objects import Key
from kubus.model.records import Note, encode_record, store_key
from kubus_apiserver.core import build

JSON_PATCH, MERGE, STRATEGIC = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"
SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "string", "enum": ["small", "large"]},
        "replicas": {"type": "integer", "default": 1, "minimum": 0},
    },
    "x-kubernetes-validations": [{"rule": "self.replicas <= 10", "message": "ten at most"}],
}
STATUS = {"type": "object", "properties": {"replicas": {"type": "integer"}, "selector": {"type": "string"}}}
SCALE = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".status.selector",
}


def version(name: str = "v1", **more: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"spec": SPEC, "status": STATUS}}
    return {"name": name, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **more}


def definition(plural: str = "widgets", kind: str = "Widget", **spec: Any) -> dict[str, Any]:
    made = {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": plural, "kind": kind},
        "versions": [version(subresources={"status": {}, "scale": SCALE})],
        **spec,
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.example.com"},
        "spec": made,
    }


def widget(name: str = "a", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": name},
        "spec": {"size": "small", **spec},
    }


async def served(api, path: str = WIDGETS, code: int = 200) -> None:
    """Wait until a path answers with a code."""
    async with asyncio.timeout(5):
        while (await api("GET", path)).code != code:
            await asyncio.sleep(0.005)


async def test_a_kind_is_served_within_a_second(api) -> None:
    started = time.monotonic()
    await api.ok("POST", DEFINITIONS, definition())
    await served(api)
    made = await api.ok("POST", WIDGETS, widget())
    assert time.monotonic() - started < 1
    assert made["spec"] == {"size": "small", "replicas": 1}
    status = (await api.ok("GET", f"{DEFINITIONS}/widgets.example.com"))["status"]
    assert status["storedVersions"] == ["v1"]
    assert status["acceptedNames"]["listKind"] == "WidgetList"
    resources = (await api.ok("GET", "/apis/example.com/v1"))["resources"]
    assert [each["name"] for each in resources] == ["widgets", "widgets/scale", "widgets/status"]
    document = await api.ok("GET", "/openapi/v3/apis/example.com/v1")
    assert document["components"]["schemas"]["com.example.v1.Widget"]["properties"]["spec"]["required"] == ["size"]


async def test_an_apiserver_that_starts_later_serves_what_is_defined(api) -> None:
    await api.ok("POST", DEFINITIONS, definition())
    await served(api)
    second = build(api.core.store, api.core.clock, Random(2), Registry(builtin_kinds()))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(second.run())
        await second.loaded()
        assert second.registry.resource("example.com", "v1", "widgets") is not None
        await api.ok("DELETE", f"{DEFINITIONS}/widgets.example.com")
        async with asyncio.timeout(5):
            while second.registry.resource("example.com", "v1", "widgets") is not None:
                await asyncio.sleep(0.005)
        running.cancel()


async def test_objects_are_pruned_and_refused_in_kubernetes_words(api) -> None:
    await api.ok("POST", DEFINITIONS, definition())
    await served(api)
    reply = await api("POST", WIDGETS, widget(colour="red"))
    assert reply.answer.warnings == ('unknown field "spec.colour"',)
    assert "colour" not in reply.body["spec"]
    reply = await api("POST", f"{WIDGETS}?fieldValidation=Strict", widget("b", colour="red"))
    assert (reply.code, reply.message) == (
        400,
        'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.colour"',
    )
    reply = await api("POST", WIDGETS, widget("b", size="tiny", replicas=-1))
    assert reply.code == 422
    assert {cause["field"] for cause in reply.body["details"]["causes"]} >= {"spec.size", "spec.replicas"}
    reply = await api("POST", WIDGETS, widget("b", replicas=11))
    assert reply.message == 'Widget.example.com "b" is invalid: spec: Invalid value: "object": ten at most'
    reply = await api("POST", WIDGETS, {**widget("b"), "metadata": {"name": "b", "labels": 3}})
    assert reply.code == 400


async def test_patches_are_json_or_merge(api) -> None:
    await api.ok("POST", DEFINITIONS, definition())
    await served(api)
    await api.ok("POST", WIDGETS, widget())
    await api.ok("PATCH", f"{WIDGETS}/a", {"spec": {"replicas": 2}}, content_type=MERGE)
    patch = [{"op": "replace", "path": "/spec/size", "value": "large"}]
    obj = await api.ok("PATCH", f"{WIDGETS}/a", patch, content_type=JSON_PATCH)
    assert (obj["spec"], obj["metadata"]["generation"]) == ({"size": "large", "replicas": 2}, 3)
    assert (await api("PATCH", f"{WIDGETS}/a", {}, content_type=STRATEGIC)).code == 415


async def test_status_and_scale_are_apart(api) -> None:
    await api.ok("POST", DEFINITIONS, definition())
    await served(api)
    made = await api.ok("POST", WIDGETS, {**widget(), "status": {"replicas": 9}})
    assert "status" not in made
    status = {"replicas": 1, "selector": "a=b"}
    obj = await api.ok("PUT", f"{WIDGETS}/a/status", {**made, "spec": {"size": "large"}, "status": status})
    assert (obj["spec"]["size"], obj["status"], obj["metadata"]["generation"]) == ("small", status, 1)
    reply = await api("PUT", f"{WIDGETS}/a/status", {**obj, "status": {"replicas": "x"}})
    assert reply.code == 422
    scale = await api.ok("GET", f"{WIDGETS}/a/scale")
    assert (scale["spec"], scale["status"]) == ({"replicas": 1}, {"replicas": 1, "selector": "a=b"})
    await api.ok("PUT", f"{WIDGETS}/a/scale", {**scale, "spec": {"replicas": 4}})
    assert (await api.ok("GET", f"{WIDGETS}/a"))["spec"]["replicas"] == 4


async def test_tables_and_selectable_fields_follow_the_version(api) -> None:
    columns = [{"name": "Size", "type": "string", "jsonPath": ".spec.size"}]
    versions = [version(additionalPrinterColumns=columns, selectableFields=[{"jsonPath": ".spec.size"}])]
    await api.ok("POST", DEFINITIONS, definition(versions=versions))
    await served(api)
    await api.ok("POST", WIDGETS, widget("a"))
    await api.ok("POST", WIDGETS, widget("b", size="large"))
    table = await api.ok("GET", f"{WIDGETS}?fieldSelector=spec.size%3Dlarge", accept=TABLE)
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Size"]
    assert [row["cells"] for row in table["rows"]] == [["b", "large"]]
    assert (await api("GET", f"{WIDGETS}?fieldSelector=spec.replicas%3D1")).code == 400


async def test_a_default_that_comes_later_is_seen_in_what_is_stored(api) -> None:
    bare = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "string"}}}}}
    await api.ok("POST", DEFINITIONS, definition(versions=[version(schema={"openAPIV3Schema": bare})]))
    await served(api)
    await api.ok("POST", WIDGETS, widget())
    patch = [{"op": "replace", "path": "/spec/versions/0", "value": version()}]
    await api.ok("PATCH", f"{DEFINITIONS}/widgets.example.com", patch, content_type=JSON_PATCH)
    async with asyncio.timeout(5):
        while (await api.ok("GET", f"{WIDGETS}/a"))["spec"].get("replicas") != 1:
            await asyncio.sleep(0.005)
    listed = await api.ok("GET", WIDGETS)
    assert [item["spec"]["replicas"] for item in listed["items"]] == [1]


async def test_versions_show_the_same_objects(api) -> None:
    versions = [version("v1"), version("v2", storage=False)]
    await api.ok("POST", DEFINITIONS, definition(versions=versions))
    await served(api)
    await api.ok("POST", WIDGETS, widget())
    other = WIDGETS.replace("/v1/", "/v2/")
    obj = await api.ok("GET", f"{other}/a")
    assert obj["apiVersion"] == "example.com/v2"
    await api.ok("PUT", f"{other}/a", {**obj, "spec": {"size": "large"}})
    assert (await api.ok("GET", f"{WIDGETS}/a"))["spec"]["size"] == "large"
    assert {item["apiVersion"] for item in (await api.ok("GET", other))["items"]} == {"example.com/v2"}


async def test_a_watch_tells_of_custom_objects_and_ends_with_their_kind(api) -> None:
    await api.ok("POST", DEFINITIONS, definition())
    await served(api)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        sink = await api.watch(f"{WIDGETS}?watch=true", tasks)
        await api.ok("POST", WIDGETS, widget())
        await sink.until(1)
        await api.ok("DELETE", f"{DEFINITIONS}/widgets.example.com")
        events = await sink.until(2)
    assert [event["type"] for event in events] == ["ADDED", "DELETED"]


async def test_a_definition_goes_after_its_objects(api) -> None:
    await api.ok("POST", DEFINITIONS, definition())
    await served(api)
    await api.ok("POST", WIDGETS, {**widget(), "metadata": {"name": "a", "finalizers": ["example.com/hold"]}})
    await api.ok("DELETE", f"{DEFINITIONS}/widgets.example.com")
    async with asyncio.timeout(5):
        while not (await api.ok("GET", f"{WIDGETS}/a"))["metadata"].get("deletionTimestamp"):
            await asyncio.sleep(0.01)
    going = await api.ok("GET", f"{DEFINITIONS}/widgets.example.com")
    assert going["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    reply = await api("POST", WIDGETS, widget("b"))
    assert (reply.code, reply.message) == (
        405,
        "create not allowed while custom resource definition is terminating",
    )
    await api.ok("PATCH", f"{WIDGETS}/a", {"metadata": {"finalizers": None}}, content_type=MERGE)
    await served(api, f"{DEFINITIONS}/widgets.example.com", 404)
    await served(api, WIDGETS, 404)
    assert "example.com" not in {group["name"] for group in (await api.ok("GET", "/apis"))["groups"]}


async def test_a_rival_is_served_when_the_name_is_free(api) -> None:
    await api.ok("POST", DEFINITIONS, definition())
    await served(api)
    await api.ok("POST", DEFINITIONS, definition("gadgets", "Widget"))
    gadgets = WIDGETS.replace("widgets", "gadgets")
    await asyncio.sleep(0.05)
    assert (await api("GET", gadgets)).code == 404
    await api.ok("DELETE", f"{DEFINITIONS}/widgets.example.com")
    await served(api, gadgets)


async def test_a_definition_that_makes_no_sense_is_refused(api) -> None:
    bad = {"type": "object", "properties": {"spec": {"properties": {"a": {"type": "string", "pattern": "("}}}}}
    reply = await api("POST", DEFINITIONS, definition(versions=[version(schema={"openAPIV3Schema": bad})]))
    fields = [cause["field"] for cause in reply.body["details"]["causes"]]
    root = "spec.validation.openAPIV3Schema"
    assert fields == [f"{root}.properties[spec].type", f"{root}.properties[spec].properties[a].pattern"]
    reply = await api("POST", DEFINITIONS, definition(group="x.k8s.io"))
    assert "api-approved.kubernetes.io" in reply.message


async def test_built_in_kinds_are_nobodys_to_replace(api) -> None:
    names = {"plural": "leases", "kind": "Lease"}
    mine = definition(group="coordination.k8s.io", names=names)
    mine["metadata"] = {
        "name": "leases.coordination.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "unapproved"},
    }
    await api.ok("POST", DEFINITIONS, mine)
    await asyncio.sleep(0.05)
    kind = api.core.registry.resource("coordination.k8s.io", "v1", "leases")
    assert kind is not None
    assert kind.custom is None
    assert from_json((await api.raw("GET", "/apis/coordination.k8s.io/v1/leases")).body)["kind"] == "LeaseList"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "versions", 0, "schema", "openAPIV3Schema", "properties"), 5),
        (("spec", "versions", 0, "schema", "openAPIV3Schema"), ["x"]),
        (("spec", "versions"), None),
        (("spec", "group"), None),
        (("spec", "names"), None),
        (("spec", "names", "plural"), "\0"),
        (("spec", "group"), "other.example.com"),
        (("spec",), None),
        (("status", "conditions"), [None]),
    ],
)
async def test_a_definition_that_nobody_validated_stops_no_other(api, path: tuple[Any, ...], value: Any) -> None:
    await api.ok("POST", DEFINITIONS, definition("widgets"))
    bad = await api.ok("POST", DEFINITIONS, definition("gadgets", "Gadget"))
    gadgets = WIDGETS.replace("widgets", "gadgets")
    await served(api)
    await served(api, gadgets)
    bad["status"] = {"conditions": [{"type": "Established", "status": "True"}]}
    holder: Any = bad
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    key = store_key(Key("customresourcedefinitions.apiextensions.k8s.io", "", "gadgets.example.com"))
    stands = await api.core.store.get(key)
    await api.core.store.replace(key, encode_record(Note("t", "t", "update", 0), bad), expected=stands.revision)
    await served(api, gadgets, 404)
    await api.ok("POST", DEFINITIONS, definition("gizmos", "Gizmo"))
    await served(api, WIDGETS.replace("widgets", "gizmos"))
    await api.ok("POST", WIDGETS, widget())
