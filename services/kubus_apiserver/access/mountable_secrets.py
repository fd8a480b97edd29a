"""ServiceAccount admission, what it refuses: secrets that an account does not list, and mirror pods with rights.

An account with the annotation `kubernetes.io/enforce-mountable-secrets` lets its pods use the secrets and pull
secrets that it names, and no others. A mirror pod only shows what a node runs of its own accord, so it has no
account and no secrets.

https://kubernetes.io/docs/concepts/security/service-accounts/#enforce-mountable-secrets
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubus.model.objects import Key, Object, annotations_of, path_of
from kubus_apiserver.access.mirror_pods import is_mirror, refusal_for_everybody
from kubus_apiserver.access.service_accounts import ACCOUNTS
from kubus_apiserver.admission import Proposal
from kubus_apiserver.reading.watchcache import WatchCache

ANNOTATION = "kubernetes.io/enforce-mountable-secrets"
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_LISTS = (
    ("initContainers", "init container"),
    ("containers", "container"),
    ("ephemeralContainers", "ephemeral container"),
)


def mountable_secrets(proposal: Proposal, cache: WatchCache) -> None:
    """Refuse a pod secrets that are not for it.

    Raises:
        StatusError: 403.
    """
    if proposal.kind.collection != "pods.core" or proposal.is_foreign:
        return
    spec = proposal.object.get("spec")
    added = proposal.verb == "update" and proposal.subresource == "ephemeralcontainers"
    if not isinstance(spec, dict) or not (added or proposal.is_new("pods.core")):
        return
    if is_mirror(proposal.object):
        refused = refusal_for_everybody(proposal.object)
        if refused:
            raise proposal.refused(refused)
        return
    entry = cache.get(Key(ACCOUNTS, proposal.namespace, spec.get("serviceAccountName") or "default"))
    if entry is None or annotations_of(entry.object).get(ANNOTATION) not in _TRUE:
        return
    wrong = next(_wrong(spec, entry.object), None)
    if wrong is not None:
        raise proposal.refused(wrong)


def _references(spec: Object) -> Iterator[tuple[str, str]]:
    """(who and how, name) of the secrets that containers take their environment from."""
    for field, word in _LISTS:
        for container in spec.get(field) or ():
            name = container.get("name")
            for variable in container.get("env") or ():
                secret = path_of(variable, "valueFrom", "secretKeyRef", "name")
                if secret:
                    yield f"{word} {name} with envVar {variable.get('name')} referencing", secret
            for source in container.get("envFrom") or ():
                secret = path_of(source, "secretRef", "name")
                if secret:
                    yield f"{word} {name} with envFrom referencing", secret


def _wrong(spec: Object, account: Object) -> Iterator[str]:
    name = account["metadata"]["name"]
    allowed = _names(account.get("secrets"))
    rest = f"is not allowed because service account {name} does not reference that secret"
    for volume in spec.get("volumes") or ():
        secret = path_of(volume, "secret", "secretName")
        if secret and secret not in allowed:
            yield f'volume with secret.secretName="{secret}" {rest}'
    for who, secret in _references(spec):
        if secret not in allowed:
            yield f'{who} secret.secretName="{secret}" {rest}'
    pulling = _names(account.get("imagePullSecrets"))
    for index, each in enumerate(spec.get("imagePullSecrets") or ()):
        if each.get("name") not in pulling:
            start = f'imagePullSecrets[{index}].name="{each.get("name")}" is not allowed'
            yield f"{start} because service account {name} does not reference that imagePullSecret"


def _names(references: Any) -> set[str]:
    return {each.get("name") or "" for each in references or ()}
