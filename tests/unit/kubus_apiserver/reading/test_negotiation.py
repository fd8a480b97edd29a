"""Which form a client gets."""

from __future__ import annotations

import pytest

from kubus.model.errors import StatusError
from kubus_apiserver.reading.negotiation import Form, negotiate

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form()),
        ("*/*", Form()),
        ("application/json", Form()),
        ("application/vnd.kubernetes.protobuf,application/json", Form()),
        ("application/json;stream=watch", Form()),
        (f"{TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", Form(transform="Table")),
        ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", Form()),
        ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", Form(transform="PartialObjectMetadata")),
        ("application/yaml", Form("application/yaml")),
    ],
)
def test_the_first_clause_that_can_be_given_wins(accept: str, form: Form) -> None:
    assert negotiate(accept) == form


@pytest.mark.parametrize("accept", ["text/html", "application/vnd.kubernetes.protobuf", f"{TABLE}x", ";", ","])
def test_what_cannot_be_given_is_not_acceptable(accept: str) -> None:
    with pytest.raises(StatusError) as refused:
        negotiate(accept)
    assert refused.value.code == 406
