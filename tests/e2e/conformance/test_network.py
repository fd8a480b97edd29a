"""[sig-network]: Endpoints and slices of Services, the API's own Service, and the ranges that addresses come from."""

from __future__ import annotations

import uuid
from ipaddress import ip_address, ip_network

import pytest
from tests.e2e.cluster.conftest import eventually
from tests.e2e.conformance.conftest import Api, Object

pytestmark = pytest.mark.e2e
SLICES = "/apis/discovery.k8s.io/v1/namespaces"
NETWORKING = "/apis/networking.k8s.io/v1"


def slices_of(api: Api, namespace: str, service: str) -> list[Object]:
    selector = f"kubernetes.io/service-name={service}"
    found: list[Object] = api.get(f"{SLICES}/{namespace}/endpointslices", labelSelector=selector)["items"]
    return found


def test_the_api_has_a_service_whose_endpoints_are_its_servers(api: Api) -> None:
    (service,) = api.get("/api/v1/services", fieldSelector="metadata.name=kubernetes")["items"]
    assert service["metadata"]["namespace"] == "default"
    assert [(each["name"], each["port"]) for each in service["spec"]["ports"]] == [("https", 443)]
    (subset,) = api.get("/api/v1/namespaces/default/endpoints/kubernetes")["subsets"]
    addresses = [each["ip"] for each in subset["addresses"]]
    (slice_,) = slices_of(api, "default", "kubernetes")
    assert [address for each in slice_["endpoints"] for address in each["addresses"]] == addresses
    assert [each["port"] for each in slice_["ports"]] == [each["port"] for each in subset["ports"]]


def test_a_service_with_a_selector_has_endpoints_and_slices_while_it_lives(api: Api, namespace: str) -> None:
    within = f"/api/v1/namespaces/{namespace}"
    spec = {"selector": {"app": "x"}, "ports": [{"name": "p", "port": 80, "targetPort": 8080}]}
    api.create(f"{within}/services", {"metadata": {"name": "s"}, "spec": spec})
    eventually(lambda: api.call("GET", f"{within}/endpoints/s").code == 200, what="Endpoints")
    eventually(lambda: slices_of(api, namespace, "s"), what="a slice")
    eventually(lambda: api.call("GET", f"{within}/serviceaccounts/default").code == 200)
    container = {"name": "c", "image": "example.invalid/none:1", "ports": [{"containerPort": 8080}]}
    pod = {
        "metadata": {"name": "p", "labels": {"app": "x"}},
        "spec": {"nodeSelector": {"no": "node"}, "containers": [container]},
    }
    api.create(f"{within}/pods", pod)
    status = {
        "podIP": "10.9.9.9",
        "podIPs": [{"ip": "10.9.9.9"}],
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    api.patch(f"{within}/pods/p/status", {"status": status})

    def seen() -> tuple[list[str], list[str]]:
        subsets = api.get(f"{within}/endpoints/s").get("subsets") or ()
        in_endpoints = [address["ip"] for each in subsets for address in each.get("addresses") or ()]
        found = [each for one in slices_of(api, namespace, "s") for each in one.get("endpoints") or ()]
        return in_endpoints, [address for each in found if each["conditions"]["ready"] for address in each["addresses"]]

    eventually(seen, what="the pod's address in both", expected=lambda found: found == (["10.9.9.9"], ["10.9.9.9"]))
    api.ok("DELETE", f"{within}/pods/p", {"gracePeriodSeconds": 0})
    eventually(seen, what="its end in both", expected=lambda found: found == ([], []))
    api.ok("DELETE", f"{within}/services/s")
    eventually(lambda: api.call("GET", f"{within}/endpoints/s").code == 404, what="the Endpoints' end")
    eventually(lambda: not slices_of(api, namespace, "s"), what="the slices' end")


def test_endpoints_made_by_hand_are_mirrored(api: Api, namespace: str) -> None:
    within = f"/api/v1/namespaces/{namespace}"
    api.create(f"{within}/services", {"metadata": {"name": "s"}, "spec": {"ports": [{"name": "p", "port": 80}]}})
    subset = {"addresses": [{"ip": "10.1.2.3"}], "ports": [{"name": "p", "port": 80}]}
    api.create(f"{within}/endpoints", {"metadata": {"name": "s"}, "subsets": [subset]})

    def mirrored() -> list[str]:
        return [
            address
            for one in slices_of(api, namespace, "s")
            for each in one["endpoints"]
            for address in each["addresses"]
        ]

    eventually(mirrored, what="a mirror", expected=lambda found: found == ["10.1.2.3"])
    (slice_,) = slices_of(api, namespace, "s")
    assert slice_["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == (
        "endpointslicemirroring-controller.k8s.io"
    )
    api.patch(f"{within}/endpoints/s", {"subsets": [{**subset, "addresses": [{"ip": "10.2.3.4"}]}]})
    eventually(mirrored, what="the change in the mirror", expected=lambda found: found == ["10.2.3.4"])
    api.ok("DELETE", f"{within}/endpoints/s")
    eventually(lambda: not slices_of(api, namespace, "s"), what="the mirror's end")


def test_service_ranges_are_read_added_and_ended(api: Api) -> None:
    name = f"c-{uuid.uuid4().hex[:8]}"
    path = f"{NETWORKING}/servicecidrs"
    first = api.get(f"{path}/kubernetes")
    (address,) = api.get("/api/v1/namespaces/default/services/kubernetes")["spec"]["clusterIPs"]
    assert ip_address(address) in ip_network(first["spec"]["cidrs"][0])
    ready = {each["type"]: each["status"] for each in first["status"]["conditions"]}
    assert ready["Ready"] == "True"
    made = api.create(path, {"metadata": {"name": name, "labels": {"e2e": name}}, "spec": {"cidrs": ["192.0.2.0/28"]}})
    assert [each["metadata"]["name"] for each in api.get(path, labelSelector=f"e2e={name}")["items"]] == [name]
    assert "field is immutable" in api.refused(
        422, "PUT", f"{path}/{name}", {**made, "spec": {"cidrs": ["192.0.3.0/28"]}}
    )
    assert api.patch(f"{path}/{name}", {"metadata": {"labels": {"patched": "1"}}})["metadata"]["labels"]["patched"]
    status = {
        "status": {
            "conditions": [
                {
                    "type": "E2E",
                    "status": "True",
                    "reason": "E",
                    "message": "",
                    "lastTransitionTime": "2024-01-01T00:00:00Z",
                }
            ]
        }
    }
    assert api.patch(f"{path}/{name}/status", status)["status"]["conditions"]
    api.ok("DELETE", f"{path}/{name}")
    eventually(lambda: api.call("GET", f"{path}/{name}").code == 404, what="the range's end")


def test_addresses_of_services_are_objects(api: Api, namespace: str) -> None:
    path = f"{NETWORKING}/ipaddresses"
    body = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
    ip = api.create(f"/api/v1/namespaces/{namespace}/services", body)["spec"]["clusterIP"]
    found = eventually(lambda: api.call("GET", f"{path}/{ip}"), expected=lambda answer: answer.code == 200).object
    assert found["spec"]["parentRef"] == {"group": "", "resource": "services", "namespace": namespace, "name": "s"}
    assert (
        api.patch(f"{path}/{ip}", {"metadata": {"annotations": {"e2e": "1"}}})["metadata"]["annotations"]["e2e"] == "1"
    )
    api.ok("DELETE", f"/api/v1/namespaces/{namespace}/services/s")
    eventually(lambda: api.call("GET", f"{path}/{ip}").code == 404, what="the address' end")
    parent = {"resource": "services", "namespace": namespace, "name": "none"}
    made = {"metadata": {"name": "192.168.7.7", "labels": {"e2e": namespace}}, "spec": {"parentRef": parent}}
    api.create(path, made)
    assert len(api.get(path, labelSelector=f"e2e={namespace}")["items"]) == 1
    api.ok("DELETE", path, labelSelector=f"e2e={namespace}")
    eventually(lambda: not api.get(path, labelSelector=f"e2e={namespace}")["items"])
