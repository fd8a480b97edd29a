"""OpenAPI v3: the index, and one document a group version.

`apply`, `explain` and validation in kubectl read these. A document is made when it is first asked for, from the
registry, the schemas and the descriptions, and kept compressed; it is made anew when the registry's generation changes.
The hash in its URL names what it is made from, so that the index costs no document. Documents of extension apiservers
stand beside them as they were fetched.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from importlib.metadata import version as package_version

from kubus.model.codec import to_json
from kubus.model.custom.pruning import EMBEDDED
from kubus.model.kinds import Kind, Registry
from kubus.model.objects import Object
from kubus.model.schema import Schemas
from kubus_apiserver.documents.discovery import groups, kinds_of
from kubus_apiserver.documents.foreign import Foreign, Foreigners, nobody
from kubus_apiserver.documents.openapi_paths import DELETE_OPTIONS, PATCH, STATUS, kind_paths
from kubus_apiserver.documents.openapi_schemas import GVK, component_schemas, gvk, reference

METADATA = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
LIST_METADATA = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"
SCALE = "io.k8s.api.autoscaling.v1.Scale"
CustomSchema = Callable[[Kind], Object | None]
"""The openAPIV3Schema of a custom resource's version; None of a built-in kind."""


class OpenApi:
    """The OpenAPI documents of a registry."""

    def __init__(
        self,
        registry: Registry,
        schemas: Schemas,
        custom: CustomSchema = lambda _kind: None,
        foreigners: Foreigners = nobody,
    ) -> None:
        self._registry = registry
        self._schemas = schemas
        self._custom = custom
        self._foreigners = foreigners
        self._made_of: tuple[int, dict[str, str]] = (-1, {})
        self._foreign: dict[str, Foreign] = {}
        self._index: dict[str, str] = {}
        self._documents: dict[str, bytes] = {}

    def index(self) -> Object:
        """`/openapi/v3`: where each group version's document is."""
        self._refresh()
        paths = {
            path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"} for path, digest in self._index.items()
        }
        return {"paths": paths}

    def digest(self, path: str) -> str | None:
        """The hash of a document (`apis/apps/v1`), to compare with a request's `hash` and for its ETag."""
        self._refresh()
        return self._index.get(path)

    def document_gzip(self, path: str) -> bytes | None:
        """The gzipped JSON of a group version's document (`api/v1`, `apis/apps/v1`); None if there is none."""
        digest = self.digest(path)
        if digest is None:
            return None
        if digest not in self._documents:
            self._documents[digest] = gzip.compress(to_json(self.made(path)), 6, mtime=0)
        return self._documents[digest]

    def document(self, path: str) -> bytes | None:
        """The JSON of a group version's document; None if there is none."""
        compressed = self.document_gzip(path)
        return None if compressed is None else gzip.decompress(compressed)

    def _refresh(self) -> None:
        foreign = {_path(each.group, each.version): each for each in self._foreigners()}
        made_of = (self._registry.generation, {path: each.digest for path, each in foreign.items()})
        if self._made_of == made_of:
            return
        self._made_of, self._foreign = made_of, foreign
        own = {
            path: self._digest(group, version)
            for group, versions in groups(self._registry).items()
            for version in versions
            if (path := _path(group, version)) not in foreign
        }
        self._index = own | {path: each.digest for path, each in foreign.items() if each.document is not None}
        kept = set(self._index.values())
        self._documents = {digest: data for digest, data in self._documents.items() if digest in kept}

    def _digest(self, group: str, version: str) -> str:
        found = hashlib.sha256(package_version("kubus").encode())
        for kind in kinds_of(self._registry, group, version):
            shape = (kind.namespaced, kind.status, kind.scale, kind.subresources, kind.verbs)
            facts = (kind.api_version, kind.name, kind.plural, kind.schema, shape)
            found.update(repr(facts).encode())
            found.update(to_json(self._custom(kind)))
        return found.hexdigest().upper()

    def made(self, path: str) -> Object:
        """A group version's document, made anew."""
        if path in self._foreign:
            return self._foreign[path].document or {}
        group, version = _group_version(path)
        kinds = kinds_of(self._registry, group, version)
        paths: dict[str, Object] = {}
        roots, extra = [STATUS, DELETE_OPTIONS, SCALE], dict[str, Object]()
        for kind in kinds:
            built_in = kind.schema in self._schemas
            name = kind.schema if built_in else component_name(kind)
            paths |= kind_paths(kind, name, strategic=built_in)
            if built_in:
                roots += [name, f"{name}List"]
            else:
                roots += [METADATA, LIST_METADATA]
                extra |= _custom_components(kind, name, self._custom(kind))
        schemas = component_schemas(self._schemas, roots)
        schemas[PATCH] = {"type": "object"}
        return {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": "unversioned"},
            "paths": dict(sorted(paths.items())),
            "components": {"schemas": schemas | extra},
        }


def component_name(kind: Kind) -> str:
    """The component of a custom resource: `com.example.v1.Widget`."""
    return ".".join((*reversed(kind.group.split(".")), kind.version, kind.name))


def _custom_components(kind: Kind, name: str, schema: Object | None) -> dict[str, Object]:
    structural = schema or {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    own = _with_embedded(structural)
    one = {**own, "properties": {**(own.get("properties") or {}), **_TYPE_META, "metadata": _METADATA_OF_ONE}}
    many = {
        "type": "object",
        "required": ["items"],
        "properties": {
            **_TYPE_META,
            "metadata": {"allOf": [reference(LIST_METADATA)], "description": _METADATA_OF_LIST},
            "items": {"type": "array", "items": {"allOf": [reference(name)]}},
        },
    }
    return {
        name: {**one, GVK: [gvk(kind.group, kind.version, kind.name)]},
        f"{name}List": {**many, GVK: [gvk(kind.group, kind.version, kind.list_name)]},
    }


def _with_embedded(schema: Object) -> Object:
    """A structural schema in which embedded objects have the fields of all objects."""
    found = dict(schema)
    if isinstance(found.get("properties"), dict):
        found["properties"] = {name: _with_embedded(each) for name, each in found["properties"].items()}
    for field in ("items", "additionalProperties"):
        if isinstance(found.get(field), dict):
            found[field] = _with_embedded(found[field])
    if found.get(EMBEDDED):
        found["properties"] = {**found.get("properties", {}), **_TYPE_META, "metadata": _METADATA_OF_ONE}
        found["required"] = list(dict.fromkeys((*found.get("required", ()), "kind", "apiVersion")))
    return found


_CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
_TYPE_META: Object = {
    "apiVersion": {
        "type": "string",
        "description": (
            "APIVersion defines the versioned schema of this representation of an object. Servers should convert "
            "recognized schemas to the latest internal value, and may reject unrecognized values. "
            f"More info: {_CONVENTIONS}#resources"
        ),
    },
    "kind": {
        "type": "string",
        "description": (
            "Kind is a string value representing the REST resource this object represents. Servers may infer this "
            "from the endpoint the client submits requests to. Cannot be updated. In CamelCase. "
            f"More info: {_CONVENTIONS}#types-kinds"
        ),
    },
}
"""Described in Kubernetes' words, which `kubectl explain` shows of every kind."""
_METADATA_OF_ONE: Object = {
    "allOf": [reference(METADATA)],
    "description": f"Standard object's metadata. More info: {_CONVENTIONS}#metadata",
}
_METADATA_OF_LIST = f"Standard list metadata. More info: {_CONVENTIONS}#types-kinds"


def _path(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _group_version(path: str) -> tuple[str, str]:
    group, _, version = path.removeprefix("apis/").removeprefix("api/").rpartition("/")
    return group, version
