"""The request of an AdmissionReview."""

from __future__ import annotations

from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.requests import objects_of, review_request
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
