"""Which objects a list or a watch means: label and field selectors, made ready for many objects.

Field selectors are looked up in the kind: an unknown field is refused with 400, as Kubernetes refuses it. A
selector that pins metadata.name is remembered apart, because then there is one object to look at.
"""

from __future__ import annotations

from kubus.model.errors import StatusError, bad_request
from kubus.model.kinds import Kind
from kubus.model.objects import Object
from kubus.model.selectors import FieldSelector, LabelSelector
from kubus_apiserver.calls import ReadOptions


class Selection:
    """A label and a field selector on one kind."""

    __slots__ = ("_fields", "_kind", "_labels", "everything", "name")

    def __init__(self, kind: Kind, labels: LabelSelector, fields: FieldSelector, name: str = "") -> None:
        self._kind = kind
        self._labels = labels
        self._fields = fields
        self.name = name or fields.value_of("metadata.name") or ""
        self.everything = labels.everything and fields.everything and not name
        """Whether every object is meant, so that none needs to be decoded."""

    def matches(self, obj: Object) -> bool:
        """Whether an object is meant."""
        metadata = obj["metadata"]
        if self.name and metadata.get("name") != self.name:
            return False
        if not self._labels.matches(metadata.get("labels")):
            return False
        return self._fields.everything or self._fields.matches(lambda field: self._field(obj, field))

    def _field(self, obj: Object, field: str) -> str:
        if field == "metadata.name":
            return str(obj["metadata"].get("name", ""))
        if field == "metadata.namespace":
            return str(obj["metadata"].get("namespace", ""))
        return self._kind.fields[field](obj)


def selection(kind: Kind, options: ReadOptions, name: str = "") -> Selection:
    """The selection that a request's options mean; `name` is the one of a watch on one object.

    Raises:
        StatusError: 400, a selector cannot be read or names a field that the kind does not select by.
    """
    try:
        labels = LabelSelector.parse(options.label_selector)
    except ValueError as error:
        raise _unreadable(error) from None
    try:
        fields = FieldSelector.parse(options.field_selector)
    except ValueError as error:
        raise _unreadable(error) from None
    for requirement in fields.requirements:
        if requirement.field not in kind.fields and requirement.field not in ("metadata.name", "metadata.namespace"):
            raise bad_request(_unknown_field(kind, requirement.field))
    return Selection(kind, labels, fields, name)


def _unreadable(error: ValueError) -> StatusError:
    return bad_request(str(error))


def _unknown_field(kind: Kind, field: str) -> str:
    version = kind.api_version
    return (
        f'Unable to find "{version}, Resource={kind.plural}" that match label selector "", '
        f'field selector "{field}": field label not supported: {field}'
    )
