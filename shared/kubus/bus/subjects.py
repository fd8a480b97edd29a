"""Subjects: where on the bus a thing is said.

    kubus.ev.<resource>.<group|core>.<namespace|_>.<name>            every change of every object
    kubus.node.<node>.ev.<resource>.<group|core>.<namespace|_>.<name>   again, what concerns one node
    kubus.beat.<stream>                                               the newest revision of a stream
    kubus.api.<identity>.<verb>.<resource>.<group|core>               API requests
    kubus.node.<node>.call                                            requests to a kubelet
    kubus.node.<node>.session.<id>.up | .down                         a stream to or from a kubelet

NATS splits subjects at dots, gives `*` and `>` a meaning and forbids white space; Kubernetes names hold dots,
RBAC names also `*`, `:`, `>` and spaces. So each token goes through one reversible escape: `%` and two hex
digits for every byte that NATS would trip over, and `%` alone for the empty token.
"""

from __future__ import annotations

from typing import NamedTuple

from kubus.model.objects import Key

CLUSTER_SCOPED = "_"
EVENTS = "kubus.ev.>"
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:/=+,@~!()[]{}^&|;'\"?#`<\\")


def escape(token: str) -> str:
    """One subject token for any text; `unescape` takes it back."""
    if token.isascii() and token.replace("-", "").isalnum():
        return token
    if not token:
        return "%"
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in token.encode("utf-8", "surrogatepass"))


def unescape(token: str) -> str:
    """The text of a subject token.

    Raises:
        ValueError: no text has this token.
    """
    if "%" not in token:
        return token
    if token == "%":
        return ""
    head, *rest = token.split("%")
    data = bytearray(head.encode())
    for part in rest:
        data.append(int(part[:2], 16))
        data += part[2:].encode()
    return data.decode("utf-8", "surrogatepass")


def _collection_tokens(collection: str) -> str:
    """`deployments.apps` → two tokens; a group's own dots are escaped."""
    resource, _, group = collection.partition(".")
    return f"{escape(resource)}.{escape(group)}"


def event_subject(key: Key) -> str:
    """Where changes of one object are published."""
    namespace = escape(key.namespace) if key.namespace else CLUSTER_SCOPED
    return f"kubus.ev.{_collection_tokens(key.collection)}.{namespace}.{escape(key.name)}"


def collection_subject(collection: str, namespace: str | None = None) -> str:
    """The wildcard for a whole collection, or for one namespace of it ("" is cluster scope)."""
    tokens = _collection_tokens(collection)
    if namespace is None:
        return f"kubus.ev.{tokens}.>"
    return f"kubus.ev.{tokens}.{escape(namespace) if namespace else CLUSTER_SCOPED}.>"


def node_event_subject(node: str, key: Key) -> str:
    """Where changes of one object that concerns a node are published for that node."""
    return f"kubus.node.{escape(node)}.{event_subject(key).removeprefix('kubus.')}"


def node_collection_subject(node: str, collection: str) -> str:
    """The wildcard for one collection of a node's slice."""
    return f"kubus.node.{escape(node)}.{collection_subject(collection).removeprefix('kubus.')}"


def parse_event_subject(subject: str) -> Key | None:
    """The object that an event subject (of a collection or of a node's slice) names; None for any other subject."""
    parts = subject.split(".")
    if len(parts) == 8 and parts[:2] == ["kubus", "node"]:
        parts = ["kubus", *parts[3:]]
    if len(parts) != 6 or parts[:2] != ["kubus", "ev"]:
        return None
    _, _, resource, group, namespace, name = parts
    return Key(
        f"{unescape(resource)}.{unescape(group)}",
        "" if namespace == CLUSTER_SCOPED else unescape(namespace),
        unescape(name),
    )


def collection_stream(collection: str) -> str:
    """The stream of a collection, as beats name it."""
    return _collection_tokens(collection)


def node_stream(node: str, collection: str = "pods.core") -> str:
    """The stream of a node's slice of a collection, as beats name it."""
    return f"node.{escape(node)}.{_collection_tokens(collection)}"


def beat_subject(stream: str) -> str:
    """Where the newest revision of a stream is repeated."""
    return f"kubus.beat.{stream}"


class ApiSubject(NamedTuple):
    """Who asks for what: the subject *is* the authenticated user."""

    identity: str
    verb: str
    collection: str


def api_subject(identity: str, verb: str, collection: str) -> str:
    """Where an identity sends a request."""
    return f"kubus.api.{escape(identity)}.{verb}.{_collection_tokens(collection)}"


def parse_api_subject(subject: str) -> ApiSubject | None:
    """Identity, verb and collection of a request's subject; None for any other subject."""
    parts = subject.split(".")
    if len(parts) != 6 or parts[:2] != ["kubus", "api"]:
        return None
    return ApiSubject(unescape(parts[2]), parts[3], f"{unescape(parts[4])}.{unescape(parts[5])}")


API_REQUESTS = "kubus.api.>"


def node_call_subject(node: str) -> str:
    """Where a kubelet takes requests (exec, logs, …)."""
    return f"kubus.node.{escape(node)}.call"


def session_subjects(node: str, session: str) -> tuple[str, str]:
    """(up, down): to the kubelet and from it."""
    prefix = f"kubus.node.{escape(node)}.session.{escape(session)}"
    return f"{prefix}.up", f"{prefix}.down"


def inbox_prefix(identity: str) -> str:
    """The private reply prefix of an identity (no trailing dot)."""
    return f"_INBOX.{escape(identity)}"
