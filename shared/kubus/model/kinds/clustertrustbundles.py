"""ClusterTrustBundles."""

from __future__ import annotations

from kubus.model.cells import NAME, NONE, at
from kubus.model.errors import FieldError, invalid
from kubus.model.kinds import Column, Kind
from kubus.model.names import dns_subdomain_errors
from kubus.model.objects import Object, name_of, path_of
from kubus.model.validation.values import immutable


def trust_bundle_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """A bundle of a signer has its name in front, `example.com:signer:…`; the signer stays."""
    name, signer = name_of(obj), path_of(obj, "spec", "signerName", default="")
    prefix = f"{signer.replace('/', ':')}:" if signer else ""
    if not name.startswith(prefix):
        return [
            invalid(
                "metadata.name", name, f"ClusterTrustBundle for signerName {signer} must be named with prefix {prefix}"
            )
        ]
    if not prefix and ":" in name:
        return [invalid("metadata.name", name, 'ClusterTrustBundle without signer name must not have ":" in its name')]
    errors = [invalid("metadata.name", name, each) for each in dns_subdomain_errors(name.removeprefix(prefix))]
    if old is not None:
        errors += immutable(signer, path_of(old, "spec", "signerName", default=""), "spec.signerName")
    return errors


KIND = Kind(
    group="certificates.k8s.io",
    version="v1",
    name="ClusterTrustBundle",
    plural="clustertrustbundles",
    namespaced=False,
    schema="io.k8s.api.certificates.v1.ClusterTrustBundle",
    name_check="path_segment",
    rules=(trust_bundle_errors,),
    columns=(
        NAME,
        Column("SignerName", at("spec", "signerName", default=NONE), description="Whose certificates it holds."),
    ),
    fields={"spec.signerName": lambda obj: path_of(obj, "spec", "signerName", default="")},
)
