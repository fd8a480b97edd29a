"""Secrets at rest: a record whose content only holders of a key can read.

value  MessagePack `[2, note, face, sealed]`

`face` is the Secret as it may be seen by everybody who reads the store or the bus: apiVersion, kind, type, metadata
and a digest by which a change is noticed. `sealed` is the whole Secret under AES-256-GCM: 8 bytes that name the key, 12
of nonce, the ciphertext. It is bound to its store key and to its face, so that none can be put in another's place. The
digest is keyed too: nobody learns a short password from it by trying.

So the relay, which reads etcd and holds no key, cannot publish what it cannot read.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kubus.model.codec import DecodeError, Raw, pack, raw_array_decoder, unpack
from kubus.model.records import VERSION, split_record

SEALED_VERSION = 2
KEY_BYTES_MIN = 32
_ID_BYTES, _NONCE_BYTES = 8, 12
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_sealed_record = raw_array_decoder(items=tuple[int, Raw, Raw, bytes])


class Seals:
    """The keys: the first one seals, all of them open."""

    def __init__(self, keys: Sequence[bytes], random_bytes: Callable[[int], bytes]) -> None:
        """`random_bytes` gives the nonces: `os.urandom`, or a simulation's.

        Raises:
            ValueError: there is no key, or one is too short to be random.
        """
        if not keys or any(len(key) < KEY_BYTES_MIN for key in keys):
            raise ValueError(f"sealing needs a key of {KEY_BYTES_MIN} random bytes or more")
        self._random_bytes = random_bytes
        self._ciphers = {_derived(key, "id")[:_ID_BYTES]: AESGCM(_derived(key, "seal")) for key in reversed(keys)}
        self._newest = _derived(keys[0], "id")[:_ID_BYTES]
        self._digest_key = _derived(keys[0], "digest")

    def seal(self, key: str, value: bytes) -> bytes:
        """The record to store under a key, instead of a plain one.

        Raises:
            DecodeError: the value is no record of an object.
        """
        note, obj = split_record(value)
        face = pack(self._face(unpack(obj)))
        nonce = self._random_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self._newest].encrypt(nonce, bytes(obj), key.encode() + face)
        return pack([SEALED_VERSION, note, Raw(face), self._newest + nonce + sealed])

    def open(self, key: str, value: bytes) -> bytes:
        """The plain record of a sealed one.

        Raises:
            DecodeError: it is no sealed record, or not one that stood under this key, or its key is not there.
        """
        note, face, sealed = _split(value)
        cipher = self._ciphers.get(sealed[:_ID_BYTES])
        if cipher is None:
            raise DecodeError("sealed with a key that is not there")
        nonce, text = sealed[_ID_BYTES : _ID_BYTES + _NONCE_BYTES], sealed[_ID_BYTES + _NONCE_BYTES :]
        try:
            obj = cipher.decrypt(nonce, text, key.encode() + bytes(face))
        except (InvalidTag, ValueError):
            raise DecodeError("not what was sealed under this key") from None
        return pack([VERSION, note, Raw(obj)])

    def is_newest(self, value: bytes) -> bool:
        """Whether a record is sealed with the key that seals now.

        Raises:
            DecodeError: it is no sealed record.
        """
        return _split(value)[2][:_ID_BYTES] == self._newest

    def _face(self, secret: Any) -> dict[str, Any]:
        """What names the keys goes (managedFields), and what repeats the values (kubectl's last-applied annotation)."""
        if not isinstance(secret, dict):
            raise DecodeError("a Secret that is no object")
        kept: dict[str, Any] = {field: secret[field] for field in ("apiVersion", "kind", "type") if field in secret}
        metadata = {name: value for name, value in (secret.get("metadata") or {}).items() if name != "managedFields"}
        if metadata.get("annotations"):
            said = metadata["annotations"].items()
            metadata["annotations"] = {name: text for name, text in said if name != _LAST_APPLIED}
        content = pack(sorted((secret.get("data") or {}).items()))
        return {**kept, "metadata": metadata, "digest": hmac.digest(self._digest_key, content, "sha256").hex()}


def face_of(value: bytes) -> tuple[Raw, Raw]:
    """(note, face) of a sealed record, both still encoded.

    Raises:
        DecodeError: it is no sealed record.
    """
    return _split(value)[:2]


def _split(value: bytes) -> tuple[Raw, Raw, bytes]:
    try:
        version, note, face, sealed = _sealed_record.decode(value)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"not a sealed record: {error}") from None
    if version != SEALED_VERSION:
        raise DecodeError(f"sealed record of version {version}, this program reads {SEALED_VERSION}")
    return note, face, sealed


def _derived(key: bytes, purpose: str) -> bytes:
    return hmac.digest(key, f"kubus secrets: {purpose}".encode(), hashlib.sha256)
