"""Two apiservers over one etcd, and an extension apiserver behind an ExternalName."""

from __future__ import annotations

from tests.e2e.admission.conftest import both

__all__ = ["both"]
