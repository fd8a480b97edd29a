"""Admission webhooks: programs of the user's own that change or refuse what is written.

Configurations are prepared once a revision: rules, selectors, and conditions compiled. Mutating webhooks are
asked one after the other in the order of their configurations' names, each seeing what the last one made; who
asked for it (`reinvocationPolicy: IfNeeded`) is asked once more if the object was changed after it. Validating ones
are asked all at once. A webhook that cannot be asked refuses, or is passed over, as its `failurePolicy` says; one that
answers with a patch that does not apply refuses in any case.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random
from typing import NamedTuple, Protocol
from uuid import UUID

from kubus.model.cel import CelError
from kubus.model.codec import to_json
from kubus.model.errors import bad_request, internal
from kubus.model.kinds import Kind
from kubus.model.objects import Object
from kubus.model.policy_expressions import Expression, Expressions
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.conditions import compiled_conditions, conditions_hold
from kubus_apiserver.admission.matching import OPERATIONS, Matcher, is_exempt
from kubus_apiserver.admission.namespaced import Namespaced
from kubus_apiserver.admission.requests import variables_of
from kubus_apiserver.admission.reviews import Response, denied, patched, response_of, review
from kubus_apiserver.admission.tallies import Tally
from kubus_apiserver.admission.versions import Versions
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.watchcache import WatchCache
from kubus_apiserver.webhookcalls import WebhookFailed

_GROUP = "admissionregistration.k8s.io"
MUTATING = f"mutatingwebhookconfigurations.{_GROUP}"
VALIDATING = f"validatingwebhookconfigurations.{_GROUP}"


class Webhook(NamedTuple):
    """One webhook of a configuration, prepared."""

    configuration: str
    name: str
    config: Object
    matcher: Matcher
    conditions: tuple[Expression, ...]
    ignored_failures: bool
    timeout_seconds: float
    dry_run: bool
    """Whether it may be asked about what will not happen."""
    again: bool
    version: str
    """Of the AdmissionReview that it understands."""
    mutating: bool


class Asked(NamedTuple):
    """A webhook that a proposal concerns."""

    webhook: Webhook
    kind: Kind
    """The kind in which it wants to see the object."""


class Sightings:
    """Which state of an object each mutating webhook has seen, for as long as the object is being changed."""

    def __init__(self) -> None:
        self.state = 0
        """Counts the changes."""
        self.seen: dict[int, int] = {}
        """By the number of the webhook: the state after its own changes."""

    def wanted_again(self, asked: Sequence[Asked]) -> bool:
        """Whether one that has seen the object wants to see what became of it."""
        return any(self.is_due(number, each.webhook) for number, each in enumerate(asked) if number in self.seen)

    def is_due(self, number: int, webhook: Webhook) -> bool:
        """Whether a webhook that was asked is to be asked again."""
        return webhook.again and self.seen.get(number, self.state) != self.state


def prepared(entry: Entry, expressions: Expressions, *, mutating: bool) -> tuple[Webhook, ...]:
    """The webhooks of a configuration."""
    webhooks = entry.object.get("webhooks") or ()
    return tuple(_webhook(entry.name, each, expressions, mutating=mutating) for each in webhooks)


def _webhook(configuration: str, each: Object, expressions: Expressions, *, mutating: bool) -> Webhook:
    return Webhook(
        configuration=configuration,
        name=each.get("name") or "",
        config=each.get("clientConfig") or {},
        matcher=Matcher.of(each.get("rules") or (), each),
        conditions=compiled_conditions(each.get("matchConditions") or (), expressions),
        ignored_failures=each.get("failurePolicy") == "Ignore",
        timeout_seconds=float(each.get("timeoutSeconds") or 10),
        dry_run=each.get("sideEffects") in ("None", "NoneOnDryRun"),
        again=each.get("reinvocationPolicy") == "IfNeeded",
        version=next((v for v in each.get("admissionReviewVersions") or () if v in ("v1", "v1beta1")), "v1"),
        mutating=mutating,
    )


class Caller(Protocol):
    """Who calls webhooks; see `kubus_apiserver.webhookcalls`."""

    async def call(self, config: Object, body: Object, *, timeout_seconds: float) -> Object:
        """The answer; WebhookFailed."""


class Webhooks:
    """Asks those webhooks that a write concerns."""

    def __init__(
        self, cache: WatchCache, caller: Caller, random: Random, versions: Versions, expressions: Expressions
    ) -> None:
        self._cache = cache
        self._caller = caller
        self._random = random
        self._versions = versions
        self.tally = Tally()
        self._mutating: Namespaced[tuple[Webhook, ...]] = Namespaced(
            MUTATING, lambda entry: prepared(entry, expressions, mutating=True)
        )
        self._validating: Namespaced[tuple[Webhook, ...]] = Namespaced(
            VALIDATING, lambda entry: prepared(entry, expressions, mutating=False)
        )

    def mutating(self, proposal: Proposal) -> list[Asked]:
        """Those that may want to change it."""
        return self._concerned(self._mutating, proposal)

    def validating(self, proposal: Proposal) -> list[Asked]:
        """Those that may want to refuse it."""
        return self._concerned(self._validating, proposal)

    def _concerned(self, configured: Namespaced[tuple[Webhook, ...]], proposal: Proposal) -> list[Asked]:
        found = configured.of(self._cache)
        if not found or is_exempt(proposal):
            return []
        others: list[Kind] | None = None

        def served() -> list[Kind]:
            nonlocal others
            if others is None:
                others = self._versions.others(proposal.kind)
            return others

        asked = []
        for webhook in (each for webhooks in found for each in webhooks):
            kind = webhook.matcher.seen_as(proposal, served)
            if kind is not None:
                asked.append(Asked(webhook, kind))
        return asked

    async def mutated(self, asked: Sequence[Asked], proposal: Proposal, sightings: Sightings) -> Proposal:
        """The proposal as they want it, with another object if anything changes.

        Those that have seen it (`sightings`) are asked only if they want to be asked again and it has changed since.

        Raises:
            StatusError: one refuses, or cannot be asked and must be.
        """
        first = not sightings.seen
        for number, each in enumerate(asked):
            if not first and not sightings.is_due(number, each.webhook):
                continue
            turn = f"round_{int(not first)}_index_{number}"
            shown = await self._versions.shown(proposal, each.kind)
            response = await self._response(each, shown, turn)
            if response is None:
                continue
            changed = patched(each.webhook.name, response, shown)
            proposal.annotate(*changed_annotation(each.webhook, turn, mutated=changed is not None))
            if changed is not None:
                proposal = await self._versions.taken_over(proposal, each.kind, changed)
                sightings.state += 1
            sightings.seen[number] = sightings.state
        return proposal

    async def validate(self, asked: Sequence[Asked], proposal: Proposal) -> None:
        """Let them refuse it.

        Raises:
            StatusError: one does, or cannot be asked and must be.
        """
        turns = [self._validated(each, proposal, f"round_0_index_{number}") for number, each in enumerate(asked)]
        done = await asyncio.gather(*turns, return_exceptions=True)
        for answer in done:
            if isinstance(answer, BaseException):
                raise answer

    async def _validated(self, asked: Asked, proposal: Proposal, turn: str) -> None:
        await self._response(asked, await self._versions.shown(proposal, asked.kind), turn)

    async def _response(self, asked: Asked, proposal: Proposal, turn: str) -> Response | None:
        """The response of a webhook that allows it; None where it is not asked, or passed over."""
        webhook = asked.webhook
        if not webhook.matcher.selects(proposal, self._cache) or not self._meant(asked, proposal):
            return None
        if proposal.dry_run and not webhook.dry_run:
            raise bad_request(f'admission webhook "{webhook.name}" does not support dry run')
        try:
            response = await self._answer(asked, proposal)
        except WebhookFailed as error:
            if webhook.ignored_failures:
                proposal.annotate(*passed_over_annotation(webhook, turn))
                return None
            raise internal(f'failed calling webhook "{webhook.name}": failed to call webhook: {error}') from None
        for warning in response.warnings:
            proposal.warn(warning)
        for key, value in response.annotations.items():
            proposal.annotate(f"{webhook.name}/{key}", value)
        if not response.allowed:
            raise denied(webhook.name, response.status)
        return response

    async def _answer(self, asked: Asked, proposal: Proposal) -> Response:
        """What a webhook answers, counted.

        Raises:
            WebhookFailed: nothing that can be used.
        """
        webhook, operation = asked.webhook, OPERATIONS[proposal.verb]
        uid = str(UUID(int=self._random.getrandbits(128), version=4))
        body = review(proposal, asked.kind, webhook.version, uid)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            answer = await self._caller.call(webhook.config, body, timeout_seconds=webhook.timeout_seconds)
            response = response_of(answer, webhook.version, uid, mutating=webhook.mutating)
        except WebhookFailed:
            seconds, over = loop.time() - begun, webhook.ignored_failures
            self.tally.failed(webhook.name, operation, seconds, mutating=webhook.mutating, passed_over=over)
            raise
        code = 0 if response.allowed else denied(webhook.name, response.status).code
        self.tally.answered(webhook.name, operation, loop.time() - begun, mutating=webhook.mutating, code=code)
        return response

    def _meant(self, asked: Asked, proposal: Proposal) -> bool:
        """Whether a webhook's conditions hold.

        Raises:
            StatusError: 403, one has no value, and who cannot be asked must be.
        """
        webhook = asked.webhook
        try:
            return not webhook.conditions or conditions_hold(webhook.conditions, variables_of(proposal, asked.kind))
        except CelError as error:
            if webhook.ignored_failures:
                return False
            raise proposal.refused(str(error)) from None


def changed_annotation(webhook: Webhook, turn: str, *, mutated: bool) -> tuple[str, str]:
    """What the audit log hears of a mutating webhook that has answered; `turn` says when it was asked."""
    told = {"configuration": webhook.configuration, "webhook": webhook.name, "mutated": mutated}
    return f"mutation.webhook.admission.k8s.io/{turn}", to_json(told).decode()


def passed_over_annotation(webhook: Webhook, turn: str) -> tuple[str, str]:
    """What the audit log hears of a webhook that could not be asked, and need not be."""
    word = "mutation" if webhook.mutating else "validating"
    return f"failed-open.{word}.webhook.admission.k8s.io/{turn}", webhook.name
