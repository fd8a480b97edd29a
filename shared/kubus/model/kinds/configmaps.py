"""ConfigMaps."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, plain
from kubus.model.kinds import Column, Kind
from kubus.model.validation.data import config_map_errors

KIND = Kind(
    group="",
    version="v1",
    name="ConfigMap",
    plural="configmaps",
    namespaced=True,
    schema="io.k8s.api.core.v1.ConfigMap",
    short_names=("cm",),
    rules=(config_map_errors,),
    columns=(
        NAME,
        Column(
            "Data",
            plain(lambda obj: len(obj.get("data") or ()) + len(obj.get("binaryData") or ())),
            description="Number of keys.",
        ),
        AGE,
    ),
)
