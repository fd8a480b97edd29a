"""Secrets."""

from __future__ import annotations

from base64 import b64encode

from kubus.model.cells import AGE, NAME, at, plain
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object
from kubus.model.validation.data import secret_errors


def set_defaults(obj: Object) -> None:
    """Opaque unless it says otherwise; stringData, which is only ever written, becomes data."""
    obj["type"] = obj.get("type") or "Opaque"
    texts = obj.pop("stringData", None)
    if texts:
        encoded = {key: b64encode((text or "").encode()).decode() for key, text in texts.items()}
        obj["data"] = {**(obj.get("data") or {}), **encoded}


KIND = Kind(
    group="",
    version="v1",
    name="Secret",
    plural="secrets",
    namespaced=True,
    schema="io.k8s.api.core.v1.Secret",
    defaults=set_defaults,
    rules=(secret_errors,),
    columns=(
        NAME,
        Column("Type", at("type"), description="What the secret is for."),
        Column("Data", plain(lambda obj: len(obj.get("data") or ())), description="Number of keys."),
        AGE,
    ),
    fields={"type": lambda obj: obj.get("type") or ""},
)
