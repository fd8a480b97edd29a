"""Services: ports, traffic policies, and what cannot change.

Follows `ValidateService` and `ValidateServiceUpdate` of pkg/apis/core/validation; addresses are a module of their own
(`service_addresses`). The cluster gives addresses and ports after validation, so their absence is no mistake here.
"""

from __future__ import annotations

from kubus.model.errors import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from kubus.model.names import cidr_errors, dns_label_errors, dns_subdomain_errors, label_key_errors
from kubus.model.objects import Object, annotations_of
from kubus.model.service_changes import HEADLESS, is_external, is_headless, needs_health_check
from kubus.model.validation.metadata import labels_errors
from kubus.model.validation.service_addresses import address_change_errors, address_errors
from kubus.model.validation.values import port_number, port_number_or_name, required_one_of

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
PROTOCOLS = ("SCTP", "TCP", "UDP")
AFFINITY_SECONDS_MAX = 86400
DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
OF_LOAD_BALANCERS = "may only be used when `type` is 'LoadBalancer'"
SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"


def service_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a Service."""
    spec, before = obj.get("spec") or {}, (old or {}).get("spec")
    errors = _change_errors(spec, before) if before is not None else []
    if not spec.get("ports") and not is_headless(spec) and spec.get("type") != "ExternalName":
        errors.append(required("spec.ports"))
    errors += _type_errors(spec)
    for index, port in enumerate(spec.get("ports") or ()):
        errors += _port_errors(spec, index, port)
    errors += labels_errors(spec.get("selector"), "spec.selector")
    errors += _affinity_errors(spec)
    errors += address_errors(spec, before or {})
    errors += required_one_of(spec.get("type"), "spec.type", TYPES)
    errors += _repeated_errors(spec.get("ports") or [])
    errors += _balancer_errors(obj, spec)
    errors += _policy_errors(spec)
    return errors


def _type_errors(spec: Object) -> list[FieldError]:
    kind = spec.get("type")
    if kind in ("LoadBalancer", "NodePort") and is_headless(spec):
        return [invalid("spec.clusterIPs[0]", HEADLESS, f"may not be set to 'None' for {kind} services")]
    if kind != "ExternalName":
        return []
    errors = [
        forbidden_field(f"spec.{field}", "may not be set for ExternalName services")
        for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
        if spec.get(field) or (field == "clusterIPs" and spec.get("clusterIP"))
    ]
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        return [*errors, required("spec.externalName")]
    return errors + [invalid("spec.externalName", name, each) for each in dns_subdomain_errors(name)]


def _port_errors(spec: Object, index: int, port: Object) -> list[FieldError]:
    at, name, ports = f"spec.ports[{index}]", port.get("name") or "", spec["ports"]
    errors: list[FieldError] = []
    if name:
        errors += [invalid(f"{at}.name", name, each) for each in dns_label_errors(name)]
        if name in [each.get("name") for each in ports[:index]]:
            errors.append(duplicate(f"{at}.name", name))
    elif len(ports) > 1:
        errors.append(required(f"{at}.name"))
    errors += port_number(port.get("port"), f"{at}.port")
    errors += required_one_of(port.get("protocol"), f"{at}.protocol", PROTOCOLS)
    errors += port_number_or_name(port.get("targetPort"), f"{at}.targetPort")
    if (protocol := port.get("appProtocol")) is not None:
        errors += [invalid(f"{at}.appProtocol", protocol, each) for each in label_key_errors(protocol)]
    if port.get("nodePort") and spec.get("type") == "ClusterIP":
        errors.append(forbidden_field(f"{at}.nodePort", "may not be used when `type` is 'ClusterIP'"))
    return errors


def _repeated_errors(ports: list[Object]) -> list[FieldError]:
    """A protocol has each port once, and each node port."""
    errors: list[FieldError] = []
    seen: set[tuple[str, str, int]] = set()
    for key in ("nodePort", "port"):
        for index, port in enumerate(ports):
            number, protocol = port.get(key) or 0, port.get("protocol") or ""
            if (key, protocol, number) in seen and (number or key == "port"):
                errors.append(_repeated(key, index, number, protocol))
            seen.add((key, protocol, number))
    return errors


def _repeated(key: str, index: int, number: int, protocol: str) -> FieldError:
    if key == "nodePort":
        return duplicate(f"spec.ports[{index}].nodePort", number)
    shown = {"Name": "", "Protocol": protocol, "AppProtocol": None, "Port": number, "TargetPort": 0, "NodePort": 0}
    return duplicate(f"spec.ports[{index}]", shown)


def _affinity_errors(spec: Object) -> list[FieldError]:
    errors = required_one_of(spec.get("sessionAffinity"), "spec.sessionAffinity", ("ClientIP", "None"))
    seconds = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
    if seconds is not None and not 0 < seconds <= AFFINITY_SECONDS_MAX:
        path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
        errors.append(invalid(path, seconds, f"must be greater than 0 and less than {AFFINITY_SECONDS_MAX}"))
    return errors


def _balancer_errors(obj: Object, spec: Object) -> list[FieldError]:
    """What is for load balancers alone."""
    balanced = spec.get("type") == "LoadBalancer"
    errors = _range_errors(obj, spec, balanced)
    if spec.get("allocateLoadBalancerNodePorts") is not None and not balanced:
        errors.append(forbidden_field("spec.allocateLoadBalancerNodePorts", OF_LOAD_BALANCERS))
    chosen = spec.get("loadBalancerClass")
    if chosen is not None and not balanced:
        errors.append(forbidden_field("spec.loadBalancerClass", OF_LOAD_BALANCERS))
    elif chosen is not None:
        errors += [invalid("spec.loadBalancerClass", chosen, each) for each in label_key_errors(chosen)]
    return errors


def _range_errors(obj: Object, spec: Object, balanced: bool) -> list[FieldError]:
    ranges = spec.get("loadBalancerSourceRanges") or []
    annotated = annotations_of(obj).get(SOURCE_RANGES)
    if ranges:
        path = "spec.LoadBalancerSourceRanges"
        places = [(f"{path}[{index}]", each.strip()) for index, each in enumerate(ranges)]
    elif annotated is not None:
        path = f"metadata.annotations[{SOURCE_RANGES}]"
        places = [(path, each.strip()) for each in annotated.split(",")] if annotated.strip() else []
    else:
        return []
    errors = [] if balanced else [forbidden_field(path, OF_LOAD_BALANCERS)]
    return errors + [invalid(at, each, sentence) for at, each in places for sentence in cidr_errors(each)]


def _policy_errors(spec: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    external, health = spec.get("externalTrafficPolicy"), spec.get("healthCheckNodePort")
    if not is_external(spec):
        if external:
            detail = "may only be set for externally-accessible services"
            errors.append(invalid("spec.externalTrafficPolicy", external, detail))
    else:
        errors += required_one_of(external, "spec.externalTrafficPolicy", ("Cluster", "Local"))
    if health and not needs_health_check(spec):
        detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        errors.append(invalid("spec.healthCheckNodePort", health, detail))
    elif health:
        errors += port_number(health, "spec.healthCheckNodePort")
    internal = spec.get("internalTrafficPolicy")
    if internal is not None and internal not in ("Cluster", "Local"):
        errors.append(not_supported("spec.internalTrafficPolicy", internal, ("Cluster", "Local")))
    distribution = spec.get("trafficDistribution")
    if distribution is not None and distribution not in DISTRIBUTIONS:
        errors.append(not_supported("spec.trafficDistribution", distribution, DISTRIBUTIONS))
    return errors


def _change_errors(spec: Object, before: Object) -> list[FieldError]:
    """What stays for as long as the type needs it."""
    errors = address_change_errors(spec, before)
    if spec.get("type") == before.get("type") == "LoadBalancer":
        chosen = spec.get("loadBalancerClass")
        if chosen != before.get("loadBalancerClass"):
            errors.append(invalid("spec.loadBalancerClass", chosen, "may not change once set"))
    moved = spec.get("healthCheckNodePort") != before.get("healthCheckNodePort")
    if moved and needs_health_check(spec) and needs_health_check(before):
        errors.append(forbidden_field("spec.healthCheckNodePort", "field is immutable"))
    return errors
