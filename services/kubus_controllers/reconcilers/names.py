"""Names that controllers give, derived from the owner and what it is for.

Nothing here is random: the same cause gives the same name, so a plan that is carried out twice creates once.
"""

from __future__ import annotations

import hashlib

from kubus.model.names import SUFFIX_ALPHABET

_NAME_LENGTH_MAX = 63
"""Longer names are valid for most kinds, but a pod's name is its host name too."""


def suffix(*parts: str | int, length: int = 5) -> str:
    """A short text that differs, most likely, for different parts."""
    number = int.from_bytes(hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=16).digest(), "big")
    letters = []
    for _ in range(length):
        number, digit = divmod(number, len(SUFFIX_ALPHABET))
        letters.append(SUFFIX_ALPHABET[digit])
    return "".join(letters)


def child_name(owner: str, ending: str) -> str:
    """`owner-ending`, with the owner's name cut where the whole would be too long."""
    return f"{owner[: _NAME_LENGTH_MAX - len(ending) - 1]}-{ending}"
