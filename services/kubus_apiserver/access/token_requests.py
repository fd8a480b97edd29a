"""TokenRequest: a ServiceAccount's token, made to order.

`POST …/serviceaccounts/<name>/token` answers with a token for the audiences asked for, which lives as long as asked
(ten minutes at least), and which may be bound to a pod, a secret or a node: it then dies with that.

https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
"""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from kubus.model.codec import Raw, pack
from kubus.model.errors import (
    FieldError,
    StatusError,
    bad_request,
    conflict,
    internal,
    invalid,
    invalid_object,
    not_supported,
)
from kubus.model.kinds import Registry
from kubus.model.kinds.reviews import TOKEN_REQUESTS
from kubus.model.objects import Object, path_of
from kubus.model.times import rfc3339
from kubus_apiserver.access.authenticator import Authenticator
from kubus_apiserver.access.node_restriction import check_token_request
from kubus_apiserver.access.service_accounts import Bound, claims
from kubus_apiserver.access.tokens import TokenInvalid
from kubus_apiserver.calls import ReadOptions, Target, User
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.reads import Reads

SECONDS_MIN = 600
SECONDS_MAX = 1 << 32
SECONDS = 3600
_BINDABLE = {("v1", "Pod"): "pods.core", ("v1", "Secret"): "secrets.core", ("v1", "Node"): "nodes.core"}


class TokenRequests:
    """Makes tokens."""

    def __init__(self, reads: Reads, registry: Registry, authenticator: Authenticator, random: Random) -> None:
        self._reads = reads
        self._registry = registry
        self._authenticator = authenticator
        self._random = random

    async def create(self, target: Target, request: Object, user: User) -> Entry:
        """The answered request.

        Raises:
            StatusError: 400, 403, 404, 409, 422.
        """
        account = (await self._reads.get(target._replace(subresource=""), ReadOptions())).object
        spec, name = request.get("spec") or {}, target.name
        given = path_of(request, "metadata", "name", default="") or name
        namespace = path_of(request, "metadata", "namespace", default="") or target.namespace
        if given != name or namespace != target.namespace:
            raise bad_request(
                f"the name or namespace of the TokenRequest does not match the URL ({target.namespace}/{name})"
            )
        seconds = spec.get("expirationSeconds") or SECONDS
        errors = _errors(spec, seconds)
        if errors:
            raise invalid_object("TokenRequest", "authentication.k8s.io", name, errors)
        bound, pod = await self._bound(spec, account, target)
        check_token_request(user, name, spec, pod)
        audiences = list(spec.get("audiences") or self._authenticator.audiences)
        now = self._authenticator.clock.now()
        try:
            token = self._authenticator.keys.sign(
                claims(
                    account,
                    bound,
                    issuer=self._authenticator.issuer,
                    audiences=audiences,
                    now=now,
                    seconds=seconds,
                    token_id=str(UUID(int=self._random.getrandbits(128), version=4)),
                )
            )
        except TokenInvalid as error:
            raise internal(str(error)) from None
        answered: Object = {
            "kind": TOKEN_REQUESTS.name,
            "apiVersion": TOKEN_REQUESTS.api_version,
            "metadata": {"name": name, "namespace": target.namespace, "creationTimestamp": rfc3339(now)},
            "spec": {**spec, "audiences": audiences, "expirationSeconds": seconds},
            "status": {"token": token, "expirationTimestamp": rfc3339(now + timedelta(seconds=seconds))},
        }
        return Entry(target.namespace, name, 0, Raw(pack(answered)), answered)

    async def _bound(self, spec: Object, account: Object, target: Target) -> tuple[dict[str, Bound], Object | None]:
        reference = spec.get("boundObjectRef")
        if not reference:
            return {}, None
        kind = self._registry[_BINDABLE[reference.get("apiVersion") or "v1", reference["kind"]]]
        namespace = target.namespace if kind.namespaced else ""
        found = (await self._reads.get(Target(kind, namespace, reference.get("name") or ""), ReadOptions())).object
        uid = found["metadata"]["uid"]
        if reference.get("uid") and reference["uid"] != uid:
            detail = (
                f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. "
                "The object might have been deleted and then recreated"
            )
            raise conflict(kind.plural, kind.group, found["metadata"]["name"], detail)
        bound = {kind.name.lower(): Bound(found["metadata"]["name"], uid)}
        if kind.name != "Pod":
            return bound, None
        _runs_as(found, account)
        node = path_of(found, "spec", "nodeName", default="")
        if node:
            bound["node"] = await self._node(node)
        return bound, found

    async def _node(self, name: str) -> Bound:
        """A pod's node, for information: with its uid, if it is there."""
        try:
            found = await self._reads.get(
                Target(self._registry["nodes.core"], "", name), ReadOptions("", "", 0, "", "0")
            )
        except StatusError:
            return Bound(name, "")
        return Bound(name, found.object["metadata"]["uid"])


def _runs_as(pod: Object, account: Object) -> None:
    name, runs_as = account["metadata"]["name"], path_of(pod, "spec", "serviceAccountName", default="")
    if runs_as != name:
        detail = f'cannot bind token for serviceaccount "{name}" to pod running with different serviceaccount name.'
        raise bad_request(detail)


def _errors(spec: Object, seconds: Any) -> list[FieldError]:
    errors: list[FieldError] = []
    if seconds < SECONDS_MIN:
        errors.append(invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"))
    if seconds > SECONDS_MAX:
        errors.append(invalid("spec.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds"))
    reference = spec.get("boundObjectRef")
    if reference and (reference.get("apiVersion") or "v1", reference.get("kind") or "") not in _BINDABLE:
        errors.append(not_supported("spec.boundObjectRef.kind", reference.get("kind") or "", ["Pod", "Secret", "Node"]))
    return errors
