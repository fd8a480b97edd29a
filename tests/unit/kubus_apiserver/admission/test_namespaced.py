"""Objects are prepared once a revision and kept by namespace."""

from __future__ import annotations

from kubus.model.objects import Key
from kubus.model.records import Note, encode_record, store_key
from kubus.store import StoreChange
from kubus_apiserver.admission.namespaced import Namespaced
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.watchcache import WatchCache


def put(cache: WatchCache, namespace: str, name: str, *, gone: bool = False) -> None:
    key = store_key(Key("things.core", namespace, name))
    revision = cache.revision + 1
    obj = {"metadata": {"name": name, "namespace": namespace}}
    value = None if gone else encode_record(Note("t", "t", "create", 0), obj)
    cache.apply([StoreChange(key, value, revision, revision, None)])


def test_what_has_not_changed_is_not_prepared_again() -> None:
    prepared: list[str] = []

    def prepare(entry: Entry) -> str:
        prepared.append(entry.name)
        return entry.name

    cache, things = WatchCache(), Namespaced("things.core", prepare)
    assert things.of(cache, "a") == ()
    put(cache, "a", "one")
    put(cache, "b", "two")
    assert things.of(cache, "a") == ("one",)
    assert things.of(cache, "a") == ("one",)
    put(cache, "a", "three")
    assert things.of(cache, "a") == ("one", "three")
    assert prepared == ["one", "three"]
    put(cache, "a", "one", gone=True)
    assert things.of(cache, "a") == ("three",)
    cache.replace([], 99)
    assert things.of(cache, "a") == ()
