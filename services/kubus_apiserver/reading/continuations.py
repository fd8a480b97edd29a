"""Continue tokens: where the next page of a list starts, and of which revision it is.

A token is opaque to clients: base64url of a small JSON object with the revision, the last key given and when the list
began. Whoever forges one reads no more than a list without it would give: what is listed is decided by the path and
the rights.

A list that is paged through for longer than `LASTS_SECONDS` is told so, as Kubernetes tells it once history has been
compacted: with 410 and a token that goes on from the same key with the objects as they are then. That revision is
`LATEST`.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from kubus.model.codec import DecodeError, from_json, to_json
from kubus.model.errors import bad_request

LASTS_SECONDS = 300
"""The interval of Kubernetes' compactions."""
LATEST = -1
"""The revision of a token that goes on with whatever there is."""


class Token(NamedTuple):
    """Where a list goes on."""

    revision: int
    namespace: str
    name: str
    """Of the last object given."""
    began: int
    """When the list began: seconds since 1970."""

    @property
    def after(self) -> tuple[str, str]:
        """The key after which it goes on."""
        return self.namespace, self.name


def encode_token(token: Token) -> str:
    """The token as the client gets it."""
    value = {"v": 1, "rv": token.revision, "ns": token.namespace, "n": token.name, "t": token.began}
    return urlsafe_b64encode(to_json(value)).decode().rstrip("=")


def decode_token(text: str) -> Token:
    """A token as a client sends it.

    Raises:
        StatusError: 400, it is none of ours.
    """
    try:
        value = from_json(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        token = Token(value["rv"], value["ns"], value["n"], value["t"])
    except (DecodeError, binascii.Error, KeyError, TypeError, ValueError):
        raise bad_request("continue key is not valid: encoding is not understood") from None
    numbers = type(token.revision) is int and type(token.began) is int
    if numbers and (token.revision > 0 or token.revision == LATEST) and all(type(each) is str for each in token.after):
        return token
    raise bad_request("continue key is not valid: encoding is not understood")
