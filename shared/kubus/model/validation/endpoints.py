"""Endpoints and EndpointSlices: addresses that Services may lead to, and their ports.

Follows pkg/apis/discovery/validation and `ValidateEndpoints` of pkg/apis/core/validation.
"""

from __future__ import annotations

from kubus.model.errors import FieldError, duplicate, invalid, not_supported, required, too_many
from kubus.model.names import dns_label_errors, dns_subdomain_errors, label_key_errors
from kubus.model.objects import Object
from kubus.model.validation.addresses import family_errors, reachable_address_errors
from kubus.model.validation.values import immutable, port_number, required_one_of

ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
PROTOCOLS = ("SCTP", "TCP", "UDP")
ADDRESSES_MAX = 100
PORTS_MAX = 100
ENDPOINTS_MAX = 1000


def slice_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with an EndpointSlice; its addresses are of one family, for ever."""
    family = obj.get("addressType")
    errors = required_one_of(family, "addressType", ADDRESS_TYPES)
    if old is not None:
        errors += immutable(family, old.get("addressType"), "addressType")
    return errors + _endpoint_errors(obj.get("endpoints") or [], family or "") + _port_errors(obj.get("ports") or [])


def _endpoint_errors(endpoints: list[Object], family: str) -> list[FieldError]:
    if len(endpoints) > ENDPOINTS_MAX:
        return [too_many("endpoints", len(endpoints), ENDPOINTS_MAX)]
    errors: list[FieldError] = []
    for index, endpoint in enumerate(endpoints):
        at, addresses = f"endpoints[{index}]", endpoint.get("addresses") or []
        if not addresses:
            errors.append(required(f"{at}.addresses", "must contain at least 1 address"))
        elif len(addresses) > ADDRESSES_MAX:
            errors.append(too_many(f"{at}.addresses", len(addresses), ADDRESSES_MAX))
        for number, address in enumerate(addresses):
            errors += _address_errors(address, f"{at}.addresses[{number}]", family)
        if (name := endpoint.get("hostname")) is not None:
            errors += [invalid(f"{at}.hostname", name, each) for each in dns_label_errors(name)]
        if (node := endpoint.get("nodeName")) is not None:
            errors += [invalid(f"{at}.nodeName", node, each) for each in dns_subdomain_errors(node)]
    return errors


def _address_errors(address: str, path: str, family: str) -> list[FieldError]:
    if family in ("IPv4", "IPv6"):
        return family_errors(address, path, int(family[-1])) or reachable_address_errors(address, path)
    if family == "FQDN":
        return domain_name_errors(address, path)
    return []  # the type itself is refused


def domain_name_errors(name: str, path: str) -> list[FieldError]:
    """What is wrong with a fully qualified domain name; a dot may end it."""
    if not name:
        return [required(path)]
    bare = name.removesuffix(".")
    if found := dns_subdomain_errors(bare):
        return [invalid(path, bare, each) for each in found]
    if "." not in bare:
        return [invalid(path, bare, "should be a domain with at least two segments separated by dots")]
    return []


def _port_errors(ports: list[Object]) -> list[FieldError]:
    if len(ports) > PORTS_MAX:
        return [too_many("ports", len(ports), PORTS_MAX)]
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, port in enumerate(ports):
        at, name = f"ports[{index}]", port.get("name") or ""
        if name:
            errors += [invalid(f"{at}.name", name, each) for each in dns_label_errors(name)]
        if name in seen:
            errors.append(duplicate(f"{at}.name", name))
        seen.add(name)
        errors += _protocol_errors(port, at)
        if (number := port.get("port")) is not None:
            errors += port_number(number, f"{at}.port")
    return errors


def _protocol_errors(port: Object, at: str) -> list[FieldError]:
    protocol, application = port.get("protocol"), port.get("appProtocol")
    errors: list[FieldError] = []
    if not protocol:
        errors.append(required(f"{at}.protocol"))
    elif protocol not in PROTOCOLS:
        errors.append(not_supported(f"{at}.protocol", protocol, PROTOCOLS))
    if application:
        errors += [invalid(f"{at}.appProtocol", application, each) for each in label_key_errors(application)]
    return errors


def endpoints_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with the subsets of Endpoints; an update that leaves them alone is not asked about them."""
    subsets = obj.get("subsets") or []
    if old is not None and subsets == (old.get("subsets") or []):
        return []
    errors: list[FieldError] = []
    for index, subset in enumerate(subsets):
        at, ports = f"subsets[{index}]", subset.get("ports") or []
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            errors.append(required(at, "must specify `addresses` or `notReadyAddresses`"))
        for field in ("addresses", "notReadyAddresses"):
            for number, address in enumerate(subset.get(field) or ()):
                errors += _subset_address_errors(address, f"{at}.{field}[{number}]")
        for number, port in enumerate(ports):
            errors += _subset_port_errors(port, f"{at}.ports[{number}]", needs_name=len(ports) > 1)
    return errors


def _subset_address_errors(address: Object, at: str) -> list[FieldError]:
    errors = reachable_address_errors(address.get("ip") or "", f"{at}.ip")
    if name := address.get("hostname"):
        errors += [invalid(f"{at}.hostname", name, each) for each in dns_label_errors(name)]
    if (node := address.get("nodeName")) is not None:
        errors += [invalid(f"{at}.nodeName", node, each) for each in dns_subdomain_errors(node)]
    return errors


def _subset_port_errors(port: Object, at: str, *, needs_name: bool) -> list[FieldError]:
    name = port.get("name") or ""
    errors: list[FieldError] = []
    if name:
        errors += [invalid(f"{at}.name", name, each) for each in dns_label_errors(name)]
    elif needs_name:
        errors.append(required(f"{at}.name"))
    return errors + port_number(port.get("port"), f"{at}.port") + _protocol_errors(port, at)
