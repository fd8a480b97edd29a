"""Errors in Kubernetes' words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubus.model import errors
from kubus.model.errors import FieldError, StatusError


@pytest.mark.parametrize(
    ("error", "code", "reason", "message"),
    [
        (errors.not_found("pods", "", "x"), 404, "NotFound", 'pods "x" not found'),
        (errors.not_found("deployments", "apps", "x"), 404, "NotFound", 'deployments.apps "x" not found'),
        (errors.path_not_found(), 404, "NotFound", "the server could not find the requested resource"),
        (errors.already_exists("pods", "", "x"), 409, "AlreadyExists", 'pods "x" already exists'),
        (errors.conflict("pods", "", "x"), 409, "Conflict", 'Operation cannot be fulfilled on pods "x": '),
        (errors.bad_request("no"), 400, "BadRequest", "no"),
        (errors.forbidden("pods", "", "x", "no"), 403, "Forbidden", 'pods "x" is forbidden: no'),
        (errors.unauthorized(), 401, "Unauthorized", "Unauthorized"),
        (errors.method_not_allowed(), 405, "MethodNotAllowed", "the server does not allow this method on"),
        (errors.gone("old"), 410, "Expired", "old"),
        (errors.unsupported_media_type("x"), 415, "UnsupportedMediaType", "x"),
        (errors.not_acceptable("x"), 406, "NotAcceptable", "x"),
        (errors.too_large("x"), 413, "RequestEntityTooLarge", "x"),
        (errors.too_many_requests("x", 3), 429, "TooManyRequests", "x"),
        (errors.timeout("x"), 504, "Timeout", "x"),
        (errors.unavailable("x"), 503, "ServiceUnavailable", "x"),
        (errors.internal("x"), 500, "InternalError", "Internal error occurred: x"),
    ],
)
def test_an_error_is_a_whole_status(error: StatusError, code: int, reason: str, message: str) -> None:
    status = error.status
    assert (status["kind"], status["apiVersion"], status["status"]) == ("Status", "v1", "Failure")
    assert (status["code"], status["reason"]) == (code, reason)
    assert status["message"].startswith(message)
    assert isinstance(status["details"], dict)


def test_a_status_becomes_the_error_it_came_from() -> None:
    for error in (errors.not_found("pods", "", "x"), errors.too_many_requests("slow", 3), StatusError(418, "", "tea")):
        assert StatusError.from_status(error.status).status == error.status
    assert StatusError.from_status({}).code == 500


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (lambda: errors.required("a.b"), "a.b: Required value"),
        (lambda: errors.required("a", "why"), "a: Required value: why"),
        (lambda: errors.invalid("a", "x", "must be y"), 'a: Invalid value: "x": must be y'),
        (lambda: errors.invalid("a", 5, "must be 6"), "a: Invalid value: 5: must be 6"),
        (lambda: errors.not_supported("a", "x", ["y", "z"]), 'a: Unsupported value: "x": supported values: "y", "z"'),
        (lambda: errors.forbidden_field("a", "no"), "a: Forbidden: no"),
        (lambda: errors.duplicate("a", "x"), 'a: Duplicate value: "x"'),
        (lambda: errors.not_found_field("a", "x"), 'a: Not found: "x"'),
        (lambda: errors.too_long("a", 5), "a: Too long: may not be more than 5 bytes"),
    ],
)
def test_a_field_error_is_a_sentence(made: Callable[[], FieldError], text: str) -> None:
    assert str(made()) == text


def test_an_invalid_object_lists_each_cause_once() -> None:
    one, two = errors.required("spec.a"), errors.invalid("spec.b", 1, "no")
    error = errors.invalid_object("Pod", "", "x", [one, two, one])
    assert (error.code, error.reason) == (422, "Invalid")
    assert error.message == 'Pod "x" is invalid: [spec.a: Required value, spec.b: Invalid value: 1: no]'
    assert [cause["field"] for cause in error.details["causes"]] == ["spec.a", "spec.b"]
    assert errors.invalid_object("Pod", "", "x", [one]).message == 'Pod "x" is invalid: spec.a: Required value'
