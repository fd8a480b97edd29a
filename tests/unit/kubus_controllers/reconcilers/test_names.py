"""Names are short, valid, and differ for different causes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubus.model.names import is_dns_label
from kubus_controllers.reconcilers.names import child_name, suffix


@given(st.from_regex(r"[a-z]([a-z0-9-]{0,80}[a-z0-9])?", fullmatch=True), st.integers())
def test_a_childs_name_is_a_valid_host_name(owner: str, number: int) -> None:
    assert is_dns_label(child_name(owner, suffix(owner, number)))


def test_the_same_parts_give_the_same_name_and_others_another() -> None:
    assert suffix("uid", 1, 2) == suffix("uid", 1, 2)
    assert len({suffix("uid", 1, number) for number in range(500)}) == 500
