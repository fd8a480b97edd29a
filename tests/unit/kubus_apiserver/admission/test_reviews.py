"""What a webhook may answer, and what is made of it."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from kubus.model.codec import to_json
from kubus.model.errors import StatusError
from kubus.model.kinds.configmaps import KIND as CONFIGMAPS
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.reviews import denied, patched, response_of
from kubus_apiserver.calls import User
from kubus_apiserver.webhookcalls import WebhookFailed

PATCH = b64encode(to_json([{"op": "add", "path": "/data", "value": {"a": "1"}}])).decode()


def answer(version: str = "v1", kind: str = "AdmissionReview", **response: Any) -> dict[str, Any]:
    return {"apiVersion": f"admission.k8s.io/{version}", "kind": kind, "response": {"uid": "1", **response}}


def proposal(verb: str = "create") -> Proposal:
    obj = {"metadata": {"name": "m", "namespace": "a"}}
    return Proposal(User("u"), verb, CONFIGMAPS, "", obj, obj if verb == "delete" else None)


@pytest.mark.parametrize(
    ("given", "mutating", "words"),
    [
        (answer(kind="Status"), True, "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got"),
        (answer("v1beta1"), True, "got admission.k8s.io/v1beta1, Kind=AdmissionReview"),
        ({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}, True, "webhook response was absent"),
        (answer(uid="2"), True, 'expected response.uid="1", got "2"'),
        (answer(patch=PATCH), True, "webhook returned response.patch but not response.patchType"),
        (answer(patchType="JSONPatch"), True, "webhook returned response.patchType but not response.patch"),
        (answer(patch=PATCH, patchType=""), True, 'webhook returned invalid response.patchType of ""'),
        (answer(patch=PATCH, patchType="Merge"), True, 'unsupported patch type "Merge"'),
        (answer(patch=[]), False, None),
        (answer(patch=[1]), True, "response.patch is no text"),
        (answer(patch=PATCH), False, "validating webhook may not return response.patch"),
        (answer(patchType="JSONPatch"), False, "validating webhook may not return response.patchType"),
        (answer(warnings="no list", auditAnnotations=["no map"], status="no object"), True, None),
    ],
)
def test_an_answer_has_a_form(given: dict[str, Any], mutating: bool, words: str | None) -> None:
    if words is None:
        response = response_of(given, "v1", "1", mutating=mutating)
        assert (response.warnings, response.annotations, response.status, response.patch) == ((), {}, {}, "")
        return
    with pytest.raises(WebhookFailed) as failed:
        response_of(given, "v1", "1", mutating=mutating)
    assert words in str(failed.value)


def test_an_answer_of_the_first_version_need_not_say_what_kind_of_patch_it_is() -> None:
    given = answer("v1beta1", uid="", patch=PATCH, allowed=True)
    response = response_of(given, "v1beta1", "1", mutating=True)
    assert (response.allowed, response.patch_type) == (True, "JSONPatch")
    assert response_of(given, "v1beta1", "1", mutating=False).patch == ""


def test_a_patch_makes_another_object() -> None:
    given = proposal()
    response = response_of(answer(patch=PATCH, patchType="JSONPatch", allowed=True), "v1", "1", mutating=True)
    assert patched("h", response, given) == {**given.object, "data": {"a": "1"}}
    assert "data" not in given.object


@pytest.mark.parametrize(
    ("patch", "verb", "words"),
    [
        (b"[", "create", "cannot be read"),
        (b'[{"op":"remove","path":"/nothing"}]', "create", "Internal error occurred: the server rejected our request"),
        (b'{"op":"add"}', "create", "Internal error occurred"),
        (
            b'[{"op":"add","path":"/data","value":{}}]',
            "delete",
            'admission webhook "h" attempted to modify the object, which is not supported for this operation',
        ),
    ],
)
def test_a_patch_that_does_not_apply_is_the_webhooks_fault(patch: bytes, verb: str, words: str) -> None:
    given = answer(patch=b64encode(patch).decode(), patchType="JSONPatch", allowed=True)
    with pytest.raises(StatusError, match=words) as refused:
        patched("h", response_of(given, "v1", "1", mutating=True), proposal(verb))
    assert refused.value.code == 500


@pytest.mark.parametrize(
    ("status", "code", "reason", "message"),
    [
        ({}, 400, "", "without explanation"),
        ({"message": "no"}, 400, "", ": no"),
        ({"reason": "Forbidden", "code": 403}, 403, "Forbidden", ": Forbidden"),
        ({"message": "no", "reason": "Odd", "code": 200}, 400, "Odd", ": no"),
        ({"message": "no", "code": 418}, 418, "", ": no"),
    ],
)
def test_a_refusal_in_its_own_words(status: dict[str, Any], code: int, reason: str, message: str) -> None:
    error = denied("h.example.com", status)
    assert (error.code, error.reason) == (code, reason)
    start = 'admission webhook "h.example.com" denied the request'
    assert str(error) == (f"{start}{message}" if message.startswith(":") else f"{start} {message}")
