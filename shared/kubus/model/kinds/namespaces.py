"""Namespaces."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, at
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, metadata, path_of

NAME_LABEL = "kubernetes.io/metadata.name"
FINALIZER = "kubernetes"


def set_defaults(obj: Object) -> None:
    """Its own name as a label, so that selectors of namespaces can name one."""
    name = metadata(obj).get("name")
    if name:
        labels = obj["metadata"].get("labels") or {}
        obj["metadata"]["labels"] = {**labels, NAME_LABEL: name}


def prepare(obj: Object, old: Object | None) -> None:
    """A new one is Active and holds the finalizer that waits for its contents; only `finalize` removes that."""
    set_defaults(obj)  # again: a generated name is known by now
    if old is None:
        obj["status"] = {"phase": "Active"}
        obj["spec"] = {"finalizers": [FINALIZER]}
    elif "spec" in old:
        obj["spec"] = old["spec"]


KIND = Kind(
    group="",
    version="v1",
    name="Namespace",
    plural="namespaces",
    namespaced=False,
    schema="io.k8s.api.core.v1.Namespace",
    short_names=("ns",),
    status=True,
    subresources=("finalize",),
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    name_check="label",
    defaults=set_defaults,
    prepare=prepare,
    columns=(NAME, Column("Status", at("status", "phase"), description="Active or Terminating."), AGE),
    fields={"status.phase": lambda obj: path_of(obj, "status", "phase", default="")},
)
