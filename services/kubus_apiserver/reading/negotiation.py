"""Negotiation: the form in which a client wants its answer, from its Accept header.

    application/json                                     the object
    application/json;as=Table;v=v1;g=meta.k8s.io         rows for people, also in watches
    application/json;as=PartialObjectMetadata;…          metadata only (…List for collections)
    application/yaml                                     the object, as YAML

The first clause that can be given wins, as in Kubernetes. Protobuf is taken in bodies but never given: every
client that asks for it takes JSON too.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from kubus.model.errors import not_acceptable


class Form(NamedTuple):
    """How an answer is to look."""

    media: str = "application/json"
    transform: str = ""
    """"", Table or PartialObjectMetadata."""
    version: str = "v1"
    """Of the transformed object, in group meta.k8s.io."""


PLAIN = Form()
_GIVEN = {
    "application/json": "application/json",
    "application/yaml": "application/yaml",
    "application/*": "application/json",
    "*/*": "application/json",
}
_TRANSFORMS = {
    "Table": "Table",
    "PartialObjectMetadata": "PartialObjectMetadata",
    "PartialObjectMetadataList": "PartialObjectMetadata",
}


@lru_cache(maxsize=256)
def negotiate(accept: str) -> Form:
    """The form that an Accept header asks for.

    Raises:
        StatusError: 406, nothing that is asked for can be given.
    """
    if not accept:
        return PLAIN
    for media, options in sorted(map(_clause, accept.split(",")), key=lambda clause: -_quality(clause[1])):
        if media not in _GIVEN:
            continue
        given = _GIVEN[media]
        if "as" not in options:
            return Form(given)
        transform = _TRANSFORMS.get(options["as"])
        if transform and options.get("g") == "meta.k8s.io" and options.get("v") in ("v1", "v1beta1"):
            return Form(given, transform, options["v"])
    raise not_acceptable("only the following media types are accepted: application/json, application/yaml")


def _clause(text: str) -> tuple[str, dict[str, str]]:
    media, *parameters = (part.strip() for part in text.split(";"))
    return media, dict(part.split("=", 1) for part in parameters if "=" in part)


def _quality(options: dict[str, str]) -> float:
    """How much a clause is wanted; what is no number counts as fully."""
    try:
        return float(options.get("q", "1"))
    except ValueError:
        return 1.0
