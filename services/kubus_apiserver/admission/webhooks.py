"""Admission webhooks: programs of the user's own that change or refuse what is written.

Configurations are prepared once a revision: rules, selectors, and conditions compiled. Mutating webhooks are
asked one after the other in the order of their configurations' names, each seeing what the last one made; who
asked for it (`reinvocationPolicy: IfNeeded`) is asked once more if others changed the object after it. Validating ones
are asked all at once. A webhook that cannot be asked refuses, or is passed over, as its `failurePolicy` says.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Sequence
from random import Random
from typing import NamedTuple, Protocol
from uuid import UUID

from kubus.model.cel import CelError, Environment
from kubus.model.codec import DecodeError, from_json
from kubus.model.errors import StatusError, bad_request, internal
from kubus.model.objects import Object
from kubus.model.patches import json_patch
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.matching import Condition, Matcher, compiled_conditions, conditions_hold, is_exempt
from kubus_apiserver.admission.namespaced import Namespaced
from kubus_apiserver.admission.requests import objects_of, review_request, variables_of
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.watchcache import WatchCache
from kubus_apiserver.webhookcalls import WebhookFailed

_GROUP = "admissionregistration.k8s.io"
MUTATING = f"mutatingwebhookconfigurations.{_GROUP}"
VALIDATING = f"validatingwebhookconfigurations.{_GROUP}"
_CONDITIONS = Environment({"object": "dyn", "oldObject": "dyn", "request": "dyn"})


class Webhook(NamedTuple):
    """One webhook of a configuration, prepared."""

    name: str
    config: Object
    matcher: Matcher
    conditions: tuple[Condition, ...]
    ignored_failures: bool
    timeout_seconds: float
    dry_run: bool
    """Whether it may be asked about what will not happen."""
    again: bool
    version: str
    """Of the AdmissionReview that it understands."""


def prepared(entry: Entry) -> tuple[Webhook, ...]:
    """The webhooks of a configuration."""
    return tuple(_webhook(each) for each in entry.object.get("webhooks") or ())


def _webhook(each: Object) -> Webhook:
    return Webhook(
        name=each.get("name") or "",
        config=each.get("clientConfig") or {},
        matcher=Matcher.of(each.get("rules") or (), each),
        conditions=compiled_conditions(each.get("matchConditions") or (), _CONDITIONS),
        ignored_failures=each.get("failurePolicy") == "Ignore",
        timeout_seconds=float(each.get("timeoutSeconds") or 10),
        dry_run=each.get("sideEffects") in ("None", "NoneOnDryRun"),
        again=each.get("reinvocationPolicy") == "IfNeeded",
        version=next((v for v in each.get("admissionReviewVersions") or () if v in ("v1", "v1beta1")), "v1"),
    )


class Caller(Protocol):
    """Who calls webhooks; see `kubus_apiserver.webhookcalls`."""

    async def call(self, config: Object, body: Object, *, timeout_seconds: float) -> Object:
        """The answer; WebhookFailed."""


class Webhooks:
    """Asks those webhooks that a write concerns."""

    def __init__(self, cache: WatchCache, caller: Caller, random: Random) -> None:
        self._cache = cache
        self._caller = caller
        self._random = random
        self._mutating: Namespaced[tuple[Webhook, ...]] = Namespaced(MUTATING, prepared)
        self._validating: Namespaced[tuple[Webhook, ...]] = Namespaced(VALIDATING, prepared)

    def mutating(self, proposal: Proposal) -> list[Webhook]:
        """Those that may want to change it."""
        return self._concerned(self._mutating, proposal)

    def validating(self, proposal: Proposal) -> list[Webhook]:
        """Those that may want to refuse it."""
        return self._concerned(self._validating, proposal)

    def _concerned(self, configured: Namespaced[tuple[Webhook, ...]], proposal: Proposal) -> list[Webhook]:
        found = configured.of(self._cache)
        if not found or is_exempt(proposal):
            return []
        return [webhook for webhooks in found for webhook in webhooks if webhook.matcher.about(proposal)]

    async def mutated(self, webhooks: Sequence[Webhook], proposal: Proposal) -> Object:
        """The object as they want it: another one if anything changes.

        Raises:
            StatusError: one refuses, or cannot be asked and must be.
        """
        current = proposal
        last_change = -1
        for number, webhook in enumerate(webhooks):
            changed = await self._patched(webhook, current)
            if changed is not None:
                current, last_change = current._replace(object=changed), number
        for number, webhook in enumerate(webhooks):
            if webhook.again and number < last_change:
                changed = await self._patched(webhook, current)
                if changed is not None:
                    current = current._replace(object=changed)
        return current.object

    async def validate(self, webhooks: Sequence[Webhook], proposal: Proposal) -> None:
        """Let them refuse it.

        Raises:
            StatusError: one does, or cannot be asked and must be.
        """
        done = await asyncio.gather(*(self._ask(each, proposal) for each in webhooks), return_exceptions=True)
        for answer in done:
            if isinstance(answer, BaseException):
                raise answer

    async def _patched(self, webhook: Webhook, proposal: Proposal) -> Object | None:
        response = await self._ask(webhook, proposal)
        patch = (response or {}).get("patch")
        if not patch or proposal.verb == "delete":
            return None
        try:
            if (response or {}).get("patchType") != "JSONPatch":
                raise ValueError("the patch is of no type that is known")
            changed = json_patch(proposal.object, from_json(b64decode(patch)))
        except (ValueError, DecodeError, StatusError) as error:
            self._failed(webhook, f"the patch does not apply: {error}")
            return None
        return changed if changed != proposal.object else None

    async def _ask(self, webhook: Webhook, proposal: Proposal) -> Object | None:
        """The response of a webhook that allows it; None where it is not asked."""
        if not webhook.matcher.selects(proposal, self._cache):
            return None
        try:
            if webhook.conditions and not conditions_hold(webhook.conditions, variables_of(proposal)):
                return None
        except CelError as error:
            self._failed(webhook, str(error))
            return None
        if proposal.dry_run and not webhook.dry_run:
            raise bad_request(f'admission webhook "{webhook.name}" does not support dry run')
        uid = str(UUID(int=self._random.getrandbits(128), version=4))
        try:
            answer = await self._caller.call(
                webhook.config, _review(webhook, proposal, uid), timeout_seconds=webhook.timeout_seconds
            )
            response = _response(answer, webhook.version, uid)
        except WebhookFailed as error:
            self._failed(webhook, f"failed to call webhook: {error}")
            return None
        for warning in response.get("warnings") or ():
            proposal.warn(str(warning))
        if response.get("allowed") is not True:
            raise denied(webhook.name, response.get("status"))
        return response

    def _failed(self, webhook: Webhook, words: str) -> None:
        if not webhook.ignored_failures:
            raise internal(f'failed calling webhook "{webhook.name}": {words}')


def _review(webhook: Webhook, proposal: Proposal, uid: str) -> Object:
    obj, old = objects_of(proposal)
    request = {"uid": uid, **review_request(proposal), "object": obj, "oldObject": old}
    return {"apiVersion": f"admission.k8s.io/{webhook.version}", "kind": "AdmissionReview", "request": request}


def _response(answer: Object, version: str, uid: str) -> Object:
    expected, given = f"admission.k8s.io/{version}", answer.get("apiVersion")
    if given != expected or answer.get("kind") != "AdmissionReview":
        wanted = f"{expected}, Kind=AdmissionReview"
        raise WebhookFailed(f"expected webhook response of {wanted}, got {given}, Kind={answer.get('kind')}")
    response = answer.get("response")
    if not isinstance(response, dict):
        raise WebhookFailed("webhook response was absent")
    if response.get("uid") != uid:
        raise WebhookFailed(f'expected response.uid="{uid}", got "{response.get("uid")}"')
    return response


def denied(name: str, status: Object | None) -> StatusError:
    """A webhook's refusal in its own words."""
    said = status if isinstance(status, dict) else {}
    start = f'admission webhook "{name}" denied the request'
    explanation = said.get("message") or said.get("reason")
    code = said.get("code")
    details = said.get("details")
    return StatusError(
        code if isinstance(code, int) and code >= 400 else 400,
        str(said.get("reason") or ""),
        f"{start}: {explanation}" if explanation else f"{start} without explanation",
        details if isinstance(details, dict) else None,
    )
