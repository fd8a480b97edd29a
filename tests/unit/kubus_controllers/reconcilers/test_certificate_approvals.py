"""Which certificate requests are approved without a human."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kubus_controllers.reconcilers.test_certificates import NODE, pem, request

from kubus.model.kinds.certificatesigningrequests import KIND as REQUESTS
from kubus.model.objects import Object
from kubus.testing.world import World
from kubus_controllers.reconcilers.certificate_approvals import CONTROLLER
from kubus_controllers.reconcilers.certificates import CLIENT, KUBELET_CLIENT

OF_NODE = pem(NODE, "system:nodes")


def asked(text: str = OF_NODE, signer: str = KUBELET_CLIENT, user: str = "bootstrapper", **fields: Any) -> Object:
    obj = request(text, signer, "client auth", "digital signature", verdict="")
    obj["spec"] |= {"username": user, "groups": ["system:bootstrappers"], **fields}
    return obj


def reviews_and_verdict(obj: Object, *, allowed: bool = True) -> tuple[list[Object], list[Object]]:
    world, reviews = World((REQUESTS, obj)), list[Object]()

    def answer(review: Object) -> bool:
        reviews.append(review)
        return allowed

    world.allows = answer
    world.reconcile(CONTROLLER)
    return reviews, world.list(REQUESTS)[0]["status"]["conditions"]


@pytest.mark.parametrize(
    ("user", "subresource", "message"),
    [
        ("bootstrapper", "nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview."),
        (NODE, "selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview."),
    ],
)
def test_who_may_ask_for_a_kubelets_certificate_is_asked_of_the_api(user: str, subresource: str, message: str) -> None:
    reviews, conditions = reviews_and_verdict(asked(user=user, uid="u", extra={"a": ["b"]}))
    assert reviews == [
        {
            "user": user,
            "groups": ["system:bootstrappers"],
            "uid": "u",
            "extra": {"a": ["b"]},
            "resourceAttributes": {
                "group": "certificates.k8s.io",
                "resource": "certificatesigningrequests",
                "subresource": subresource,
                "verb": "create",
                "version": "*",
            },
        }
    ]
    assert conditions == [{"type": "Approved", "status": "True", "reason": "AutoApproved", "message": message}]


def test_who_may_not_waits() -> None:
    reviews, conditions = reviews_and_verdict(asked(), allowed=False)
    assert len(reviews) == 1
    assert conditions == []


@pytest.mark.parametrize(
    "obj",
    [
        asked(signer=CLIENT),
        asked(pem("alice", "dev")),
        asked(pem(NODE, "system:nodes", "n1")),
        asked("bm8="),
        asked("not base64"),
        asked(usages=["server auth"]),
    ],
)
def test_nothing_else_is_approved_or_even_asked_about(obj: Object) -> None:
    assert reviews_and_verdict(obj) == ([], [])


@pytest.mark.parametrize("verdict", ["Approved", "Denied", "Failed"])
def test_what_is_decided_stays_decided(verdict: str) -> None:
    obj = asked()
    obj["status"]["conditions"] = [{"type": verdict, "status": "True"}]
    assert reviews_and_verdict(obj) == ([], obj["status"]["conditions"])
