"""CustomResourcePublishOpenAPI and FieldValidation: what clients are told of fields, and held to."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.cluster.conftest import Cluster, eventually
from tests.e2e.conformance.conftest import Api, Object

pytestmark = pytest.mark.e2e
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_NAME = {"type": "string", "description": "Name of Bar."}
_EMBEDDED = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
FIELDS: Object = {
    "type": "object",
    "required": ["bars"],
    "properties": {
        "bars": {"type": "array", "items": {"type": "object", "required": ["name"], "properties": {"name": _NAME}}},
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "description": "Anything goes."},
        "template": _EMBEDDED,
    },
}
WHOLE: Object = {"type": "object", "description": "Foo CRD for Testing", "properties": {"spec": FIELDS}}
OPEN: Object = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


class Kinds:
    """Definitions of a test, gone afterwards."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.group = f"g{uuid.uuid4().hex[:8]}.example.com"
        self._made: list[str] = []

    def define(self, kind: str, versions: dict[str, Object], group: str = "") -> str:
        """Its path; it is served when this returns."""
        group = group or self.group
        plural = f"{kind.lower()}s"
        name = f"{plural}.{group}"
        listed = [
            {"name": version, "served": True, "storage": number == 0, "schema": {"openAPIV3Schema": schema}}
            for number, (version, schema) in enumerate(versions.items())
        ]
        spec = {"group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural}, "versions": listed}
        self.api.create(DEFINITIONS, {"metadata": {"name": name}, "spec": spec})
        self._made.append(name)
        for version in versions:
            eventually(lambda version=version: self.api.call("GET", f"/apis/{group}/{version}/{plural}").code == 200)
        return f"{DEFINITIONS}/{name}"

    def published(self, version: str, kind: str, group: str = "") -> Any:
        """The kind's schema in OpenAPI v2; None where there is none."""
        reverse = ".".join(reversed((group or self.group).split(".")))
        return self.api.get("/openapi/v2")["definitions"].get(f"{reverse}.{version}.{kind}")

    def gone(self) -> None:
        for name in self._made:
            self.api.call("DELETE", f"{DEFINITIONS}/{name}")


@pytest.fixture
def kinds(api: Api) -> Iterator[Kinds]:
    made = Kinds(api)
    yield made
    made.gone()


def test_several_groups_versions_and_kinds_are_published(kinds: Kinds) -> None:
    other = f"other.{kinds.group}"
    kinds.define("Foo", {"v1": WHOLE, "v2": WHOLE})
    kinds.define("Bar", {"v1": WHOLE})
    kinds.define("Foo", {"v3": WHOLE}, other)
    for version, kind, group in (("v1", "Foo", ""), ("v2", "Foo", ""), ("v1", "Bar", ""), ("v3", "Foo", other)):
        found = eventually(
            lambda v=version, k=kind, g=group: kinds.published(v, k, g), what=f"{group} {version} {kind}"
        )
        assert found["x-kubernetes-group-version-kind"] == [
            {"group": group or kinds.group, "kind": kind, "version": version}
        ]
        assert found["properties"]["spec"]["properties"]["bars"]["items"]["required"] == ["name"]


def test_a_version_that_is_renamed_or_no_longer_served_leaves_the_document(kinds: Kinds) -> None:
    path = kinds.define("Foo", {"v1": WHOLE, "v2": WHOLE})
    eventually(lambda: kinds.published("v2", "Foo"), what="v2")
    renamed = kinds.api.get(path)["spec"]["versions"]
    renamed[1]["name"] = "v4"
    kinds.api.patch(path, {"spec": {"versions": renamed}})
    eventually(lambda: kinds.published("v4", "Foo") and kinds.published("v2", "Foo") is None, what="the new name")
    renamed[1]["served"] = False
    kinds.api.patch(path, {"spec": {"versions": renamed}})
    eventually(lambda: kinds.published("v4", "Foo") is None, what="its end")
    assert kinds.published("v1", "Foo")


def test_kubectl_validates_and_explains_a_kind(kinds: Kinds, two_nodes: Cluster, namespace: str) -> None:
    kinds.define("Foo", {"v1": WHOLE})
    kinds.define("Open", {"v1": OPEN})
    head = f"apiVersion: {kinds.group}/v1\nkind: %s\nmetadata: {{name: x}}\n"

    def said(*arguments: str, stdin: str | None = None) -> str:
        done = two_nodes.kubectl("-n", namespace, *arguments, stdin=stdin, check=False)
        return done.stdout + done.stderr

    eventually(lambda: kinds.published("v1", "Open"), what="the document")
    foo, open_ = head % "Foo", head % "Open"
    assert "created" in said("create", "-f", "-", stdin=f"{foo}spec: {{bars: [{{name: a}}]}}\n")
    assert "configured" in said("apply", "-f", "-", stdin=f"{foo}spec: {{bars: [{{name: b}}]}}\n")
    assert 'unknown field "spec.foo"' in said("apply", "-f", "-", stdin=f"{foo}spec: {{bars: [], foo: 1}}\n")
    assert "Required value" in said("apply", "-f", "-", stdin=f"{foo}spec: {{}}\n")
    assert "created" in said("create", "-f", "-", stdin=f"{open_}a: {{b: [1]}}\n")
    assert "configured" in said("apply", "-f", "-", stdin=f"{open_}a: {{b: [2]}}\n")
    assert "Foo CRD for Testing" in said("explain", f"foos.{kinds.group}")
    assert "Name of Bar." in said("explain", f"foos.{kinds.group}.spec.bars.name")
    assert "Anything goes." in said("explain", f"foos.{kinds.group}.spec.open")
    assert "KIND:       Open" in said("explain", f"opens.{kinds.group}")


def foo(kinds: Kinds, **fields: Any) -> Object:
    return {"apiVersion": f"{kinds.group}/v1", "kind": "Foo", "metadata": {"name": "x"}, **fields}


@pytest.mark.parametrize(
    ("schema", "fields", "wrong"),
    [
        (OPEN, {"spec": {"anything": 1}}, ""),
        (WHOLE, {"spec": {"bars": [{"name": "a"}]}}, ""),
        (WHOLE, {"spec": {"bars": [], "more": 1}}, 'unknown field "spec.more"'),
        (
            WHOLE,
            {"metadata": {"name": "x", "unknownMeta": 1}, "spec": {"bars": []}},
            'unknown field "metadata.unknownMeta"',
        ),
        (
            WHOLE,
            {"spec": {"bars": [], "template": {"apiVersion": "v1", "kind": "P", "metadata": {"unknownSub": 1}}}},
            'unknown field "spec.template.metadata.unknownSub"',
        ),
    ],
)
def test_fields_of_custom_objects_are_validated_strictly(
    kinds: Kinds, namespace: str, schema: Object, fields: Object, wrong: str
) -> None:
    kinds.define("Foo", {"v1": schema})
    path = f"/apis/{kinds.group}/v1/namespaces/{namespace}/foos"
    body = foo(kinds, **fields)
    answer = kinds.api.call("POST", path, body, fieldValidation="Strict")
    if not wrong:
        assert answer.code == 201, answer
    else:
        assert answer.code == 400 and f"strict decoding error: {wrong}" in answer.object["message"], answer
    if "unknownSub" in wrong:
        return  # such an object keeps what it is not known for; an apply prunes it
    answer = kinds.api.call("PATCH", f"{path}/x", body, "application/apply-patch+yaml", fieldManager="m", force="true")
    assert answer.code == (400 if wrong else 200), answer
    if wrong:
        field = wrong.split('"')[1]
        assert f".{field}: field not declared in schema" in answer.object["message"]


def sent(api: Api, path: str, text: str, content: str, **query: str) -> Any:
    """A body as it is written: one that names a field twice has no other form."""
    raw = api.alike()
    connection = raw._connect()
    target = "&".join(f"{key}={value}" for key, value in query.items())
    connection.request("POST", f"{path}?{target}", text, {"Content-Type": content})
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), answer.headers.get_all("Warning") or []
    connection.close()
    return found


def test_fields_named_twice_are_found_even_where_all_are_kept(kinds: Kinds, namespace: str) -> None:
    kinds.define("Foo", {"v1": OPEN})
    path = f"/apis/{kinds.group}/v1/namespaces/{namespace}/foos"
    text = f'{{"apiVersion":"{kinds.group}/v1","kind":"Foo","metadata":{{"name":"x"}},"spec":{{"a":1,"a":2}}}}'
    code, body, _ = sent(kinds.api, path, text, "application/json", fieldValidation="Strict")
    assert code == 400 and 'duplicate field \\"spec.a\\"' in body, body
    code, body, warnings = sent(kinds.api, path, text, "application/json", fieldValidation="Warn")
    assert code == 201 and any("duplicate field" in each for each in warnings), (code, warnings)


def test_typed_objects_are_held_to_their_fields(api: Api, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    template = '{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}'
    text = (
        '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d","unknownMeta":1},"spec":{"unknown":1,'
        f'"paused":true,"paused":false,"replicas":0,"selector":{{"matchLabels":{{"a":"b"}}}},"template":{template}}}}}'
    )
    code, body, _ = sent(api, path, text, "application/json", fieldValidation="Strict")
    assert code == 400
    for wrong in (
        'unknown field \\"spec.unknown\\"',
        'unknown field \\"metadata.unknownMeta\\"',
        'duplicate field \\"spec.paused\\"',
    ):
        assert wrong in body, body
    code, body, warnings = sent(api, path, text, "application/json", fieldValidation="Warn")
    assert code == 201 and len(warnings) == 3, (code, warnings)
    code, body, warnings = sent(api, path, text.replace('"d"', '"e"'), "application/json", fieldValidation="Ignore")
    assert code == 201 and not warnings, (code, warnings)
