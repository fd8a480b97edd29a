"""All built-in kinds.

The list names modules, not kinds: a service that works with three kinds imports those three, and only who serves them
all comes here.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from kubus.model.kinds import Kind
from kubus.model.kinds.reviews import KINDS as REVIEWS

MODULES = (
    "apiservices",
    "bindings",
    "certificatesigningrequests",
    "clusterrolebindings",
    "clusterroles",
    "clustertrustbundles",
    "componentstatuses",
    "configmaps",
    "controllerrevisions",
    "cronjobs",
    "csidrivers",
    "csinodes",
    "csistoragecapacities",
    "customresourcedefinitions",
    "daemonsets",
    "deployments",
    "deviceclasses",
    "devicetaintrules",
    "endpoints",
    "endpointslices",
    "events",
    "events_v1",
    "flowschemas",
    "horizontalpodautoscalers",
    "horizontalpodautoscalers_v1",
    "ingressclasses",
    "ingresses",
    "ipaddresses",
    "jobs",
    "leases",
    "limitranges",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
    "mutatingwebhookconfigurations",
    "namespaces",
    "networkpolicies",
    "nodes",
    "persistentvolumeclaims",
    "persistentvolumes",
    "podcertificaterequests",
    "poddisruptionbudgets",
    "pods",
    "podtemplates",
    "priorityclasses",
    "prioritylevelconfigurations",
    "replicasets",
    "replicationcontrollers",
    "resourceclaims",
    "resourceclaimtemplates",
    "resourcequotas",
    "resourceslices",
    "rolebindings",
    "roles",
    "runtimeclasses",
    "secrets",
    "serviceaccounts",
    "servicecidrs",
    "services",
    "statefulsets",
    "storageclasses",
    "storageversionmigrations",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "validatingwebhookconfigurations",
    "volumeattachments",
    "volumeattributesclasses",
)


@cache
def builtin_kinds() -> tuple[Kind, ...]:
    """Every built-in kind that is served, the reviews at the end."""
    stored = tuple(import_module(f"kubus.model.kinds.{name}").KIND for name in MODULES)
    return (*stored, *REVIEWS)
