"""What policies that validate and policies that change objects have in common: which are asked, about what, with what.

A policy says what it is about and binds to nothing by itself; each of its bindings narrows that down, and names
parameters: objects of a kind of the policy's choice, one by name or several by labels. For every parameter the policy
is asked once. Policies and bindings are compiled once a revision, and a write that no policy is about costs a look at
their rules, not more.

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#parameter-resources
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from kubus.model.cel import CelError
from kubus.model.cel.authorizer import Decide, Question
from kubus.model.codec import DecodeError
from kubus.model.kinds import Kind, Registry
from kubus.model.objects import Key, Object
from kubus.model.policy_expressions import Expression, Expressions, Scope, Variables
from kubus.model.selectors import LabelSelector
from kubus_apiserver.access.authorization import Attributes, Authorizer
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.matching import Matcher, is_beyond_policies
from kubus_apiserver.admission.namespaced import Namespaced
from kubus_apiserver.admission.requests import variables_of
from kubus_apiserver.admission.versions import Versions
from kubus_apiserver.calls import User
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.watchcache import WatchCache

_EVERYTHING = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"]}
_NAMESPACES = "namespaces.core"


class Terms(NamedTuple):
    """What every policy has, compiled."""

    name: str
    matcher: Matcher
    conditions: tuple[Expression, ...]
    variables: dict[str, Expression]
    closed: bool
    """Whether what cannot be evaluated is refused."""
    param_kind: Object | None


class Policy(Protocol):
    """A policy of either kind."""

    @property
    def terms(self) -> Terms:
        """What it has in common with others."""


P = TypeVar("P", bound=Policy)


class Binding(NamedTuple):
    """A binding, prepared."""

    name: str
    policy: str
    matcher: Matcher | None
    reference: Object | None
    actions: tuple[str, ...]


class Concern(NamedTuple, Generic[P]):
    """A policy that a write may concern, and the kind as which its rules name what is written."""

    policy: P
    kind: Kind


def terms_of(entry: Entry, expressions: Expressions) -> tuple[Terms, Scope]:
    """The common part of a stored policy, and what its expressions know."""
    spec = entry.object.get("spec") or {}
    match = spec.get("matchConstraints") or {}
    scope = Scope(params=bool(spec.get("paramKind")), constructs="mutations" in spec)
    terms = Terms(
        name=entry.name,
        matcher=Matcher.of(match.get("resourceRules") or (), match, match.get("excludeResourceRules") or ()),
        conditions=tuple(
            expressions.compiled(each.get("expression") or "", "bool", scope)
            for each in spec.get("matchConditions") or ()
        ),
        variables={
            each["name"]: expressions.compiled(each.get("expression") or "", "", scope)
            for each in spec.get("variables") or ()
        },
        closed=spec.get("failurePolicy") != "Ignore",
        param_kind=spec.get("paramKind"),
    )
    return terms, scope


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


def deciding(access: Authorizer) -> Decide:
    """What answers the questions of expressions."""

    def decide(question: Question) -> str | None:
        given = question.user
        extra = tuple((key, tuple(values)) for key, values in (given.get("extra") or {}).items())
        user = User(given.get("username") or "", tuple(given.get("groups") or ()), given.get("uid") or "", extra)
        return access.decide(
            user,
            Attributes(
                question.verb,
                question.group,
                question.resource,
                question.namespace,
                question.name,
                question.path,
                question.field_selector,
            ),
        )

    return decide


class Bindings(Generic[P]):
    """The policies of one kind with their bindings, by the objects in a cache."""

    def __init__(
        self,
        cache: WatchCache,
        registry: Registry,
        versions: Versions,
        *,
        policies: str,
        bindings: str,
        prepare: Callable[[Entry], P],
    ) -> None:
        self.versions = versions
        self._cache = cache
        self._registry = registry
        self._policies: Namespaced[P] = Namespaced(policies, prepare)
        self._bindings: Namespaced[Binding] = Namespaced(bindings, prepared_binding)

    def concerned(self, proposal: Proposal) -> list[Concern[P]]:
        """The policies that name what is written, in the order of their names."""
        policies = self._policies.of(self._cache)
        if not policies or is_beyond_policies(proposal):
            return []
        others: list[Kind] | None = None

        def served() -> list[Kind]:
            nonlocal others
            if others is None:
                others = self.versions.others(proposal.kind)
            return others

        found = []
        for policy in policies:
            kind = policy.terms.matcher.seen_as(proposal, served)
            if kind is not None:
                found.append(Concern(policy, kind))
        return found

    def of(self, policy: P, proposal: Proposal) -> Iterator[Binding]:
        """The bindings by which a policy is asked about a write."""
        if not policy.terms.matcher.selects(proposal, self._cache):
            return
        for binding in self._bindings.of(self._cache):
            if binding.policy != policy.terms.name:
                continue
            matcher = binding.matcher
            if matcher is None or (
                matcher.seen_as(proposal, lambda: self.versions.others(proposal.kind)) is not None
                and matcher.selects(proposal, self._cache)
            ):
                yield binding

    def param_kind(self, terms: Terms) -> Kind | None:
        """The kind of a policy's parameters; None if it has none.

        Raises:
            CelError: there is no such kind.
        """
        if terms.param_kind is None:
            return None
        version, name = terms.param_kind.get("apiVersion") or "", terms.param_kind.get("kind") or ""
        group, _, number = version.rpartition("/")
        kind = self._registry.named(group, number, name)
        if kind is None:
            shown = f"{version}, Kind={name}" if group else f"/{version}, Kind={name}"
            raise CelError(f"failed to configure policy: failed to find resource referenced by paramKind: '{shown}'")
        return kind

    def params(self, kind: Kind | None, binding: Binding, proposal: Proposal) -> list[Object | None]:
        """The parameters of a binding; one that is None where there are none to be named.

        Raises:
            CelError: there are none, and there have to be.
        """
        reference = binding.reference
        if kind is None or reference is None:
            return [None]
        if reference.get("namespace") and not kind.namespaced:
            raise _misbound("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
        namespace = (reference.get("namespace") or proposal.namespace) if kind.namespaced else ""
        if kind.namespaced and not namespace:
            raise _misbound("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
        if reference.get("name"):
            entry = self._cache.get(Key(kind.collection, namespace, reference["name"]))
            found = [] if entry is None else [entry]
        else:
            selector = LabelSelector.from_object(reference.get("selector") or {})
            every = self._cache.collection(kind.collection).select(namespace)
            found = [each for each in every if selector.matches(each.object["metadata"].get("labels"))]
        if not found and reference.get("parameterNotFoundAction") == "Deny":
            raise _misbound("no params found for policy binding with `Deny` parameterNotFoundAction")
        try:
            return [each.viewed(kind).object for each in found]
        except DecodeError as error:
            raise _misbound(str(error)) from None

    def given(self, shown: Proposal, kind: Kind) -> dict[str, Any]:
        """What expressions know of a write, in the version of `kind`."""
        return {**variables_of(shown, kind), "namespaceObject": self._namespace(shown)}

    def _namespace(self, proposal: Proposal) -> Object | None:
        if not proposal.kind.namespaced:
            return None
        entry = self._cache.get(Key(_NAMESPACES, "", proposal.namespace))
        return None if entry is None else entry.object


def _misbound(words: str) -> CelError:
    return CelError(f"failed to configure binding: {words}")


def conditions_hold(terms: Terms, variables: Variables) -> bool:
    """Whether all conditions of a policy are true. One that is false decides, whatever is wrong with the others.

    Raises:
        CelError: none is false, and one has no value.
    """
    wrong: CelError | None = None
    for condition in terms.conditions:
        try:
            if variables.evaluate(condition) is not True:
                return False
        except CelError as error:
            wrong = error
    if wrong is not None:
        raise wrong
    return True


def with_param(given: Mapping[str, Any], param: Object | None) -> dict[str, Any]:
    """What expressions know, with a parameter."""
    return {**given, "params": param}
