"""The exchange with an admission webhook: an AdmissionReview goes out, what comes back is checked and read.

https://kubernetes.io/docs/reference/config-api/apiserver-admission.v1/
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any, NamedTuple

from kubus.model.codec import DecodeError, from_json
from kubus.model.errors import StatusError, internal
from kubus.model.kinds import Kind
from kubus.model.objects import Object
from kubus.model.patches import json_patch
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.matching import objects_of
from kubus_apiserver.admission.requests import review_request
from kubus_apiserver.webhookcalls import WebhookFailed

_PATCH = "JSONPatch"


class Response(NamedTuple):
    """What a webhook has answered."""

    allowed: bool
    status: Object
    """Why not."""
    warnings: tuple[str, ...]
    annotations: dict[str, str]
    """For the audit log, by keys of the webhook's own."""
    patch: str
    """In base64, "" where nothing is to change."""
    patch_type: str


def review(proposal: Proposal, kind: Kind, version: str, uid: str) -> Object:
    """The review of a proposal that is shown as a kind, in a version of the review itself."""
    obj, old = objects_of(proposal)
    request = {"uid": uid, **review_request(proposal, kind), "object": obj, "oldObject": old}
    return {"apiVersion": f"admission.k8s.io/{version}", "kind": "AdmissionReview", "request": request}


def response_of(answer: Object, version: str, uid: str, *, mutating: bool) -> Response:
    """The response of an answer.

    Raises:
        WebhookFailed: it answers something else.
    """
    expected, given = f"admission.k8s.io/{version}", answer.get("apiVersion") or ""
    if given != expected or answer.get("kind") != "AdmissionReview":
        wanted = f"{expected}, Kind=AdmissionReview"
        raise _invalid(f"expected webhook response of {wanted}, got {given}, Kind={answer.get('kind') or ''}")
    response = answer.get("response")
    if not isinstance(response, dict):
        raise _invalid("webhook response was absent")
    if version == "v1" and response.get("uid") != uid:
        raise _invalid(f'expected response.uid="{uid}", got "{response.get("uid") or ""}"')
    status, annotations = response.get("status"), response.get("auditAnnotations")
    patch, patch_type = _patch(response, version, mutating=mutating)
    return Response(
        allowed=response.get("allowed") is True,
        status=status if isinstance(status, dict) else {},
        warnings=tuple(str(each) for each in _list(response.get("warnings"))),
        annotations={key: str(value) for key, value in annotations.items()} if isinstance(annotations, dict) else {},
        patch=patch,
        patch_type=patch_type,
    )


def _patch(response: Object, version: str, *, mutating: bool) -> tuple[str, str]:
    patch, patch_type = response.get("patch") or "", response.get("patchType")
    if not isinstance(patch, str):
        raise _invalid("response.patch is no text")
    if version != "v1":
        return (patch, patch_type or _PATCH) if mutating else ("", "")
    if not mutating:
        if patch:
            raise _invalid("validating webhook may not return response.patch")
        if patch_type is not None:
            raise _invalid("validating webhook may not return response.patchType")
        return "", ""
    if patch and patch_type is None:
        raise _invalid("webhook returned response.patch but not response.patchType")
    if not patch and patch_type is not None:
        raise _invalid("webhook returned response.patchType but not response.patch")
    if patch_type == "":
        raise _invalid('webhook returned invalid response.patchType of ""')
    if patch and patch_type != _PATCH:
        raise WebhookFailed(f'unsupported patch type "{patch_type}"')
    return patch, patch_type or ""


def patched(name: str, response: Response, proposal: Proposal) -> Object | None:
    """The proposal's object as a webhook wants it; None where it leaves it as it is.

    Raises:
        StatusError: 500, its patch is none, or does not apply.
    """
    try:
        patch = from_json(b64decode(response.patch, validate=True)) if response.patch else []
        if not patch:
            return None
        if proposal.verb == "delete":
            words = f'admission webhook "{name}" attempted to modify the object'
            raise internal(f"{words}, which is not supported for this operation")
        changed = json_patch(proposal.object, patch)
    except (Base64Error, ValueError, DecodeError) as error:
        raise internal(f'the patch of admission webhook "{name}" cannot be read: {error}') from None
    except StatusError as error:
        raise error if error.code == 500 else internal(error.message) from None
    return changed if changed != proposal.object else None


def denied(name: str, status: Object) -> StatusError:
    """A webhook's refusal in its own words."""
    start = f'admission webhook "{name}" denied the request'
    explanation = status.get("message") or status.get("reason")
    code, details = status.get("code"), status.get("details")
    return StatusError(
        code if isinstance(code, int) and code >= 400 else 400,
        str(status.get("reason") or ""),
        f"{start}: {explanation}" if explanation else f"{start} without explanation",
        details if isinstance(details, dict) else None,
    )


def _invalid(words: str) -> WebhookFailed:
    return WebhookFailed(f"received invalid webhook response: {words}")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
