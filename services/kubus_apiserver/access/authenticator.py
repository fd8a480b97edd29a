"""From credentials to a user: certificate, ServiceAccount token, bootstrap token, or nobody.

A verified client certificate wins; then a bearer token has to be good, or the request is refused with 401; without
either the request is anonymous, which authorization allows health, version and little else. Browsers, which cannot
set headers on a WebSocket, put the token into its subprotocol.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import dataclass

from kubus.model.errors import unauthorized
from kubus.model.times import Clock
from kubus_apiserver.access import legacy_tokens, service_accounts
from kubus_apiserver.access.bootstrap_tokens import bootstrap_user, is_bootstrap_token
from kubus_apiserver.access.tokens import Keys, TokenInvalid
from kubus_apiserver.calls import ANONYMOUS, User
from kubus_apiserver.reading.watchcache import WatchCache

_SUBPROTOCOL = "base64url.bearer.authorization.k8s.io."


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Knows tokens."""

    keys: Keys
    cache: WatchCache
    clock: Clock
    issuer: str = service_accounts.ISSUER
    audiences: tuple[str, ...] = (service_accounts.ISSUER,)
    """Which audiences mean this API."""

    def user(self, certified: User, authorization: str, subprotocols: str = "") -> User:
        """Who asks: the user of the certificate (or anonymous), the `Authorization` header, WebSocket's subprotocols.

        Raises:
            StatusError: 401, a token that is not good.
        """
        if certified is not ANONYMOUS:
            return certified
        token = _bearer(authorization) or _of_subprotocols(subprotocols)
        if not token:
            return certified
        try:
            return self.reviewed(token, self.audiences)[0]
        except TokenInvalid:
            raise unauthorized() from None

    def reviewed(self, token: str, audiences: Sequence[str] = ()) -> tuple[User, list[str]]:
        """(user, audiences for which the token is good) of those asked for; without any, of this API's.

        Raises:
            TokenInvalid
        """
        now, wanted = self.clock.now(), audiences or self.audiences
        if is_bootstrap_token(token):
            user = bootstrap_user(token, self.cache, now)
            if user is None:
                raise TokenInvalid("invalid bearer token")
            return user, list(audiences)
        claims = self.keys.verify(token)
        good_for: Sequence[str] = self.audiences
        if claims.get("iss") == legacy_tokens.ISSUER:
            user = legacy_tokens.judged(token, claims, self.cache)
        else:
            user, good_for = service_accounts.judged(claims, self.cache, issuer=self.issuer, now=now)
        matching = [each for each in wanted if each in good_for]
        if not matching:
            raise TokenInvalid(f"token audiences {list(good_for)} is invalid for the target audiences {list(wanted)}")
        return user, matching


def is_bearer_protocol(name: str) -> bool:
    """Whether a WebSocket subprotocol is a token in disguise."""
    return name.startswith(_SUBPROTOCOL)


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _of_subprotocols(offered: str) -> str:
    for each in offered.split(","):
        name = each.strip()
        if name.startswith(_SUBPROTOCOL):
            text = name.removeprefix(_SUBPROTOCOL)
            try:
                return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
            except (binascii.Error, ValueError):
                raise unauthorized() from None
    return ""
