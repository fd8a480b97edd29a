"""Paths: which resource a URL names, by the rules of Kubernetes' RequestInfo.

    /api/v1/namespaces/default/pods/web/log      a subresource of a namespaced object
    /apis/apps/v1/deployments                    a collection across namespaces
    /api/v1/namespaces/default/status            a subresource of the namespace itself
    /apis/apps, /api/v1, /version, /healthz      no resource

Pure text: whether the resource is served is for the registry to say.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "GET": "get", "HEAD": "get", "DELETE": "delete"}
_PROXY = "proxy"
"""The subresource that has paths of its own below it."""
_OF_THE_NAMESPACE = frozenset({"status", "finalize"})
_LONG = 512
"""Characters; no path that somebody asks for again and again is as long."""


class Route(NamedTuple):
    """What a path names. `verb` is a resource verb, or the lower-case method where `resource` is ""."""

    verb: str
    path: str
    group: str = ""
    version: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def route(method: str, path: str, *, watch: bool = False) -> Route:
    """The route of a method and an unquoted path."""
    return _remembered(method, path, watch) if len(path) < _LONG else _read(method, path, watch)


@lru_cache(maxsize=2048)
def _remembered(method: str, path: str, watch: bool) -> Route:
    return _read(method, path, watch)


def _read(method: str, path: str, watch: bool) -> Route:
    parts = [part for part in path.split("/") if part]
    verb = _VERBS.get(method, method.lower())
    prefix = _group_version(parts)
    if prefix is None:
        return Route(method.lower(), path)
    group, version, rest = prefix
    if rest[0] == "watch" and len(rest) > 1:
        rest, watch = rest[1:], True
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _OF_THE_NAMESPACE:
            rest = rest[2:]
        else:
            namespace = ""
    resource, name = rest[0], rest[1] if len(rest) > 1 else ""
    if verb == "get" and watch and rest[2:3] != [_PROXY]:
        verb = "watch"
    elif not name:
        verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
    subresource = rest[2] if len(rest) > 2 and rest[2] == _PROXY else "/".join(rest[2:])
    return Route(verb, path, group, version, resource, namespace, name, subresource)


def _group_version(parts: list[str]) -> tuple[str, str, list[str]] | None:
    if len(parts) > 2 and parts[0] == "api":
        return "", parts[1], parts[2:]
    if len(parts) > 3 and parts[0] == "apis":
        return parts[1], parts[2], parts[3:]
    return None
