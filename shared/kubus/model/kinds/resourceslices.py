"""ResourceSlices."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, at
from kubus.model.kinds import Column, Kind
from kubus.model.objects import path_of

KIND = Kind(
    group="resource.k8s.io",
    version="v1",
    name="ResourceSlice",
    plural="resourceslices",
    namespaced=False,
    schema="io.k8s.api.resource.v1.ResourceSlice",
    create_on_update=True,
    generation=True,
    columns=(
        NAME,
        Column("Node", at("spec", "nodeName"), description="The node of its devices."),
        Column("Driver", at("spec", "driver"), description="Who offers them."),
        Column("Pool", at("spec", "pool", "name"), description="The pool they are in."),
        AGE,
    ),
    fields={
        "spec.nodeName": lambda obj: path_of(obj, "spec", "nodeName", default=""),
        "spec.driver": lambda obj: path_of(obj, "spec", "driver", default=""),
    },
)
