"""Signed tokens: JSON Web Tokens under the cluster's ServiceAccount keys.

One key signs; any number verify, so that tokens outlive a change of the key until they expire. The algorithm follows
from the key and never from the token: ES256 for P-256, RS256 for RSA. Times and audiences are not judged here but where
the claims are (`service_accounts`), by the clock that is passed in. This is the one door to PyJWT; it is imported
when the first token comes, as it brings much with it that a start should not wait for.

Keys are published as a JWK set, each under its RFC 7638 thumbprint, by which a token names the one that signed it.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple

from kubus.model.codec import DecodeError, from_json, to_json

_THUMBPRINT_FIELDS = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}
TOKEN_CHARACTERS_MAX = 16 * 1024
_VERIFIED_MAX = 4096


class TokenInvalid(Exception):
    """A token is none of ours, or no longer good; the text says why."""


class _Key(NamedTuple):
    id: str
    algorithm: str
    signing: Any
    """The private key, or where only the public one is known, that."""
    public: Any
    jwk: dict[str, Any]


class Keys:
    """The keys of ServiceAccount tokens: PEM texts, the first of which signs."""

    def __init__(self, pems: Iterable[bytes]) -> None:
        self._pems = list(dict.fromkeys(block for pem in pems for block in _blocks(pem)))
        self._verified: dict[str, dict[str, Any]] = {}

    @property
    def can_sign(self) -> bool:
        """Whether there is a key to sign with."""
        return bool(self._pems) and b"PRIVATE" in self._pems[0]

    @cached_property
    def _keys(self) -> list[_Key]:
        return [_load(pem) for pem in self._pems]

    def sign(self, claims: dict[str, Any]) -> str:
        """A token with these claims.

        Raises:
            TokenInvalid: there is no key to sign with.
        """
        from jwt import PyJWS  # deferred: see the module's text

        if not self.can_sign:
            raise TokenInvalid("this server has no key to sign tokens with")
        key = self._keys[0]
        token: str = PyJWS().encode(to_json(claims), key.signing, algorithm=key.algorithm, headers={"kid": key.id})
        return token

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a token that one of the keys signed.

        Raises:
            TokenInvalid
        """
        known = self._verified.get(token)
        if known is None:
            known = self._verify(token)
            if len(self._verified) >= _VERIFIED_MAX:
                del self._verified[next(iter(self._verified))]
            self._verified[token] = known
        return known

    def _verify(self, token: str) -> dict[str, Any]:
        from jwt import PyJWS, PyJWTError

        if len(token) > TOKEN_CHARACTERS_MAX or token.count(".") != 2 or not self._pems:
            raise TokenInvalid("no token of this cluster")
        jws = PyJWS()
        try:
            named = jws.get_unverified_header(token).get("kid")
        except PyJWTError as error:
            raise TokenInvalid(str(error)) from None
        for key in [each for each in self._keys if each.id == named] or self._keys:
            try:
                claims = from_json(jws.decode(token, key.public, algorithms=[key.algorithm]))
            except (PyJWTError, DecodeError):
                continue
            if isinstance(claims, dict):
                return claims
        raise TokenInvalid("no key of this cluster signed the token")

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JWK set."""
        return {"keys": [key.jwk for key in self._keys]}

    def algorithms(self) -> list[str]:
        """The algorithms in use."""
        return sorted({key.algorithm for key in self._keys})


NO_KEYS = Keys(())
"""A server without keys makes no tokens and knows none."""


def _blocks(pem: bytes) -> list[bytes]:
    """A PEM text may hold several keys."""
    end = b"-----END "
    blocks = []
    rest = pem
    while (start := rest.find(b"-----BEGIN ")) >= 0 and (stop := rest.find(end, start)) >= 0:
        stop = rest.find(b"-----", stop + len(end)) + 5
        blocks.append(rest[start:stop] + b"\n")
        rest = rest[stop:]
    return blocks


def _load(pem: bytes) -> _Key:
    from jwt import InvalidKeyError
    from jwt.algorithms import ECAlgorithm, RSAAlgorithm

    try:
        key: Any = ECAlgorithm(ECAlgorithm.SHA256).prepare_key(pem)
        algorithm, fields = "ES256", ECAlgorithm.to_jwk(_public(key, pem), as_dict=True)
    except InvalidKeyError:
        key = RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(pem)
        algorithm, fields = "RS256", RSAAlgorithm.to_jwk(_public(key, pem), as_dict=True)
    thumbprint = _thumbprint(fields)
    described = {name: fields[name] for name in _THUMBPRINT_FIELDS[fields["kty"]]}
    jwk = {"use": "sig", "kid": thumbprint, "alg": algorithm, **described}
    return _Key(thumbprint, algorithm, key, _public(key, pem), jwk)


def _public(key: Any, pem: bytes) -> Any:
    return key.public_key() if b"PRIVATE" in pem else key


def _thumbprint(jwk: dict[str, Any]) -> str:
    chosen = {name: jwk[name] for name in _THUMBPRINT_FIELDS[jwk["kty"]]}
    return urlsafe_b64encode(hashlib.sha256(to_json(chosen)).digest()).rstrip(b"=").decode()
