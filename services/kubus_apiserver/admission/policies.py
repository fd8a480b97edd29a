"""ValidatingAdmissionPolicy: rules in CEL, asked in the process.

A policy says what has to hold, a binding where, with which parameters, and what follows if it does not: Deny, Warn or
Audit. Every policy is asked, so that all warnings and all notes for the audit log are there, and then the first refusal
counts. An expression without a value fails or passes as the policy's `failurePolicy` says.

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kubus.model.cel import CelError
from kubus.model.codec import to_json
from kubus.model.errors import StatusError
from kubus.model.kinds import Registry
from kubus.model.objects import Object
from kubus.model.policy_expressions import Expression, Expressions, Variables
from kubus_apiserver.access.authorization import Authorizer
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.policy_bindings import (
    Binding,
    Bindings,
    Concern,
    Terms,
    conditions_hold,
    deciding,
    terms_of,
    with_param,
)
from kubus_apiserver.admission.versions import Versions
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.watchcache import WatchCache

_GROUP = "admissionregistration.k8s.io"
POLICIES = f"validatingadmissionpolicies.{_GROUP}"
BINDINGS = f"validatingadmissionpolicybindings.{_GROUP}"
FAILURE = "validation.policy.admission.k8s.io/validation_failure"
"""The audit annotation of a rule that does not hold where a binding says Audit."""
_CODES = {"Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413, "Invalid": 422}
_MESSAGE_BYTES_MAX = 5 * 1024
_ANNOTATION_CHARACTERS_MAX = 10 * 1024


class Rule(NamedTuple):
    """One of a policy's validations."""

    expression: Expression
    message: str
    message_expression: Expression | None
    reason: str


class Note(NamedTuple):
    """One of a policy's audit annotations."""

    key: str
    expression: Expression


class Validating(NamedTuple):
    """A policy, compiled."""

    terms: Terms
    rules: tuple[Rule, ...]
    notes: tuple[Note, ...]


class Failure(NamedTuple):
    """What does not hold."""

    message: str
    reason: str = "Invalid"
    place: int = 0
    """Of the rule."""


class _Refusal(NamedTuple):
    policy: str
    binding: str
    failure: Failure


def prepared_policy(entry: Entry, expressions: Expressions) -> Validating:
    """The policy of a stored object."""
    spec = entry.object.get("spec") or {}
    terms, scope = terms_of(entry, expressions)
    saying = scope._replace(authorizer=False)

    def rule(each: Object) -> Rule:
        words = each.get("messageExpression")
        return Rule(
            expression=expressions.compiled(each.get("expression") or "", "bool", scope),
            message=(each.get("message") or "").strip(),
            message_expression=expressions.compiled(words, "string", saying) if words else None,
            reason=each.get("reason") or "Invalid",
        )

    def note(each: Object) -> Note:
        text = each.get("valueExpression") or ""
        return Note(each.get("key") or "", expressions.compiled(text, "string or null", saying))

    return Validating(
        terms=terms,
        rules=tuple(rule(each) for each in spec.get("validations") or ()),
        notes=tuple(note(each) for each in spec.get("auditAnnotations") or ()),
    )


class Policies:
    """Asks the policies that a write concerns."""

    def __init__(self, cache: WatchCache, registry: Registry, versions: Versions, access: Authorizer) -> None:
        expressions = Expressions(deciding(access))
        self._bindings: Bindings[Validating] = Bindings(
            cache,
            registry,
            versions,
            policies=POLICIES,
            bindings=BINDINGS,
            prepare=lambda entry: prepared_policy(entry, expressions),
        )

    def concerned(self, proposal: Proposal) -> list[Concern[Validating]]:
        """Those that may have to be asked."""
        return self._bindings.concerned(proposal)

    async def validate(self, concerned: list[Concern[Validating]], proposal: Proposal) -> None:
        """Refuse what a bound policy does not allow, or warn of it.

        Raises:
            StatusError: 422, or what the policy's reason says.
        """
        refusals: list[_Refusal] = []
        for policy, kind in concerned:
            shown = await self._bindings.versions.shown(proposal, kind)
            refusals += _Asking(self._bindings, Concern(policy, kind), shown).refusals()
        if refusals:
            raise _refused(proposal, refusals[0])


class _Asking:
    """One policy, asked about one write by way of its bindings."""

    def __init__(self, bindings: Bindings[Validating], concern: Concern[Validating], shown: Proposal) -> None:
        self._bindings = bindings
        self._policy = concern.policy
        self._kind = concern.kind
        self._shown = shown
        self._notes: dict[str, list[str]] = {}

    def refusals(self) -> Iterator[_Refusal]:
        """What is refused; warnings and notes are given on the way."""
        terms = self._policy.terms
        bound = list(self._bindings.of(self._policy, self._shown))
        if not bound:
            return
        try:
            param_kind = self._bindings.param_kind(terms)
        except CelError as error:
            if terms.closed:
                yield _Refusal(terms.name, "", Failure(str(error)))
            return
        given = self._bindings.given(self._shown, self._kind)
        for binding in bound:
            try:
                params = self._bindings.params(param_kind, binding, self._shown)
            except CelError as error:
                if terms.closed:
                    yield _Refusal(terms.name, binding.name, Failure(str(error)))
                continue
            for param in params:
                yield from self._decided(binding, Variables(terms.variables, with_param(given, param)))
        for key, values in self._notes.items():
            self._shown.annotate(f"{terms.name}/{key}", ", ".join(values))

    def _decided(self, binding: Binding, variables: Variables) -> Iterator[_Refusal]:
        terms = self._policy.terms
        try:
            if not conditions_hold(terms, variables):
                return
        except CelError as error:
            if terms.closed:
                yield from self._failed(binding, Failure(str(error)))
            return
        for failure in _failures(self._policy, variables):
            yield from self._failed(binding, failure)
        for note in self._policy.notes:
            yield from self._noted(note, binding, variables)

    def _failed(self, binding: Binding, failure: Failure) -> Iterator[_Refusal]:
        name = self._policy.terms.name
        if "Warn" in binding.actions:
            words = f"Validation failed for ValidatingAdmissionPolicy '{name}' with binding '{binding.name}'"
            self._shown.warn(f"{words}: {failure.message}")
        if "Audit" in binding.actions:
            value = {
                "message": failure.message,
                "policy": name,
                "binding": binding.name,
                "expressionIndex": failure.place,
                "validationActions": list(binding.actions),
            }
            self._shown.annotate(FAILURE, to_json([value]).decode())
        if "Deny" in binding.actions:
            yield _Refusal(name, binding.name, failure)

    def _noted(self, note: Note, binding: Binding, variables: Variables) -> Iterator[_Refusal]:
        try:
            value = variables.evaluate(note.expression)
            if value is not None and not isinstance(value, str):
                raise CelError(
                    f"valueExpression '{note.expression.text}' resulted in unsupported return type. "
                    "Return type must be either string or null."
                )
        except CelError as error:
            if self._policy.terms.closed:
                yield _Refusal(self._policy.terms.name, binding.name, Failure(str(error)))
            return
        text = (value or "").strip()[:_ANNOTATION_CHARACTERS_MAX]
        known = self._notes.setdefault(note.key, [])
        if text and text not in known:
            known.append(text)
        if not known:
            del self._notes[note.key]


def _failures(policy: Validating, variables: Variables) -> Iterator[Failure]:
    """Every rule that does not hold."""
    for place, rule in enumerate(policy.rules):
        text = rule.expression.text.strip()
        try:
            if variables.evaluate(rule.expression) is not True:
                yield Failure(_message(rule, variables) or f"failed expression: {text}", rule.reason, place)
        except CelError as error:
            if policy.terms.closed:
                yield Failure(str(error), place=place)


def _message(rule: Rule, variables: Variables) -> str:
    if rule.message_expression is not None:
        try:
            words = variables.evaluate(rule.message_expression)
        except CelError:
            return rule.message
        text = words.strip() if isinstance(words, str) else ""
        if text and "\n" not in text and len(text.encode()) <= _MESSAGE_BYTES_MAX:
            return text
    return rule.message


def _refused(proposal: Proposal, refusal: _Refusal) -> StatusError:
    named = f"ValidatingAdmissionPolicy '{refusal.policy}'"
    if refusal.binding:
        named = f"{named} with binding '{refusal.binding}'"
    text = f"{named} denied request: {refusal.failure.message}"
    forbidden = proposal.refused(text)
    details = {**forbidden.details, "causes": [{"message": text}]}
    reason = refusal.failure.reason
    return StatusError(_CODES.get(reason, 422), reason, forbidden.message, details)
