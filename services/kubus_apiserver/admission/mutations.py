"""MutatingAdmissionPolicy: changes to objects in CEL, made in the process, before webhooks are asked.

A mutation makes either a configuration, which is merged with the object as server-side apply merges (without owning
anything), or a JSON patch. Policies are asked in the order of their names, each seeing what the last one made; one
whose `reinvocationPolicy` is IfNeeded is asked once more if others changed the object after it.

https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kubus.model.cel import CelError
from kubus.model.codec import to_json
from kubus.model.errors import StatusError, forbidden
from kubus.model.kinds import Kind, Registry
from kubus.model.managedfields.merging import merge
from kubus.model.managedfields.types import Fields, ItemError, Items, Leaf, Type
from kubus.model.objects import Object
from kubus.model.patches import json_patch
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
from kubus_apiserver.writing.fieldmanagers import FieldManagers

_GROUP = "admissionregistration.k8s.io"
POLICIES = f"mutatingadmissionpolicies.{_GROUP}"
BINDINGS = f"mutatingadmissionpolicybindings.{_GROUP}"


class Mutation(NamedTuple):
    """One change."""

    is_patch: bool
    """Whether it is a JSON patch; otherwise a configuration to be applied."""
    expression: Expression


class Mutating(NamedTuple):
    """A policy, compiled."""

    terms: Terms
    mutations: tuple[Mutation, ...]
    again: bool


class Invocations:
    """Which state of an object each policy has left, for as long as the object is being changed."""

    def __init__(self) -> None:
        self.state = 0
        """Counts the changes, also those of others."""
        self.left: dict[tuple[str, str, str], int] = {}
        """By policy, binding and parameter."""

    def is_due(self, invocation: tuple[str, str, str], policy: Mutating) -> bool:
        """Whether a policy is to be asked: for the first time, or again."""
        left = self.left.get(invocation)
        return left is None or (policy.again and left != self.state)


def prepared_policy(entry: Entry, expressions: Expressions) -> Mutating:
    """The policy of a stored object."""
    spec = entry.object.get("spec") or {}
    terms, scope = terms_of(entry, expressions)

    def mutation(each: Object) -> Mutation:
        is_patch = each.get("patchType") == "JSONPatch"
        stated = each.get("jsonPatch" if is_patch else "applyConfiguration") or {}
        text = stated.get("expression") or ""
        return Mutation(is_patch, expressions.compiled(text, "list" if is_patch else "map", scope))

    return Mutating(
        terms=terms,
        mutations=tuple(mutation(each) for each in spec.get("mutations") or ()),
        again=spec.get("reinvocationPolicy") == "IfNeeded",
    )


class Mutations:
    """Asks the policies that a write concerns."""

    def __init__(
        self, cache: WatchCache, registry: Registry, versions: Versions, access: Authorizer, fields: FieldManagers
    ) -> None:
        expressions = Expressions(deciding(access))
        self._fields = fields
        self._bindings: Bindings[Mutating] = Bindings(
            cache,
            registry,
            versions,
            policies=POLICIES,
            bindings=BINDINGS,
            prepare=lambda entry: prepared_policy(entry, expressions),
        )

    def concerned(self, proposal: Proposal) -> list[Concern[Mutating]]:
        """Those that may want to change it."""
        return [] if proposal.verb == "delete" else self._bindings.concerned(proposal)

    async def mutated(
        self, concerned: list[Concern[Mutating]], proposal: Proposal, invocations: Invocations
    ) -> Proposal:
        """The proposal as they want it, with another object if anything changes.

        Raises:
            StatusError: 403, one has no value, and its policy is to fail then.
        """
        for concern in concerned:
            proposal = await self._by_policy(concern, proposal, invocations)
        return proposal

    async def _by_policy(self, concern: Concern[Mutating], proposal: Proposal, invocations: Invocations) -> Proposal:
        policy, kind = concern
        shown = await self._bindings.versions.shown(proposal, kind)
        bound = list(self._bindings.of(policy, shown))
        if not bound:
            return proposal
        try:
            param_kind = self._bindings.param_kind(policy.terms)
        except CelError as error:
            _fail(policy, None, error, proposal)
            return proposal
        for binding in bound:
            try:
                params = self._bindings.params(param_kind, binding, shown)
            except CelError as error:
                _fail(policy, binding, error, proposal)
                continue
            for param in params:
                invocation = (policy.terms.name, binding.name, _identity(param))
                if not invocations.is_due(invocation, policy):
                    continue
                shown = await self._bindings.versions.shown(proposal, kind)
                changed = self._invoked(policy, binding, kind, shown, param)
                if changed is not shown.object:
                    try:
                        proposal = await self._bindings.versions.taken_over(proposal, kind, changed)
                    except StatusError as error:
                        said = error.message.removeprefix("Internal error occurred: ")  # by the webhooks' measure
                        _fail(policy, binding, CelError(f"error applying patch: {said}"), proposal)
                        continue
                    invocations.state += 1
                invocations.left[invocation] = invocations.state
        return proposal

    def _invoked(self, policy: Mutating, binding: Binding, kind: Kind, shown: Proposal, param: Object | None) -> Object:
        """The object as a policy wants it; the same if it wants nothing else."""
        terms, current = policy.terms, shown
        for mutation in policy.mutations:
            given = with_param(self._bindings.given(current, kind), param)
            variables = Variables(terms.variables, given)
            try:
                if current is shown and not conditions_hold(terms, variables):
                    return shown.object
                changed = self._changed(mutation, kind, current.object, variables)
            except (CelError, ItemError, StatusError) as error:
                _fail(policy, binding, error, shown)
                continue
            if changed != current.object:
                current = current._replace(object=changed)
        return current.object

    def _changed(self, mutation: Mutation, kind: Kind, obj: Object, variables: Variables) -> Object:
        value = variables.evaluate(mutation.expression)
        if mutation.is_patch:
            return _patched(obj, value)
        if not isinstance(value, dict):
            raise CelError("unsupported return type from ApplyConfiguration expression")
        config = _plain(value)
        type_ = self._fields.type_of(kind)
        atomics = _atomics(type_, config, "")
        if atomics:
            words = f"invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: {', '.join(atomics)}"
            raise CelError(f"error applying patch: {words}")
        unknown = _undeclared(type_, config, "")
        if unknown:
            words = f"failed to convert patch object to typed object: {unknown}: field not declared in schema"
            raise CelError(f"error applying patch: {words}")
        merged: Object = merge(type_, obj, config)
        return merged


def _patched(obj: Object, value: Any) -> Object:
    """The object with a JSON patch; the object itself if a test of it fails."""
    if not isinstance(value, list):
        raise CelError("type mismatch: JSONPatchType.expression should evaluate to array")
    changed = obj
    for operation in _plain(value):
        try:
            changed = json_patch(changed, [operation])
        except StatusError as error:
            if isinstance(operation, dict) and operation.get("op") == "test":
                return obj
            raise CelError(f"JSONPatch: {error.message}") from None
    return changed


def _plain(value: Any) -> Any:
    """A value as JSON.

    Raises:
        CelError: it is something else.
    """
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise CelError("JSONPath valueExpression evaluated to a type that could not marshal to JSON")


def _atomics(type_: Type, value: Any, path: str) -> list[str]:
    """The lists, maps and structs in a configuration that would be replaced as a whole."""
    if isinstance(type_, Leaf):
        return [path] if isinstance(value, dict | list) and type_.shape in ("list", "map") else []
    if isinstance(type_, Fields) and isinstance(value, dict):
        return [
            each for key, inner in value.items() for each in _atomics(type_.entry(key).type, inner, f"{path}.{key}")
        ]
    if isinstance(type_, Items) and isinstance(value, list):
        return [each for number, inner in enumerate(value) for each in _atomics(type_.item, inner, f"{path}[{number}]")]
    return []


def _undeclared(type_: Type, value: Any, path: str) -> str:
    """The first field of a configuration that its schema does not have, "" if there is none."""
    if isinstance(type_, Fields) and isinstance(value, dict):
        for key, inner in value.items():
            if key not in type_.entries and type_.items is None:
                return f"{path}.{key}"
            if found := _undeclared(type_.entry(key).type, inner, f"{path}.{key}"):
                return found
    if isinstance(type_, Items) and isinstance(value, list):
        for number, inner in enumerate(value):
            if found := _undeclared(type_.item, inner, f"{path}[{number}]"):
                return found
    return ""


def _identity(param: Object | None) -> str:
    if param is None:
        return ""
    metadata = param["metadata"]
    return to_json([metadata.get("namespace") or "", metadata["name"]]).decode()


def _fail(policy: Mutating, binding: Binding | None, error: Exception, proposal: Proposal) -> None:
    """Refuse the write, unless the policy is to be passed over then."""
    if not policy.terms.closed:
        return
    said = error.message if isinstance(error, StatusError) else str(error)
    if binding is None:
        words = f"policy '{policy.terms.name}' denied request: {said}"
    else:
        words = f"policy '{policy.terms.name}' with binding '{binding.name}' denied request: {said}"
    refused = forbidden(proposal.kind.plural, proposal.kind.group, proposal.name, words)
    details = {**refused.details, "causes": [{"message": words}]}
    raise StatusError(403, "Forbidden" if said.startswith("failed to configure") else "Invalid", words, details)
