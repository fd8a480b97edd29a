"""[sig-auth]: ServiceAccounts and their tokens, reviews, certificate requests, and who one is by each credential."""

from __future__ import annotations

import json
import ssl
import time
import uuid
from base64 import b64encode, urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.e2e.cluster.conftest import Cluster, eventually
from tests.e2e.conformance.conftest import Api, Object

pytestmark = pytest.mark.e2e
CSRS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
REVIEWS = "/apis/authorization.k8s.io/v1"
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
NOWHERE = {"containers": [{"name": "c", "image": "example.invalid/none:1"}], "nodeSelector": {"no-such-node": "true"}}


def account(api: Api, namespace: str, name: str, **fields: object) -> str:
    """Make a ServiceAccount; its path."""
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    api.create(path, {"metadata": {"name": name}, **fields})
    return f"{path}/{name}"


def token_for(api: Api, path: str, **spec: object) -> str:
    return str(api.create(f"{path}/token", {"spec": spec})["status"]["token"])


def as_bearer(two_nodes: Cluster, token: str) -> Api:
    return Api(two_nodes, certificate="", headers={"Authorization": f"Bearer {token}"})


def claims_of(token: str) -> Object:
    part = token.split(".")[1]
    found: Object = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


# ---- ServiceAccounts


def test_the_root_authority_is_in_every_namespace_and_stays(api: Api, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps/kube-root-ca.crt"

    def authority() -> str:
        answer = api.call("GET", path)
        return str(answer.object["data"].get("ca.crt", "")) if answer.code == 200 else ""

    first = eventually(authority, what="the ConfigMap")
    assert "BEGIN CERTIFICATE" in first
    uid = api.get(path)["metadata"]["uid"]
    api.ok("DELETE", path)
    eventually(lambda: authority() == first and api.get(path)["metadata"]["uid"] != uid, what="a new one")
    api.patch(path, {"data": {"ca.crt": "", "other": "x"}})
    eventually(lambda: api.get(path)["data"] == {"ca.crt": first}, what="its repair")


@pytest.mark.parametrize("of_account", [None, True, False])
@pytest.mark.parametrize("of_pod", [None, True, False])
def test_the_token_is_mounted_unless_pod_or_account_says_no(
    api: Api, namespace: str, of_account: bool | None, of_pod: bool | None
) -> None:
    said = {} if of_account is None else {"automountServiceAccountToken": of_account}
    account(api, namespace, "a", **said)
    spec = {**NOWHERE, "serviceAccountName": "a"} | ({} if of_pod is None else {"automountServiceAccountToken": of_pod})
    pod = api.create(f"/api/v1/namespaces/{namespace}/pods", {"metadata": {"name": "p"}, "spec": spec})
    mounts = pod["spec"]["containers"][0].get("volumeMounts") or []
    assert (MOUNT in [each["mountPath"] for each in mounts]) is (
        of_pod if of_pod is not None else of_account is not False
    )
    if mounts:
        (volume,) = pod["spec"]["volumes"]
        token, authority, where = volume["projected"]["sources"]
        assert token == {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}
        assert authority["configMap"]["name"] == "kube-root-ca.crt"
        assert where["downwardAPI"]["items"][0]["fieldRef"]["fieldPath"] == "metadata.namespace"


def test_an_account_is_listed_everywhere_patched_updated_and_deleted_by_label(api: Api, namespace: str) -> None:
    path, mine = account(api, namespace, "a"), {"labelSelector": f"of={namespace}"}
    api.patch(path, {"metadata": {"labels": {"of": namespace}}, "automountServiceAccountToken": False})
    (found,) = api.get("/api/v1/serviceaccounts", **mine)["items"]
    assert found["automountServiceAccountToken"] is False
    found["automountServiceAccountToken"] = True
    assert api.ok("PUT", path, found)["automountServiceAccountToken"] is True
    api.ok("DELETE", path.rpartition("/")[0], **mine)
    assert api.call("GET", path).code == 404


def test_the_issuer_is_discovered_and_its_keys_verify_tokens(api: Api, namespace: str, two_nodes: Cluster) -> None:
    token = token_for(api, account(api, namespace, "a"))
    document = as_bearer(two_nodes, token).get("/.well-known/openid-configuration")
    assert document["issuer"] == claims_of(token)["iss"]
    assert document["jwks_uri"].endswith("/openid/v1/jwks")
    assert document["response_types_supported"] == ["id_token"] and document["subject_types_supported"] == ["public"]
    keys = as_bearer(two_nodes, token).get("/openid/v1/jwks")["keys"]
    header = json.loads(urlsafe_b64decode(token.split(".")[0] + "=="))
    (key,) = [each for each in keys if each["kid"] == header["kid"]]
    assert (key["alg"], key["use"]) == (header["alg"], "sig")
    assert header["alg"] in document["id_token_signing_alg_values_supported"]


# ---- tokens


@pytest.mark.parametrize("kind", ["Pod", "Secret", "Node"])
def test_a_token_dies_with_what_it_is_bound_to(api: Api, namespace: str, two_nodes: Cluster, kind: str) -> None:
    path = account(api, namespace, "a")
    within = f"/api/v1/namespaces/{namespace}"
    name = f"b-{uuid.uuid4().hex[:8]}"
    where = {"Pod": f"{within}/pods", "Secret": f"{within}/secrets", "Node": "/api/v1/nodes"}[kind]
    body: Object = {"metadata": {"name": name}}
    if kind == "Pod":
        body["spec"] = {**NOWHERE, "serviceAccountName": "a"}
    made = api.create(where, body)
    reference = {"kind": kind, "apiVersion": "v1", "name": name, "uid": made["metadata"]["uid"]}
    token = token_for(api, path, boundObjectRef=reference)
    assert claims_of(token)["kubernetes.io"][kind.lower()] == {"name": name, "uid": made["metadata"]["uid"]}
    bearer = as_bearer(two_nodes, token)
    extra = bearer.create(WHO, {})["status"]["userInfo"]["extra"]
    assert extra["authentication.kubernetes.io/credential-id"] == [f"JTI={claims_of(token)['jti']}"]
    if kind != "Secret":
        assert extra[f"authentication.kubernetes.io/{kind.lower()}-name"] == [name]
        assert extra[f"authentication.kubernetes.io/{kind.lower()}-uid"] == [made["metadata"]["uid"]]
    stale = {**reference, "uid": str(uuid.uuid4())}
    assert "does not match the UID in record" in api.refused(
        409, "POST", f"{path}/token", {"spec": {"boundObjectRef": stale}}
    )
    api.ok("DELETE", f"{where}/{name}")
    eventually(lambda: bearer.call("POST", WHO, {}).code == 401, what="the token's end")
    assert bearer.refused(401, "GET", within) == "Unauthorized"


def test_a_pod_token_names_the_pods_node(api: Api, namespace: str, two_nodes: Cluster) -> None:
    path = account(api, namespace, "a")
    spec = {"containers": NOWHERE["containers"], "serviceAccountName": "a", "nodeName": "node-1"}
    api.create(f"/api/v1/namespaces/{namespace}/pods", {"metadata": {"name": "p"}, "spec": spec})
    token = token_for(api, path, boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "p"})
    extra = as_bearer(two_nodes, token).create(WHO, {})["status"]["userInfo"]["extra"]
    node = api.get("/api/v1/nodes/node-1")["metadata"]
    assert extra["authentication.kubernetes.io/node-name"] == ["node-1"]
    assert extra["authentication.kubernetes.io/node-uid"] == [node["uid"]]
    api.ok("DELETE", f"/api/v1/namespaces/{namespace}/pods/p", {"gracePeriodSeconds": 0})


def test_audiences_and_lifetimes_of_tokens(api: Api, namespace: str, two_nodes: Cluster) -> None:
    path = account(api, namespace, "a")
    other = token_for(api, path, audiences=["vault"], expirationSeconds=7200)
    claims = claims_of(other)
    assert claims["aud"] == ["vault"] and claims["exp"] - claims["iat"] == 7200
    assert as_bearer(two_nodes, other).call("POST", WHO, {}).code == 401
    too_short = api.refused(422, "POST", f"{path}/token", {"spec": {"expirationSeconds": 60}})
    assert "may not specify a duration less than 10 minutes" in too_short

    def reviewed(*audiences: str) -> Object:
        spec: Object = {"token": other} | ({"audiences": list(audiences)} if audiences else {})
        found: Object = api.create("/apis/authentication.k8s.io/v1/tokenreviews", {"spec": spec})["status"]
        return found

    good = reviewed("vault", "else")
    assert good["authenticated"] is True and good["audiences"] == ["vault"]
    assert good["user"]["username"] == f"system:serviceaccount:{namespace}:a"
    for wrong in (reviewed("else"), reviewed()):
        assert not wrong.get("authenticated") and wrong["error"]


def test_a_token_travels_in_a_websockets_subprotocol(api: Api, namespace: str, two_nodes: Cluster) -> None:
    token = token_for(api, account(api, namespace, "a"))
    offered = f"base64url.bearer.authorization.k8s.io.{b64encode(token.encode(), altchars=b'-_').decode().rstrip('=')}"
    browser = Api(two_nodes, certificate="", headers={"Sec-WebSocket-Protocol": f"{offered}, v4.channel.k8s.io"})
    assert browser.create(WHO, {})["status"]["userInfo"]["username"] == f"system:serviceaccount:{namespace}:a"
    broken = Api(two_nodes, certificate="", headers={"Sec-WebSocket-Protocol": f"{offered}x, v4.channel.k8s.io"})
    assert broken.call("POST", WHO, {}).code == 401


def test_nobody_in_particular_sees_health_and_version_only(api: Api, two_nodes: Cluster) -> None:
    nobody = Api(two_nodes, certificate="")
    for path in ("/healthz", "/livez", "/readyz", "/version"):
        assert nobody.call("GET", path).code == 200, path
    for path in ("/", "/api", "/apis", "/openapi/v2", "/openapi/v3", "/metrics", "/healthz/etcd", "/openid/v1/jwks"):
        refusal = nobody.refused(403, "GET", path)
        assert refusal == f'forbidden: User "system:anonymous" cannot get path "{path}"', refusal
    refused = nobody.refused(403, "POST", WHO, {})
    assert 'User "system:anonymous" cannot create resource "selfsubjectreviews"' in refused
    assert Api(two_nodes, certificate="", headers={"Authorization": "Bearer wrong"}).call("GET", "/version").code == 401


def certificate(two_nodes: Cluster, directory: Path, *, authority: bool, days: tuple[int, int]) -> ssl.SSLContext:
    """TLS of a client whose certificate the cluster's authority signed, or another; good for these days."""
    key = ec.generate_private_key(ec.SECP256R1())
    pki = two_nodes.home / "pki"
    trusted = x509.load_pem_x509_certificate((pki / "ca.crt").read_bytes())
    signer = serialization.load_pem_private_key((pki / "ca.key").read_bytes(), None) if authority else key
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "eve")]))
        .issuer_name(trusted.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    file = directory / "client.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize(
    ("authority", "days", "good"), [(True, (-1, 1), True), (False, (-1, 1), False), (True, (-2, -1), False)]
)
def test_a_certificate_of_another_authority_or_time_is_no_way_in(
    api: Api, two_nodes: Cluster, tmp_path: Path, authority: bool, days: tuple[int, int], good: bool
) -> None:
    """It ends in the handshake, where Kubernetes answers 401 after it."""
    stranger = api.alike()
    stranger.tls = certificate(two_nodes, tmp_path, authority=authority, days=days)
    if good:
        info = stranger.create(WHO, {})["status"]["userInfo"]
        assert info["username"] == "eve"
        assert info["extra"]["authentication.kubernetes.io/credential-id"][0].startswith("X509SHA256=")
        return
    with pytest.raises((ssl.SSLError, ConnectionError)):
        stranger.call("POST", WHO, {})


# ---- impersonation


def test_parts_of_an_identity_are_taken_on_one_by_one(api: Api, namespace: str) -> None:
    other = api.alike(
        Impersonate_User="jane",
        Impersonate_Group="dev",
        Impersonate_Uid="u-1",
        **{"Impersonate-Extra-Example.com%2fScopes": "view"},
    )
    assert other.create(WHO, {})["status"]["userInfo"] == {
        "username": "jane",
        "uid": "u-1",
        "groups": ["dev", "system:authenticated"],
        "extra": {"example.com/scopes": ["view"]},
    }


def test_who_may_impersonate_a_user_may_not_impersonate_more(api: Api, namespace: str, two_nodes: Cluster) -> None:
    path, name, rbac = account(api, namespace, "a"), f"c-{uuid.uuid4().hex[:8]}", "/apis/rbac.authorization.k8s.io/v1"
    rules = [{"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"], "resourceNames": ["jane"]}]
    api.create(f"{rbac}/clusterroles", {"metadata": {"name": name}, "rules": rules})
    subject = {"kind": "ServiceAccount", "name": "a", "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    api.create(f"{rbac}/clusterrolebindings", {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]})
    bearer = as_bearer(two_nodes, token_for(api, path))
    jane = bearer.alike(Impersonate_User="jane")
    eventually(lambda: jane.call("POST", WHO, {}).code == 201, what="the right to be jane")
    for headers, what in (
        ({"Impersonate_User": "john"}, 'cannot impersonate resource "users" in API group "" at the cluster scope'),
        (
            {"Impersonate_User": "jane", "Impersonate_Group": "g"},
            'cannot impersonate resource "groups" in API group ""',
        ),
        (
            {"Impersonate_User": "jane", "Impersonate_Uid": "1"},
            'cannot impersonate resource "uids" in API group "authentication.k8s.io" at the cluster scope',
        ),
        (
            {"Impersonate_User": "jane", "Impersonate_Extra_x": "1"},
            'cannot impersonate resource "userextras/x" in API group "authentication.k8s.io" at the cluster scope',
        ),
        (
            {"Impersonate_User": f"system:serviceaccount:{namespace}:b"},
            f'cannot impersonate resource "serviceaccounts" in API group "" in the namespace "{namespace}"',
        ),
    ):
        assert what in bearer.alike(**headers).refused(403, "POST", WHO, {})
    for kind in ("clusterroles", "clusterrolebindings"):
        api.ok("DELETE", f"{rbac}/{kind}/{name}")


def test_an_impersonated_account_has_the_groups_of_accounts(api: Api) -> None:
    other = api.alike(Impersonate_User="system:serviceaccount:kube-system:default")
    assert other.create(WHO, {})["status"]["userInfo"]["groups"] == [
        "system:serviceaccounts",
        "system:serviceaccounts:kube-system",
        "system:authenticated",
    ]
    assert api.alike(Impersonate_User="system:anonymous").call("GET", "/version").code == 200
    assert api.alike(Impersonate_User="system:anonymous").call("POST", WHO, {}).code == 403


# ---- reviews


def test_reviews_say_what_the_account_then_may(api: Api, namespace: str) -> None:
    path = account(api, namespace, "a")
    uid = api.get(path)["metadata"]["uid"]
    me = f"system:serviceaccount:{namespace}:a"
    pods = f"/api/v1/namespaces/{namespace}/pods"
    asked = {"verb": "list", "resource": "pods", "namespace": namespace, "version": "v1"}
    subject = {"user": me, "uid": uid, "resourceAttributes": asked}
    local = f"{REVIEWS}/namespaces/{namespace}/localsubjectaccessreviews"
    for expected, code in ((False, 403), (True, 200)):
        assert api.create(f"{REVIEWS}/subjectaccessreviews", {"spec": subject})["status"]["allowed"] is expected
        review = {"metadata": {"namespace": namespace}, "spec": subject}
        assert api.create(local, review)["status"]["allowed"] is expected
        assert api.alike(Impersonate_User=me).call("GET", pods).code == code
        if not expected:
            grant = {
                "metadata": {"name": "g"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
                "subjects": [{"kind": "ServiceAccount", "name": "a", "namespace": namespace}],
            }
            api.create(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings", grant)
            eventually(lambda: api.alike(Impersonate_User=me).call("GET", pods).code == 200)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "spec.resourceAttributes: Invalid value: null: exactly one of"),
        ({"user": "x"}, "exactly one of nonResourceAttributes or resourceAttributes must be specified"),
        ({"resourceAttributes": {"verb": "get"}}, "at least one of user or group must be specified"),
        (
            {"user": "x", "resourceAttributes": {"verb": "get"}, "nonResourceAttributes": {"path": "/x"}},
            "cannot be specified in combination with resourceAttributes",
        ),
        (
            {"user": "x", "resourceAttributes": {"verb": "list", "fieldSelector": {}}},
            "spec.resourceAttributes.fieldSelector.requirements: Required value",
        ),
        (
            {
                "user": "x",
                "resourceAttributes": {
                    "verb": "list",
                    "labelSelector": {"rawSelector": "a=b", "requirements": [{"key": "a", "operator": "Exists"}]},
                },
            },
            "may not specified at the same time as requirements",
        ),
    ],
)
def test_reviews_that_make_no_sense_are_refused(api: Api, spec: Object, message: str) -> None:
    assert message in api.refused(422, "POST", f"{REVIEWS}/subjectaccessreviews", {"spec": spec})


# ---- certificate requests


def request_for(name: str, *, organizations: tuple[str, ...] = (), dns: tuple[str, ...] = ()) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in organizations]
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([*subject, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    )
    if dns:
        names = x509.SubjectAlternativeName([x509.DNSName(each) for each in dns])
        builder = builder.add_extension(names, critical=False)
    signed = builder.sign(key, hashes.SHA256())
    return b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()


def asked(name: str, text: str, signer: str, usages: list[str], **spec: object) -> Object:
    spec = {"request": text, "signerName": signer, "usages": usages, **spec}
    return {"metadata": {"name": name, "labels": {"e2e": name}}, "spec": spec}


def test_certificate_requests_through_their_api(api: Api) -> None:
    name = f"c-{uuid.uuid4().hex[:8]}"
    one, mine = f"{CSRS}/{name}", {"labelSelector": f"e2e={name}"}
    made = api.create(CSRS, asked(name, request_for("e2e"), "example.com/e2e", ["client auth"]))
    assert made["spec"]["username"] == "kubernetes-admin"
    with api.watch(CSRS, resourceVersion=made["metadata"]["resourceVersion"], **mine) as events:
        api.patch(one, {"metadata": {"annotations": {"patched": "1"}}})
        found = api.get(one)
        found["metadata"]["annotations"]["updated"] = "1"
        api.ok("PUT", one, found)
        assert events.next("MODIFIED")["metadata"]["annotations"] == {"patched": "1"}
        assert set(events.next("MODIFIED")["metadata"]["annotations"]) == {"patched", "updated"}
        found = api.get(f"{one}/approval")
        found["status"] = {"conditions": [{"type": "Approved", "status": "True", "reason": "E2E", "message": "ok"}]}
        assert api.ok("PUT", f"{one}/approval", found)["status"]["conditions"][0]["type"] == "Approved"
        found["status"]["conditions"][0]["message"] = "patched"
        assert (
            api.patch(f"{one}/approval", {"status": found["status"]})["status"]["conditions"][0]["message"] == "patched"
        )
        found = api.get(f"{one}/status")
        found["status"]["certificate"] = b64encode(b"no certificate").decode()
        assert api.call("PUT", f"{one}/status", found).code in (200, 422)
    api.ok("DELETE", one)
    api.create(CSRS, asked(f"{name}-2", request_for("e2e"), "example.com/e2e", ["client auth"]))
    assert len(api.get(CSRS, **mine)["items"]) == 0
    api.ok("DELETE", f"{CSRS}/{name}-2")


CLIENT, KUBELET, SERVING = (
    f"kubernetes.io/{each}" for each in ("kube-apiserver-client", "kube-apiserver-client-kubelet", "kubelet-serving")
)
NODES = ("system:nodes",)


@pytest.mark.parametrize(
    ("signer", "name", "organizations", "dns", "usages", "good"),
    [
        (CLIENT, "jane", ("dev",), (), ["client auth"], True),
        (CLIENT, "jane", (), ("jane.example.com",), ["digital signature", "key encipherment", "client auth"], True),
        (CLIENT, "jane", (), (), ["server auth"], False),
        (CLIENT, "jane", (), (), ["client auth", "server auth"], False),
        (KUBELET, "system:node:n", NODES, (), ["digital signature", "client auth"], True),
        (KUBELET, "system:node:n", NODES, ("n",), ["digital signature", "client auth"], False),
        (KUBELET, "n", NODES, (), ["digital signature", "client auth"], False),
        (KUBELET, "system:node:n", ("others",), (), ["digital signature", "client auth"], False),
        (SERVING, "system:node:n", NODES, (), ["digital signature", "server auth"], False),
        (SERVING, "system:node:n", NODES, ("n",), ["digital signature", "client auth"], False),
        ("kubernetes.io/legacy-unknown", "x", (), (), ["client auth"], None),
        ("example.com/mine", "x", (), (), ["client auth"], None),
    ],
)
def test_each_signer_signs_what_it_is_for(
    api: Api,
    signer: str,
    name: str,
    organizations: tuple[str, ...],
    dns: tuple[str, ...],
    usages: list[str],
    good: bool | None,
) -> None:
    request = f"c-{uuid.uuid4().hex[:8]}"
    text = request_for(name, organizations=organizations, dns=dns)
    api.create(CSRS, asked(request, text, signer, usages, expirationSeconds=3600))
    conditions = [{"type": "Approved", "status": "True", "reason": "E2E"}]
    api.patch(f"{CSRS}/{request}/approval", {"status": {"conditions": conditions}})

    def status() -> Object:
        found: Object = api.get(f"{CSRS}/{request}")["status"]
        return found

    if good is None:
        time.sleep(0.3)
        assert "certificate" not in status() and len(status()["conditions"]) == 1
    else:
        ended = eventually(status, expected=lambda each: "certificate" in each or len(each["conditions"]) == 2)
        assert ("certificate" in ended) is good, ended
        if good:
            _as_asked(ended["certificate"], usages, dns)
        else:
            assert ended["conditions"][1]["reason"] == "SignerValidationFailure"
    api.ok("DELETE", f"{CSRS}/{request}")


def _as_asked(text: str, usages: list[str], dns: tuple[str, ...]) -> None:
    certificate = x509.load_pem_x509_certificate(urlsafe_b64decode(text.replace("+", "-").replace("/", "_")))
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert 3600 <= lifetime.total_seconds() <= 3600 + 600
    extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(extended) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    if "key encipherment" in usages:
        plain = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        assert plain.key_encipherment and plain.digital_signature
    if dns:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert tuple(names.get_values_for_type(x509.DNSName)) == dns


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"usages": []}, "spec.usages: Required value"),
        ({"usages": ["nothing"]}, 'spec.usages[0]: Unsupported value: "nothing"'),
        ({"usages": ["client auth", "client auth"]}, 'spec.usages[1]: Duplicate value: "client auth"'),
        ({"request": ""}, "spec.request"),
        ({"request": "bm9uZQ=="}, "spec.request: Invalid value"),
        ({"signerName": ""}, "spec.signerName: Required value"),
        ({"signerName": "nodomain"}, "spec.signerName: Invalid value"),
        ({"expirationSeconds": 599}, "may not specify a duration less than 600 seconds (10 minutes)"),
    ],
)
def test_malformed_certificate_requests_are_refused(api: Api, change: Object, message: str) -> None:
    body = asked("refused", request_for("x"), "example.com/x", ["client auth"])
    body["spec"] |= change
    assert message in api.refused(422, "POST", CSRS, body)
