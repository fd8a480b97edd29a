"""Secrets that hold a ServiceAccount's token: they end with it.

The apiserver fills such a Secret when it is written, if it knows the account by then. One that came too early for that
is written once more here, with the account's uid; the apiserver does the rest. One whose account is gone, or is another
one by now, is deleted.

Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#token-controller
"""

from __future__ import annotations

from datetime import datetime

from kubus.machinery.plans import CONVERGED, CollectGarbage, Controller, Index, Patch, Plan, View, Watch
from kubus.model.kinds.secrets import KIND as SECRETS
from kubus.model.kinds.serviceaccounts import KIND as SERVICE_ACCOUNTS
from kubus.model.objects import Key, Object, annotations_of, is_deleting, name_of, namespace_of, uid_of

TYPE = "kubernetes.io/service-account-token"
NAME = "kubernetes.io/service-account.name"
UID = "kubernetes.io/service-account.uid"
BY_ACCOUNT = "account"


def reconcile(secret: Object, view: View, now: datetime) -> Plan:
    """The end of a Secret without its account, or the write that lets it be filled."""
    name = annotations_of(secret).get(NAME)
    if secret.get("type") != TYPE or not name or is_deleting(secret):
        return CONVERGED
    namespace, uid = namespace_of(secret), annotations_of(secret).get(UID, "")
    account = view.get(SERVICE_ACCOUNTS, namespace, name)
    if account is None or uid not in ("", uid_of(account)):
        owner = ((SERVICE_ACCOUNTS, namespace, name, uid),)
        return Plan((CollectGarbage(SECRETS, namespace, name_of(secret), uid_of(secret), owner),))
    if uid:
        return CONVERGED
    meta = {"uid": uid_of(secret), "annotations": {UID: uid_of(account)}}
    return Plan((Patch(SECRETS, namespace, name_of(secret), {"metadata": meta}),))


def _account_of(secret: Object) -> list[str]:
    name = annotations_of(secret).get(NAME)
    return [f"{namespace_of(secret)}/{name}"] if name and secret.get("type") == TYPE else []


def _secrets_of(account: Object, view: View) -> list[Key]:
    found = view.indexed(SECRETS, BY_ACCOUNT, f"{namespace_of(account)}/{name_of(account)}")
    return [Key(SECRETS.collection, namespace_of(each), name_of(each)) for each in found]


CONTROLLER = Controller(
    name="serviceaccount-token-controller",
    reconciles=SECRETS,
    reconcile=reconcile,
    watches=(Watch(SERVICE_ACCOUNTS, _secrets_of),),
    indexes=(Index(SECRETS, BY_ACCOUNT, _account_of),),
)
