"""What subresources take that is no object of their resource, and what admission says to it.

A Binding, an Eviction and a TokenRequest are created; the options of `exec`, `attach`, `portforward` and of the
proxies are what a connection is asked for with. Each passes the gate like an object that is written, as an operation
on the subresource (`pods/exec`, CONNECT), and comes back as plug-ins and webhooks want it.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubus.model.objects import Object
from kubus_apiserver.admission import Place, Proposal, said
from kubus_apiserver.admission.gate import Gate
from kubus_apiserver.calls import Target, User, WriteOptions

_OPTIONS = {
    ("pods", "exec"): "PodExecOptions",
    ("pods", "attach"): "PodAttachOptions",
    ("pods", "portforward"): "PodPortForwardOptions",
    ("pods", "proxy"): "PodProxyOptions",
    ("services", "proxy"): "ServiceProxyOptions",
    ("nodes", "proxy"): "NodeProxyOptions",
}
_WITH_PATH = "ProxyOptions"
_NUMBERS = frozenset({"ports"})
_LISTS = frozenset({"command", "ports"})
_FLAGS = frozenset({"stdin", "stdout", "stderr", "tty"})
_FIELDS = {
    "PodExecOptions": ("stdin", "stdout", "stderr", "tty", "container", "command"),
    "PodAttachOptions": ("stdin", "stdout", "stderr", "tty", "container"),
    "PodPortForwardOptions": ("ports",),
}


async def admitted(gate: Gate, target: Target, obj: Object, user: User, options: WriteOptions) -> Object:
    """What a subresource has been given to create, as admission wants it.

    Raises:
        StatusError: somebody refuses.
    """
    return await _passed(gate, _proposal("create", target, obj, user, options))


async def admitted_connection(gate: Gate, target: Target, asked: Object, user: User, options: WriteOptions) -> Object:
    """The options of a connection (`connection_options`), as admission wants them: operation CONNECT.

    To be asked, once the user's right is certain, before anything is opened for `pods/exec`, `pods/attach`,
    `pods/portforward`, `pods/proxy`, `services/proxy` or `nodes/proxy`.

    Raises:
        StatusError: somebody refuses.
    """
    return await _passed(gate, _proposal("connect", target, asked, user, options))


async def _passed(gate: Gate, proposal: Proposal) -> Object:
    proposal = await gate.mutated(proposal)
    await gate.validated(proposal)
    return proposal.object


def _proposal(verb: str, target: Target, obj: Object, user: User, options: WriteOptions) -> Proposal:
    place = Place(target.namespace, target.name)
    return Proposal(user, verb, target.kind, target.subresource, obj, None, place=place, **said(options))


def connection_options(target: Target, query: Mapping[str, list[str]], path: str = "") -> Object:
    """The options object of a connection: of what the query says, and for a proxy of the path behind it."""
    subresource = target.subresource.partition("/")[0]
    name = _OPTIONS[target.kind.plural, subresource]
    options: Object = {"apiVersion": "v1", "kind": name}
    if name.endswith(_WITH_PATH):
        return {**options, "path": path} if path else options
    for field in _FIELDS[name]:
        found = _value(field, query.get(field) or [])
        if found:
            options[field] = found
    return options


def _value(field: str, values: list[str]) -> Any:
    if field in _FLAGS:
        return bool(values) and values[0] not in ("", "0", "f", "F", "false", "FALSE", "False")
    if field not in _LISTS:
        return values[0] if values else ""
    if field not in _NUMBERS:
        return list(values)
    return [int(port) for each in values for port in each.split(",") if port.isascii() and port.isdigit()]


def query_of(options: Object) -> dict[str, list[str]]:
    """The query that asks for a connection with these options."""
    query: dict[str, list[str]] = {}
    for field, value in options.items():
        if field not in ("apiVersion", "kind"):
            values = value if isinstance(value, list) else [value]
            query[field] = [str(each).lower() if isinstance(each, bool) else str(each) for each in values]
    return query
