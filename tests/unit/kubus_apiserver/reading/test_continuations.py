"""Continue tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.errors import StatusError
from kubus_apiserver.reading.continuations import LATEST, Token, decode_token, encode_token

_NUMBERS = st.integers(min_value=1, max_value=2**62)


@given(_NUMBERS | st.just(LATEST), st.text(max_size=20), st.text(max_size=20), _NUMBERS)
def test_a_token_says_where_a_list_goes_on(revision: int, namespace: str, name: str, began: int) -> None:
    token = Token(revision, namespace, name, began)
    assert decode_token(encode_token(token)) == token
    assert token.after == (namespace, name)


@given(st.text(max_size=40))
def test_a_forged_token_is_refused_or_read(text: str) -> None:
    try:
        decode_token(text)
    except StatusError as refused:
        assert refused.code == 400


@pytest.mark.parametrize(
    "token", ["", "x", "e30", "eyJydiI6LTEsIm5zIjoiIiwibiI6IiJ9", "eyJydiI6MCwibnMiOiIiLCJuIjoiIiwidCI6MH0"]
)
def test_a_token_that_is_none_is_refused(token: str) -> None:
    with pytest.raises(StatusError, match="continue key is not valid"):
        decode_token(token)
