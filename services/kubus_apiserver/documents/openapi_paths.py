"""A kind's paths as OpenAPI v3 describes them.

kubectl reads them for three things: which kind a resource is (`explain`), whether its PATCH takes strategic merge
patches (`apply`), and whether it has the query parameters `dryRun` and `fieldValidation`.
"""

from __future__ import annotations

from kubus.model.kinds import Kind
from kubus.model.objects import Object
from kubus_apiserver.documents.openapi_schemas import GVK, gvk, reference
from kubus_apiserver.documents.subresources import Subresource, subresources

STATUS = "io.k8s.apimachinery.pkg.apis.meta.v1.Status"
DELETE_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
PATCH = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"

_TYPES = {
    "allowWatchBookmarks": "boolean",
    "force": "boolean",
    "gracePeriodSeconds": "integer",
    "limit": "integer",
    "orphanDependents": "boolean",
    "sendInitialEvents": "boolean",
    "timeoutSeconds": "integer",
    "watch": "boolean",
}
_LIST = (
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
)
_WRITE = ("dryRun", "fieldManager", "fieldValidation")
_DELETE = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
_PARAMETERS = {
    "list": _LIST,
    "get": (),
    "post": _WRITE,
    "put": _WRITE,
    "patch": (*_WRITE, "force"),
    "delete": _DELETE,
    "deletecollection": (*_LIST, *_DELETE),
    "connect": (),
}
_COLLECTION = {"list": ("get", "list"), "create": ("post", "post"), "deletecollection": ("delete", "deletecollection")}
_OBJECT = {"get": ("get", "get"), "update": ("put", "put"), "patch": ("patch", "patch"), "delete": ("delete", "delete")}
_METHODS = {"create": "post", "update": "put"}
_PATCHES = ("application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml")
_STRATEGIC = "application/strategic-merge-patch+json"
_ANSWERS = ("application/json", "application/yaml")


def kind_paths(kind: Kind, schema: str, *, strategic: bool) -> dict[str, Object]:
    """Path → path item, of everything a kind serves.

    Args:
        kind: the kind.
        schema: the name of its component.
        strategic: whether it takes strategic merge patches; custom resources do not.
    """
    maker = _Maker(kind, schema, strategic)
    inner = f"{kind.path}/namespaces/{{namespace}}/{kind.plural}" if kind.namespaced else f"{kind.path}/{kind.plural}"
    paths: dict[str, Object] = {}
    if kind.namespaced and "list" in kind.verbs:
        paths[f"{kind.path}/{kind.plural}"] = maker.item([("get", "list")])
    for path, operations in ((inner, _COLLECTION), (f"{inner}/{{name}}", _OBJECT)):
        if methods := [operations[verb] for verb in operations if verb in kind.verbs]:
            paths[path] = maker.item(methods)
    for sub in subresources(kind):
        paths[f"{inner}/{{name}}/{sub.name}"] = maker.subresource(sub)
    return {path: {**item, "parameters": _path_parameters(path)} for path, item in paths.items()}


class _Maker:
    """Operations of one kind."""

    def __init__(self, kind: Kind, schema: str, strategic: bool) -> None:
        self.kind = kind
        self.schema = schema
        self.patches = (*_PATCHES, _STRATEGIC) if strategic else _PATCHES
        self.gvk = gvk(kind.group, kind.version, kind.name)

    def item(self, methods: list[tuple[str, str]]) -> Object:
        """A path item of (method, action) pairs."""
        return {method: self._operation(action, self.gvk, self.schema) for method, action in methods}

    def subresource(self, sub: Subresource) -> Object:
        """The path item of a subresource."""
        named = gvk(sub.group, sub.version, sub.kind)
        schema = self.schema if sub.kind == self.kind.name else ""
        methods = [_METHODS.get(verb, verb) for verb in sub.verbs]
        connect = sub.kind.endswith("Options")
        return {method: self._operation("connect" if connect else method, named, schema) for method in methods}

    def _operation(self, action: str, named: Object, schema: str) -> Object:
        answer = {"list": f"{schema}List", "delete": STATUS, "deletecollection": STATUS}.get(action, schema)
        body = {"post": schema, "put": schema, "patch": PATCH, "delete": DELETE_OPTIONS}.get(action)
        operation: Object = {
            "parameters": [_query(name) for name in _PARAMETERS[action]],
            "responses": {"200": {"description": "OK", "content": _content(_ANSWERS, answer)}},
            "x-kubernetes-action": action,
            GVK: named,
        }
        if body is not None:
            operation["requestBody"] = {"content": _content(self.patches if action == "patch" else ("*/*",), body)}
        return operation


def _content(types: tuple[str, ...], schema: str) -> Object:
    return {each: {"schema": reference(schema) if schema else {"type": "object"}} for each in types}


def _query(name: str) -> Object:
    return {"name": name, "in": "query", "schema": {"type": _TYPES.get(name, "string"), "uniqueItems": True}}


def _path_parameters(path: str) -> list[Object]:
    names = [name for name in ("namespace", "name") if f"{{{name}}}" in path]
    required = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    return [*required, _query("pretty")]
