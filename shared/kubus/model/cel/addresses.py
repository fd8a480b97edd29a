"""CEL: IP addresses, CIDR blocks and URLs.

An address is accepted as Go's netip does: no leading zeros, no zones, no IPv4 in IPv6.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-ip-address-library and the two sections around it
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from kubus.model.cel import Function
from kubus.model.cel.values import TYPES, accepts, tagged, text_of, untagged

_IP, _CIDR, _URL = (TYPES[each] for each in ("IP", "CIDR", "URL"))
Value = Any
"""A message; see `kubus.model.cel.values`."""
_SUBDELIMS = "/:@!$&'()*+,;=~-._%"


def ip(text: str) -> Value:
    """The address of a text.

    Raises:
        ValueError: it is none.
    """
    address = ip_address(text)
    if isinstance(address, IPv6Address) and (address.scope_id or address.ipv4_mapped):
        raise ValueError("IP Address zone and IPv4-mapped IPv6 addresses are not allowed")
    return tagged("IP", str(address))


def cidr(text: str) -> Value:
    """The block of a text; host bits are kept.

    Raises:
        ValueError: it is none.
    """
    address, slash, bits = text.partition("/")
    if not slash or not bits.isdecimal() or (len(bits) > 1 and bits[0] == "0"):
        raise ValueError(f"{text[:64]!r} is no CIDR block")
    host = text_of(ip(address))
    ip_network(f"{host}/{bits}", strict=False)
    return tagged("CIDR", f"{host}/{bits}")


def url(text: str) -> Value:
    """The URL of a text: absolute, or an absolute path.

    Raises:
        ValueError: it is none.
    """
    parts = urlsplit(text)
    _ = parts.port
    if not text.isprintable() or " " in parts.netloc or not (parts.scheme or text.startswith("/")):
        raise ValueError(f"{text[:64]!r} is no URL")
    return tagged("URL", text)


def _address(value: Value) -> IPv4Address | IPv6Address:
    return ip_address(text_of(value))


def _network(value: Value) -> IPv4Network | IPv6Network:
    return ip_network(text_of(value), strict=False)


def _contains(block: Value, other: Value) -> bool:
    outer = _network(block)
    type_, inner = untagged(other, "IP", "CIDR")
    if type_ == "IP":
        return ip_address(inner) in outer
    network = ip_network(inner, strict=False)
    return network.version == outer.version and network.subnet_of(outer)  # type: ignore[arg-type]  # versions agree


def _masked(block: Value) -> Value:
    network = _network(block)
    return tagged("CIDR", f"{network.network_address}/{network.prefixlen}")


def _is_canonical(text: str) -> bool:
    return bool(text_of(ip(text)) == text)


def _is_global_unicast(value: Value) -> bool:
    address = _address(value)
    special = address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    return not special and str(address) != "255.255.255.255"


def _is_link_local_multicast(value: Value) -> bool:
    block = {4: "224.0.0.0/24", 6: "ff02::/16"}
    address = _address(value)
    return address in ip_network(block[address.version])


def _parts(value: Value) -> SplitResult:
    text: str = text_of(value)
    return urlsplit(text)


def _host(value: Value) -> str:
    return _parts(value).netloc.rpartition("@")[2]


def _hostname(value: Value) -> str:
    host = _host(value)
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def _port(value: Value) -> str:
    port = _parts(value).port
    return "" if port is None else str(port)


def _query(value: Value) -> dict[str, list[str]]:
    return parse_qs(_parts(value).query, keep_blank_values=True)


FUNCTIONS = (
    Function("ip", ("string",), _IP, ip, member=False),
    Function("isIP", ("string",), "bool", accepts(ip), member=False),
    Function("ip.isCanonical", ("string",), "bool", _is_canonical, member=False),
    Function("family", (_IP,), "int", lambda value: _address(value).version),
    Function("isUnspecified", (_IP,), "bool", lambda value: _address(value).is_unspecified),
    Function("isLoopback", (_IP,), "bool", lambda value: _address(value).is_loopback),
    Function("isLinkLocalMulticast", (_IP,), "bool", _is_link_local_multicast),
    Function("isLinkLocalUnicast", (_IP,), "bool", lambda value: _address(value).is_link_local),
    Function("isGlobalUnicast", (_IP,), "bool", _is_global_unicast),
    Function("cidr", ("string",), _CIDR, cidr, member=False),
    Function("isCIDR", ("string",), "bool", accepts(cidr), member=False),
    Function("containsIP", (_CIDR, _IP), "bool", _contains),
    Function("containsIP", (_CIDR, "string"), "bool", lambda block, text: _contains(block, ip(text))),
    Function("containsCIDR", (_CIDR, _CIDR), "bool", _contains),
    Function("containsCIDR", (_CIDR, "string"), "bool", lambda block, text: _contains(block, cidr(text))),
    Function("ip", (_CIDR,), _IP, lambda block: ip(text_of(block).partition("/")[0])),
    Function("masked", (_CIDR,), _CIDR, _masked),
    Function("prefixLength", (_CIDR,), "int", lambda block: _network(block).prefixlen),
    Function("url", ("string",), _URL, url, member=False),
    Function("isURL", ("string",), "bool", accepts(url), member=False),
    Function("getScheme", (_URL,), "string", lambda value: _parts(value).scheme),
    Function("getHost", (_URL,), "string", _host),
    Function("getHostname", (_URL,), "string", _hostname),
    Function("getPort", (_URL,), "string", _port),
    Function("getEscapedPath", (_URL,), "string", lambda value: quote(_parts(value).path, safe=_SUBDELIMS)),
    Function("getQuery", (_URL,), "map<string, list<string>>", _query),
)
