"""CEL: `authorizer.group('apps').resource('deployments').namespace('x').check('create').allowed()`.

The variable `authorizer` is the user of the request; each word after it adds to a question, and `check` asks it. A
value on the way is a JSON text of what is known by then, so nothing but the last function needs to know who decides:
`functions` is given that.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-authorizer-library
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from kubus.model.cel import Function
from kubus.model.cel.values import TYPES, tagged, text_of
from kubus.model.codec import from_json, to_json
from kubus.model.names import dns_label_errors, dns_subdomain_errors

_AUTHORIZER, _DECISION, _GROUP, _PATH, _RESOURCE = (
    TYPES[each] for each in ("Authorizer", "Decision", "GroupCheck", "PathCheck", "ResourceCheck")
)


class Question(NamedTuple):
    """What an expression asks for."""

    user: Mapping[str, Any]
    """`username`, `uid`, `groups`, `extra`, as in a review."""
    verb: str
    path: str = ""
    group: str = ""
    resource: str = ""
    """`pods`, `pods/log`."""
    namespace: str = ""
    name: str = ""
    field_selector: str = ""


Decide = Callable[[Question], str | None]
"""Why a user may; None if they may not."""


def authorizer(user: Mapping[str, Any]) -> Any:
    """The variable, for a user."""
    return _value("Authorizer", {"user": dict(user)})


def request_resource(user: Mapping[str, Any], **fields: str) -> Any:
    """`authorizer.requestResource`: the resource of the request itself."""
    return _value("ResourceCheck", {"user": dict(user), **fields})


def _value(type_: str, known: Mapping[str, Any]) -> Any:
    return tagged(type_, to_json(known).decode())


def _known(value: Any) -> dict[str, Any]:
    known: dict[str, Any] = from_json(text_of(value).encode())
    return known


def _with(type_: str, field: str, *, needed: bool = False) -> Callable[[Any, str], Any]:
    def asked(value: Any, text: str) -> Any:
        if needed and not text.strip():
            raise ValueError(f"{field} must not be empty")
        return _value(type_, {**_known(value), field: text})

    return asked


def _account(_value_before: Any, namespace: str, name: str) -> Any:
    if dns_subdomain_errors(name):
        raise ValueError("Invalid service account name")
    if dns_label_errors(namespace):
        raise ValueError("Invalid service account namespace")
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
    return authorizer({"username": f"system:serviceaccount:{namespace}:{name}", "groups": groups})


def _question(value: Any, verb: str) -> Question:
    known = _known(value)
    subresource = known.pop("subresource", "")
    known.pop("labelSelector", None)
    field_selector = known.pop("fieldSelector", "")
    if subresource:
        known["resource"] = f"{known['resource']}/{subresource}"
    return Question(verb=verb, field_selector=field_selector, **known)


def _answer(decide: Decide) -> Callable[[Any, str], Any]:
    def answered(value: Any, verb: str) -> Any:
        reason = decide(_question(value, verb))
        return _value("Decision", {"allowed": reason is not None, "reason": reason or ""})

    return answered


def functions(decide: Decide) -> Sequence[Function]:
    """The functions, for one who decides."""
    narrowing = ("subresource", "namespace", "name", "fieldSelector", "labelSelector")
    return (
        Function("path", (_AUTHORIZER, "string"), _PATH, _with("PathCheck", "path", needed=True)),
        Function("group", (_AUTHORIZER, "string"), _GROUP, _with("GroupCheck", "group")),
        Function("serviceAccount", (_AUTHORIZER, "string", "string"), _AUTHORIZER, _account),
        Function("resource", (_GROUP, "string"), _RESOURCE, _with("ResourceCheck", "resource", needed=True)),
        *(Function(name, (_RESOURCE, "string"), _RESOURCE, _with("ResourceCheck", name)) for name in narrowing),
        Function("check", (_PATH, "string"), _DECISION, _answer(decide)),
        Function("check", (_RESOURCE, "string"), _DECISION, _answer(decide)),
        Function("allowed", (_DECISION,), "bool", lambda value: _known(value)["allowed"]),
        Function("reason", (_DECISION,), "string", lambda value: _known(value)["reason"]),
        Function("errored", (_DECISION,), "bool", lambda _value: False),
        Function("error", (_DECISION,), "string", lambda _value: ""),
    )
