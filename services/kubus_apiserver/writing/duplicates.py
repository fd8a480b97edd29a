"""Fields that a JSON body names twice, which a decoder passes over in silence: the last one wins.

Kubernetes warns of them, or refuses them where fieldValidation is Strict. Nearly no body has any, so a count comes
first: as many keys in the text as in the decoded value written again means none. Only where the counts differ is the
text read again, slowly, keeping every pair. Who wants to can write a text that fools the count; what they evade is a
warning to themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from kubus.model.codec import to_json

_SPACE = b" \t\r\n"


class Pairs(list[tuple[str, Any]]):
    """An object with all its pairs."""


def duplicate_fields(data: bytes, value: Any) -> list[str]:
    """Paths of the fields that come more than once in a JSON text, of which `value` is the decoded value."""
    if _keys(data.translate(None, _SPACE)) == _keys(to_json(value)):
        return []
    return list(dict.fromkeys(repeated(pairs_of(data))))


def pairs_of(data: bytes) -> Any:
    """The value of a JSON text, its objects with all their pairs; None for what one decoder takes and this one not."""
    try:
        return json.loads(data, object_pairs_hook=Pairs)
    except (ValueError, RecursionError):
        return None


def _keys(text: bytes) -> int:
    """How many keys a text has; strings that look like one count for nothing."""
    found = text.count(b'":')
    return found - text.count(b'\\":') if b"\\" in text else found


def repeated(value: Any, path: str = "") -> Iterator[str]:
    """Paths of the keys that come again, in order; of a value with all its pairs."""
    if isinstance(value, Pairs):
        seen: set[str] = set()
        for key, inner in value:
            at = f"{path}.{key}" if path else key
            if key in seen:
                yield at
            seen.add(key)
            yield from repeated(inner, at)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from repeated(inner, f"{path}[{index}]")
