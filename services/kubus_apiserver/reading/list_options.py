"""Which options of lists and watches make sense together, in Kubernetes' words.

Follows `ValidateListOptions` of apimachinery's pkg/apis/internalversion/validation, and the table of
https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list.
"""

from __future__ import annotations

from kubus.model.errors import FieldError, bad_request, forbidden_field, invalid_object, not_supported
from kubus_apiserver.calls import ReadOptions

_MATCH = "resourceVersionMatch"
_PAGED = f"{_MATCH} is forbidden when continue is provided"


def parse_revision(text: str) -> int:
    """A resourceVersion as a number.

    Raises:
        StatusError: 400, it is none.
    """
    if text.isascii() and text.isdigit() and len(text) < 20:
        return int(text)
    reason = "value out of range" if text.isascii() and text.isdigit() else "invalid syntax"
    shown = f'"{text[:64]}"'
    raise bad_request(
        f"invalid resource version: resourceVersion: Invalid value: {shown}: "
        f"strconv.ParseUint: parsing {shown}: {reason}"
    )


def check_list_options(options: ReadOptions) -> None:
    """Refuse options that contradict one another.

    Raises:
        StatusError: 400 and 422 with Kubernetes' words.
    """
    errors = _watch_errors(options) if options.watch else _list_errors(options)
    if errors:
        raise invalid_object("ListOptions", "meta.k8s.io", "", errors)
    if options.continue_ and options.resource_version not in ("", "0") and not options.watch:
        raise bad_request("specifying resource version is not allowed when using continue")


def _list_errors(options: ReadOptions) -> list[FieldError]:
    match, version = options.resource_version_match, options.resource_version
    errors: list[FieldError] = []
    if match:
        if not version:
            detail = f"{_MATCH} is forbidden unless resourceVersion is provided"
            errors.append(forbidden_field(_MATCH, detail))
        if options.continue_:
            errors.append(forbidden_field(_MATCH, _PAGED))
        if match not in ("Exact", "NotOlderThan"):
            errors.append(not_supported(_MATCH, match, ["Exact", "NotOlderThan", ""]))
        if match == "Exact" and version == "0":
            errors.append(forbidden_field(_MATCH, f'{_MATCH} "exact" is forbidden for resourceVersion "0"'))
    if options.send_initial_events is not None:
        errors.append(forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    return errors


def _watch_errors(options: ReadOptions) -> list[FieldError]:
    match, initial = options.resource_version_match, options.send_initial_events is not None
    errors: list[FieldError] = []
    if match:
        if not initial:
            detail = f"{_MATCH} is forbidden for watch unless sendInitialEvents is provided"
            errors.append(forbidden_field(_MATCH, detail))
        if match != "NotOlderThan":
            errors.append(not_supported(_MATCH, match, ["NotOlderThan"]))
        if options.continue_:
            errors.append(forbidden_field(_MATCH, _PAGED))
    if initial and match != "NotOlderThan":
        detail = f"sendInitialEvents requires setting {_MATCH} to NotOlderThan"
        errors.append(forbidden_field(_MATCH, detail))
    return errors
