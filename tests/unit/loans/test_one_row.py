"""A row read by itself says what the same row of a file says, or that a file has to be asked."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loans.files.columns import parse
from loans.files.kinds import KINDS
from loans.files.one_row import read_row
from loans.files.table import ROW, Table

KIND = KINDS["pre-allocations"]
PLAIN = {
    "scheme_code": "central-sme-2026",
    "institution_code": "B0000000000001",
    "tier": "central",
    "received_on": "2026-03-02",
    "amount": "1.00",
    "document_number": "财金〔2026〕1号",
    "purpose": "interest",
}
OTHERS = {
    "scheme_code": ["", "a b", "ｓ１", "x" * 65],
    "institution_code": ["", "B1", "'=00000000000001", "B000000000000\u200b"],
    "tier": ["", "中央", "Central", "state", "province"],
    "received_on": ["", "20260302", "2026-02-30", "2026年3月2日", "1989-12-31", "2026-03-02 00:00"],
    "amount": ["", "1,000.5", "-3", "0", "-0.00", "1.001", "1e3", "100000000000.01", "￥3", " 7 "],
    "document_number": ["", " 1 ", "'=1", "a\tb", "x" * 101, "甲\u202e"],
    "purpose": ["", "guarantee", "利息", "other"],
}


def as_a_file(texts: dict[str, str]) -> dict | None:
    columns = {name: [text] for name, text in texts.items()}
    frame = pl.DataFrame(
        {**columns, ROW: [2]}, schema={**dict.fromkeys(columns, pl.String), ROW: pl.Int64}
    )
    parsed = parse(KIND, Table(frame, "csv"))
    if parsed.problems:
        return None
    return {name: parsed.frame[name][0] for name in PLAIN}


@st.composite
def rows(draw) -> dict[str, str]:
    found = {}
    for name, plain in PLAIN.items():
        text = draw(st.one_of(st.just(plain), st.sampled_from(OTHERS[name]), st.text(max_size=20)))
        if draw(st.integers(0, 9)):
            found[name] = text
    return found


@given(rows())
@settings(max_examples=600, deadline=None)
def test_it_reads_what_a_file_reads(texts):
    assert read_row(KIND, texts) == as_a_file(texts)


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, some in OTHERS.items() for t in some])
def test_each_cell_by_itself(name, text):
    texts = {**PLAIN, name: text}
    assert read_row(KIND, texts) == as_a_file(texts)


def test_a_plain_row_is_typed():
    found = read_row(KIND, {name: PLAIN[name] for name in PLAIN if name != "purpose"})
    assert found is not None
    assert (found["amount"], str(found["received_on"]), found["purpose"]) == (
        100, "2026-03-02", "interest",
    )  # fmt: skip


def test_a_kind_with_rules_across_columns_is_none_for_it():
    with pytest.raises(AssertionError, match="rules across columns"):
        read_row(KINDS["notes"], {})
