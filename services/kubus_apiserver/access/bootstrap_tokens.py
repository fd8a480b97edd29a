"""Bootstrap tokens: short secrets with which a new node, that has no certificate yet, asks for one.

`abcdef.0123456789abcdef` is known if kube-system holds the Secret `bootstrap-token-abcdef` of that type with the second
half, which has not expired and is meant for authentication.

https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
"""

from __future__ import annotations

import binascii
import hmac
import re
from base64 import b64decode
from datetime import datetime
from typing import Any

from kubus.model.codec import DecodeError
from kubus.model.objects import Key
from kubus.model.times import parse_time
from kubus_apiserver.calls import AUTHENTICATED, User
from kubus_apiserver.reading.watchcache import WatchCache

TYPE = "bootstrap.kubernetes.io/token"
GROUP = "system:bootstrappers"
_NAMESPACE = "kube-system"
_TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
_EXTRA_GROUP = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]")


def is_bootstrap_token(token: str) -> bool:
    """Whether a bearer token has this form."""
    return _TOKEN.fullmatch(token) is not None


def bootstrap_user(token: str, cache: WatchCache, now: datetime) -> User | None:
    """Whose token it is; None if nobody's."""
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        return None
    name, secret = parts.groups()
    entry = cache.get(Key("secrets.core", _NAMESPACE, f"bootstrap-token-{name}"))
    try:
        found = None if entry is None else entry.object
    except DecodeError:
        return None
    if found is None or found.get("type") != TYPE or found["metadata"].get("deletionTimestamp"):
        return None
    data = _texts(found.get("data") or {})
    if data.get("token-id") != name or not hmac.compare_digest(data.get("token-secret", ""), secret):
        return None
    if data.get("usage-bootstrap-authentication") != "true" or _expired(data.get("expiration", ""), now):
        return None
    extra = [each.strip() for each in data.get("auth-extra-groups", "").split(",") if each.strip()]
    if not all(_EXTRA_GROUP.fullmatch(each) for each in extra):
        return None
    return User(f"system:bootstrap:{name}", (*dict.fromkeys([GROUP, *sorted(extra)]), AUTHENTICATED))


def _texts(data: dict[str, Any]) -> dict[str, str]:
    texts = {}
    for key, value in data.items():
        try:
            texts[key] = b64decode(value, validate=True).decode("ascii")
        except (binascii.Error, ValueError, TypeError):
            texts[key] = ""
    return texts


def _expired(text: str, now: datetime) -> bool:
    if not text:
        return False
    try:
        return parse_time(text) <= now
    except ValueError:
        return True
