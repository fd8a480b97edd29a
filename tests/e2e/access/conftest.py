"""One cluster for everything about who may what."""

from __future__ import annotations

from tests.e2e.cluster.conftest import image, one_node

__all__ = ["image", "one_node"]
