"""CEL: formats of names, `format.dns1123Label().validate(self.name).hasValue()`.

What `validate` finds is an optional value. No function of ours can make one, so it is a list that is empty or holds the
list of errors; `dialect` takes the optional first of it, and of `format.named`.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-format-library
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubus.model.cel import Function
from kubus.model.cel.values import TYPES, tagged, text_of
from kubus.model.custom.formats import FORMATS
from kubus.model.names import (
    dns_1035_label_errors,
    dns_label_errors,
    dns_subdomain_errors,
    label_key_errors,
    label_value_errors,
)

_FORMAT = TYPES["Format"]


def _prefix(check: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    """The check of what a name begins with: a dash at its end is no mistake."""
    return lambda text: check(f"{text[:-1]}a" if text.endswith("-") else text)


def _by_schema(name: str, words: str) -> Callable[[str], list[str]]:
    return lambda text: [] if FORMATS[name](text) else [words]


def _uri(text: str) -> list[str]:
    if not text:
        return ['parse "": empty url']
    return [] if FORMATS["uri"](text) else [f'parse "{text}": invalid URI for request']


_FORMATS: dict[str, Callable[[str], list[str]]] = {
    "dns1123Label": dns_label_errors,
    "dns1123Subdomain": dns_subdomain_errors,
    "dns1035Label": dns_1035_label_errors,
    "qualifiedName": label_key_errors,
    "dns1123LabelPrefix": _prefix(dns_label_errors),
    "dns1123SubdomainPrefix": _prefix(dns_subdomain_errors),
    "dns1035LabelPrefix": _prefix(dns_1035_label_errors),
    "labelValue": label_value_errors,
    "uri": _uri,
    "uuid": _by_schema("uuid", "does not match the UUID format"),
    "byte": _by_schema("byte", "invalid base64"),
    "date": _by_schema("date", "invalid date"),
    "datetime": _by_schema("datetime", "invalid datetime"),
}


def _named(name: str) -> list[Any]:
    return [tagged("Format", name)] if name in _FORMATS else []


def _validated(format_: Any, text: str) -> list[list[str]]:
    found = _FORMATS[text_of(format_)](text)
    return [list(found)] if found else []


def _constant(name: str) -> Function:
    return Function(f"format.{name}", (), _FORMAT, lambda: tagged("Format", name), member=False)


FUNCTIONS = (
    *(_constant(name) for name in _FORMATS),
    Function("format.named", ("string",), f"list<{_FORMAT}>", _named, member=False),
    Function("validate", (_FORMAT, "string"), "list<list<string>>", _validated),
)
