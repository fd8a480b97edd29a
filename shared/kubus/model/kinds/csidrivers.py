"""CSIDrivers."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, NONE, UNSET, at, joined, plain
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, path_of


def set_defaults(obj: Object) -> None:
    """Attaches, and keeps volumes that outlive pods."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("attachRequired", True)
    spec.setdefault("podInfoOnMount", False)
    spec.setdefault("storageCapacity", False)
    spec.setdefault("fsGroupPolicy", "ReadWriteOnceWithFSType")
    spec.setdefault("requiresRepublish", False)
    spec.setdefault("seLinuxMount", False)
    if not spec.get("volumeLifecycleModes"):
        spec["volumeLifecycleModes"] = ["Persistent"]


def _tokens(obj: Object) -> str:
    requests = path_of(obj, "spec", "tokenRequests")
    return UNSET if requests is None else ",".join(each.get("audience", "") for each in requests)


KIND = Kind(
    group="storage.k8s.io",
    version="v1",
    name="CSIDriver",
    plural="csidrivers",
    namespaced=False,
    schema="io.k8s.api.storage.v1.CSIDriver",
    generation=True,
    defaults=set_defaults,
    columns=(
        NAME,
        Column(
            "AttachRequired",
            at("spec", "attachRequired", default=True),
            "boolean",
            description="Whether volumes are attached first.",
        ),
        Column(
            "PodInfoOnMount",
            at("spec", "podInfoOnMount", default=False),
            "boolean",
            description="Whether it is told about pods.",
        ),
        Column(
            "StorageCapacity",
            at("spec", "storageCapacity", default=False),
            "boolean",
            description="Whether it reports capacity.",
        ),
        Column("TokenRequests", plain(_tokens), description="Audiences of the tokens it gets."),
        Column(
            "RequiresRepublish",
            at("spec", "requiresRepublish", default=False),
            "boolean",
            description="Whether it wants to be called again.",
        ),
        Column(
            "Modes",
            plain(lambda obj: joined(path_of(obj, "spec", "volumeLifecycleModes", default=()), NONE)),
            description="Lifecycles of its volumes.",
        ),
        AGE,
    ),
)
