"""Formats of strings in custom resources' schemas: which Kubernetes knows, and what fits them.

A format that is not known is no constraint, as in Kubernetes.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from ipaddress import IPv4Address, IPv6Address, ip_network
from urllib.parse import urlsplit
from uuid import UUID

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DURATION = re.compile(r"[+-]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d|w)([\d.]+(ns|us|µs|ms|s|m|h|d|w))*)")
_DURATION_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h|d|w)")
_UNIT_SECONDS = {
    "ns": Fraction(1, 1_000_000_000),
    "us": Fraction(1, 1_000_000),
    "µs": Fraction(1, 1_000_000),
    "ms": Fraction(1, 1_000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3_600),
    "d": Fraction(86_400),
    "w": Fraction(604_800),
}
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


def time_of(text: str) -> datetime:
    """The point in time that a text of the format date-time or date means.

    Raises:
        ValueError: it means none.
    """
    upper = text.upper().replace("Z", "+00:00")
    found = datetime.fromisoformat(re.sub(r"\.(\d{1,6})\d*", lambda each: f".{each[1]:0<6}", upper))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def duration_of(text: str) -> timedelta:
    """The length of time that a text like `1h30m` means.

    Raises:
        ValueError: it means none.
    """
    if _DURATION.fullmatch(text) is None:
        raise ValueError(f"invalid duration: {text}")
    parts = _DURATION_PART.findall(text)
    seconds = sum(Fraction(number) * _UNIT_SECONDS[unit] for number, unit in parts)
    return timedelta(microseconds=float(seconds * 1_000_000 * (-1 if text.startswith("-") else 1)))


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
