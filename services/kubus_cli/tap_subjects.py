"""What a tap listens to, in words people use: `pods`, `deploy/web`, `ns/default`, or a subject as NATS knows it."""

from __future__ import annotations

from collections.abc import Iterable

from kubus.bus.subjects import EVENTS, escape
from kubus.model.kinds import Kind
from kubus.model.names import is_dns_label
from kubus_cli.failures import Misused

NAMESPACE_WORDS = frozenset({"ns", "namespace"})
EVENT_ROOT = "kubus.ev."


def subject_of(words: str, kinds: Iterable[Kind], namespace: str = "") -> str:
    """The subject to listen to. "" is everything; `ns/x` is everything in a namespace.

    Raises:
        Misused: there is no such resource, or the namespace cannot be one.
    """
    if words.startswith("kubus."):
        return words
    if namespace and not is_dns_label(namespace):
        raise Misused(f"{namespace!r} cannot be a namespace's name", "see: kubectl get namespaces")
    within = escape(namespace) if namespace else "*"
    if not words:
        return f"{EVENT_ROOT}*.*.{within}.>" if namespace else EVENTS
    resource, _, name = words.partition("/")
    if resource in NAMESPACE_WORDS and name:
        return f"{EVENT_ROOT}*.*.{escape(name)}.>"
    kind = _kind(resource, list(kinds))
    tokens = f"{escape(kind.plural)}.{escape(kind.group or 'core')}"
    if not kind.namespaced:
        within = "_"
    return f"{EVENT_ROOT}{tokens}.{within}.{escape(name) if name else '>'}"


def _kind(word: str, kinds: list[Kind]) -> Kind:
    wanted = word.lower()
    for kind in kinds:
        names = {kind.plural, kind.name.lower(), *kind.short_names, f"{kind.plural}.{kind.group}"}
        if wanted in names:
            return kind
    raise Misused(f"there is no resource {word!r}", "see: kubectl api-resources; or give a subject: kubus.ev.…")
