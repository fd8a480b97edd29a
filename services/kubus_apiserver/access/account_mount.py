"""ServiceAccount admission: what a pod gets from the account it runs as.

Each container finds the account's token, the cluster's certificate authority and its namespace in the directory where
client libraries look, as one projected volume `kube-api-access-…`, unless the pod or the account says no; a pod
without pull secrets gets the account's. An account that does not exist refuses the pod. Only `default` is waited for
by nobody: in a new namespace it is on its way, and the kubelet asks for the token when it is there.

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#serviceaccount
"""

from __future__ import annotations

import hashlib
from typing import Any

from kubus.model.names import SUFFIX_ALPHABET
from kubus.model.objects import Key, Object
from kubus_apiserver.access.mirror_pods import is_mirror
from kubus_apiserver.access.service_accounts import ACCOUNTS
from kubus_apiserver.admission import Proposal
from kubus_apiserver.reading.watchcache import WatchCache

MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_SECONDS = 3607
"""An hour, and recognizable as the one that nobody asked for."""
_MODE = 0o644
_SUFFIX_LENGTH = 5


def account_mount(proposal: Proposal, cache: WatchCache) -> None:
    """Give a new pod what its account has.

    Raises:
        StatusError: 403, there is no such account.
    """
    if proposal.verb != "create" or proposal.kind.collection != "pods.core" or proposal.subresource:
        return
    metadata, spec = proposal.object["metadata"], proposal.object.get("spec")
    if not isinstance(spec, dict) or is_mirror(proposal.object):
        return
    name = spec.get("serviceAccountName") or "default"
    account = _account(cache, metadata.get("namespace") or "", name)
    if account is None and name != "default":
        where = f"{metadata.get('namespace')}/{name}"
        detail = f'error looking up service account {where}: serviceaccount "{name}" not found'
        raise proposal.refused(detail)
    if _mounts(spec, account or {}):
        _mount(spec, proposal.uid or str(metadata.get("name")))
    if not spec.get("imagePullSecrets") and (account or {}).get("imagePullSecrets"):
        spec["imagePullSecrets"] = [{"name": each.get("name") or ""} for each in (account or {})["imagePullSecrets"]]


def is_account_unknown(obj: Object, namespace: str, cache: WatchCache) -> bool:
    """Whether a new pod names an account that the cache has not, or not yet."""
    spec = obj.get("spec")
    name = (spec.get("serviceAccountName") or spec.get("serviceAccount")) if isinstance(spec, dict) else None
    return isinstance(name, str) and name != "default" and cache.get(Key(ACCOUNTS, namespace, name)) is None


def _account(cache: WatchCache, namespace: str, name: str) -> Object | None:
    entry = cache.get(Key(ACCOUNTS, namespace, name))
    return None if entry is None else entry.object


_VOLUME = "kube-api-access-"


def _mounts(spec: dict[str, Any], account: Object) -> bool:
    for each in (spec, account):
        wanted = each.get("automountServiceAccountToken")
        if wanted is not None:
            return bool(wanted)
    return True


def _mount(spec: dict[str, Any], seed: str) -> None:
    containers = [each for field in ("initContainers", "containers") for each in spec.get(field) or () if _lacks(each)]
    if not containers:
        return
    volumes = spec.get("volumes") or []
    there = [each["name"] for each in volumes if str(each.get("name", "")).startswith(_VOLUME)]
    volume = (
        there[0] if there else f"{_VOLUME}{_suffix(seed)}"
    )  # it is there when a webhook has added a container since
    for container in containers:
        mount = {"name": volume, "readOnly": True, "mountPath": MOUNT_PATH}
        container["volumeMounts"] = [*(container.get("volumeMounts") or ()), mount]
    if not there:
        spec["volumes"] = [*volumes, {"name": volume, "projected": _projected()}]


def _lacks(container: Any) -> bool:
    """Whether nothing is mounted there already."""
    return isinstance(container, dict) and not any(
        each.get("mountPath") == MOUNT_PATH for each in container.get("volumeMounts") or ()
    )


def _projected() -> Object:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [namespace]}},
        ],
        "defaultMode": _MODE,
    }


def _suffix(seed: str) -> str:
    """Five letters that are the same whenever admission runs again for a pod."""
    digest = hashlib.sha256(seed.encode()).digest()
    return "".join(SUFFIX_ALPHABET[byte % len(SUFFIX_ALPHABET)] for byte in digest[:_SUFFIX_LENGTH])
