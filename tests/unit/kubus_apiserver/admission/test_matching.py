"""Which writes rules and selectors choose."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.kinds import Kind
from kubus.model.kinds.clusterroles import KIND as CLUSTER_ROLES
from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.kinds.horizontalpodautoscalers import KIND as AUTOSCALERS
from kubus.model.kinds.horizontalpodautoscalers_v1 import KIND as AUTOSCALERS_V1
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.validatingadmissionpolicies import KIND as POLICIES
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.matching import (
    Matcher,
    is_exempt,
    rule_matches,
)
from kubus_apiserver.calls import User
from kubus_apiserver.reading.watchcache import WatchCache

ALL = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}


def write(kind: Kind = DEPLOYMENTS, subresource: str = "", **labels: str) -> Proposal:
    namespace = {"namespace": "a"} if kind.namespaced else {}
    obj = {"metadata": {"name": "x", "labels": labels, **namespace}}
    return Proposal(User("u"), "update", kind, subresource, obj, obj)


@pytest.mark.parametrize(
    ("rule", "wanted", "matches"),
    [
        ({}, write(), True),
        ({}, write(subresource="status"), False),
        ({"resources": ["*/*"]}, write(subresource="status"), True),
        ({"resources": ["deployments/*"]}, write(subresource="scale"), True),
        ({"resources": ["*/scale"]}, write(subresource="scale"), True),
        ({"resources": ["pods", "deployments"]}, write(), True),
        ({"apiGroups": [""]}, write(), False),
        ({"apiVersions": ["v1beta1"]}, write(), False),
        ({"operations": ["CREATE", "DELETE"]}, write(), False),
        ({"scope": "Namespaced"}, write(CLUSTER_ROLES), False),
        ({"scope": "Cluster"}, write(NAMESPACES), True),
        ({"resourceNames": ["y"]}, write(), False),
    ],
)
def test_rules(rule: dict[str, Any], wanted: Proposal, matches: bool) -> None:
    assert rule_matches({**ALL, **rule}, wanted) is matches


@pytest.mark.parametrize(
    ("rule", "holder", "seen"),
    [
        ({"apiVersions": ["v2"]}, {}, "v2"),
        ({"apiVersions": ["v2"]}, {"matchPolicy": "Equivalent"}, "v2"),
        ({"apiVersions": ["v2"]}, {"matchPolicy": "Exact"}, None),
        ({"apiVersions": ["*"]}, {}, "v1"),
        ({"apiVersions": ["v1"]}, {"matchPolicy": "Exact"}, "v1"),
        ({"apiVersions": ["v3"]}, {}, None),
    ],
)
def test_other_versions_of_the_same_objects_match_unless_exact_ones_are_wanted(
    rule: dict[str, Any], holder: dict[str, Any], seen: str | None
) -> None:
    found = Matcher.of([{**ALL, **rule}], holder).seen_as(write(AUTOSCALERS_V1), lambda: [AUTOSCALERS])
    assert (found and found.version) == seen
    excluded = Matcher.of([ALL], holder, [{**ALL, **rule}]).seen_as(write(AUTOSCALERS_V1), lambda: [AUTOSCALERS])
    assert (excluded is None) is (seen is not None)


def test_what_is_excluded_is_not_meant() -> None:
    assert not Matcher.of([ALL], {}, [{**ALL, "resourceNames": ["x"]}]).seen_as(write(), list)
    assert Matcher.of([ALL], {}, [{**ALL, "resourceNames": ["y"]}]).seen_as(write(), list)


def test_a_namespace_is_selected_by_its_own_labels_and_cluster_objects_always() -> None:
    matcher = Matcher.of([ALL], {"namespaceSelector": {"matchLabels": {"env": "prod"}}})
    assert matcher.selects(write(NAMESPACES, env="prod"), WatchCache())
    assert not matcher.selects(write(NAMESPACES, env="test"), WatchCache())
    assert matcher.selects(write(CLUSTER_ROLES), WatchCache())
    assert not matcher.selects(write(), WatchCache())


def test_an_object_is_selected_by_its_new_or_its_old_labels() -> None:
    matcher = Matcher.of([ALL], {"objectSelector": {"matchLabels": {"app": "web"}}})
    before = {"metadata": {"name": "x", "labels": {"app": "web"}}}
    assert matcher.selects(write()._replace(old=before), WatchCache())
    assert not matcher.selects(write(), WatchCache())


def test_policies_themselves_are_exempt() -> None:
    assert is_exempt(write(POLICIES))
    assert not is_exempt(write())
