"""How objects look when they leave: whole, as rows of a table, or as metadata alone.

A whole object is the entry's own JSON, encoded once; a list of whole objects is a join of those. Tables, metadata and
protobuf are made when asked for. `Status` and other single values go through `encoded`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from kubus.model.codec import from_json, to_json
from kubus.model.kinds import Kind
from kubus.model.objects import Object
from kubus.model.tables import table
from kubus.model.yaml_writing import write_yaml
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.negotiation import JSON, PLAIN, PROTOBUF, YAML, Form
from kubus_apiserver.reading.reads import Listed


class View(NamedTuple):
    """The form, and what a table's rows are to carry along: Metadata, None or Object."""

    form: Form = PLAIN
    include: str = ""


PLAIN_VIEW = View()


def one(kind: Kind, entry: Entry, view: View, now: datetime) -> bytes:
    """One object."""
    if view.form is PLAIN or view.form == PLAIN:
        return entry.json
    form = view.form
    if form.transform == "Table":
        metadata = {"resourceVersion": str(entry.revision)}
        rows = table(kind, [(entry.object, entry.revision)], now, view.include or "Metadata", list_metadata=metadata)
        return encoded(_versioned(rows, form), form)
    return encoded(_partial(entry.object, form) if form.transform else entry.object, form)


def many(kind: Kind, listed: Listed, view: View, now: datetime) -> bytes:
    """A collection."""
    metadata: Object = {"resourceVersion": str(listed.revision)}
    if listed.continue_:
        metadata["continue"] = listed.continue_
        if listed.remaining is not None:
            metadata["remainingItemCount"] = listed.remaining
    form = view.form
    if form.transform == "Table":
        objects = [(entry.object, entry.revision) for entry in listed.entries]
        rows = table(kind, objects, now, view.include or "Metadata", list_metadata=metadata)
        return encoded(_versioned(rows, form), form)
    if form.media == PROTOBUF:
        return _many_as_protobuf(kind, listed, metadata, form)
    if form.transform:
        items = [_partial(entry.object, form) for entry in listed.entries]
        version = f"meta.k8s.io/{form.version}"
        return encoded(
            {"kind": "PartialObjectMetadataList", "apiVersion": version, "metadata": metadata, "items": items}, form
        )
    head = to_json({"kind": kind.list_name, "apiVersion": kind.api_version, "metadata": metadata})
    whole = b'%b,"items":[%b]}' % (head[:-1], b",".join([entry.json for entry in listed.entries]))
    return encoded(from_json(whole), form) if form.media == YAML else whole


def encoded(value: Any, form: Form) -> bytes:
    """A value in the form's media type.

    Raises:
        KeyError: it has no protobuf form.
    """
    if form.media == JSON:
        return to_json(value)
    if form.media == YAML:
        return write_yaml(value)
    from kubus.model import protobuf_writing  # few clients insist on protobuf: its tables load when the first does

    if value["kind"] == "PartialObjectMetadata":
        return protobuf_writing.encode_partial(value)
    return protobuf_writing.encode(value)


def _many_as_protobuf(kind: Kind, listed: Listed, metadata: Object, form: Form) -> bytes:
    from kubus.model import protobuf_writing  # see `encoded`

    if form.transform:
        partial = [_partial(entry.object, form) for entry in listed.entries]
        return protobuf_writing.encode_partial_list(f"meta.k8s.io/{form.version}", metadata, partial)
    objects = (entry.object for entry in listed.entries)
    return protobuf_writing.encode_list(kind.api_version, kind.name, metadata, objects)


def _partial(obj: Object, form: Form) -> Object:
    return {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{form.version}", "metadata": obj["metadata"]}


def _versioned(value: Object, form: Form) -> Object:
    return {**value, "apiVersion": f"meta.k8s.io/{form.version}"}
