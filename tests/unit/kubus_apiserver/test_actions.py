"""What both doors ask before they act."""

from __future__ import annotations

import pytest

from kubus.model.errors import StatusError
from kubus.model.kinds import Kind
from kubus.model.kinds.configmaps import KIND as CONFIG_MAPS
from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus_apiserver.actions import check_served, target_of


@pytest.mark.parametrize(
    ("kind", "namespace", "name"),
    [(NODES, "d", "n"), (PODS, "", "p")],
)
def test_a_path_that_names_no_object_is_not_found(kind: Kind, namespace: str, name: str) -> None:
    with pytest.raises(StatusError) as refused:
        target_of(kind, namespace, name, "")
    assert refused.value.code == 404


@pytest.mark.parametrize(
    ("kind", "subresource", "verb", "code"),
    [
        (PODS, "", "get", 0),
        (PODS, "log", "get", 0),
        (PODS, "scale", "get", 404),
        (DEPLOYMENTS, "scale", "get", 0),
        (DEPLOYMENTS, "status", "patch", 0),
        (CONFIG_MAPS, "status", "patch", 404),
        (NAMESPACES, "", "deletecollection", 405),
    ],
)
def test_only_what_a_kind_has_is_served(kind: Kind, subresource: str, verb: str, code: int) -> None:
    target = target_of(kind, "d" if kind.namespaced else "", "x", subresource)
    if not code:
        check_served(target, verb)
        return
    with pytest.raises(StatusError) as refused:
        check_served(target, verb)
    assert refused.value.code == code
