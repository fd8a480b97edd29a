"""YAML as Kubernetes takes it: JSON in another dress.

Only what JSON has comes out: objects with string keys, lists, strings, numbers, booleans and null. Timestamps stay
strings; binary, sets and other tags are refused, and so are duplicate keys and more than one document. Plain scalars
mean what they mean to Kubernetes' parser: `yes` and `on` are booleans as in YAML 1.1, `1e3` and `0o17` numbers as
in 1.2, and `12:30` is text in spite of 1.1.

Aliases are expanded, each to a copy, but what they add up to is bounded: a text of ten lines may otherwise stand for
gigabytes. Whatever the bytes are, nothing but `DecodeError` is raised.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from kubus.model.codec import DecodeError
from kubus.model.limits import DEPTH_MAX, YAML_NODES_MAX

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = frozenset(f"{_TAG}{name}" for name in ("str", "timestamp", "value", "merge"))
_NUMBER_TAGS = frozenset((f"{_TAG}int", f"{_TAG}float"))
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+", re.ASCII)
_OCTAL = re.compile(r"0o[0-7]{1,21}", re.ASCII)
_INTEGER_RANGE = range(-(1 << 63), 1 << 64)
_TOO_DEEP = "error converting YAML to JSON: exceeded max depth"
_PARSER_TOO_DEEP = "exceeded maximum nesting depth"
"""What newer versions of libyaml say; its scanner looks ahead, so it may see the depth of one line before we do."""


def load_yaml(data: bytes | str, again: list[str] | None = None) -> Any:
    """The value of a YAML text of one document; None for an empty one.

    A key that comes again is refused; with `again` the last one counts, and `again` gets a sentence about each.

    Raises:
        DecodeError: the text is no YAML, or says what JSON cannot.
    """
    documents = load_all_yaml(data, again)
    if len(documents) > 1:
        raise DecodeError("error converting YAML to JSON: more than one document")
    return documents[0] if documents else None


def load_all_yaml(data: bytes | str, again: list[str] | None = None) -> list[Any]:
    """The values of a YAML text's documents, empty ones left out; `again` as with `load_yaml`.

    Raises:
        DecodeError: the text is no YAML, or says what JSON cannot.
    """
    try:
        text = data if isinstance(data, str) else bytes(data).decode()
        loader = _Loader(text)
        try:
            return _documents(loader, again)
        finally:
            loader.dispose()
    except (yaml.YAMLError, UnicodeError, RecursionError, ValueError, OverflowError) as error:
        if isinstance(error, DecodeError):
            raise
        if _PARSER_TOO_DEEP in str(error):
            raise DecodeError(_TOO_DEEP) from None
        raise DecodeError(f"error converting YAML to JSON: {_one_line(error)}") from None


def _one_line(error: Exception) -> str:
    return "yaml: " + "; ".join(line.strip() for line in str(error).splitlines())


def _documents(loader: Any, again: list[str] | None) -> list[Any]:
    found = []
    while not isinstance(loader.peek_event(), yaml.StreamEndEvent):
        event = loader.get_event()
        if isinstance(event, yaml.DocumentStartEvent):
            document = _Document(loader, again).value(0)
            if document is not None:
                found.append(document)
    return found


class _Document:
    """Builds values right from events: what is too deep or too much ends it before it is built."""

    def __init__(self, loader: Any, again: list[str] | None) -> None:
        self._loader = loader
        self._again = again
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0

    def value(self, depth: int) -> Any:
        if depth > DEPTH_MAX:
            raise DecodeError(_TOO_DEEP)
        event = self._loader.get_event()
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor)
        before = self._nodes
        self._count(1)
        if isinstance(event, yaml.ScalarEvent):
            result = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            result = self._sequence(event, depth)
        else:
            result = self._mapping(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = (result, self._nodes - before)
        return result

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > YAML_NODES_MAX:
            raise DecodeError("error converting YAML to JSON: document contains excessive aliasing or too many values")

    def _alias(self, anchor: str | None) -> Any:
        if anchor is None or anchor not in self._anchors:
            raise DecodeError(f"error converting YAML to JSON: yaml: unknown anchor '{anchor}' referenced")
        value, nodes = self._anchors[anchor]
        self._count(nodes)
        return _copy(value)

    def _scalar(self, event: Any) -> Any:
        tag = event.tag
        if tag in (None, "!"):
            tag = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
            if tag == f"{_TAG}str" and event.implicit[0]:
                return _plain_text(event.value)
        if tag in _TEXT_TAGS or (":" in event.value and tag in _NUMBER_TAGS):
            return event.value
        node = yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark)
        return _plain_value(self._loader, tag.removeprefix(_TAG), node)

    def _sequence(self, event: Any, depth: int) -> list[Any]:
        _refuse_tag(event.tag, "seq")
        items = []
        while not isinstance(self._loader.peek_event(), yaml.SequenceEndEvent):
            items.append(self.value(depth + 1))
        self._loader.get_event()
        return items

    def _repeated(self, key: str, line: int) -> None:
        if self._again is None:
            raise DecodeError(f'error converting YAML to JSON: yaml: line {line}: key "{key}" already set in map')
        self._again.append(f'line {line}: key "{key}" already set in map')

    def _mapping(self, event: Any, depth: int) -> dict[str, Any]:
        _refuse_tag(event.tag, "map")
        result: dict[str, Any] = {}
        merged: list[dict[str, Any]] = []
        while not isinstance(self._loader.peek_event(), yaml.MappingEndEvent):
            event = self._loader.peek_event()
            plain_merge, line = _is_merge(event), event.start_mark.line + 1
            key = _key(self.value(depth + 1))
            value = self.value(depth + 1)
            if plain_merge:
                merged += _merge_sources(value)
                continue
            if key in result:
                self._repeated(key, line)
            result[key] = value
        self._loader.get_event()
        for source in merged:
            result = {**source, **result}
        return result


def _plain_text(text: str) -> str | int | float:
    """A plain scalar that YAML 1.1 has as text, but which may be a number to Kubernetes."""
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    return _finite(float(text)) if _FLOAT.fullmatch(text) else text


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise DecodeError("error converting YAML to JSON: a number that JSON does not have")
    return number


def _copy(value: Any) -> Any:
    """A copy of its own: an object that is decoded may be edited, and an alias must not see it."""
    if isinstance(value, dict):
        return {key: _copy(each) for key, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list) else value


def _plain_value(loader: Any, kind: str, node: Any) -> Any:
    """A scalar that is no text, by YAML 1.1's rules."""
    if kind == "null":
        return None
    if kind == "bool":
        return loader.construct_yaml_bool(node)
    if kind == "int":
        number = loader.construct_yaml_int(node)
        return number if number in _INTEGER_RANGE else float(number)
    if kind == "float":
        return _finite(float(loader.construct_yaml_float(node)))
    raise DecodeError(f"error converting YAML to JSON: yaml: tag '{node.tag}' is not supported")


def _refuse_tag(tag: str | None, expected: str) -> None:
    if tag not in (None, "!", f"{_TAG}{expected}"):
        raise DecodeError(f"error converting YAML to JSON: yaml: tag '{tag}' is not supported")


def _is_merge(event: Any) -> bool:
    return isinstance(event, yaml.ScalarEvent) and event.value == "<<" and bool(event.implicit[0]) and not event.tag


def _merge_sources(value: Any) -> list[dict[str, Any]]:
    sources = value if isinstance(value, list) else [value]
    if not all(isinstance(each, dict) for each in sources):
        raise DecodeError(
            "error converting YAML to JSON: yaml: map merge requires map or sequence of maps as the value"
        )
    return sources


def _key(value: Any) -> str:
    """A key as JSON has it: numbers and booleans become their texts."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise DecodeError("error converting YAML to JSON: yaml: a key of a map must be a scalar")
