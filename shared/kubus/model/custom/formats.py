"""Formats of strings in custom resources' schemas: which Kubernetes knows, and what fits them.

A format that is not known is no constraint, as in Kubernetes.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from ipaddress import IPv4Address, IPv6Address, ip_network
from urllib.parse import urlsplit
from uuid import UUID

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DURATION = re.compile(r"[+-]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d|w)([\d.]+(ns|us|µs|ms|s|m|h|d|w))*)")
_HOSTNAME = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_EMAIL = re.compile(r"[^@\s<>\"]{1,64}@[^@\s<>\"]{1,253}")
_MAC = re.compile(r"([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}")
_BYTE = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})?")
_HEX_COLOR = re.compile(r"#?([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")


def _by(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return fits


def _date_time(text: str) -> bool:
    if _DATE_TIME.fullmatch(text) is None:
        return False
    upper = re.sub(r"\.\d+", "", text.upper()).replace("Z", "+00:00")
    return _parses(datetime.fromisoformat)(upper)


def _is_date(text: str) -> bool:
    return len(text) == 10 and _parses(date.fromisoformat)(text)


def _cidr(text: str) -> bool:
    return "/" in text and _parses(lambda each: ip_network(each, strict=False))(text)


def _uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme or text.startswith("/")) and " " not in text


def _uuid(version: int | None) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        if (
            re.fullmatch(r"[0-9A-Fa-f]{8}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{12}", text)
            is None
        ):
            return False
        return version is None or UUID(text).version == version

    return fits


FORMATS: dict[str, Callable[[str], bool]] = {
    "byte": _by(_BYTE),
    "cidr": _cidr,
    "date": _is_date,
    "date-time": _date_time,
    "datetime": _date_time,
    "duration": _by(_DURATION),
    "email": _by(_EMAIL),
    "hexcolor": _by(_HEX_COLOR),
    "hostname": _by(_HOSTNAME),
    "ipv4": _parses(IPv4Address),
    "ipv6": _parses(IPv6Address),
    "mac": _by(_MAC),
    "uri": _uri,
    "uuid": _uuid(None),
    "uuid3": _uuid(3),
    "uuid4": _uuid(4),
    "uuid5": _uuid(5),
}
"""By name: whether a text fits."""
