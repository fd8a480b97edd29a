"""ValidatingAdmissionPolicy: rules in CEL, asked in the process.

A policy says what has to hold, a binding where, with which parameters, and what follows if it does not: Deny, Warn or
Audit. Policies and bindings are compiled once a revision. An expression without a value fails or passes as the policy's
`failurePolicy` says.

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kubus.model.cel import CelError
from kubus.model.errors import StatusError
from kubus.model.kinds import Registry
from kubus.model.objects import Key, Object
from kubus.model.policy_expressions import Expression, Variables, compiled
from kubus.model.selectors import LabelSelector
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.matching import Matcher, is_exempt
from kubus_apiserver.admission.namespaced import Namespaced
from kubus_apiserver.admission.requests import variables_of
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.watchcache import WatchCache

_GROUP = "admissionregistration.k8s.io"
POLICIES = f"validatingadmissionpolicies.{_GROUP}"
BINDINGS = f"validatingadmissionpolicybindings.{_GROUP}"
_CODES = {"Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413, "Invalid": 422}
_MESSAGE_CHARACTERS_MAX = 5 * 1024


class Rule(NamedTuple):
    """One of a policy's validations."""

    expression: Expression
    message: str
    message_expression: Expression | None
    reason: str


class Policy(NamedTuple):
    """A policy, compiled."""

    name: str
    matcher: Matcher
    conditions: tuple[Expression, ...]
    variables: dict[str, Expression]
    rules: tuple[Rule, ...]
    closed: bool
    """Whether what cannot be evaluated is refused."""
    param_kind: Object | None


class Binding(NamedTuple):
    """A binding, prepared."""

    name: str
    policy: str
    matcher: Matcher | None
    reference: Object | None
    actions: tuple[str, ...]


def prepared_policy(entry: Entry) -> Policy:
    """The policy of a stored object."""
    spec = entry.object.get("spec") or {}
    match = spec.get("matchConstraints") or {}
    return Policy(
        name=entry.name,
        matcher=Matcher.of(match.get("resourceRules") or (), match, match.get("excludeResourceRules") or ()),
        conditions=tuple(compiled(each.get("expression") or "", "bool") for each in spec.get("matchConditions") or ()),
        variables={each["name"]: compiled(each.get("expression") or "") for each in spec.get("variables") or ()},
        rules=tuple(_rule(each) for each in spec.get("validations") or ()),
        closed=spec.get("failurePolicy") != "Ignore",
        param_kind=spec.get("paramKind"),
    )


def _rule(each: Object) -> Rule:
    words = each.get("messageExpression")
    return Rule(
        expression=compiled(each.get("expression") or "", "bool"),
        message=(each.get("message") or "").strip(),
        message_expression=compiled(words, "string") if words else None,
        reason=each.get("reason") or "Invalid",
    )


def prepared_binding(entry: Entry) -> Binding:
    """The binding of a stored object."""
    spec = entry.object.get("spec") or {}
    match = spec.get("matchResources")
    matcher = None
    if match is not None:
        rules = match.get("resourceRules") or (_EVERYTHING,)
        matcher = Matcher.of(rules, match, match.get("excludeResourceRules") or ())
    actions = tuple(spec.get("validationActions") or ())
    return Binding(entry.name, spec.get("policyName") or "", matcher, spec.get("paramRef"), actions)


_EVERYTHING = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"]}


class Policies:
    """The validator."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._policies: Namespaced[Policy] = Namespaced(POLICIES, prepared_policy)
        self._bindings: Namespaced[Binding] = Namespaced(BINDINGS, prepared_binding)

    def __call__(self, proposal: Proposal, cache: WatchCache) -> None:
        """Refuse what a bound policy does not allow, or warn of it.

        Raises:
            StatusError: 422, or what the policy's reason says.
        """
        policies = self._policies.of(cache)
        if not policies or is_exempt(proposal):
            return
        concerned = [each for each in policies if each.matcher.about(proposal)]
        if not concerned:
            return
        given = variables_of(proposal)
        given["namespaceObject"] = _namespace(proposal, cache)
        for policy in concerned:
            for binding in self._bindings.of(cache):
                if binding.policy == policy.name:
                    self._apply(policy, binding, given, proposal, cache)

    def _apply(
        self, policy: Policy, binding: Binding, given: Mapping[str, Any], proposal: Proposal, cache: WatchCache
    ) -> None:
        if not policy.matcher.selects(proposal, cache):
            return
        if binding.matcher is not None and not (
            binding.matcher.about(proposal) and binding.matcher.selects(proposal, cache)
        ):
            return
        try:
            params = self._params(policy, binding, proposal, cache)
        except CelError as error:
            if policy.closed:
                _decide(policy, binding, f"failed to configure binding: {error}", "Invalid", proposal)
            return
        for param in params:
            variables = Variables(policy.variables, {**given, "params": param})
            for message, reason in _failures(policy, variables):
                _decide(policy, binding, message, reason, proposal)

    def _params(self, policy: Policy, binding: Binding, proposal: Proposal, cache: WatchCache) -> list[Object | None]:
        reference = binding.reference
        if policy.param_kind is None or reference is None:
            return [None]
        group, _, version = (policy.param_kind.get("apiVersion") or "").rpartition("/")
        kind = self._registry.named(group, version, policy.param_kind.get("kind") or "")
        if kind is None:
            raise CelError(f"failed to find resource referenced by paramKind: {policy.param_kind}")
        namespace = (reference.get("namespace") or proposal.namespace) if kind.namespaced else ""
        if kind.namespaced and not namespace:
            raise CelError("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
        if reference.get("name"):
            entry = cache.get(Key(kind.collection, namespace, reference["name"]))
            found = [] if entry is None else [entry]
        else:
            selector = LabelSelector.from_object(reference.get("selector") or {})
            every = cache.collection(kind.collection).select(namespace)
            found = [each for each in every if selector.matches(each.object["metadata"].get("labels"))]
        if not found and reference.get("parameterNotFoundAction") == "Deny":
            raise CelError("no params found for policy binding with `Deny` parameterNotFoundAction")
        return [each.viewed(kind).object for each in found]


def _namespace(proposal: Proposal, cache: WatchCache) -> Object | None:
    if not proposal.kind.namespaced:
        return None
    entry = cache.get(Key("namespaces.core", "", proposal.namespace))
    return None if entry is None else entry.object


def _failures(policy: Policy, variables: Variables) -> Iterator[tuple[str, str]]:
    """(message, reason) of every rule that does not hold."""
    try:
        if not _conditions_hold(policy, variables):
            return
    except CelError as error:
        if policy.closed:
            yield str(error), "Invalid"
        return
    for rule in policy.rules:
        text = rule.expression.text.strip()
        try:
            if variables.evaluate(rule.expression) is not True:
                yield _message(rule, variables) or f"failed expression: {text}", rule.reason
        except CelError as error:
            if policy.closed:
                yield f"expression '{text}' resulted in error: {error}", "Invalid"


def _conditions_hold(policy: Policy, variables: Variables) -> bool:
    wrong: CelError | None = None
    for condition in policy.conditions:
        try:
            if variables.evaluate(condition) is not True:
                return False
        except CelError as error:
            wrong = error
    if wrong is not None:
        raise wrong
    return True


def _message(rule: Rule, variables: Variables) -> str:
    if rule.message_expression is not None:
        try:
            words = variables.evaluate(rule.message_expression)
        except CelError:
            return rule.message
        if isinstance(words, str) and words.strip() and "\n" not in words and len(words) <= _MESSAGE_CHARACTERS_MAX:
            return words.strip()
    return rule.message


def _decide(policy: Policy, binding: Binding, message: str, reason: str, proposal: Proposal) -> None:
    named = f"ValidatingAdmissionPolicy '{policy.name}' with binding '{binding.name}'"
    if "Warn" in binding.actions:
        proposal.warn(f"Validation failed for {named}: {message}")
    if "Deny" not in binding.actions:
        return
    text = f"{named} denied request: {message}"
    refusal = proposal.refused(text)
    details = {**refusal.details, "causes": [{"message": text}]}
    raise StatusError(_CODES.get(reason, 422), reason, refusal.message, details)
