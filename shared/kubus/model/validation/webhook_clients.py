"""Where webhooks are: by URL or by Service.

Follows apiserver/pkg/util/webhook/validation.go.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from kubus.model.errors import FieldError, invalid, required
from kubus.model.names import dns_subdomain_errors, port_number_errors
from kubus.model.objects import Object

_FORM = "; desired format: https://host[/path]"


def client_errors(config: Object, path: str) -> list[FieldError]:
    """What is wrong with a clientConfig."""
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        return [required(path, "exactly one of url or service is required")]
    if service is not None:
        return _service_errors(service, f"{path}.service")
    return _url_errors(url or "", f"{path}.url")


def _url_errors(url: str, path: str) -> list[FieldError]:
    try:
        parts = urlsplit(url)
        credentials = parts.netloc.rpartition("@")[0]
    except ValueError as error:
        return [required(path, f"url must be a valid URL: {error}{_FORM}")]
    errors = []
    if parts.scheme != "https":
        errors.append(invalid(path, parts.scheme, f"'https' is the only allowed URL scheme{_FORM}"))
    if not parts.netloc.rpartition("@")[2]:
        errors.append(invalid(path, "", f"host must be specified{_FORM}"))
    if "@" in parts.netloc:
        errors.append(invalid(path, credentials, "user information is not permitted in the URL"))
    if parts.fragment:
        errors.append(invalid(path, parts.fragment, "fragments are not permitted in the URL"))
    if parts.query:
        errors.append(invalid(path, parts.query, "query parameters are not permitted in the URL"))
    return errors


def _service_errors(service: Object, path: str) -> list[FieldError]:
    words = {"name": "service name is required", "namespace": "service namespace is required"}
    errors = [required(f"{path}.{key}", detail) for key, detail in words.items() if not service.get(key)]
    port = service.get("port")
    wrong = port_number_errors(port) if port is not None else []
    if wrong:
        errors.append(invalid(f"{path}.port", port, f"port is not valid: {', '.join(wrong)}"))
    return errors + _path_errors(service.get("path") or "", f"{path}.path")


def _path_errors(text: str, path: str) -> list[FieldError]:
    if text in ("", "/"):
        return []
    if text == "//":
        return [invalid(path, text, "segment[0] may not be empty")]
    errors = [] if text.startswith("/") else [invalid(path, text, "must start with a '/'")]
    for index, step in enumerate(text[1:].removesuffix("/").split("/")):
        if not step:
            errors.append(invalid(path, text, f"segment[{index}] may not be empty"))
        else:
            errors += [invalid(path, text, f"segment[{index}]: {each}") for each in dns_subdomain_errors(step)]
    return errors
