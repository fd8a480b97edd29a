"""IP addresses in fields: well-formed, of the family that is asked for, and of use to others.

After `IsValidIPForLegacyField`, `ValidateEndpointIP` and the dual-stack checks of pkg/apis/core/validation. The proxies
of all nodes make packet rules and routes of such fields, so no text gets into one that is not an address.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from ipaddress import ip_address, ip_interface

from kubus.model.errors import FieldError, invalid
from kubus.model.names import cidr_errors, ip_errors


def ip_field_errors(address: str, path: str, kept: Collection[str] = ()) -> list[FieldError]:
    """An IPv4 or IPv6 address; what the stored object has already (`kept`) passes, as upstream."""
    return [] if address in kept else [invalid(path, address, each) for each in ip_errors(address)]


def cidr_field_errors(cidr: str, path: str, kept: Collection[str] = ()) -> list[FieldError]:
    """An IPv4 or IPv6 range; what the stored object has already (`kept`) passes, as upstream."""
    return [] if cidr in kept else [invalid(path, cidr, each) for each in cidr_errors(cidr)]


def family_errors(address: str, path: str, version: int) -> list[FieldError]:
    """An address of one family (4 or 6)."""
    if ip_errors(address) or ip_address(address).version != version:
        return [invalid(path, address, f"must be a valid IPv{version} address")]
    return []


def reachable_address_errors(address: str, path: str) -> list[FieldError]:
    """An address that other machines can reach: none that means the machine or the link itself."""
    if found := ip_errors(address):
        return [invalid(path, address, each) for each in found]
    ip = ip_address(address)
    details = {
        f"may not be unspecified ({address})": ip.is_unspecified,
        "may not be in the loopback range (127.0.0.0/8, ::1/128)": ip.is_loopback,
        "may not be in the link-local range (169.254.0.0/16, fe80::/10)": ip.is_link_local,
        "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)": ip.is_multicast
        and str(ip).startswith(("224.0.0.", "ff02:")),
    }
    return [invalid(path, address, detail) for detail, applies in details.items() if applies]


def stack_errors(texts: Sequence[str], path: str, shown: object, noun: str) -> list[FieldError]:
    """At most one address or range of each family; `noun` is IP or CIDR. What is neither is not counted."""
    families = [ip_interface(each).version for each in texts if not (ip_errors(each) and cidr_errors(each))]
    if len(set(families)) == len(families):
        return []
    return [invalid(path, shown, f"may specify no more than one {noun} for each IP family")]
