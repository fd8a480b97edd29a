"""What a pod says of itself as a whole: names, DNS, hosts, gates, system.

Follows `ValidatePodSpec` of pkg/apis/core/validation, its smaller parts.
"""

from __future__ import annotations

from kubus.model.errors import FieldError, duplicate, forbidden_field, invalid, not_supported, required, too_long
from kubus.model.names import dns_label_errors, dns_subdomain_errors, ip_errors, label_key_errors
from kubus.model.objects import Object
from kubus.model.validation.values import one_of, required_one_of

DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
PREEMPTION = ("PreemptLowerPriority", "Never")
SYSTEMS = ("linux", "windows")
INT32_MAX = 2**31 - 1
NAMESERVERS_MAX, SEARCHES_MAX, SEARCH_CHARS_MAX, HOSTNAME_CHARS_MAX = 3, 32, 2048, 64


def dns_errors(spec: Object, path: str) -> list[FieldError]:
    """The policy, and where it asks for servers."""
    policy, config = spec.get("dnsPolicy"), spec.get("dnsConfig")
    errors = required_one_of(policy, f"{path}.dnsPolicy", DNS_POLICIES)
    at = f"{path}.dnsConfig"
    if policy == "None" and config is None:
        return [*errors, required(at, "must provide `dnsConfig` when `dnsPolicy` is None")]
    servers, searches = (config or {}).get("nameservers") or [], (config or {}).get("searches") or []
    if policy == "None" and not servers:
        detail = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        return [*errors, required(f"{at}.nameservers", detail)]
    if len(servers) > NAMESERVERS_MAX:
        errors.append(invalid(f"{at}.nameservers", servers, f"must not have more than {NAMESERVERS_MAX} nameservers"))
    for index, server in enumerate(servers):
        errors += [invalid(f"{at}.nameservers[{index}]", server, each) for each in ip_errors(server)]
    if len(searches) > SEARCHES_MAX:
        errors.append(invalid(f"{at}.searches", searches, f"must not have more than {SEARCHES_MAX} search paths"))
    if len(" ".join(searches)) > SEARCH_CHARS_MAX:
        detail = f"must not have more than {SEARCH_CHARS_MAX} characters (including spaces) in the search list"
        errors.append(invalid(f"{at}.searches", searches, detail))
    for index, search in enumerate(searches):
        name = search.removesuffix(".").replace("_", "-")
        if search != ".":
            errors += [invalid(f"{at}.searches[{index}]", search, each) for each in dns_subdomain_errors(name)]
    for index, option in enumerate((config or {}).get("options") or ()):
        if not option.get("name"):
            errors.append(required(f"{at}.options[{index}]", "must not be empty"))
    return errors


def name_errors(spec: Object, path: str) -> list[FieldError]:
    """Names of other objects, and the pod's own on the network."""
    errors: list[FieldError] = []
    for key in ("serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"):
        if value := spec.get(key):
            errors += [invalid(f"{path}.{key}", value, each) for each in dns_subdomain_errors(value)]
    for key in ("hostname", "subdomain"):
        if value := spec.get(key):
            errors += [invalid(f"{path}.{key}", value, each) for each in dns_label_errors(value)]
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        at, ip = f"{path}.hostAliases[{index}]", alias.get("ip") or ""
        errors += [invalid(f"{at}.ip", ip, each) for each in ip_errors(ip)]
        for number, host in enumerate(alias.get("hostnames") or ()):
            errors += [invalid(f"{at}.hostnames[{number}]", host, each) for each in dns_subdomain_errors(host)]
    return errors + _override_errors(spec, f"{path}.hostnameOverride")


def _override_errors(spec: Object, path: str) -> list[FieldError]:
    name = spec.get("hostnameOverride")
    if name is None:
        return []
    errors: list[FieldError] = []
    if spec.get("setHostnameAsFQDN"):
        errors.append(forbidden_field(path, "may not be specified when setHostnameAsFQDN is true"))
    if spec.get("hostNetwork"):
        errors.append(forbidden_field(path, "may not be specified when hostNetwork is true"))
    if len(name) > HOSTNAME_CHARS_MAX:
        errors.append(too_long(path, HOSTNAME_CHARS_MAX))
    return errors + [invalid(path, name, each) for each in dns_subdomain_errors(name)]


def deadline_errors(spec: Object, path: str) -> list[FieldError]:
    """How long the pod may run."""
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is None or 1 <= deadline <= INT32_MAX:
        return []
    return [invalid(f"{path}.activeDeadlineSeconds", deadline, f"must be between 1 and {INT32_MAX}, inclusive")]


def host_port_errors(spec: Object, path: str) -> list[FieldError]:
    """On the host's network a container's port is the host's."""
    errors: list[FieldError] = []
    for index, container in enumerate(spec.get("containers") or () if spec.get("hostNetwork") else ()):
        for number, port in enumerate(container.get("ports") or ()):
            if port.get("hostPort") and port["hostPort"] != port.get("containerPort"):
                at = f"{path}.containers[{index}].ports[{number}].hostPort"
                errors.append(invalid(at, port["hostPort"], "must match `containerPort` when `hostNetwork` is true"))
    return errors


def gate_errors(spec: Object, path: str) -> list[FieldError]:
    """Gates before readiness and before scheduling."""
    errors: list[FieldError] = []
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        at, kind = f"{path}.readinessGates[{index}].conditionType", gate.get("conditionType") or ""
        errors += [invalid(at, kind, each) for each in label_key_errors(kind)]
    names: set[str] = set()
    for index, gate in enumerate(spec.get("schedulingGates") or ()):
        at, name = f"{path}.schedulingGates[{index}]", gate.get("name") or ""
        errors += [invalid(at, name, each) for each in label_key_errors(name)]
        if name in names:
            errors.append(duplicate(at, name))
        names.add(name)
    return errors


def system_errors(spec: Object, path: str) -> list[FieldError]:
    """The operating system, and what a pod for it cannot ask for; preemption."""
    errors = one_of(spec.get("preemptionPolicy"), f"{path}.preemptionPolicy", PREEMPTION)
    if spec.get("os") is None:
        return errors
    name = spec["os"].get("name") or ""
    if not name:
        return [*errors, required(f"{path}.os.name")]
    if name not in SYSTEMS:
        return [*errors, not_supported(f"{path}.os", name, SYSTEMS)]
    if name == "linux" and (spec.get("securityContext") or {}).get("windowsOptions") is not None:
        detail = "windows options cannot be set for a linux pod"
        errors.append(forbidden_field(f"{path}.securityContext.windowsOptions", detail))
    return errors


def resource_claims_errors(spec: Object, path: str) -> list[FieldError]:
    """Claims of devices: each has a name and one origin."""
    errors: list[FieldError] = []
    names: set[str] = set()
    origins = ("resourceClaimName", "resourceClaimTemplateName")
    for index, claim in enumerate(spec.get("resourceClaims") or ()):
        at, name = f"{path}.resourceClaims[{index}]", claim.get("name") or ""
        if not name:
            errors.append(required(f"{at}.name"))
        elif name in names:
            errors.append(duplicate(f"{at}.name", name))
        else:
            errors += [invalid(f"{at}.name", name, each) for each in dns_label_errors(name)]
        names.add(name)
        shown = {"Name": name} | {f"R{key[1:]}": claim.get(key) for key in origins}
        given = [key for key in origins if claim.get(key) is not None]
        if len(given) > 1:
            detail = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            errors.append(invalid(at, shown, detail))
        elif not given:
            detail = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
            errors.append(invalid(at, shown, detail))
        for key in given:
            errors += [invalid(f"{at}.{key}", claim[key], each) for each in dns_subdomain_errors(claim[key])]
    return errors
