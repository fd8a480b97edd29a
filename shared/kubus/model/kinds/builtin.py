"""All built-in kinds."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from kubus.model.kinds import Kind

MODULES = (
    "configmaps",
    "deployments",
    "endpoints",
    "endpointslices",
    "events",
    "leases",
    "namespaces",
    "nodes",
    "pods",
    "replicasets",
    "secrets",
    "serviceaccounts",
    "services",
)


@cache
def builtin_kinds() -> tuple[Kind, ...]:
    """Every built-in kind that is served, one module each."""
    return tuple(import_module(f"kubus.model.kinds.{name}").KIND for name in MODULES)
