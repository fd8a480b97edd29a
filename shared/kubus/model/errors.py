"""Errors as Kubernetes says them: `Status` objects.

A `StatusError` is raised anywhere between a client and the store, and becomes the body and code of the
answer at either door. Words, reasons and `details` follow apimachinery's pkg/api/errors, because clients
branch on them: kubectl prints `details.causes`, informers look for `Expired`, `kubectl debug` needs `details`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from kubus.model.objects import Object


class FieldError(NamedTuple):
    """One thing wrong with one field; `str` gives Kubernetes' words."""

    reason: str
    """FieldValueRequired, FieldValueInvalid, FieldValueNotSupported, FieldValueForbidden,
    FieldValueDuplicate, FieldValueTooLong, FieldValueTooMany, FieldValueTypeInvalid, FieldValueNotFound."""
    field: str
    """`spec.containers[0].image`."""
    message: str
    """The whole sentence after the path: `Required value`, `Invalid value: "x": must be …`."""

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def required(field: str, detail: str = "") -> FieldError:
    """`Required value[: detail]`."""
    return FieldError("FieldValueRequired", field, f"Required value: {detail}" if detail else "Required value")


def invalid(field: str, value: Any, detail: str) -> FieldError:
    """`Invalid value: "x": detail`."""
    return FieldError("FieldValueInvalid", field, f"Invalid value: {_shown(value)}: {detail}")


def not_supported(field: str, value: Any, supported: Sequence[str]) -> FieldError:
    """`Unsupported value: "x": supported values: "a", "b"`."""
    values = ", ".join(f'"{each}"' for each in supported)
    return FieldError(
        "FieldValueNotSupported", field, f"Unsupported value: {_shown(value)}: supported values: {values}"
    )


def forbidden_field(field: str, detail: str) -> FieldError:
    """`Forbidden: detail`."""
    return FieldError("FieldValueForbidden", field, f"Forbidden: {detail}")


def duplicate(field: str, value: Any) -> FieldError:
    """`Duplicate value: "x"`."""
    return FieldError("FieldValueDuplicate", field, f"Duplicate value: {_shown(value)}")


def not_found_field(field: str, value: Any) -> FieldError:
    """`Not found: "x"`."""
    return FieldError("FieldValueNotFound", field, f"Not found: {_shown(value)}")


def too_long(field: str, limit: int) -> FieldError:
    """`Too long: may not be more than N bytes`."""
    return FieldError("FieldValueTooLong", field, f"Too long: may not be more than {limit} bytes")


def too_many(field: str, count: int, limit: int) -> FieldError:
    """`Too many: N: must have at most M items`."""
    return FieldError("FieldValueTooMany", field, f"Too many: {count}: must have at most {limit} items")


def _shown(value: Any) -> str:
    from kubus.model.codec import to_json  # here: the codec is needed for a refusal only

    return to_json(value).decode()


class StatusError(Exception):
    """An answer other than success; `status` is the whole Status object."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}
        self.metadata = metadata or {}
        """Of the list that could not be given: `continue`, where it can go on."""

    @property
    def status(self) -> Object:
        """The Status object to send."""
        body: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        }
        if not self.reason:
            del body["reason"]
        return body

    @classmethod
    def from_status(cls, status: Object) -> StatusError:
        """The error that a received Status stands for."""
        return cls(
            int(status.get("code") or 500),
            status.get("reason") or "",
            status.get("message") or "",
            status.get("details") or {},
            status.get("metadata") or {},
        )


def _about(resource: str, group: str, name: str = "") -> dict[str, Any]:
    details: dict[str, Any] = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    if resource:
        details["kind"] = resource
    return details


def _qualified(resource: str, group: str) -> str:
    return f"{resource}.{group}" if group else resource


def not_found(resource: str, group: str, name: str) -> StatusError:
    """`pods "x" not found`."""
    return StatusError(
        404, "NotFound", f'{_qualified(resource, group)} "{name}" not found', _about(resource, group, name)
    )


def path_not_found() -> StatusError:
    """The URL path or the resource is not served."""
    return StatusError(404, "NotFound", "the server could not find the requested resource")


def already_exists(resource: str, group: str, name: str) -> StatusError:
    """`pods "x" already exists`."""
    return StatusError(
        409,
        "AlreadyExists",
        f'{_qualified(resource, group)} "{name}" already exists',
        _about(resource, group, name),
    )


CHANGED = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(resource: str, group: str, name: str, detail: str = CHANGED) -> StatusError:
    """`Operation cannot be fulfilled on pods "x": …`."""
    message = f'Operation cannot be fulfilled on {_qualified(resource, group)} "{name}": {detail}'
    return StatusError(409, "Conflict", message, _about(resource, group, name))


def invalid_object(kind: str, group: str, name: str, errors: Sequence[FieldError]) -> StatusError:
    """`Pod "x" is invalid: path: message`, with every field error as a cause (422)."""
    unique = list(dict.fromkeys(errors))
    shown = ", ".join(str(error) for error in unique)
    message = f'{_qualified(kind, group)} "{name}" is invalid: {shown if len(unique) == 1 else f"[{shown}]"}'
    causes = [{"reason": error.reason, "message": error.message, "field": error.field} for error in unique]
    return StatusError(422, "Invalid", message, {**_about(kind, group, name), "causes": causes})


def bad_request(message: str) -> StatusError:
    """400 with the given words."""
    return StatusError(400, "BadRequest", message)


def forbidden(resource: str, group: str, name: str, detail: str) -> StatusError:
    """`pods "x" is forbidden: detail`."""
    if not resource:
        message = f"forbidden: {detail}"
    elif name:
        message = f'{_qualified(resource, group)} "{name}" is forbidden: {detail}'
    else:
        message = f"{_qualified(resource, group)} is forbidden: {detail}"
    return StatusError(403, "Forbidden", message, _about(resource, group, name))


def unauthorized() -> StatusError:
    """No valid credentials."""
    return StatusError(401, "Unauthorized", "Unauthorized")


def method_not_allowed() -> StatusError:
    """Nothing answers to this method at this path."""
    return StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def gone(message: str, continue_: str = "") -> StatusError:
    """410 `Expired`: the revision or the continue token is too old; list again, or go on inconsistently."""
    return StatusError(410, "Expired", message, metadata={"continue": continue_} if continue_ else None)


def unsupported_media_type(message: str) -> StatusError:
    """415: the body's type is not one of those taken here."""
    return StatusError(415, "UnsupportedMediaType", message)


def not_acceptable(message: str) -> StatusError:
    """406: none of the types asked for can be given."""
    return StatusError(406, "NotAcceptable", message)


def too_large(message: str) -> StatusError:
    """413: the body or the object is over the limit."""
    return StatusError(413, "RequestEntityTooLarge", message)


def too_many_requests(message: str, retry_after_seconds: int) -> StatusError:
    """429, also the answer of an eviction that a budget forbids; 0 seconds: no word about when."""
    details = {"retryAfterSeconds": retry_after_seconds} if retry_after_seconds else {}
    return StatusError(429, "TooManyRequests", message, details)


def timeout(message: str, retry_after_seconds: int = 1) -> StatusError:
    """504: it was not done in time; try again."""
    return StatusError(504, "Timeout", message, {"retryAfterSeconds": retry_after_seconds})


def unavailable(message: str) -> StatusError:
    """503: a part that this needs is away; try again."""
    return StatusError(503, "ServiceUnavailable", message, {"retryAfterSeconds": 1})


def internal(message: str) -> StatusError:
    """500: our own fault."""
    return StatusError(500, "InternalError", f"Internal error occurred: {message}", {"causes": [{"message": message}]})
