"""ServiceAccount tokens: what they say, and whether that still holds.

A token names its ServiceAccount and, when it was made for one, the pod, node or secret it is bound to, each with uid.
It is good as long as all of them stand in the cache under these uids: a deleted pod's token is refused by the next
request. An object that is being deleted keeps its tokens for a minute, so that a pod can say goodbye.

https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from kubus.model.codec import DecodeError
from kubus.model.objects import Key, Object, uid_of
from kubus.model.times import parse_time
from kubus_apiserver.access.tokens import TokenInvalid
from kubus_apiserver.calls import AUTHENTICATED, User
from kubus_apiserver.reading.watchcache import WatchCache

ISSUER = "https://kubernetes.default.svc.cluster.local"
PREFIX = "system:serviceaccount:"
ACCOUNTS = "serviceaccounts.core"
ALL_ACCOUNTS = "system:serviceaccounts"
_PRIVATE = "kubernetes.io"
_EXTRA = "authentication.kubernetes.io"
_AFTER_DELETION = timedelta(seconds=60)
_BOUND = {"pod": "pods.core", "secret": "secrets.core", "node": "nodes.core"}


class Bound(NamedTuple):
    """An object of a token."""

    name: str
    uid: str

    def to_claim(self) -> dict[str, str]:
        """As the token says it."""
        return {"name": self.name, "uid": self.uid}


def user_name(namespace: str, name: str) -> str:
    """`system:serviceaccount:default:builder`."""
    return f"{PREFIX}{namespace}:{name}"


def account_of(user: str) -> tuple[str, str] | None:
    """(namespace, name) of a ServiceAccount's user name."""
    parts = user.removeprefix(PREFIX).split(":")
    return (parts[0], parts[1]) if user.startswith(PREFIX) and len(parts) == 2 and all(parts) else None


def groups_of(namespace: str) -> tuple[str, ...]:
    """The groups of a namespace's ServiceAccounts."""
    return (ALL_ACCOUNTS, f"{ALL_ACCOUNTS}:{namespace}")


def claims(
    account: Object,
    bound: dict[str, Bound],
    *,
    issuer: str,
    audiences: list[str],
    now: datetime,
    seconds: int,
    token_id: str,
) -> dict[str, Any]:
    """What a token for an account says; `bound` by pod, secret, node."""
    metadata = account["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    issued = int(now.timestamp())
    private: dict[str, Any] = {"namespace": namespace, "serviceaccount": {"name": name, "uid": metadata["uid"]}}
    private.update({kind: each.to_claim() for kind, each in sorted(bound.items())})
    return {
        "aud": audiences,
        "exp": issued + seconds,
        "iat": issued,
        "iss": issuer,
        "jti": token_id,
        _PRIVATE: private,
        "nbf": issued,
        "sub": user_name(namespace, name),
    }


def judged(claims_: dict[str, Any], cache: WatchCache, *, issuer: str, now: datetime) -> tuple[User, list[str]]:
    """(user, audiences) of a verified token, if it is good now.

    Raises:
        TokenInvalid
    """
    if claims_.get("iss") != issuer:
        raise TokenInvalid("token issued by somebody else")
    _in_time(claims_, now)
    private = claims_.get(_PRIVATE)
    audiences = claims_.get("aud")
    if not isinstance(private, dict) or not isinstance(audiences, list):
        raise TokenInvalid("token lacks the claims of a service account")
    namespace, account = private.get("namespace") or "", _bound(private, "serviceaccount")
    if account is None or claims_.get("sub") != user_name(namespace, account.name):
        raise TokenInvalid("token lacks the claims of a service account")
    _stands(cache, Key(ACCOUNTS, namespace, account.name), account.uid, "service account", now)
    pod, node, secret = (_bound(private, kind) for kind in ("pod", "node", "secret"))
    if pod is not None:
        _stands(cache, Key(_BOUND["pod"], namespace, pod.name), pod.uid, "pod", now)
    elif node is not None:
        _stands(cache, Key(_BOUND["node"], "", node.name), node.uid, "node", now)
    if secret is not None:
        _stands(cache, Key(_BOUND["secret"], namespace, secret.name), secret.uid, "secret", now)
    extra = _extra(pod, node, str(claims_.get("jti") or ""))
    return User(str(claims_["sub"]), (*groups_of(namespace), AUTHENTICATED), account.uid, extra), audiences


def _in_time(claims_: dict[str, Any], now: datetime) -> None:
    at, expires, begins = now.timestamp(), claims_.get("exp"), claims_.get("nbf", 0)
    if not isinstance(expires, int | float) or not isinstance(begins, int | float):
        raise TokenInvalid("token without times")
    if at > expires:
        raise TokenInvalid("service account token has expired")
    if at < begins - 60:  # clocks of several apiservers differ a little
        raise TokenInvalid("service account token is not valid yet")


def _bound(private: dict[str, Any], kind: str) -> Bound | None:
    found = private.get(kind)
    if found is None:
        return None
    if not isinstance(found, dict) or not all(isinstance(found.get(each), str) for each in ("name", "uid")):
        raise TokenInvalid(f"token with a malformed {kind}")
    return Bound(found["name"], found["uid"])


def _stands(cache: WatchCache, key: Key, uid: str, what: str, now: datetime) -> None:
    entry = cache.get(key)
    try:
        found = None if entry is None else entry.object
    except DecodeError:
        found = None
    if found is None or uid_of(found) != uid:
        raise TokenInvalid(f"{what} has been deleted")
    deleted = found["metadata"].get("deletionTimestamp")
    if deleted and parse_time(deleted) + _AFTER_DELETION < now:
        raise TokenInvalid(f"{what} has been deleted")


def _extra(pod: Bound | None, node: Bound | None, token_id: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: list[tuple[str, tuple[str, ...]]] = []
    if token_id:
        found.append((f"{_EXTRA}/credential-id", (f"JTI={token_id}",)))
    if node is not None:
        found += [(f"{_EXTRA}/node-name", (node.name,)), (f"{_EXTRA}/node-uid", (node.uid,))]
    if pod is not None:
        found += [(f"{_EXTRA}/pod-name", (pod.name,)), (f"{_EXTRA}/pod-uid", (pod.uid,))]
    return tuple(found)
