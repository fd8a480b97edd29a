"""Negotiation: the form in which a client wants its answer, from its Accept header.

    application/json                                     the object
    application/json;as=Table;v=v1;g=meta.k8s.io         rows for people, also in watches
    application/json;as=PartialObjectMetadata;…          metadata only (…List for collections)
    application/yaml                                     the object, as YAML
    application/vnd.kubernetes.protobuf                  the object, as Go's clients like it best

The first clause that can be given wins, as in Kubernetes, with one exception: who takes JSON as gladly as protobuf gets
JSON, because that is there already. Not everything can be given: an `Offer` says what there is.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from kubus.model.errors import not_acceptable

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"


class Form(NamedTuple):
    """How an answer is to look."""

    media: str = JSON
    transform: str = ""
    """"", Table or PartialObjectMetadata."""
    version: str = "v1"
    """Of the transformed object, in group meta.k8s.io."""


class Offer(NamedTuple):
    """What can be given."""

    tables: bool = True
    """Whether there are rows: of what is only asked, there are none."""
    metadata: bool = True
    """Whether it can be cut down to metadata."""
    protobuf: bool = False
    streamed: bool = False
    """Whether it goes on, as a watch does: YAML has no end of an event."""


PLAIN = Form()
EVERYTHING = Offer()
_GIVEN = {JSON: JSON, YAML: YAML, PROTOBUF: PROTOBUF, "application/*": JSON, "*/*": JSON}
_TRANSFORMS = {
    "Table": "Table",
    "PartialObjectMetadata": "PartialObjectMetadata",
    "PartialObjectMetadataList": "PartialObjectMetadata",
}


@lru_cache(maxsize=512)
def negotiate(accept: str, offer: Offer = EVERYTHING) -> Form:
    """The form that an Accept header asks for.

    Raises:
        StatusError: 406, nothing that is asked for can be given.
    """
    if not accept:
        return PLAIN
    clauses = sorted(map(_clause, accept.split(",")), key=lambda clause: -_quality(clause[1]))
    forms = [(form, _quality(options)) for media, options in clauses if (form := _form(media, options, offer))]
    if not forms:
        accepted = [JSON, PROTOBUF] if offer.streamed else [JSON, YAML, PROTOBUF]
        words = [f"{each};stream=watch" if offer.streamed else each for each in accepted]
        raise not_acceptable(f"only the following media types are accepted: {', '.join(words)}")
    first, quality = forms[0]
    as_json = first._replace(media=JSON)
    return as_json if first.media == PROTOBUF and (as_json, quality) in forms else first


def _form(media: str, options: dict[str, str], offer: Offer) -> Form | None:
    """What a clause asks for, if it can be given."""
    given = _GIVEN.get(media)
    if given is None or (given == PROTOBUF and not offer.protobuf) or (given == YAML and offer.streamed):
        return None
    if "as" not in options:
        return Form(given)
    transform = _TRANSFORMS.get(options["as"])
    if options.get("g") != "meta.k8s.io" or options.get("v") not in ("v1", "v1beta1"):
        return None
    if transform == "Table" and offer.tables and given != PROTOBUF:
        return Form(given, transform, options["v"])
    return Form(given, transform, options["v"]) if transform == "PartialObjectMetadata" and offer.metadata else None


def _clause(text: str) -> tuple[str, dict[str, str]]:
    media, *parameters = (part.strip() for part in text.split(";"))
    return media, dict(part.split("=", 1) for part in parameters if "=" in part)


def _quality(options: dict[str, str]) -> float:
    """How much a clause is wanted; what is no number counts as fully."""
    try:
        return float(options.get("q", "1"))
    except ValueError:
        return 1.0
