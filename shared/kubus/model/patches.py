"""JSON patch (RFC 6902) and JSON merge patch (RFC 7396).

Both take an object that may be shared (it came from a cache) and return a new one that shares with it whatever did not
change; neither the object nor the patch is edited. A JSON patch of thousands of operations copies each container that
it touches once, not once an operation; and since a `copy` can double the object, what copies add up to is limited, in
bytes and in values: a megabyte of empty lists takes a thousand times as long as a megabyte of text.

Refusals are those of Kubernetes: 400 for what is no patch, 413 for too many operations, 422 for a patch that does not
apply, or whose operations pile up an object that is too deep. The depth of what is passed in is the caller's to limit
(`kubus.model.limits.too_deep`).
"""

from __future__ import annotations

import re
from typing import Any

from kubus.model import limits
from kubus.model.codec import from_json, to_json
from kubus.model.errors import StatusError, bad_request, too_large
from kubus.model.objects import Object

_INDEX = re.compile(r"-?(0|[1-9][0-9]{0,9})", re.ASCII)
_BETWEEN_VALUES = (b",", b"[", b"{")
_OPERATIONS = frozenset(("add", "remove", "replace", "move", "copy", "test"))


def unprocessable() -> StatusError:
    """422, in the words with which Kubernetes refuses a patch that does not apply."""
    return StatusError(422, "Invalid", "the server rejected our request due to an error in our request")


def merge_patch(obj: Object, patch: Any) -> Object:
    """The object with a merge patch applied: null removes, objects merge, everything else replaces.

    Raises:
        StatusError: 400, the patch is no object.
    """
    if not isinstance(patch, dict):
        raise bad_request(f"error decoding patch: cannot unmarshal {_json_type(patch)} into an object")
    return _merged(obj, patch)


def _merged(target: Any, patch: dict[str, Any]) -> Object:
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = _merged(result.get(key), value)
        else:
            result[key] = value
    return result


def json_patch(obj: Object, ops: Any) -> Object:
    """The object with a JSON patch applied.

    Raises:
        StatusError: 400 if it is no JSON patch, 413 if it is too long, 422 if it does not apply.
    """
    if not isinstance(ops, list):
        raise bad_request(f"error decoding patch: cannot unmarshal {_json_type(ops)} into a JSON patch")
    if len(ops) > limits.PATCH_OPERATIONS_MAX:
        raise too_large(
            f"The allowed maximum operations in a JSON patch is {limits.PATCH_OPERATIONS_MAX}, got {len(ops)}"
        )
    if not all(isinstance(op, dict) for op in ops):
        raise bad_request("error decoding patch: an operation of a JSON patch must be an object")
    editor = _Editor(obj)
    try:
        for op in ops:
            editor.apply(op)
    except (_DoesNotApplyError, KeyError, IndexError):
        raise unprocessable() from None
    if not isinstance(editor.document, dict) or limits.too_deep(editor.document):
        raise unprocessable()
    return editor.document


class _DoesNotApplyError(Exception):
    """An operation is malformed, its place is not there, or its test failed."""


class _Editor:
    """A document under edit. Containers that this editor made are its own to change; others it copies first."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self._own: dict[int, Any] = {}
        self._copied_bytes = 0
        self._copied_values = 0
        """About as many: marks within text count too, which is on the safe side."""

    def apply(self, op: dict[str, Any]) -> None:
        name = op.get("op")
        if name not in _OPERATIONS:
            raise _DoesNotApplyError
        path = _pointer(op.get("path"))
        match name:
            case "add":
                self._add(path, op["value"])
            case "remove":
                self._remove(path)
            case "replace":
                self._replace(path, op["value"])
            case "test":
                self._test(path, op.get("value"))
            case "copy":
                self._add(path, self._copy_of(self._get(_pointer(op.get("from")))))
            case _:
                self._move(_pointer(op.get("from")), path)

    def _get(self, path: list[str]) -> Any:
        value = self.document
        for step in path:
            value = value[_position(value, step)]
        return value

    def _container(self, path: list[str]) -> tuple[Any, str]:
        """The container, made our own, of the last step of a path, and that step."""
        self.document = value = self._owned(self.document)
        for step in path[:-1]:
            position = _position(value, step)
            value[position] = below = self._owned(value[position])
            value = below
        return value, path[-1]

    def _owned(self, container: Any) -> Any:
        if id(container) in self._own:
            return container
        if not isinstance(container, dict | list):
            raise _DoesNotApplyError
        own = container.copy()
        self._own[id(own)] = own
        return own

    def _add(self, path: list[str], value: Any) -> None:
        if not path:
            self.document = value
            return
        container, step = self._container(path)
        if isinstance(container, dict):
            container[step] = value
        else:
            container.insert(len(container) if step == "-" else _index(step, len(container) + 1), value)

    def _remove(self, path: list[str]) -> None:
        if not path:
            raise _DoesNotApplyError
        container, step = self._container(path)
        del container[_position(container, step)]

    def _replace(self, path: list[str], value: Any) -> None:
        if not path:
            self.document = value
            return
        container, step = self._container(path)
        container[_position(container, step)] = value

    def _move(self, source: list[str], path: list[str]) -> None:
        if path[: len(source)] == source and len(path) > len(source):
            raise _DoesNotApplyError  # into itself
        value = self._get(source)
        if source != path:
            self._remove(source)
            self._add(path, value)

    def _copy_of(self, value: Any) -> Any:
        if limits.too_deep(value):
            raise _DoesNotApplyError
        encoded = to_json(value)
        self._copied_bytes += len(encoded)
        self._copied_values += 1 + sum(map(encoded.count, _BETWEEN_VALUES))
        if self._copied_bytes > limits.COPIED_BYTES_MAX or self._copied_values > limits.COPIED_VALUES_MAX:
            raise _DoesNotApplyError
        return from_json(encoded)

    def _test(self, path: list[str], expected: Any) -> None:
        try:
            found = self._get(path)
        except (KeyError, IndexError):
            found = None  # as Kubernetes' library has it: what is missing equals null
        if not equal_json(found, expected):
            raise _DoesNotApplyError


def equal_json(left: Any, right: Any) -> bool:
    """Whether two values are the same JSON: unlike `==`, true is not 1."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal_json(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal_json, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _pointer(text: Any) -> list[str]:
    """The steps of a JSON pointer (RFC 6901)."""
    if text == "":
        return []
    if not isinstance(text, str) or not text.startswith("/"):
        raise _DoesNotApplyError
    return [step.replace("~1", "/").replace("~0", "~") for step in text[1:].split("/")]


def _position(container: Any, step: str) -> Any:
    """The key or index of an existing item; KeyError or IndexError if there is none."""
    if isinstance(container, dict):
        if step not in container:
            raise KeyError(step)
        return step
    if isinstance(container, list):
        return _index(step, len(container))
    raise KeyError(step)


def _index(step: str, length: int) -> int:
    """The index below a length; negative ones count from the end, as Kubernetes' library lets them."""
    if not _INDEX.fullmatch(step):
        raise _DoesNotApplyError
    index = int(step)
    if not -length <= index < length:
        raise IndexError(step)
    return index + length if index < 0 else index


def _json_type(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")
