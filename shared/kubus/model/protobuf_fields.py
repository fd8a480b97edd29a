"""Which field number means what: the messages of the API's protobuf form, as data.

`data/protobuf.json` is made by scripts/make_protobuf_fields.py, where its notation is explained. It is read when it is
first needed, and a message's fields are taken apart when the message is first met. Who reads bodies
(`kubus.model.protobuf`) and who writes them (`kubus.model.protobuf_writing`) look here.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from kubus.model.codec import from_json

MAGIC = b"k8s\0"
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_FORMER_VERSIONS = {("policy/v1beta1", "Eviction"): "policy/v1"}
"""Kinds of a version that is not served, which clients still send to a subresource: same message, current package."""


class Field(NamedTuple):
    """One field of a message."""

    name: str
    type: str
    """A scalar's letter, a message's name, or `@…` for one with a JSON form of its own."""
    container: str
    """list, map, inline or ""."""
    zero_is_unset: bool


Fields = dict[int, Field]


class Tables:
    """The data file."""

    def __init__(self, content: Any) -> None:
        self.versions: dict[str, int] = content["versions"]
        self.messages: dict[str, dict[str, str]] = content["messages"]
        self.meta: int = content["packages"].index(_META)
        self._fields: dict[str, Fields] = {}

    def fields(self, message: str) -> Fields:
        """The fields of a message by number."""
        found = self._fields.get(message)
        if found is None:
            compact = self.messages[message].items()
            found = self._fields[message] = {int(number): _field(text) for number, text in compact}
        return found

    def message_of(self, api_version: str, kind: str) -> str:
        """The name of the message of a kind, "" if there is none; options and statuses are the same in every group."""
        package = self.versions.get(_FORMER_VERSIONS.get((api_version, kind), api_version))
        names = (f"{package}.{kind}", f"{self.meta}.{kind}")
        return next((name for name in names if name in self.messages), "")


def _field(text: str) -> Field:
    name, _, type_ = text.partition(" ")
    for mark, container in (("[]", "list"), ("{}", "map"), ("<", "inline")):
        if type_.startswith(mark):
            return Field(name, type_[len(mark) :], container, False)
    return Field(name, type_.removesuffix("?"), "", type_.endswith("?"))


@cache
def tables() -> Tables:
    """The messages that there are."""
    return Tables(from_json((files("kubus.model") / "data" / "protobuf.json").read_bytes()))
