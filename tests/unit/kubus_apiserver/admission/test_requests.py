"""The request of an AdmissionReview."""

from __future__ import annotations

from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.kinds.horizontalpodautoscalers import KIND as V2
from kubus.model.kinds.horizontalpodautoscalers_v1 import KIND as V1
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.pods import KIND as PODS
from kubus_apiserver.admission import Place, Proposal
from kubus_apiserver.admission.matching import objects_of
from kubus_apiserver.admission.requests import review_request
from kubus_apiserver.calls import User

OBJECT = {"metadata": {"name": "x", "namespace": "a"}}
USER = User("u", ("g",), "7", (("scopes", ("all",)),))


def test_it_names_who_what_and_where() -> None:
    request = review_request(Proposal(USER, "update", DEPLOYMENTS, "status", OBJECT, OBJECT, dry_run=True))
    assert request["userInfo"] == {"username": "u", "groups": ["g"], "uid": "7", "extra": {"scopes": ["all"]}}
    assert (request["namespace"], request["name"], request["subResource"]) == ("a", "x", "status")
    assert request["kind"] == request["requestKind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert request["options"] == {"kind": "UpdateOptions", "apiVersion": "meta.k8s.io/v1"}
    assert request["dryRun"] is True


def test_a_namespace_is_in_itself() -> None:
    request = review_request(Proposal(USER, "create", NAMESPACES, "", {"metadata": {"name": "n"}}, None))
    assert request["namespace"] == "n"
    assert "subResource" not in request


def test_a_deletion_has_an_old_object_only() -> None:
    assert objects_of(Proposal(USER, "delete", DEPLOYMENTS, "", OBJECT, OBJECT)) == (None, OBJECT)
    assert objects_of(Proposal(USER, "create", DEPLOYMENTS, "", OBJECT, None)) == (OBJECT, None)


def test_what_came_in_another_version_is_said_beside_what_is_asked() -> None:
    given = Proposal(USER, "create", V1, "", {**OBJECT, "kind": V1.name}, None, options={"fieldManager": "m"})
    request = review_request(given, V2)
    assert (request["kind"]["version"], request["resource"]["version"]) == ("v2", "v2")
    assert (request["requestKind"]["version"], request["requestResource"]["version"]) == ("v1", "v1")
    assert request["options"] == {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "m"}


def test_what_a_subresource_takes_is_named_as_what_it_is() -> None:
    options = {"apiVersion": "v1", "kind": "PodExecOptions", "command": ["ls"]}
    given = Proposal(USER, "connect", PODS, "exec", options, None, place=Place("a", "p"))
    request = review_request(given)
    assert request["kind"] == {"group": "", "version": "v1", "kind": "PodExecOptions"}
    assert (request["operation"], request["namespace"], request["name"]) == ("CONNECT", "a", "p")
    assert (request["resource"]["resource"], request["subResource"], request["options"]) == ("pods", "exec", None)
