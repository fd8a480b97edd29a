"""What a kubelet may, as a table; two kubelets that keep out of each other's way."""

from __future__ import annotations

from typing import Any

import pytest

from kubus_apiserver.access.authorization import Attributes
from kubus_apiserver.access.node_graph import NodeGraph
from kubus_apiserver.access.node_rights import KubeletRights, node_of
from kubus_apiserver.calls import AUTHENTICATED, User

KUBELET = User("system:node:n1", ("system:nodes", AUTHENTICATED))
LEASES = "coordination.k8s.io"


@pytest.mark.parametrize(
    ("wanted", "allowed"),
    [
        (Attributes("get", "", "secrets", "d", "mine"), True),
        (Attributes("list", "", "secrets", "d", field_selector="metadata.name=mine"), True),
        (Attributes("list", "", "secrets", "d"), False),
        (Attributes("get", "", "secrets", "d", "theirs"), False),
        (Attributes("get", "", "secrets", "e", "mine"), False),
        (Attributes("update", "", "secrets", "d", "mine"), False),
        (Attributes("get", "", "configmaps", "d", "mine"), True),
        (Attributes("get", "", "configmaps", "d", "theirs"), False),
        (Attributes("get", "", "persistentvolumeclaims", "d", "mine"), True),
        (Attributes("patch", "", "persistentvolumeclaims/status", "d", "mine"), True),
        (Attributes("patch", "", "persistentvolumeclaims", "d", "mine"), False),
        (Attributes("create", "", "serviceaccounts/token", "d", "mine"), True),
        (Attributes("create", "", "serviceaccounts/token", "d", "theirs"), False),
        (Attributes("get", "", "pods", "d", "p1"), True),
        (Attributes("get", "", "pods", "d", "p2"), False),
        (Attributes("list", "", "pods", field_selector="spec.nodeName=n1"), True),
        (Attributes("list", "", "pods", field_selector="spec.nodeName!=n2"), False),
        (Attributes("list", "", "pods", field_selector="spec.nodeName=n2"), False),
        (Attributes("watch", "", "pods"), False),
        (Attributes("patch", "", "pods/status", "d", "p1"), True),
        (Attributes("delete", "", "pods", "d", "p1"), True),
        (Attributes("create", "", "pods/binding", "d", "p1"), False),
        (Attributes("create", "", "pods/exec", "d", "p1"), False),
        (Attributes("get", "", "nodes", "", "n1"), True),
        (Attributes("get", "", "nodes", "", "n2"), False),
        (Attributes("list", "", "nodes"), False),
        (Attributes("list", "", "nodes", field_selector="metadata.name=n1"), True),
        (Attributes("create", "", "nodes"), True),
        (Attributes("patch", "", "nodes/status", "", "n1"), True),
        (Attributes("patch", "", "nodes/status", "", "n2"), False),
        (Attributes("delete", "", "nodes", "", "n1"), False),
        (Attributes("patch", LEASES, "leases", "kube-node-lease", "n1"), True),
        (Attributes("patch", LEASES, "leases", "kube-node-lease", "n2"), False),
        (Attributes("update", LEASES, "leases", "kube-system", "kube-scheduler"), False),
        (Attributes("list", LEASES, "leases", "kube-node-lease"), False),
        (Attributes("create", "", "events", "d"), True),
        (Attributes("list", "", "events", "d"), False),
        (Attributes("get", "", "services", "d", "x"), True),
        (Attributes("get", "apps", "deployments", "d", "x"), False),
        (Attributes("get", path="/metrics"), False),
    ],
)
def test_a_kubelet_has_what_its_pods_need(told: Any, wanted: Attributes, allowed: bool) -> None:
    for number, names in ((1, "mine"), (2, "theirs")):
        volumes = [
            {"name": "s", "secret": {"secretName": names}},
            {"name": "c", "configMap": {"name": names}},
            {"name": "p", "persistentVolumeClaim": {"claimName": names}},
        ]
        told.put(
            "pods.core",
            "d",
            f"p{number}",
            spec={"nodeName": f"n{number}", "serviceAccountName": names, "volumes": volumes},
        )
    assert KubeletRights(NodeGraph(told.cache)).allows(KUBELET, wanted) is allowed


@pytest.mark.parametrize(
    ("user", "node"),
    [
        (KUBELET, "n1"),
        (User("system:node:n1", (AUTHENTICATED,)), ""),
        (User("n1", ("system:nodes",)), ""),
        (User("system:node:", ("system:nodes",)), ""),
    ],
)
def test_a_kubelet_is_known_by_name_and_group(user: User, node: str) -> None:
    assert node_of(user) == node
