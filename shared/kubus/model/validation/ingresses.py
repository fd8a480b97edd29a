"""Ingresses and their classes.

Follows pkg/apis/networking/validation.
"""

from __future__ import annotations

from kubus.model.errors import FieldError, invalid, not_supported, required
from kubus.model.names import (
    dns_1035_label_errors,
    dns_subdomain_errors,
    ip_errors,
    path_segment_errors,
    port_name_errors,
    wildcard_subdomain_errors,
)
from kubus.model.objects import Object
from kubus.model.validation.values import immutable, port_number

PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")


def ingress_errors(obj: Object, _old: Object | None) -> list[FieldError]:
    """What is wrong with an Ingress."""
    spec = obj.get("spec") or {}
    rules, default = spec.get("rules") or [], spec.get("defaultBackend")
    errors: list[FieldError] = []
    if not rules and default is None:
        errors.append(invalid("spec", spec.get("rules"), "either `defaultBackend` or `rules` must be specified"))
    if default is not None:
        errors += _backend_errors(default, "spec.defaultBackend")
    for index, rule in enumerate(rules):
        errors += _rule_errors(rule, f"spec.rules[{index}]")
    for index, tls in enumerate(spec.get("tls") or ()):
        for number, host in enumerate(tls.get("hosts") or ()):
            errors += _host_errors(host, f"spec.tls[{index}].hosts[{number}]")
        if secret := tls.get("secretName"):
            at = f"spec.tls[{index}].secretName"
            errors += [invalid(at, secret, each) for each in dns_subdomain_errors(secret)]
    name = spec.get("ingressClassName")
    if name is not None:
        errors += [invalid("spec.ingressClassName", name, each) for each in dns_subdomain_errors(name)]
    return errors


def _host_errors(host: str, path: str) -> list[FieldError]:
    found = wildcard_subdomain_errors(host) if "*" in host else dns_subdomain_errors(host)
    return [invalid(path, host, each) for each in found]


def _rule_errors(rule: Object, path: str) -> list[FieldError]:
    host = rule.get("host") or ""
    errors: list[FieldError] = []
    if host and not ip_errors(host):
        errors.append(invalid(f"{path}.host", host, "must be a DNS name, not an IP address"))
    elif host:
        errors += _host_errors(host, f"{path}.host")
    http = rule.get("http")
    if http is None:
        return errors
    paths = http.get("paths") or []
    if not paths:
        errors.append(required(f"{path}.http.paths"))
    for index, each in enumerate(paths):
        errors += _path_errors(each, f"{path}.http.paths[{index}]")
    return errors


def _path_errors(entry: Object, path: str) -> list[FieldError]:
    kind, target = entry.get("pathType"), entry.get("path") or ""
    errors: list[FieldError] = []
    if not kind:
        errors.append(required(f"{path}.pathType", "pathType must be specified"))
    elif kind not in PATH_TYPES:
        errors.append(not_supported(f"{path}.pathType", kind, PATH_TYPES))
    elif not target.startswith("/") and (target or kind != "ImplementationSpecific"):
        errors.append(invalid(f"{path}.path", target, "must be an absolute path"))
    elif kind != "ImplementationSpecific":
        for part in ("//", "/./", "/../", "%2f", "%2F"):
            if part in target:
                errors.append(invalid(f"{path}.path", target, f"must not contain '{part}'"))
        for end in ("/..", "/."):
            if target.endswith(end):
                errors.append(invalid(f"{path}.path", target, f"cannot end with '{end}'"))
    return errors + _backend_errors(entry.get("backend") or {}, f"{path}.backend")


def _backend_errors(backend: Object, path: str) -> list[FieldError]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        return [invalid(path, "", "cannot set both resource and service backends")]
    if resource is not None:
        return _resource_errors(resource, f"{path}.resource")
    if service is None:
        return [invalid(path, "", "resource or service backend is required")]
    errors: list[FieldError] = []
    name, port = service.get("name") or "", service.get("port") or {}
    if not name:
        errors.append(required(f"{path}.service.name"))
    else:
        errors += [invalid(f"{path}.service.name", name, each) for each in dns_1035_label_errors(name)]
    if port.get("name") and port.get("number"):
        errors.append(invalid(path, "", "cannot set both port name & port number"))
    elif port.get("number"):
        errors += port_number(port["number"], f"{path}.service.port.number")
    elif port.get("name"):
        at = f"{path}.service.port.name"
        errors += [invalid(at, port["name"], each) for each in port_name_errors(port["name"])]
    else:
        errors.append(required(path, "port name or number is required"))
    return errors


def _resource_errors(resource: Object, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if (group := resource.get("apiGroup")) is not None:
        errors += [invalid(f"{path}.apiGroup", group, each) for each in dns_subdomain_errors(group)]
    for key in ("kind", "name"):
        value = resource.get(key) or ""
        if not value:
            errors.append(required(f"{path}.{key}", f"{key} is required"))
        errors += [invalid(f"{path}.{key}", value, each) for each in path_segment_errors(value)]
    return errors


def ingress_class_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a class; its controller never changes."""
    controller = (obj.get("spec") or {}).get("controller") or ""
    errors: list[FieldError] = []
    domain = controller.partition("/")[0]
    if controller and ("/" not in controller or dns_subdomain_errors(domain)):
        detail = 'must be a domain-prefixed path (such as "acme.io/foo")'
        errors.append(invalid("spec.controller", controller, detail))
    if old is not None:
        before = (old.get("spec") or {}).get("controller") or ""
        errors += immutable(controller, before, "spec.controller")
    return errors
