"""What a StatefulSet's pod bears."""

from __future__ import annotations

import pytest

from kubus.model.objects import Object
from kubus_controllers.reconcilers.stateful_pods import claims_of, new_pod, ordinal_of

CLAIM = {"metadata": {"name": "data", "labels": {"x": "y"}}, "spec": {"accessModes": ["ReadWriteOnce"]}}
SET: Object = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "db", "namespace": "d", "uid": "u"},
    "spec": {
        "serviceName": "dbs",
        "selector": {"matchLabels": {"app": "db"}},
        "volumeClaimTemplates": [CLAIM],
    },
}
VOLUMES = [{"name": "data", "emptyDir": {}}, {"name": "more", "emptyDir": {}}]
TEMPLATE: Object = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [], "volumes": VOLUMES}}


def test_a_pod_has_a_name_a_host_a_domain_and_claims_of_its_own() -> None:
    pod = new_pod(SET, TEMPLATE, "db-abc", 2)
    assert pod["metadata"]["name"] == pod["spec"]["hostname"] == "db-2"
    assert pod["spec"]["subdomain"] == "dbs"
    assert pod["metadata"]["labels"] == {
        "app": "db",
        "statefulset.kubernetes.io/pod-name": "db-2",
        "apps.kubernetes.io/pod-index": "2",
        "controller-revision-hash": "db-abc",
    }
    assert pod["spec"]["volumes"] == [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-2", "readOnly": False}},
        {"name": "more", "emptyDir": {}},
    ]


def test_a_claim_is_named_after_its_template_and_pod_and_owned_by_nobody() -> None:
    (claim,) = claims_of(SET, 2)
    assert claim["metadata"] == {"name": "data-db-2", "namespace": "d", "labels": {"x": "y", "app": "db"}}
    assert claim["spec"] == CLAIM["spec"]


@pytest.mark.parametrize(
    ("name", "ordinal"), [("db-0", 0), ("db-12", 12), ("db-x", None), ("other-1", None), ("db", None)]
)
def test_the_ordinal_is_in_the_name(name: str, ordinal: int | None) -> None:
    assert ordinal_of(SET, {"metadata": {"name": name}}) == ordinal
