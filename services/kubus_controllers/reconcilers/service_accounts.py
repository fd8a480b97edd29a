"""What every namespace has from the start: the ServiceAccount `default`, and the cluster's certificate authority.

Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from kubus.machinery.plans import Action, Controller, Create, Plan, Update, View, Watch
from kubus.model.kinds.configmaps import KIND as CONFIGMAPS
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.serviceaccounts import KIND as SERVICE_ACCOUNTS
from kubus.model.objects import Key, Object, is_deleting, name_of, namespace_of, path_of

DEFAULT = "default"
ROOT_CA = "kube-root-ca.crt"
EXPLANATION = "The certificate authority with which pods verify the API server."


def reconcile(ca: str, namespace: Object, view: View, now: datetime) -> Plan:
    """What the namespace lacks of them."""
    if is_deleting(namespace) or path_of(namespace, "status", "phase") == "Terminating":
        return Plan()
    name = name_of(namespace)
    actions: list[Action] = []
    if view.get(SERVICE_ACCOUNTS, name, DEFAULT) is None:
        meta: Object = {"name": DEFAULT, "namespace": name}
        actions.append(Create(SERVICE_ACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}))
    there = view.get(CONFIGMAPS, name, ROOT_CA)
    data = {"ca.crt": ca}
    if there is None:
        meta = {"name": ROOT_CA, "namespace": name, "annotations": {"kubernetes.io/description": EXPLANATION}}
        actions.append(Create(CONFIGMAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}))
    elif there.get("data") != data:
        actions.append(Update(CONFIGMAPS, {**there, "data": data}))
    return Plan(tuple(actions))


def _namespace_of(name: str, obj: Object, view: View) -> list[Key]:
    return [Key(NAMESPACES.collection, "", namespace_of(obj))] if name_of(obj) == name else []


def controller(ca: str) -> Controller:
    """The controller; `ca` is the PEM text that clients in the cluster trust."""
    return Controller(
        name="serviceaccount-controller",
        reconciles=NAMESPACES,
        reconcile=partial(reconcile, ca),
        watches=(
            Watch(SERVICE_ACCOUNTS, partial(_namespace_of, DEFAULT)),
            Watch(CONFIGMAPS, partial(_namespace_of, ROOT_CA)),
        ),
    )
