"""A cache that is told what there is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubus.model.objects import Key
from kubus.model.records import Note, encode_record, store_key
from kubus.store import StoreChange
from kubus_apiserver.access import policy
from kubus_apiserver.access.authorization import BINDINGS, CLUSTER_BINDINGS, CLUSTER_ROLES, ROLES
from kubus_apiserver.reading.watchcache import WatchCache

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class FixedClock:
    """It is always noon, until somebody says otherwise."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


class Told:
    """Puts objects into a watch cache as the store would."""

    def __init__(self) -> None:
        self.cache = WatchCache()

    def put(self, collection: str, namespace: str, name: str, **fields: Any) -> None:
        metadata = {"name": name, "uid": f"{name}-uid", **fields.pop("metadata", {})}
        if namespace:
            metadata["namespace"] = namespace
        self._change(
            Key(collection, namespace, name),
            encode_record(Note("t", "t", "create", 0), {**fields, "metadata": metadata}),
        )

    def remove(self, collection: str, namespace: str, name: str) -> None:
        self._change(Key(collection, namespace, name), None)

    def load_policy(self) -> None:
        """The default roles and bindings."""
        for collection, objects in (
            (CLUSTER_ROLES, policy.cluster_roles()),
            (CLUSTER_BINDINGS, policy.cluster_bindings()),
            (ROLES, policy.roles()),
            (BINDINGS, policy.bindings()),
        ):
            for obj in objects:
                metadata = obj["metadata"]
                rest = {field: value for field, value in obj.items() if field != "metadata"}
                self.put(collection, metadata.get("namespace", ""), metadata["name"], metadata=metadata, **rest)

    def _change(self, key: Key, value: bytes | None) -> None:
        revision = self.cache.revision + 1
        self.cache.apply([StoreChange(store_key(key), value, revision, revision, None)])


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def token_key() -> bytes:
    """A fresh P-256 key as PEM."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
