"""Network policies.

Follows pkg/apis/networking/validation.
"""

from __future__ import annotations

from ipaddress import ip_interface

from kubus.model.errors import FieldError, forbidden_field, invalid, required
from kubus.model.names import cidr_errors
from kubus.model.objects import Object
from kubus.model.validation.selectors import label_selector_errors
from kubus.model.validation.values import one_of, port_number_or_name

PROTOCOLS = ("SCTP", "TCP", "UDP")
SELECTORS = ("podSelector", "namespaceSelector")


def network_policy_errors(obj: Object, _old: Object | None) -> list[FieldError]:
    """What is wrong with a network policy."""
    spec = obj.get("spec") or {}
    errors = label_selector_errors(spec.get("podSelector"), "spec.podSelector")
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction) or ()):
            path = f"spec.{direction}[{index}]"
            for number, port in enumerate(rule.get("ports") or ()):
                errors += _port_errors(port, f"{path}.ports[{number}]")
            for number, peer in enumerate(rule.get(peers) or ()):
                errors += _peer_errors(peer, f"{path}.{peers}[{number}]")
    types = spec.get("policyTypes") or []
    if len(types) > 2:
        errors.append(invalid("spec.policyTypes", types, "may not specify more than two policyTypes"))
        return errors
    for index, kind in enumerate(types):
        errors += one_of(kind, f"spec.policyTypes[{index}]", ("Egress", "Ingress"))
    return errors


def _port_errors(port: Object, path: str) -> list[FieldError]:
    errors = one_of(port.get("protocol"), f"{path}.protocol", PROTOCOLS)
    number, end = port.get("port"), port.get("endPort")
    if number is not None:
        errors += port_number_or_name(number, f"{path}.port")
    if end is None:
        return errors
    if number is None:
        errors.append(required(f"{path}.port", "must be specified when `endPort` is specified"))
    elif isinstance(number, str):
        errors.append(invalid(f"{path}.endPort", end, "may not be specified when `port` is non-numeric"))
    elif end < number:
        errors.append(invalid(f"{path}.endPort", end, "must be greater than or equal to `port`"))
    return errors


def _peer_errors(peer: Object, path: str) -> list[FieldError]:
    given = [key for key in (*SELECTORS, "ipBlock") if peer.get(key) is not None]
    if not given:
        return [required(path, "must specify a peer")]
    errors: list[FieldError] = []
    for key in SELECTORS:
        errors += label_selector_errors(peer.get(key), f"{path}.{key}")
    block = peer.get("ipBlock")
    if block is None:
        return errors
    if len(given) > 1:
        errors.append(forbidden_field(path, "may not specify both ipBlock and another peer"))
    cidr = block.get("cidr") or ""
    if not cidr:
        errors.append(required(f"{path}.ipBlock.cidr"))
    else:
        errors += [invalid(f"{path}.ipBlock.cidr", cidr, each) for each in cidr_errors(cidr)]
    for index, each in enumerate(block.get("except") or ()):
        at = f"{path}.ipBlock.except[{index}]"
        if wrong := cidr_errors(each):
            errors += [invalid(at, each, sentence) for sentence in wrong]
        elif not cidr_errors(cidr) and not _is_part(each, cidr):
            errors.append(invalid(at, each, "must be a strict subset of `cidr`"))
    return errors


def _is_part(part: str, whole: str) -> bool:
    """Whether a range lies within another and is smaller."""
    inner, outer = ip_interface(part), ip_interface(whole)
    if inner.version != outer.version:
        return False
    return inner.network.prefixlen > outer.network.prefixlen and inner.ip in outer.network
