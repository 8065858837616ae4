"""How much of an address is shown, and what an address must look like."""

from __future__ import annotations

import re

import pytest

from loans.values.contacts import EMAIL, MOBILE, masked


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("13800001234", "*******1234"),
        ("+85291234567", "********4567"),
        ("user-7", "****-7"),
        ("1234", "****"),
        ("zhang@firm.example", "z***@firm.example"),
        ("a@b@firm.example", "a***@firm.example"),
        ("", ""),
    ],
)
def test_an_address_is_told_from_others_by_few_characters(address: str, shown: str) -> None:
    assert masked(address) == shown


def test_numbers_and_mailboxes_are_known_by_their_form() -> None:
    for good in ("13800001234", "19900001234", "+85291234567"):
        assert re.match(MOBILE, good)
    for bad in (
        "12800001234",
        "1380000123",
        "02583000000",
        "+0123456789",
        "１３８００００１２３４",
    ):
        assert not re.match(MOBILE, bad)
    assert re.match(EMAIL, "caiwu@jia.example")
    for bad in ("caiwu", "a@b", "a@b.c, d@e.f", "a b@c.example", "a@b.example\nBcc: x@y.example"):
        assert not re.match(EMAIL, bad)
