"""Probes and lifecycle hooks of a container."""

from __future__ import annotations

from kubus.model.errors import FieldError, forbidden_field, invalid, required
from kubus.model.names import http_header_errors
from kubus.model.objects import Object
from kubus.model.validation.values import not_negative, one_of, port_number, port_number_or_name

HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def probe_errors(probe: Object, name: str, path: str) -> list[FieldError]:
    """What is wrong with a probe; `name` is livenessProbe, readinessProbe or startupProbe."""
    errors = handler_errors(probe, path)
    for key in NUMBERS:
        errors += not_negative(probe.get(key), f"{path}.{key}")
    if name != "readinessProbe" and probe.get("successThreshold", 1) != 1:
        errors.append(invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1"))
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and name == "readinessProbe":
        detail = "must not be set for readinessProbes"
        errors.append(invalid(f"{path}.terminationGracePeriodSeconds", grace, detail))
    elif grace is not None and grace <= 0:
        errors.append(invalid(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0"))
    return errors


def lifecycle_errors(lifecycle: Object, path: str) -> list[FieldError]:
    """What is wrong with the hooks of a container."""
    errors: list[FieldError] = []
    for key in ("postStart", "preStop"):
        if lifecycle.get(key) is not None:
            errors += handler_errors(lifecycle[key], f"{path}.{key}")
    return errors


def handler_errors(handler: Object, path: str) -> list[FieldError]:
    """A probe or hook does exactly one thing."""
    given = [key for key in HANDLERS if handler.get(key) is not None]
    if not given:
        return [required(path, "must specify a handler type")]
    errors = [forbidden_field(f"{path}.{key}", "may not specify more than 1 handler type") for key in given[1:]]
    first, at = handler[given[0]], f"{path}.{given[0]}"
    if given[0] == "exec":
        return errors if first.get("command") else [*errors, required(f"{at}.command")]
    if given[0] == "httpGet":
        return errors + _http_errors(first, at)
    if given[0] == "tcpSocket":
        return errors + port_number_or_name(first.get("port"), f"{at}.port")
    if given[0] == "grpc":
        return errors + port_number(first.get("port"), f"{at}.port")
    return errors


def _http_errors(get: Object, path: str) -> list[FieldError]:
    errors = [] if get.get("path") else [required(f"{path}.path")]
    errors += port_number_or_name(get.get("port"), f"{path}.port")
    errors += one_of(get.get("scheme"), f"{path}.scheme", ("HTTP", "HTTPS"))
    for index, header in enumerate(get.get("httpHeaders") or ()):
        name = header.get("name") or ""
        errors += [invalid(f"{path}.httpHeaders[{index}].name", name, each) for each in http_header_errors(name)]
    return errors
