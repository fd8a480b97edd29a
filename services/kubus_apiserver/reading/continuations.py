"""Continue tokens: where the next page of a list starts, and of which revision it is.

A token is opaque to clients: base64url of a small JSON object with the revision and the last key given. Whoever
forges one reads no more than a list without it would give: what is listed is decided by the path and the rights.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

from kubus.model.codec import DecodeError, from_json, to_json
from kubus.model.errors import bad_request


def encode_token(revision: int, namespace: str, name: str) -> str:
    """The token of a page that ended with an object."""
    return urlsafe_b64encode(to_json({"v": 1, "rv": revision, "ns": namespace, "n": name})).decode().rstrip("=")


def decode_token(token: str) -> tuple[int, tuple[str, str]]:
    """Revision and (namespace, name) of a token.

    Raises:
        StatusError: 400, it is none of ours.
    """
    try:
        value = from_json(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        revision, namespace, name = value["rv"], value["ns"], value["n"]
    except (DecodeError, binascii.Error, KeyError, TypeError, ValueError):
        raise bad_request("continue key is not valid: encoding is not understood") from None
    if not (isinstance(revision, int) and revision > 0 and isinstance(namespace, str) and isinstance(name, str)):
        raise bad_request("continue key is not valid: encoding is not understood")
    return revision, (namespace, name)
