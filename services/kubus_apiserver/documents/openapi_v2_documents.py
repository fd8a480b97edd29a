"""The OpenAPI v2 document as it is kept and served: compressed, in both forms, made in a thread when first asked for.

A document holds for one generation of the registry. Whoever asks while it is being made waits for that one.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
from collections.abc import Iterator

from kubus.model.codec import to_json
from kubus.model.errors import not_acceptable
from kubus_apiserver.documents import openapi_v2_protobuf as protobuf
from kubus_apiserver.documents.openapi import OpenApi
from kubus_apiserver.documents.openapi_v2 import Part, parts
from kubus_apiserver.doors.answers import Answer

_LEVEL = 6
_TITLE, _VERSION = "Kubernetes", "unversioned"
_PROTOBUF = frozenset(
    {
        protobuf.MEDIA,
        "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
        "application/vnd.kubernetes.protobuf",
    }
)
_JSON = frozenset({"application/json", "application/*", "*/*", ""})


class OpenApiV2:
    """Answers `/openapi/v2`."""

    def __init__(self, documents: OpenApi) -> None:
        self._documents = documents
        self._making = asyncio.Lock()
        self._etag = ""
        self._kept: dict[str, bytes] = {}

    async def answer(self, accept: str, if_none_match: str) -> Answer:
        """The document in the form that is accepted, or word that it has not changed.

        Raises:
            StatusError: 406.
        """
        media = _form(accept)
        etag = self._digest()
        if etag in if_none_match.replace('"', "").replace("W/", "").replace(" ", "").split(","):
            return Answer(304, b"", media, etag=etag)
        async with self._making:
            etag = self._digest()
            if etag != self._etag:
                self._etag, self._kept = etag, {}
            if media not in self._kept:
                make = _json if media == "application/json" else _protobuf
                self._kept[media] = await asyncio.to_thread(make, self._documents)
        return Answer(200, self._kept[media], media, etag=etag, encoding="gzip")

    def _digest(self) -> str:
        index = self._documents.index()["paths"]
        return hashlib.sha256(to_json(index)).hexdigest()[:64].upper()


def _form(accept: str) -> str:
    for clause in accept.split(","):
        media = clause.partition(";")[0].strip()
        if media in _PROTOBUF:
            return protobuf.MEDIA
        if media in _JSON:
            return "application/json"
    raise not_acceptable(f"only the following media types are accepted: application/json, {protobuf.MEDIA}")


def _parts(documents: OpenApi) -> Iterator[Part]:
    paths = list(documents.index()["paths"])
    return parts(documents.made(path) for path in paths)


def _json(documents: OpenApi) -> bytes:
    paths, definitions = _Members(), _Members()
    for part in _parts(documents):
        (paths if part.name.startswith("/") else definitions).add(part)
    info = to_json({"title": _TITLE, "version": _VERSION})
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=_LEVEL, mtime=0) as file:
        file.write(b'{"swagger":"2.0","info":%b,"paths":{' % info)
        file.write(paths.text())
        file.write(b'},"definitions":{')
        file.write(definitions.text())
        file.write(b"}}")
    return out.getvalue()


def _protobuf(documents: OpenApi) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=_LEVEL, mtime=0) as file:
        file.write(protobuf.head(_TITLE, _VERSION))
        for name, value in _parts(documents):
            encode = protobuf.path_part if name.startswith("/") else protobuf.definition_part
            file.write(encode(name, value))
    return out.getvalue()


class _Members:
    """Members of a JSON object, joined."""

    def __init__(self) -> None:
        self._members: list[bytes] = []

    def add(self, part: Part) -> None:
        self._members.append(b"%b:%b" % (to_json(part.name), to_json(part.value)))

    def text(self) -> bytes:
        return b",".join(self._members)
