"""JSON values as YAML, quickly: for clients that ask for `application/yaml`, and for files that kubus writes.

The general emitter of a YAML library takes a second a megabyte, and a server has better things to do. Values of an API
are plain, so this writes them in block style with keys sorted, as Kubernetes does: text that could be taken for
anything else, or is not one printable line, in double quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*", re.ASCII)
_OTHERWISE = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
"""Words that mean something else to some version of YAML, in lower case."""


def write_yaml(value: Any) -> bytes:
    """The YAML text of a JSON value."""
    return ("\n".join(_lines(value, "")) + "\n").encode(errors="replace")


def _lines(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from _item(f"{indent}{_text(str(key))}:", value[key], indent)
    elif isinstance(value, list) and value:
        for each in value:
            if isinstance(each, dict | list) and each:
                first, *rest = _lines(each, f"{indent}  ")
                yield f"{indent}- {first[len(indent) + 2 :]}"
                yield from rest
            else:
                yield f"{indent}- {_scalar(each)}"
    else:
        yield indent + _scalar(value)


def _item(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        yield head
        yield from _lines(value, f"{indent}  ")
    elif isinstance(value, list) and value:
        yield head
        yield from _lines(value, indent)
    else:
        yield f"{head} {_scalar(value)}"


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    if isinstance(value, float):
        return _number(value)
    return str(value)


def _number(value: float) -> str:
    text = repr(value)
    return text if "e" not in text or "." in text else text.replace("e", ".0e")


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _OTHERWISE:
        return text
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return f'"{"".join(map(_character, text))}"'


def _character(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char == "\n":
        return "\\n"
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
