"""Which writes a webhook or a policy is about: rules and selectors.

Both kinds name operations, groups, versions, resources and a scope, and select by labels of the namespace and of the
object. Nobody is asked about the configurations of webhooks and policies themselves: a mistake there could not be
mended any more.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from kubus.model.kinds import Kind
from kubus.model.kinds.reviews import KINDS as QUESTIONS
from kubus.model.objects import Key, Object
from kubus.model.selectors import EVERYTHING, NOTHING, LabelSelector
from kubus_apiserver.admission import Proposal
from kubus_apiserver.reading.watchcache import WatchCache

_GROUP = "admissionregistration.k8s.io"
_NAMESPACES = "namespaces.core"
_QUESTIONS = frozenset(kind.collection for kind in QUESTIONS)
OPERATIONS = {"create": "CREATE", "update": "UPDATE", "delete": "DELETE", "connect": "CONNECT"}


class Matcher(NamedTuple):
    """The writes that rules and selectors choose."""

    rules: tuple[Object, ...]
    excluded: tuple[Object, ...]
    namespaces: LabelSelector
    objects: LabelSelector
    exact: bool = False
    """Whether other versions of the same objects are other objects: `matchPolicy: Exact`."""

    @classmethod
    def of(cls, rules: Iterable[Object], holder: Object, excluded: Iterable[Object] = ()) -> Matcher:
        """The matcher of rules and of a holder's `matchPolicy`, `namespaceSelector` and `objectSelector`."""
        selectors = (_selector(holder.get("namespaceSelector")), _selector(holder.get("objectSelector")))
        return cls(tuple(rules), tuple(excluded), *selectors, exact=holder.get("matchPolicy") == "Exact")

    def seen_as(self, proposal: Proposal, others: Callable[[], Sequence[Kind]]) -> Kind | None:
        """The kind as which a rule names what is written; None if none does.

        That is the kind that the client wrote, or, unless only exact matches count, one of the `others`: of the other
        versions and groups in which the same objects are served (`admission.versions.Versions.others`). Depends on
        operation, resource, name and scope only.
        """
        if self.excluded and self._first(self.excluded, proposal, others) is not None:
            return None
        return self._first(self.rules, proposal, others)

    def _first(self, rules: Sequence[Object], proposal: Proposal, others: Callable[[], Sequence[Kind]]) -> Kind | None:
        if any(rule_matches(rule, proposal) for rule in rules):
            return proposal.kind
        if self.exact or not rules:
            return None
        served = others()
        return next((kind for rule in rules for kind in served if rule_matches(rule, proposal, kind)), None)

    def selects(self, proposal: Proposal, cache: WatchCache) -> bool:
        """Whether labels agree: those of the new object or those of the old one."""
        if not self.objects.everything:
            states = [each for each in objects_of(proposal) if each is not None]
            if not any(self.objects.matches((each.get("metadata") or {}).get("labels")) for each in states):
                return False
        if self.namespaces.everything:
            return True
        labels = namespace_labels(proposal, cache)
        return labels is None or self.namespaces.matches(labels)


def _selector(selector: Object | None) -> LabelSelector:
    if not selector:
        return EVERYTHING
    try:
        return LabelSelector.from_object(selector)
    except ValueError:
        return NOTHING


def namespace_labels(proposal: Proposal, cache: WatchCache) -> Mapping[str, str] | None:
    """The labels of the namespace that a write is in, or about; None for other objects of the whole cluster."""
    if proposal.kind.collection == _NAMESPACES:
        return proposal.object["metadata"].get("labels") or {}
    if not proposal.kind.namespaced:
        return None
    entry = cache.get(Key(_NAMESPACES, "", proposal.namespace))
    return {} if entry is None else entry.object["metadata"].get("labels") or {}


def is_exempt(proposal: Proposal) -> bool:
    """Whether nobody is asked: it is about who is asked."""
    return proposal.kind.group == _GROUP


def is_beyond_policies(proposal: Proposal) -> bool:
    """Whether no policy is asked: webhooks hear of reviews, but an expression could lock everybody out."""
    return is_exempt(proposal) or proposal.kind.collection in _QUESTIONS


def objects_of(proposal: Proposal) -> tuple[Object | None, Object | None]:
    """(object, oldObject) as a review has them: None is what is not there."""
    if proposal.verb == "delete":
        return None, proposal.old
    return proposal.object, proposal.old


def rule_matches(rule: Object, proposal: Proposal, kind: Kind | None = None) -> bool:
    """Whether a rule names a write; with `kind`, were it one of that kind."""
    kind = kind or proposal.kind
    return (
        _one_of(rule.get("operations"), OPERATIONS[proposal.verb])
        and _one_of(rule.get("apiGroups"), kind.group)
        and _one_of(rule.get("apiVersions"), kind.version)
        and any(_resource_matches(each, kind.plural, proposal.subresource) for each in rule.get("resources") or ())
        and _scope_matches(rule.get("scope") or "*", namespaced=kind.namespaced)
        and (not rule.get("resourceNames") or proposal.name in rule["resourceNames"])
    )


def _one_of(values: Sequence[str] | None, wanted: str) -> bool:
    return bool(values) and ("*" in (values or ()) or wanted in (values or ()))


def _resource_matches(pattern: str, plural: str, subresource: str) -> bool:
    resource, _, wanted = pattern.partition("/")
    return resource in ("*", plural) and wanted in ("*", subresource)


def _scope_matches(scope: str, *, namespaced: bool) -> bool:
    return scope == "*" or (scope == "Namespaced") == namespaced
