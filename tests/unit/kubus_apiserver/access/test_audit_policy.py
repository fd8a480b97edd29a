"""Which rule a request falls under."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus_apiserver.access.audit_policy import BadPolicy, Deed, Measures, read_policy
from kubus_apiserver.calls import User

POLICY = b"""
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, users: ["system:kube-proxy"], verbs: [watch]}
- {level: None, userGroups: ["system:nodes"]}
- {level: None, nonResourceURLs: ["/healthz*", /version]}
- {level: Request, resources: [{group: "", resources: ["pods/*"]}]}
- {level: RequestResponse, resources: [{group: "", resources: [pods, "*/scale"]}], omitStages: [ResponseStarted]}
- {level: RequestResponse, namespaces: [kube-system]}
- {level: Metadata, resources: [{group: apps, resourceNames: [web]}], omitManagedFields: true}
- {level: RequestResponse, resources: [{group: "", resources: [secrets]}]}
- {level: RequestResponse, verbs: [create]}
"""
BOB = User("bob")


@pytest.mark.parametrize(
    ("deed", "level"),
    [
        (Deed(User("system:kube-proxy"), "watch", "", "v1", "services"), "None"),
        (Deed(User("n", ("system:nodes",)), "create", "", "v1", "pods"), "None"),
        (Deed(BOB, "get", path="/healthz/etcd"), "None"),
        (Deed(BOB, "get", path="/version"), "None"),
        (Deed(BOB, "get", path="/api"), "None"),
        (Deed(BOB, "get", "", "v1", "pods/log", "d", "p"), "Request"),
        (Deed(BOB, "get", "", "v1", "pods", "d", "p"), "RequestResponse"),
        (Deed(BOB, "get", "", "v1", "nodes/scale"), "RequestResponse"),
        (Deed(BOB, "get", "apps", "v1", "deployments", "d", "web"), "Metadata"),
        (Deed(BOB, "get", "apps", "v1", "deployments", "d", "other"), "None"),
        (Deed(BOB, "get", "apps", "v1", "deployments", "kube-system", "other"), "RequestResponse"),
        (Deed(BOB, "get", "", "v1", "secrets", "d", "s"), "Metadata"),
        (Deed(BOB, "get", "", "v1", "secrets", "kube-system", "s"), "Metadata"),
        (Deed(BOB, "create", "", "v1", "serviceaccounts/token", "d", "s"), "Metadata"),
        (Deed(BOB, "create", "authentication.k8s.io", "v1", "tokenreviews"), "Metadata"),
        (Deed(BOB, "create", "", "v1", "configmaps", "d"), "RequestResponse"),
    ],
)
def test_the_first_rule_that_matches_decides(deed: Deed, level: str) -> None:
    assert read_policy(POLICY).measure(deed).level == level


DEEDS = st.builds(
    Deed,
    st.sampled_from([BOB, User("system:kube-proxy"), User("n", ("system:nodes",))]),
    st.sampled_from(["get", "create", "watch"]),
    st.sampled_from(["", "apps"]),
    st.just("v1"),
    st.sampled_from(["", "pods", "pods/log", "deployments", "deployments/scale", "secrets"]),
    st.sampled_from(["", "d", "kube-system"]),
    st.sampled_from(["", "web", "other"]),
    st.sampled_from(["/version", "/healthz/x", "/" + "x" * 600]),
)


@given(st.lists(DEEDS, max_size=30))
@settings(max_examples=100)
def test_what_is_remembered_is_what_the_policy_says(deeds: list[Deed]) -> None:
    policy = read_policy(POLICY)
    measures = Measures(policy)
    for deed in deeds:
        assert measures.of(deed) == policy.measure(deed)


def test_stages_are_left_out_by_rule_and_by_policy() -> None:
    measure = read_policy(POLICY).measure(Deed(BOB, "get", "", "v1", "pods", "d", "p"))
    assert measure.omitted_stages == {"RequestReceived", "ResponseStarted"}
    assert read_policy(POLICY).measure(Deed(BOB, "get", "apps", "v1", "x", "d", "web")).omit_managed_fields


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"kind: Policy",
        b"[",
        b"{apiVersion: audit.k8s.io/v1, kind: Policy}",
        b"{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Everything}]}",
        b"{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, users: bob}]}",
        b"{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, omitStages: [Never]}]}",
        b"{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, namespaces: [a], nonResourceURLs: [/b]}]}",
        b"{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, resources: [pods]}]}",
    ],
)
def test_a_policy_that_cannot_be_followed_is_refused(text: bytes) -> None:
    with pytest.raises(BadPolicy):
        read_policy(text)


def test_the_policy_that_clusters_begin_with_can_be_read() -> None:
    from kubus.model.yaml_writing import write_yaml
    from kubus_cli.audit_policy import POLICY as FIRST

    policy = read_policy(write_yaml(FIRST))
    assert policy.measure(Deed(BOB, "create", "", "v1", "pods", "d")).level == "Metadata"
    assert policy.measure(Deed(BOB, "get", "", "v1", "secrets", "d", "s")).level == "Metadata"
    assert policy.measure(Deed(BOB, "list", "", "v1", "pods", "d")).level == "None"
    assert policy.measure(Deed(User("system:kube-scheduler"), "create", "", "v1", "pods/binding")).level == "None"
