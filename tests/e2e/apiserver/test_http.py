"""HTTP as Kubernetes speaks it, and fairness: over the wire, at an apiserver of its own."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections import Counter
from datetime import UTC, datetime

import pytest
from tests.e2e.apiserver.raw_http import Got, Wire, tls_of

from kubus_cli.identities import ADMIN
from kubus_cli.pki import Wanted, client_of, ensure

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

NAMESPACES = "/api/v1/namespaces"
MAPS = f"{NAMESPACES}/default/configmaps"
FLOOD, NODE = "flood", "node"
FLOODING = 280
"""Connections: more than a level has seats and a user has places in its queue."""
RENEWALS = 20


async def test_http_is_spoken_as_kubernetes_speaks_it(apiserver) -> None:
    wire = Wire(apiserver.port, tls_of(apiserver.directory, ADMIN.file))
    for url in (NAMESPACES, f"{NAMESPACES}/", "//api//v1/namespaces"):
        assert json.loads((await wire.ask(f"GET {url}")).body)["kind"] == "NamespaceList", url
    assert (await wire.ask(f"GET {NAMESPACES}/kube%2Dsystem")).code == 200
    assert (await wire.ask(f"GET {NAMESPACES}/a%2Fb")).code == 404
    head = await wire.ask(f"HEAD {NAMESPACES}")
    assert (head.code, head.body, int(head.header("Content-Length")) > 100) == (200, b"", True)
    assert (await wire.ask("GET /version", version="1.0")).header("Connection") == "close"
    assert (await wire.ask("OPTIONS /api/v1/namespaces")).code == 405
    body = b'{"metadata":{"name":"m"}}'
    assert (await wire.ask(f"POST {MAPS}", body, headers={"Expect": "100-continue"})).code in (100, 201)
    wire.close()
    paths = json.loads((await wire.ask("GET /")).body)["paths"]
    assert {"/api", "/api/v1", "/apis/apps/v1", "/readyz/etcd", "/openapi/v3", "/version"} <= set(paths)
    for path in paths:
        if path not in ("/.well-known/openid-configuration", "/openid/v1/jwks"):  # they need keys
            assert (await wire.ask(f"GET {path}")).code == 200, path
    await _its_headers(wire)
    wire.close()


async def _its_headers(wire: Wire) -> None:
    one, other = await wire.ask("GET /version"), await wire.ask("GET /version")
    assert one.header("Audit-Id") != other.header("Audit-Id") != ""
    assert one.header("Cache-Control") == "no-cache, private"
    schema = json.loads((await wire.ask("GET /apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/exempt")).body)
    assert one.header("X-Kubernetes-PF-FlowSchema-UID") == schema["metadata"]["uid"]
    assert (await wire.ask("GET /livez")).header("X-Content-Type-Options") == "nosniff"
    packed = await wire.ask("GET /openapi/v3/api/v1", headers={"Accept-Encoding": "gzip;q=0.5"})
    assert b'"openapi"' in gzip.decompress(packed.body)
    plain = await wire.ask("GET /openapi/v3/api/v1", headers={"Accept-Encoding": "gzip;q=0"})
    assert plain.body.startswith(b'{"openapi"')
    same = await wire.ask("GET /openapi/v3/api/v1", headers={"If-None-Match": plain.header("Etag")})
    assert (same.code, same.body) == (304, b"")
    fields = ",".join(f'"unknown{number}":1' for number in range(2000))
    warned = await wire.ask(f"POST {MAPS}?dryRun=All", f'{{"metadata":{{"name":"w"}},{fields}}}'.encode())
    assert (warned.code, 10 < len(warned.headers["warning"]) < 400) == (201, True)
    metrics = (await wire.ask("GET /metrics")).body.decode()
    assert 'apiserver_request_total{code="201"' in metrics


async def test_a_flood_keeps_no_node_from_renewing_its_lease(apiserver) -> None:
    wanted = [
        client_of(ADMIN),
        Wanted(FLOOD, FLOOD, ("floods",)),
        Wanted(NODE, "system:node:n1", ("system:nodes",)),
    ]
    ensure(apiserver.directory, wanted, datetime.now(UTC))
    admin = Wire(apiserver.port, tls_of(apiserver.directory, ADMIN.file))
    await _allowed(admin)
    ended, codes = asyncio.Event(), Counter[int]()
    told = list[Got]()

    async def flood(number: int) -> None:
        wire = Wire(apiserver.port, tls)
        body = b'{"metadata":{"generateName":"f-"},"data":{"k":"%b"}}' % (b"x" * 200)
        while not ended.is_set():
            got = await wire.ask(*((f"GET {MAPS}?limit=20",) if number % 4 else (f"POST {MAPS}", body)))
            codes[got.code] += 1
            if got.code == 429:
                told.append(got)
        wire.close()

    tls = tls_of(apiserver.directory, FLOOD)
    async with asyncio.TaskGroup() as tasks:
        for number in range(FLOODING):
            tasks.create_task(flood(number))
        await asyncio.sleep(0.5)
        renewed = await _renewals(Wire(apiserver.port, tls_of(apiserver.directory, NODE)))
        ended.set()
    assert renewed == Counter({200: RENEWALS})
    assert codes[200] and codes[201] and codes[429], codes
    assert codes.keys() <= {200, 201, 429}, codes
    assert all(int(got.header("Retry-After")) >= 1 and json.loads(got.body)["code"] == 429 for got in told)
    admin.close()


async def _allowed(admin: Wire) -> None:
    binding = {
        "metadata": {"name": "floods"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "Group", "name": "floods", "apiGroup": "rbac.authorization.k8s.io"}],
    }
    bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    assert (await admin.ask(f"POST {bindings}", json.dumps(binding).encode())).code == 201


async def _renewals(wire: Wire) -> Counter[int]:
    leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
    lease = {"metadata": {"name": "n1"}, "spec": {"holderIdentity": "n1", "leaseDurationSeconds": 40}}
    assert (await wire.ask(f"POST {leases}", json.dumps(lease).encode())).code == 201
    codes = Counter[int]()
    for number in range(RENEWALS):
        lease["spec"] = {**lease["spec"], "renewTime": f"2026-01-01T00:00:{number:02d}.000000Z"}
        codes[(await wire.ask(f"PUT {leases}/n1", json.dumps(lease).encode())).code] += 1
    wire.close()
    return codes
