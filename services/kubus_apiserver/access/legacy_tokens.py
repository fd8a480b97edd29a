"""Tokens that live in Secrets: the older sort, for those who ask for one.

A Secret of type `kubernetes.io/service-account-token` that names a ServiceAccount is given, with the very write that
makes it, a token, the cluster's certificate authority, its namespace and the account's uid: whoever may write there has
what they came for at once, and nobody but this server ever holds the key. Such a token does not expire. It is good for
as long as its Secret is there and holds that very token, and its account under that uid. Secrets of accounts that are
gone are deleted by a controller.

https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from kubus.model.codec import DecodeError
from kubus.model.objects import Key, Object, annotations_of, is_deleting, labels_of, metadata, uid_of
from kubus_apiserver.access.service_accounts import ACCOUNTS, groups_of, user_name
from kubus_apiserver.access.tokens import Keys, TokenInvalid
from kubus_apiserver.admission import Proposal
from kubus_apiserver.calls import AUTHENTICATED, User
from kubus_apiserver.reading.watchcache import WatchCache

ISSUER = "kubernetes/serviceaccount"
SECRETS = "secrets.core"
TYPE = "kubernetes.io/service-account-token"
NAME = "kubernetes.io/service-account.name"
UID = "kubernetes.io/service-account.uid"
INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since"
_CLAIM = "kubernetes.io/serviceaccount/"


def claims(namespace: str, secret: str, account: str, uid: str) -> dict[str, Any]:
    """What the token in a Secret says."""
    return {
        "iss": ISSUER,
        f"{_CLAIM}namespace": namespace,
        f"{_CLAIM}secret.name": secret,
        f"{_CLAIM}service-account.name": account,
        f"{_CLAIM}service-account.uid": uid,
        "sub": user_name(namespace, account),
    }


def judged(token: str, claims_: dict[str, Any], cache: WatchCache) -> User:
    """The user of a verified token, if it is good now.

    Raises:
        TokenInvalid
    """
    names = ("namespace", "secret.name", "service-account.name", "service-account.uid")
    said = [claims_.get(_CLAIM + name) for name in names]
    if not all(isinstance(each, str) and each for each in said):
        raise TokenInvalid("token lacks the claims of a service account")
    namespace, secret_name, name, uid = map(str, said)
    if claims_.get("sub") != user_name(namespace, name):
        raise TokenInvalid("token lacks the claims of a service account")
    secret = _found(cache, Key(SECRETS, namespace, secret_name))
    data = {} if secret is None else secret.get("data") or {}
    if secret is None or is_deleting(secret) or data.get("token") != _encoded(token):
        raise TokenInvalid("service account token has been invalidated")
    if labels_of(secret).get(INVALID_SINCE):
        raise TokenInvalid(f"the token in secret {namespace}/{secret_name} has been marked invalid")
    account = _found(cache, Key(ACCOUNTS, namespace, name))
    if account is None or is_deleting(account) or uid_of(account) != uid:
        raise TokenInvalid("service account has been deleted")
    return User(user_name(namespace, name), (*groups_of(namespace), AUTHENTICATED), uid)


class AccountSecrets:
    """The mutator that fills such Secrets; `authority` is the PEM text that clients verify this API with."""

    def __init__(self, keys: Keys, authority: str) -> None:
        self._keys = keys
        self._authority = authority

    def __call__(self, proposal: Proposal, cache: WatchCache) -> None:
        """Put in what is missing, if the account is there and the one that is meant."""
        secret = proposal.object
        if proposal.kind.collection != SECRETS or proposal.verb == "delete" or secret.get("type") != TYPE:
            return
        if proposal.dry_run or (proposal.old or {}).get("immutable"):
            return
        meta, name = metadata(secret), annotations_of(secret).get(NAME)
        namespace = proposal.namespace
        account = _found(cache, Key(ACCOUNTS, namespace, name)) if name else None
        if account is None or not self._keys.can_sign or is_deleting(account):
            return
        uid = uid_of(account)
        if annotations_of(secret).get(UID, uid) != uid:
            return
        data = dict(secret.get("data") or {})
        if not data.get("token"):
            data["token"] = _encoded(self._keys.sign(claims(namespace, meta["name"], str(name), uid)))
        if self._authority:
            data["ca.crt"] = _encoded(self._authority)
        data.setdefault("namespace", _encoded(namespace))
        secret["data"] = data
        meta["annotations"] = {**annotations_of(secret), UID: uid}


def _found(cache: WatchCache, key: Key) -> Object | None:
    entry = cache.get(key)
    try:
        return None if entry is None else entry.object
    except DecodeError:
        return None


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()
