"""Which form a client gets."""

from __future__ import annotations

import pytest

from kubus.model.errors import StatusError
from kubus_apiserver.reading.negotiation import JSON, PROTOBUF, YAML, Form, Offer, negotiate

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
ALL = Offer(protobuf=True)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form()),
        ("*/*", Form()),
        ("application/json", Form()),
        ("application/json;stream=watch", Form()),
        (f"{TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", Form(transform="Table")),
        ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", Form()),
        ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", Form(transform="PartialObjectMetadata")),
        ("application/yaml", Form(YAML)),
        ("application/yaml;q=0.1,application/json;q=0.2", Form()),
        ("application/json;q=x,application/yaml", Form()),
        (f"{PROTOBUF};as=Table;v=v1;g=meta.k8s.io,{TABLE}", Form(transform="Table")),
    ],
)
@pytest.mark.parametrize("offer", [Offer(), ALL])
def test_the_first_clause_that_can_be_given_wins(accept: str, form: Form, offer: Offer) -> None:
    assert negotiate(accept, offer) == form


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (PROTOBUF, Form(PROTOBUF)),
        (f"{PROTOBUF},{JSON}", Form()),
        (f"{PROTOBUF},*/*", Form()),
        (f"{PROTOBUF},{JSON};q=0.9", Form(PROTOBUF)),
        (f"{PROTOBUF}{PARTIAL},{JSON}{PARTIAL},{JSON}", Form(JSON, "PartialObjectMetadata")),
        (f"{PROTOBUF}{PARTIAL},{JSON}", Form(PROTOBUF, "PartialObjectMetadata")),
        (f"{PROTOBUF};stream=watch", Form(PROTOBUF)),
    ],
)
def test_protobuf_is_for_who_does_not_take_json_as_gladly(accept: str, form: Form) -> None:
    assert negotiate(accept, ALL) == form


@pytest.mark.parametrize(
    ("accept", "offer"),
    [
        ("text/html", ALL),
        (PROTOBUF, Offer()),
        (f"{TABLE}x", ALL),
        (";", ALL),
        (",", ALL),
        (TABLE, Offer(tables=False)),
        (f"{JSON}{PARTIAL}", Offer(metadata=False)),
        (f"{PROTOBUF};as=Table;v=v1;g=meta.k8s.io", ALL),
        ("application/yaml", Offer(streamed=True)),
        ("application/json;as=Bogus;v=v1;g=meta.k8s.io", ALL),
    ],
)
def test_what_cannot_be_given_is_not_acceptable(accept: str, offer: Offer) -> None:
    with pytest.raises(StatusError, match="only the following media types are accepted: application/json") as refused:
        negotiate(accept, offer)
    assert refused.value.code == 406


def test_who_takes_something_else_as_well_gets_that() -> None:
    assert negotiate(f"{TABLE},application/json", Offer(tables=False)) == Form()
