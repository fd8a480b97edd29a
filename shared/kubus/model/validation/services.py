"""Services: ports, addresses, and what cannot change.

Follows `ValidateService` and `ValidateServiceUpdate` of pkg/apis/core/validation.
"""

from __future__ import annotations

from kubus.model.errors import FieldError, duplicate, forbidden_field, invalid, required
from kubus.model.names import dns_label_errors, dns_subdomain_errors, ip_errors
from kubus.model.objects import Object
from kubus.model.validation.metadata import labels_errors
from kubus.model.validation.values import port_number, port_number_or_name, required_one_of

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
PROTOCOLS = ("SCTP", "TCP", "UDP")
HEADLESS = "None"


def service_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a Service."""
    spec = obj.get("spec") or {}
    errors = required_one_of(spec.get("type"), "spec.type", TYPES)
    errors += _type_errors(spec)
    errors += _ports_errors(spec.get("ports") or [], spec)
    errors += labels_errors(spec.get("selector"), "spec.selector")
    errors += required_one_of(spec.get("sessionAffinity"), "spec.sessionAffinity", ("ClientIP", "None"))
    errors += _address_errors(spec)
    errors += _policy_errors(spec)
    if old is not None:
        errors += _update_errors(spec, old.get("spec") or {})
    return errors


def _type_errors(spec: Object) -> list[FieldError]:
    if spec.get("type") == "ExternalName":
        name = (spec.get("externalName") or "").rstrip(".")
        errors: list[FieldError] = []
        if spec.get("clusterIP"):
            detail = "may not be set when `type` is 'ExternalName'"
            errors.append(forbidden_field("spec.clusterIPs[0]", detail))
        found = dns_subdomain_errors(name)
        return errors + (
            [invalid("spec.externalName", name, each) for each in found] if name else [required("spec.externalName")]
        )
    headless = spec.get("clusterIP") == HEADLESS
    if spec.get("type") == "LoadBalancer" and headless:
        return [invalid("spec.clusterIPs[0]", HEADLESS, "may not be set to 'None' for LoadBalancer services")]
    if spec.get("type") == "NodePort" and headless:
        return [invalid("spec.clusterIPs[0]", HEADLESS, "may not be set to 'None' for NodePort services")]
    if not spec.get("ports") and not headless:
        return [required("spec.ports")]
    return []


def _ports_errors(ports: list[Object], spec: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    names: set[str] = set()
    pairs: set[tuple[int, str]] = set()
    node_ports: set[tuple[int, str]] = set()
    for index, port in enumerate(ports):
        at, name = f"spec.ports[{index}]", port.get("name") or ""
        if name:
            errors += [invalid(f"{at}.name", name, each) for each in dns_label_errors(name)]
        elif len(ports) > 1:
            errors.append(required(f"{at}.name"))
        if name and name in names:
            errors.append(duplicate(f"{at}.name", name))
        names.add(name)
        errors += port_number(port.get("port"), f"{at}.port")
        protocol = port.get("protocol") or ""
        errors += required_one_of(protocol, f"{at}.protocol", PROTOCOLS)
        if spec.get("type") != "ExternalName":
            errors += port_number_or_name(port.get("targetPort"), f"{at}.targetPort")
        if (port.get("port") or 0, protocol) in pairs:
            errors.append(duplicate(at, {"protocol": protocol, "port": port.get("port"), "targetPort": 0}))
        pairs.add((port.get("port") or 0, protocol))
        node_port = port.get("nodePort")
        if node_port and spec.get("type") in ("ClusterIP", "ExternalName"):
            errors.append(forbidden_field(f"{at}.nodePort", "may not be used when `type` is 'ClusterIP'"))
        if node_port and (node_port, protocol) in node_ports:
            errors.append(duplicate(f"{at}.nodePort", node_port))
        node_ports.add((node_port or 0, protocol))
    return errors


def _address_errors(spec: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    ips = spec.get("clusterIPs") or []
    for index, ip in enumerate(ips):
        if ip != HEADLESS:
            errors += [invalid(f"spec.clusterIPs[{index}]", ip, each) for each in ip_errors(ip)]
    if ips and spec.get("clusterIP") != ips[0]:
        errors.append(invalid("spec.clusterIPs", ips, "first value must match `clusterIP`"))
    for index, ip in enumerate(spec.get("externalIPs") or ()):
        errors += [invalid(f"spec.externalIPs[{index}]", ip, each) for each in ip_errors(ip)]
    return errors


def _policy_errors(spec: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    external = spec.get("externalTrafficPolicy")
    if external and spec.get("type") not in ("NodePort", "LoadBalancer") and not spec.get("externalIPs"):
        detail = "may only be set for externally-accessible services"
        errors.append(invalid("spec.externalTrafficPolicy", external, detail))
    elif external:
        errors += required_one_of(external, "spec.externalTrafficPolicy", ("Cluster", "Local"))
    if spec.get("internalTrafficPolicy"):
        errors += required_one_of(spec["internalTrafficPolicy"], "spec.internalTrafficPolicy", ("Cluster", "Local"))
    seconds = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
    if seconds is not None and not 0 < seconds <= 86400:
        path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
        errors.append(invalid(path, seconds, "must be greater than 0 and less than 86400"))
    return errors


def _update_errors(spec: Object, before: Object) -> list[FieldError]:
    """A ClusterIP stays while the type needs one."""
    had = before.get("clusterIPs") or []
    if "ExternalName" in (spec.get("type"), before.get("type")) or not had:
        return []
    ips = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    if ips[:1] != had[:1]:
        return [invalid("spec.clusterIPs[0]", ips, "may not change once set")]
    return []
