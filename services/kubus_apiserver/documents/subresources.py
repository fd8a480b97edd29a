"""Subresources as clients are told of them: the kind that each answers with or takes, and its verbs.

`status` and `scale` follow from a kind's fields; the others have code of their own and are listed by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kubus.model.kinds import Kind

_CHANGE = ("get", "patch", "update")
_STREAM = ("create", "get")
_PROXY = ("create", "delete", "get", "patch", "update")


class Subresource(NamedTuple):
    """One subresource of a kind."""

    name: str
    group: str
    version: str
    kind: str
    verbs: tuple[str, ...]


_NAMED = {
    "attach": ("", "v1", "PodAttachOptions", _STREAM),
    "binding": ("", "v1", "Binding", ("create",)),
    "eviction": ("policy", "v1", "Eviction", ("create",)),
    "exec": ("", "v1", "PodExecOptions", _STREAM),
    "portforward": ("", "v1", "PodPortForwardOptions", _STREAM),
    "token": ("authentication.k8s.io", "v1", "TokenRequest", ("create",)),
}
_OWN_KIND = {
    "approval": _CHANGE,
    "ephemeralcontainers": _CHANGE,
    "finalize": ("update",),
    "log": ("get",),
    "resize": _CHANGE,
}


def subresources(kind: Kind) -> Iterator[Subresource]:
    """Every subresource of a kind, by name."""
    names = {*kind.subresources, *(["status"] if kind.status else []), *(["scale"] if kind.scale else [])}
    for name in sorted(names):
        yield _subresource(kind, name)


def _subresource(kind: Kind, name: str) -> Subresource:
    if name == "scale":
        return Subresource(name, "autoscaling", "v1", "Scale", _CHANGE)
    if name == "proxy":
        return Subresource(name, "", "v1", f"{kind.name}ProxyOptions", _PROXY)
    if name in _NAMED:
        return Subresource(name, *_NAMED[name])
    return Subresource(name, kind.group, kind.version, kind.name, _OWN_KIND.get(name, _CHANGE))
