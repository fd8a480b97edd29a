"""What is asked of the apiserver, whichever door it came through.

HTTP and the bus each turn what they receive into these values, and everything behind the doors knows
only them: who asks (`User`), which resource (`Target`), and with which options.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from kubus.model.kinds import Kind
from kubus.model.objects import Key, Object

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"


class User(NamedTuple):
    """Who asks, as authentication found out."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What else authentication knows: which pod a token was made for, for example."""

    @property
    def info(self) -> Object:
        """The user as reviews, requests for certificates and the audit log write it."""
        info: Object = {"username": self.name, "groups": list(self.groups)}
        if self.uid:
            info["uid"] = self.uid
        if self.extra:
            info["extra"] = {key: list(values) for key, values in self.extra}
        return info


ANONYMOUS = User("system:anonymous", (UNAUTHENTICATED,))


class Target(NamedTuple):
    """What is asked for: a kind, a namespace ("" for all, or for none), and a name ("" for the collection)."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def key(self) -> Key:
        """The object in the store."""
        return Key(self.kind.collection, self.namespace, self.name)


@dataclass(slots=True)
class Notes:
    """What is said about a request beside its answer, also where that is a refusal."""

    warnings: list[str] = field(default_factory=list)
    """For the client."""
    annotations: dict[str, str] = field(default_factory=dict)
    """For the audit log."""
    made: Object | None = None
    """The metadata of an object that has come about: its name may not have been known before."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a get, a list or a watch wants; empty strings stand for what was not said."""

    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    continue_: str = ""
    resource_version: str = ""
    resource_version_match: str = ""
    watch: bool = False
    bookmarks: bool = False
    send_initial_events: bool | None = None
    timeout_seconds: int = 0


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How a write is to be done, and what it says of itself."""

    manager: str = ""
    """The field manager."""
    dry_run: bool = False
    field_validation: str = "Warn"
    """Strict, Warn or Ignore."""
    force: bool = False
    cause: int | None = None
    """The revision that led to this write; None for a user's own command."""
    trace: str | None = None
    fence: tuple[str, str, str, int] | None = None
    """(namespace, name, holder, transitions) of the Lease under which a leader writes."""
    admitted: bool = False
    """Whether admission is not asked again: it has agreed to what this write is a consequence of."""
    notes: Notes | None = None
    """Takes warnings and annotations as they come; None: there is nobody to read them."""

    def warn(self, text: str) -> None:
        """Warn the client."""
        if self.notes is not None and text not in self.notes.warnings:
            self.notes.warnings.append(text)

    def annotate(self, key: str, value: str) -> None:
        """Say something to the audit log."""
        if self.notes is not None:
            self.notes.annotations.setdefault(key, value)
