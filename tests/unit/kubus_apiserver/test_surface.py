"""Odds and ends of the API that clients rely on: health, older paths and resources, forms of answers, warnings."""

from __future__ import annotations

import pytest

from kubus_apiserver.componentstatuses import COLLECTION
from kubus_apiserver.doors.health import fine, health

ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles"
MAPS = "/api/v1/namespaces/default/configmaps"


async def _broken() -> str:
    return "gone"


@pytest.mark.parametrize(
    ("path", "query", "code", "text"),
    [
        ("/readyz", {}, 500, "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n"),
        ("/readyz", {"exclude": ["etcd"]}, 200, "ok"),
        (
            "/livez",
            {"verbose": [""], "exclude": ["ping", "x"]},
            200,
            "[+]ping excluded: ok\n"
            'warn: some health checks cannot be excluded: no matches for "x"\n'
            "livez check passed\n",
        ),
        ("/readyz/ping", {}, 200, "ok"),
        ("/livez", {"verbose": [""]}, 200, "[+]ping ok\nlivez check passed\n"),
    ],
)
async def test_health_says_which_check_fails(path, query, code, text):
    answer = await health({"ping": fine, "etcd": _broken}, path, query)
    assert (answer.code, answer.body.decode()) == (code, text)


async def test_an_update_creates_where_kubernetes_has_it_so(api):
    role = {"metadata": {"name": "reader"}, "rules": []}
    reply = await api("PUT", f"{ROLES}/reader", role)
    assert (reply.code, reply.body["metadata"]["name"]) == (201, "reader")
    assert (await api("PUT", f"{ROLES}/reader", role)).code == 200
    assert (await api("PUT", f"{MAPS}/none", {"metadata": {"name": "none"}})).code == 404
    renamed = {"metadata": {"name": "other"}, "rules": []}
    assert (await api("PUT", f"{ROLES}/new", renamed)).code == 400


async def test_nothing_is_written_for_who_takes_no_answer(api):
    reply = await api("POST", MAPS, {"metadata": {"name": "m"}}, accept="text/html")
    assert reply.code == 406
    assert (await api("GET", f"{MAPS}/m")).code == 404


async def test_yaml_is_yaml(api):
    reply = await api("GET", "/api/v1/namespaces/default", accept="application/yaml")
    assert reply.body.startswith(b"apiVersion: v1\nkind: Namespace\nmetadata:\n")
    reply = await api("GET", "/api/v1/namespaces", accept="application/yaml")
    assert b"\nitems:\n- apiVersion: v1\n" in reply.body


async def test_a_field_named_twice_is_told_or_refused(api):
    body = b'{"metadata": {"name": "m"}, "data": {"a": "1", "a": "2"}, "bogus": 1}'
    reply = await api("POST", f"{MAPS}?dryRun=All", body)
    assert set(reply.answer.warnings) == {'duplicate field "data.a"', 'unknown field "bogus"'}
    reply = await api("POST", f"{MAPS}?fieldValidation=Strict", body)
    assert reply.code == 400
    assert 'strict decoding error: duplicate field "data.a", unknown field "bogus"' in reply.message
    assert (await api("POST", f"{MAPS}?fieldValidation=Ignore", body)).answer.warnings == ()


async def test_components_are_found_out(api):
    assert COLLECTION in api.core.registry
    found = await api.ok("GET", "/api/v1/componentstatuses")
    healthy = {each["metadata"]["name"]: each["conditions"][0]["status"] for each in found["items"]}
    assert healthy == {"controller-manager": "False", "etcd-0": "True", "scheduler": "False"}
    assert (await api("GET", "/api/v1/componentstatuses/etcd-0")).code == 200
    assert (await api("GET", "/api/v1/componentstatuses/nothing")).code == 404


async def test_bindings_are_a_resource_too(api):
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    await api.ok("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
    await api.ok("POST", "/api/v1/namespaces/default/pods", pod)
    binding = {"metadata": {"name": "p"}, "target": {"name": "n1"}}
    reply = await api("POST", "/api/v1/namespaces/default/bindings", binding)
    assert (reply.code, reply.body["status"]) == (201, "Success")
    assert (await api.ok("GET", "/api/v1/namespaces/default/pods/p"))["spec"]["nodeName"] == "n1"


async def test_metadata_alone_wherever_it_is_asked_for(api):
    accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    made = await api.ok("POST", MAPS, {"metadata": {"name": "m", "finalizers": ["a/b"]}}, accept=accept)
    patched = await api.ok(
        "PATCH", f"{MAPS}/m", {"data": {"a": "b"}}, accept=accept, content_type="application/merge-patch+json"
    )
    deleted = await api.ok("DELETE", f"{MAPS}/m", accept=accept)
    for each in (made, patched, deleted):
        assert (each["kind"], each["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
    listed = await api.ok("DELETE", MAPS, accept=accept.replace("Metadata;", "MetadataList;"))
    assert listed["kind"] == "PartialObjectMetadataList"


async def test_the_older_path_watches(api):
    for path in ("/api/v1/watch/namespaces", "/api/v1/watch/namespaces/default"):
        answer = await api.raw("GET", path)
        assert answer.start.options.watch
    names = {each.name for each in (await api.raw("GET", "/api/v1/watch/namespaces/default")).start.initial}
    assert names == {"default"}
