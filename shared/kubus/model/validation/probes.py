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


def lifecycle_errors(lifecycle: Object, spec: Object, path: str) -> list[FieldError]:
    """What is wrong with the hooks of a container in a pod of this spec."""
    errors: list[FieldError] = []
    for key in ("postStart", "preStop"):
        if lifecycle.get(key) is not None:
            errors += handler_errors(lifecycle[key], f"{path}.{key}", spec.get("terminationGracePeriodSeconds"))
    signal, system = lifecycle.get("stopSignal"), (spec.get("os") or {}).get("name")
    if signal is not None and not system:
        errors.append(forbidden_field(f"{path}.stopSignal", "may not be set for containers with empty `spec.os.name`"))
    return errors


def handler_errors(handler: Object, path: str, grace: int | None = None) -> list[FieldError]:
    """A probe or hook does exactly one thing; a hook that sleeps wakes before its pod's grace period is over."""
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
    seconds = first.get("seconds") or 0
    if grace is not None and not 0 <= seconds <= grace:
        detail = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
        errors.append(invalid(at, seconds, detail))
    return errors


def _http_errors(get: Object, path: str) -> list[FieldError]:
    errors = [] if get.get("path") else [required(f"{path}.path")]
    errors += port_number_or_name(get.get("port"), f"{path}.port")
    errors += one_of(get.get("scheme"), f"{path}.scheme", ("HTTP", "HTTPS"))
    for header in get.get("httpHeaders") or ():
        name = header.get("name") or ""
        errors += [invalid(f"{path}.httpHeaders", name, each) for each in http_header_errors(name)]
    return errors
