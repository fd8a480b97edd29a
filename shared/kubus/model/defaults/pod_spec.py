"""Defaults of a pod's spec, for pods and for the templates of workloads.

Values follow pkg/apis/core/v1/defaults.go. What is set on the pod but not on a template (service account,
tolerations for not-ready nodes, priority) is the business of admission.
"""

from __future__ import annotations

from typing import Any

from kubus.model.objects import Object

SECRET_MODE = 0o644
PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}


def set_template_defaults(holder: Object) -> None:
    """Defaults of `template` in a workload's spec, also where there is none: Kubernetes then has an empty one."""
    set_pod_spec_defaults(holder.setdefault("template", {}).setdefault("spec", {}))


def set_pod_spec_defaults(spec: Object) -> None:
    """Defaults of a pod's spec and all it holds."""
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    elif spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"]
    for key in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(key) or ():
            set_container_defaults(container)
    for volume in spec.get("volumes") or ():
        set_volume_defaults(volume)


def set_pod_defaults(pod: Object) -> None:
    """Defaults of a pod: those of its spec, and what templates do not get."""
    spec = pod.setdefault("spec", {})
    set_pod_spec_defaults(spec)
    spec.setdefault("enableServiceLinks", True)
    for key in ("initContainers", "containers"):
        for container in spec.get(key) or ():
            _set_requests(container)
            if spec.get("hostNetwork"):
                _set_host_ports(container)


def _set_requests(container: Object) -> None:
    """A limit without a request is the request as well."""
    resources = container.get("resources") or {}
    if resources.get("limits"):
        resources["requests"] = {**resources["limits"], **(resources.get("requests") or {})}


def _set_host_ports(container: Object) -> None:
    for port in container.get("ports") or ():
        if not port.get("hostPort"):
            port["hostPort"] = port.get("containerPort", 0)


def set_container_defaults(container: Object) -> None:
    """Defaults of one container of any of the three lists."""
    container.setdefault("imagePullPolicy", _pull_policy(container.get("image") or ""))
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("resources", {})
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
    for variable in container.get("env") or ():
        field = (variable.get("valueFrom") or {}).get("fieldRef")
        if field:
            field.setdefault("apiVersion", "v1")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(name):
            _set_probe_defaults(container[name])
    for handler in (container.get("lifecycle") or {}).values():
        if isinstance(handler, dict):
            _set_http_defaults(handler)


def _pull_policy(image: str) -> str:
    """Always for an image without tag or with `latest`; a digest or another tag is fetched once."""
    if "@" in image:
        return "IfNotPresent"
    tag = image.rpartition("/")[2].partition(":")[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _set_probe_defaults(probe: Object) -> None:
    for key, value in PROBE.items():
        if not probe.get(key):
            probe[key] = value
    _set_http_defaults(probe)
    if probe.get("grpc"):
        probe["grpc"].setdefault("service", "")


def _set_http_defaults(handler: Object) -> None:
    get = handler.get("httpGet")
    if isinstance(get, dict):
        get["path"] = get.get("path") or "/"
        get["scheme"] = get.get("scheme") or "HTTP"


def set_volume_defaults(volume: Object) -> None:
    """Defaults of one volume; one that names no source is an emptyDir."""
    if len(volume) <= 1:
        volume["emptyDir"] = {}
    for source in ("secret", "configMap", "downwardAPI", "projected"):
        if isinstance(volume.get(source), dict):
            volume[source].setdefault("defaultMode", SECRET_MODE)
    if isinstance(volume.get("hostPath"), dict):
        volume["hostPath"].setdefault("type", "")
    for entry in _projections(volume):
        _set_projection_defaults(entry)
    for item in (volume.get("downwardAPI") or {}).get("items") or ():
        _set_field_version(item)
    template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
    if template and isinstance(template.get("spec"), dict):
        template["spec"].setdefault("volumeMode", "Filesystem")


def _projections(volume: Object) -> list[Any]:
    return (volume.get("projected") or {}).get("sources") or []


def _set_projection_defaults(source: Object) -> None:
    token = source.get("serviceAccountToken")
    if isinstance(token, dict):
        token.setdefault("expirationSeconds", 3600)
    for item in (source.get("downwardAPI") or {}).get("items") or ():
        _set_field_version(item)


def _set_field_version(item: Object) -> None:
    if isinstance(item.get("fieldRef"), dict):
        item["fieldRef"].setdefault("apiVersion", "v1")
