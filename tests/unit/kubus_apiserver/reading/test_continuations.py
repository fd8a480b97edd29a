"""Continue tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.errors import StatusError
from kubus_apiserver.reading.continuations import decode_token, encode_token


@given(st.integers(min_value=1, max_value=2**62), st.text(max_size=20), st.text(max_size=20))
def test_a_token_says_where_a_list_goes_on(revision: int, namespace: str, name: str) -> None:
    assert decode_token(encode_token(revision, namespace, name)) == (revision, (namespace, name))


@given(st.text(max_size=40))
def test_a_forged_token_is_refused_or_read(text: str) -> None:
    try:
        decode_token(text)
    except StatusError as refused:
        assert refused.code == 400


@pytest.mark.parametrize("token", ["", "x", "e30", "eyJydiI6LTEsIm5zIjoiIiwibiI6IiJ9"])
def test_a_token_that_is_none_is_refused(token: str) -> None:
    with pytest.raises(StatusError, match="continue key is not valid"):
        decode_token(token)
