"""CEL: what `transformMap` and `transformMapEntry` put into their maps.

The library parses and checks both macros, but its runtime lacks the function that they come to, and nobody may add to
it. So the compiled expression calls a function of ours instead, whose name is as long.

https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries
"""

from __future__ import annotations

from typing import Any

from kubus.model.cel import Function

MACROS = "transformMap"
LACKING, INSTEAD = b"cel.@mapInsert", b"cel._mapInsert"
_KEYS = ("bool", "int", "string", "uint")
_KINDS = ("bool", "bytes", "double", "duration", "int", "list", "map", "null", "string", "timestamp", "uint")


def _with_entry(entries: dict[Any, Any], key: Any, value: Any) -> dict[Any, Any]:
    return {**entries, key: value}


def _with_entries(entries: dict[Any, Any], further: dict[Any, Any]) -> dict[Any, Any]:
    twice = [key for key in further if key in entries]
    if twice:
        raise ValueError(f"insert failed: key {twice[0]!r} already exists")
    return {**entries, **further}


FUNCTIONS = (
    *(
        Function(INSTEAD.decode(), ("map", key, kind), "map", _with_entry, member=False)
        for key in _KEYS
        for kind in _KINDS
    ),
    Function(INSTEAD.decode(), ("map", "map"), "map", _with_entries, member=False),
)
