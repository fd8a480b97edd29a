"""CertificateSigningRequests."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, NONE, at, human_duration, plain
from kubus.model.errors import FieldError
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, path_of
from kubus.model.validation.values import immutable, required_text


def request_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """It says what to sign and who is to, once."""
    spec = obj.get("spec") or {}
    errors = required_text(spec.get("request"), "spec.request") + required_text(
        spec.get("signerName"), "spec.signerName"
    )
    return errors + (immutable(spec, old.get("spec") or {}, "spec") if old is not None else [])


def _condition(obj: Object) -> str:
    kinds = {each.get("type") for each in path_of(obj, "status", "conditions", default=())}
    text = "Denied" if "Denied" in kinds else "Approved" if "Approved" in kinds else "Pending"
    text += ",Failed" if "Failed" in kinds else ""
    return text + (",Issued" if path_of(obj, "status", "certificate") else "")


def _duration(obj: Object) -> str:
    seconds = path_of(obj, "spec", "expirationSeconds")
    return NONE if seconds is None else human_duration(seconds)


KIND = Kind(
    group="certificates.k8s.io",
    version="v1",
    name="CertificateSigningRequest",
    plural="certificatesigningrequests",
    namespaced=False,
    schema="io.k8s.api.certificates.v1.CertificateSigningRequest",
    short_names=("csr",),
    status=True,
    subresources=("approval",),
    rules=(request_errors,),
    columns=(
        NAME,
        AGE,
        Column("SignerName", at("spec", "signerName", default=NONE), description="Who is to sign."),
        Column("Requestor", at("spec", "username"), description="Who asks."),
        Column("RequestedDuration", plain(_duration), description="For how long."),
        Column("Condition", plain(_condition), description="What came of it."),
    ),
    fields={"spec.signerName": lambda obj: path_of(obj, "spec", "signerName", default="")},
)
