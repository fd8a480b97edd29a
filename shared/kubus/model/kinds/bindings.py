"""Bindings: the older way to put a pod on a node, created beside pods instead of below one; never stored."""

from __future__ import annotations

from kubus.model.kinds import Kind

KIND = Kind(
    group="",
    version="v1",
    name="Binding",
    plural="bindings",
    namespaced=True,
    schema="io.k8s.api.core.v1.Binding",
    verbs=("create",),
)
