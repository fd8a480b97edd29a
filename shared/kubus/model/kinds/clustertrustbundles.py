"""ClusterTrustBundles."""

from __future__ import annotations

from kubus.model.cells import NAME, NONE, at
from kubus.model.kinds import Column, Kind
from kubus.model.objects import path_of

KIND = Kind(
    group="certificates.k8s.io",
    version="v1",
    name="ClusterTrustBundle",
    plural="clustertrustbundles",
    namespaced=False,
    schema="io.k8s.api.certificates.v1.ClusterTrustBundle",
    columns=(
        NAME,
        Column("SignerName", at("spec", "signerName", default=NONE), description="Whose certificates it holds."),
    ),
    fields={"spec.signerName": lambda obj: path_of(obj, "spec", "signerName", default="")},
)
