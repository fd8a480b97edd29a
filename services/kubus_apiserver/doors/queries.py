"""Query parameters of the API, as typed options.

Parsing is as strict as Kubernetes': a number that is none is 400, a value that is not one of the few allowed is
422 with the field's name, an unknown parameter is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from kubus.model.errors import (
    FieldError,
    StatusError,
    bad_request,
    forbidden_field,
    invalid,
    invalid_object,
    not_supported,
    required,
    too_long,
)
from kubus_apiserver.calls import Notes, ReadOptions, WriteOptions

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"", "0", "f", "F", "false", "FALSE", "False"})
NO_READ_OPTIONS = ReadOptions()
_MANAGER_BYTES_MAX = 128


def parse_query(text: str) -> dict[str, list[str]]:
    """The parameters of a raw query string.

    Raises:
        StatusError: 400, there are too many.
    """
    values: dict[str, list[str]] = {}
    try:
        for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=1000):
            values.setdefault(name, []).append(value)
    except ValueError:
        raise bad_request("too many query parameters") from None
    return values


def read_options(query: Mapping[str, list[str]]) -> ReadOptions:
    """The options of a get, list or watch.

    Raises:
        StatusError: 400.
    """
    if not query:
        return NO_READ_OPTIONS
    return ReadOptions(
        label_selector=first(query, "labelSelector"),
        field_selector=first(query, "fieldSelector"),
        limit=max(0, number(query, "limit") or 0),
        continue_=first(query, "continue"),
        resource_version=first(query, "resourceVersion"),
        resource_version_match=first(query, "resourceVersionMatch"),
        watch=flag(query, "watch"),
        bookmarks=flag(query, "allowWatchBookmarks"),
        send_initial_events=flag(query, "sendInitialEvents") if "sendInitialEvents" in query else None,
        timeout_seconds=max(0, number(query, "timeoutSeconds") or 0),
    )


def write_options(
    query: Mapping[str, list[str]], user_agent: str, trace: str | None, kind: str, notes: Notes | None = None
) -> WriteOptions:
    """The options of a write; without a field manager it is the first word of the user agent.

    Raises:
        StatusError: 400, 422.
    """
    errors: list[FieldError] = []
    dry_run = [value for value in query.get("dryRun", ()) if value]
    if any(value != "All" for value in dry_run):
        errors.append(not_supported("dryRun", dry_run, ["All"]))
    validation = first(query, "fieldValidation") or "Warn"
    if validation not in ("Strict", "Warn", "Ignore"):
        errors.append(not_supported("fieldValidation", validation, ["Ignore", "Strict", "Warn"]))
    manager = first(query, "fieldManager")
    errors += _manager_errors(manager)
    if errors:
        raise invalid_object(kind, "meta.k8s.io", "", errors)
    return WriteOptions(
        manager=manager or _of_agent(user_agent),
        dry_run=bool(dry_run),
        field_validation=validation,
        force=flag(query, "force"),
        notes=notes,
        trace=trace,
    )


def check_patch_options(query: Mapping[str, list[str]], patch_type: str) -> None:
    """Refuse an apply without a manager, and force for anything else.

    Raises:
        StatusError: 422.
    """
    if patch_type == "apply":
        if not first(query, "fieldManager"):
            raise no_manager()
    elif "force" in query:
        errors = [forbidden_field("force", "may not be specified for non-apply patch")]
        raise invalid_object("PatchOptions", "meta.k8s.io", "", errors)


def no_manager() -> StatusError:
    """An apply has to say who applies."""
    errors = [required("fieldManager", "is required for apply patch")]
    return invalid_object("PatchOptions", "meta.k8s.io", "", errors)


def _manager_errors(manager: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if len(manager.encode(errors="replace")) > _MANAGER_BYTES_MAX:
        errors.append(too_long("fieldManager", _MANAGER_BYTES_MAX))
    for position, char in enumerate(manager):
        if not char.isprintable():
            detail = f"invalid character U+{ord(char):04X} (at position {position})"
            errors.append(invalid("fieldManager", manager, detail))
            break
    return errors


@lru_cache(maxsize=256)
def _of_agent(user_agent: str) -> str:
    """The field manager that a user agent stands for: what is before its first slash."""
    printable = "".join(char for char in user_agent.partition("/")[0] if char.isprintable())
    return printable.encode(errors="replace")[:_MANAGER_BYTES_MAX].decode(errors="ignore") or "unknown"


def delete_options(query: Mapping[str, list[str]], body: dict[str, Any]) -> dict[str, Any]:
    """DeleteOptions from the body, and from the query where the body says nothing.

    Raises:
        StatusError: 400.
    """
    options = dict(body)
    grace = number(query, "gracePeriodSeconds")
    if grace is not None:
        options.setdefault("gracePeriodSeconds", grace)
    if policy := first(query, "propagationPolicy"):
        options.setdefault("propagationPolicy", policy)
    if "orphanDependents" in query:
        options.setdefault("orphanDependents", flag(query, "orphanDependents"))
    return options


def first(query: Mapping[str, list[str]], name: str) -> str:
    """The first value of a parameter, or ""."""
    values = query.get(name)
    return values[0] if values else ""


def number(query: Mapping[str, list[str]], name: str) -> int | None:
    """A parameter as a number, None without it.

    Raises:
        StatusError: 400.
    """
    text = first(query, name)
    if not text:
        return None
    try:
        value = int(text)
    except ValueError:
        value = 2**63
    if not -(2**63) <= value < 2**63:
        raise bad_request(f'invalid value for {name}: strconv.ParseInt: parsing "{text[:64]}": invalid syntax')
    return value


def flag(query: Mapping[str, list[str]], name: str) -> bool:
    """A parameter as a boolean; without a value it is true where it stands.

    Raises:
        StatusError: 400.
    """
    if name not in query:
        return False
    text = first(query, name)
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise bad_request(f'invalid value for {name}: strconv.ParseBool: parsing "{text[:64]}": invalid syntax')
