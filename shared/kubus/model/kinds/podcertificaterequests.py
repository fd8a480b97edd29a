"""PodCertificateRequests."""

from __future__ import annotations

from collections.abc import Callable

from kubus.model.kinds import Kind
from kubus.model.objects import Object, path_of


def _field(key: str) -> Callable[[Object], str]:
    return lambda obj: path_of(obj, "spec", key, default="")


KIND = Kind(
    group="certificates.k8s.io",
    version="v1",
    name="PodCertificateRequest",
    plural="podcertificaterequests",
    namespaced=True,
    schema="io.k8s.api.certificates.v1.PodCertificateRequest",
    status=True,
    fields={f"spec.{key}": _field(key) for key in ("signerName", "podName", "nodeName")},
)
