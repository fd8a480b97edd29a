"""The environment of a container: pure.

First come the image's variables, with a PATH where the image has none, as every runtime fills it in; then what the
node adds (HOSTNAME, TERM for a terminal); then the pod's.
Later entries win, `env` wins over `envFrom`, and `$(NAME)` stands for what was defined before it; `$$(NAME)` is a
literal `$(NAME)`, and a name nobody defined stays as it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from kubus.model.objects import Object, namespace_of
from kubus_kubelet.references import ConfigError, Reference, Resolved, field_value, resource_value

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def runtime_environment(image: Iterable[str], variables: Mapping[str, str], *, tty: bool) -> dict[str, str]:
    """The variables of the process: the image's (`NAME=value` each), the runtime's, and the pod's, which win."""
    pairs = (each.partition("=") for each in image)
    found = {name: value for name, _, value in pairs}
    found.setdefault("PATH", DEFAULT_PATH)
    return {**found, **({"TERM": "xterm"} if tty else {}), **variables}


def expand(text: str, variables: Mapping[str, str]) -> str:
    """The text with every `$(NAME)` that is defined replaced."""
    return replace_references(text, lambda name: variables.get(name, f"$({name})"))


def replace_references(text: str, value_of: Callable[[str], str]) -> str:
    """The text with every `$(NAME)` replaced by its value."""
    result: list[str] = []
    at = 0
    while (dollar := text.find("$", at)) >= 0 and dollar + 1 < len(text):
        result.append(text[at:dollar])
        following = text[dollar + 1]
        end = text.find(")", dollar)
        if following == "$":
            result.append("$")
            at = dollar + 2
        elif following == "(" and end > 0:
            result.append(value_of(text[dollar + 2 : end]))
            at = end + 1
        else:
            result.append("$" + following)
            at = dollar + 2
    return "".join(result) + text[at:]


def environment(container: Object, resolved: Resolved) -> dict[str, str]:
    """The variables of a container.

    Raises:
        ConfigError: a ConfigMap, Secret, key or field does not exist.
    """
    variables = dict(resolved.extra_env)
    for each in container.get("envFrom") or ():
        variables.update(_from_source(each, resolved))
    for each in container.get("env") or ():
        value = _value(each, container, resolved, variables)
        if value is not None:
            variables[each["name"]] = value
    return variables


def _from_source(entry: Object, resolved: Resolved) -> dict[str, str]:
    prefix = entry.get("prefix") or ""
    reference = _reference(entry, "configMapRef", "secretRef")
    if reference is None:
        return {}
    source = entry.get("configMapRef") or entry.get("secretRef") or {}
    data = resolved.data(reference, optional=bool(source.get("optional")))
    return {prefix + key: _text(value) for key, value in data.items() if key and "=" not in key}


def _value(entry: Object, container: Object, resolved: Resolved, before: Mapping[str, str]) -> str | None:
    source = entry.get("valueFrom")
    if not source:
        return expand(entry.get("value") or "", before)
    if "fieldRef" in source:
        return field_value(source["fieldRef"]["fieldPath"], resolved)
    if "resourceFieldRef" in source:
        wanted = source["resourceFieldRef"].get("containerName") or container["name"]
        return resource_value(source["resourceFieldRef"], _container(resolved.pod, wanted), resolved)
    reference = _reference(source, "configMapKeyRef", "secretKeyRef")
    if reference is None:
        raise ConfigError(f"environment variable {entry['name']} has an unknown source")
    chosen = source.get("configMapKeyRef") or source.get("secretKeyRef") or {}
    optional = bool(chosen.get("optional"))
    data = resolved.data(reference, optional=optional)
    if chosen["key"] in data:
        return _text(data[chosen["key"]])
    if optional:
        return None
    shown = "ConfigMap" if reference.source == "configmap" else "Secret"
    raise ConfigError(f"couldn't find key {chosen['key']} in {shown} {namespace_of(resolved.pod)}/{reference.name}")


def _reference(source: Object, configmap: str, secret: str) -> Reference | None:
    if configmap in source:
        return Reference("configmap", source[configmap]["name"])
    if secret in source:
        return Reference("secret", source[secret]["name"])
    return None


def _container(pod: Object, name: str) -> Object:
    spec = pod["spec"]
    for container in [*spec["containers"], *(spec.get("initContainers") or ())]:
        if container["name"] == name:
            return dict(container)
    raise ConfigError(f"container {name} not found")


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
