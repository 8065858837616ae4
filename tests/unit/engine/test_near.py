"""Near matches: what is proposed, with which score, and what only looks alike."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.engine import near, near_enterprises, near_invoices, near_notes, near_words
from settlement.engine.near_scores import ENTERPRISE, INVOICE, NOTE
from tests.unit.engine.near_rows import DAY, Rows

NEXT_DAY = DAY + timedelta(1)


@pytest.mark.parametrize(
    ("number", "how", "score"),
    [
        ("JK-2026-0O31", {}, 1000),
        ("JK-2026-0013", {}, 960),
        ("JK-2026-0013", {"day": NEXT_DAY}, 880),
        ("JK-2026-0013", {"yuan": 3_010_000}, 870),
        ("JK-2026-0013", {"day": date(2026, 2, 3)}, 880),  # month and day swapped
        ("JK-2026-00131", {"at": "B1", "contract": "HT-2026-000999"}, 910),
        ("JK-2026-0013", {"at": "B1", "contract": "HT-2026-000999", "day": NEXT_DAY}, 830),
        ("JK-2926-0031", {"at": "B1", "contract": "HT-2026-000999"}, 850),
        ("JK-2926-0031", {}, 900),
        # The number kept, amount and day both a little off: the exact rule asks for one of them.
        ("JK20260031", {"at": "B1", "contract": "C-1", "yuan": 3_000_500, "day": NEXT_DAY}, 830),
        # Numbered anew at another bank, under the contract with two digits swapped.
        ("LN000174", {"at": "B1", "contract": "HT-2026-000777".replace("26", "62")}, 950),
        # The last digit, at a bank that counts for itself, on the very same terms.
        ("JK-2026-0037", {"at": "B1", "contract": "C-1"}, 700),
    ],
)  # fmt: skip
def test_a_note_entered_again_with_a_slip_is_proposed(
    number: str, how: dict[str, object], score: int
) -> None:
    rows = Rows()
    rows.note("JK-2026-0031")
    rows.note(number, **how)  # type: ignore[arg-type]
    found = rows.notes_found()
    assert {frozenset(pair): s for pair, s in found.items()} == {frozenset((1, 2)): score}


@pytest.mark.parametrize(
    ("number", "how"),
    [
        ("JK-2026-0032", {}),  # the next drawing of the day
        ("JK-2026-0131", {}),
        ("JK-2026-0032", {"at": "A2", "contract": "HT-2026-000778"}),
        ("JK-2026-0013", {"day": DAY + timedelta(30)}),  # next month's
        ("JK-2026-0013", {"yuan": 1_000_000}),
        ("JK-2026-0013", {"of": 2}),  # another enterprise's
        ("JK-2926-0031", {"day": NEXT_DAY}),
        ("JK-2926-0031", {"at": "A2", "contract": "HT-2926-000777", "granted": 1}),
        ("JK-2026-0031-1", {}),
        ("ZX88", {"at": "B1", "contract": "C-1"}),
        # Two banks, one day, one share each.
        ("LN0000000174", {"at": "B1", "contract": "C-1"}),
        # Leading zeros tell numbers apart.
        ("JK-2026-031", {}),
        # Equal numbers are the exact rule's.
        ("JK20260031", {"at": "B1", "contract": "C-1"}),
        ("LN0000000174", {"at": "B1", "contract": "HT2026000777"}),
    ],
)
def test_the_next_drawing_is_no_slip(number: str, how: dict[str, object]) -> None:
    rows = Rows()
    rows.note("JK-2026-0031")
    rows.note(number, **how)  # type: ignore[arg-type]
    assert rows.notes_found() == {}


def test_the_next_number_is_proposed_if_the_contract_grants_only_one() -> None:
    rows = Rows()
    rows.note("JK-2026-0031", granted=5_000_000)
    rows.note("JK-2026-0032", granted=5_000_000)
    assert rows.notes_found() == {(1, 2): 800}


def test_two_of_a_row_of_numbers_are_not_each_other_swapped() -> None:
    rows = Rows()
    for count in range(11, 23):
        rows.note(f"JK-2026-00{count}")
    assert rows.notes_found() == {}


def test_a_slip_is_one_of_a_row_and_the_nearest_of_it() -> None:
    rows = Rows()
    for count in range(1, 5):
        rows.note(f"JK-2026-71140{count}")
    rows.note("JK-2026-71403", at="B1", contract="HT-2026-000999")
    assert {frozenset(pair) for pair in rows.notes_found()} == {frozenset((3, 5))}


def test_of_one_enterprise_under_two_codes_notes_are_compared_too() -> None:
    rows = Rows()
    rows.note("JK-2026-0031")
    rows.note("JK-2026-0O31", of=2, at="B1", contract="C-1", day=NEXT_DAY)
    assert rows.notes_found() == {}
    for code, name in ((1, "南京华东机械厂"), (2, "南京市華東機械廠")):
        rows.name(code, name)
    assert rows.enterprises_found() == {(1, 2): 1000}
    assert rows.notes_found() == {(1, 2): 900}


@pytest.mark.parametrize(
    ("one", "other", "beside", "score"),
    [
        ("南京华东机械有限公司", "南京市華東機械有限責任公司", False, 700),
        ("南京华东机械有限公司", "华东机械（南京）有限公司", False, 700),
        ("南京华东机械厂", "南京华东机械有限公司", False, 700),
        ("南京华东机械厂", "南京华中机械厂（原南京华东机械厂）", False, 700),
        ("华东机械有限公司", "南京华东机械有限公司", False, 700),  # both registered in 320106
        ("华东机械有限公司", "苏州华东机械有限公司", True, 750),
    ],
)
def test_one_enterprise_under_two_names_is_proposed(
    one: str, other: str, beside: bool, score: int
) -> None:
    rows = Rows()
    rows.note("JK-2026-0031")
    other_day = NEXT_DAY if beside else DAY + timedelta(60)
    rows.note("77120012", of=2, at="B1", contract="C-1", day=other_day)
    rows.name(1, one)
    rows.name(2, other)
    assert rows.enterprises_found() == {(1, 2): score}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("样例机械12有限公司", "样例机械13有限公司"), ("南京华东机械厂", "南京华东机床厂"),
        ("南京华东机械厂", "苏州华东机械厂"), ("江苏华东机械厂", "南京华东机械厂"),
        ("南京华东机械有限公司", "南京华东机械集团有限公司"),
        ("南京华东机械有限公司", "南京华东机械贸易有限公司"),
        ("南京第一机床厂", "南京第二机床厂"),
        ("江苏华东机械厂", "苏州华东机械厂"), ("南京海宏机械厂", "南京海鸿机械厂"),
    ],
)  # fmt: skip
def test_sisters_that_borrow_alike_are_not_one(one: str, other: str) -> None:
    rows = Rows()
    rows.note("JK-2026-0031")
    rows.note("77120012", of=2, at="B1", contract="C-1")
    rows.name(1, one)
    rows.name(2, other)
    assert rows.enterprises_found() == {}


def test_a_character_mistyped_is_proposed_only_beside_an_equal_contract_or_a_mistyped_code() -> (
    None
):
    rows = Rows()
    rows.note("JK-2026-0031")
    rows.note("77120012", of=2, at="B1", contract="HT2026/000777")
    rows.note("77120099", of=3, at="B1", contract="C-9")
    for code, name in ((1, "南京海宏机械厂"), (2, "南京海鸿机械厂"), (3, "南京海洪机械厂")):
        rows.name(code, name)
    assert rows.enterprises_found() == {(1, 2): 850}


@pytest.mark.parametrize(
    ("number", "how", "score"),
    [
        ("1234565O", {}, 980), ("1234565O", {"day": NEXT_DAY}, 900), ("12344565O", {}, None),
        ("1234565O", {"supplier": "南京宏達設備有限責任公司"}, 980), ("1234565O", {"yuan": 7}, None),
        ("1234565O", {"supplier": "南京宏达设备集团有限公司"}, None),
        ("1234565O", {"day": DAY + timedelta(40)}, None), ("12345651", {}, None),
        # Digits swapped, another, one more or less may be another buyer's.
        ("12346550", {}, None), ("1234550", {}, None), ("123445650", {}, None), ("22345650", {}, None),
    ],
)  # fmt: skip
def test_an_invoice_listed_again_by_a_stranger_with_a_slip_is_proposed(
    number: str, how: dict[str, object], score: int | None
) -> None:
    rows = Rows()
    first, second = rows.note("JK-2026-0031"), rows.note("LN774", of=2, at="B1", contract="C-1")
    rows.invoice(first, "12345650")
    rows.invoice(second, number, **how)  # type: ignore[arg-type]
    assert rows.invoices_found() == ({(1, 2): score} if score else {})


@pytest.mark.parametrize(
    ("number", "score"),
    [
        ("1234550", 910), ("123445650", 910), ("22345650", 850), ("12346550", 910), ("1234565O", 980),
        ("12345651", None), ("012345650", None),
    ],
)  # fmt: skip
def test_an_invoice_listed_again_by_its_buyer_with_a_slip_is_proposed(
    number: str, score: int | None
) -> None:
    rows = Rows()
    first, second = rows.note("JK-2026-0031"), rows.note("LN774", at="B1", contract="C-1")
    rows.invoice(first, "12345650")
    rows.invoice(second, number)
    assert rows.invoices_found() == ({(1, 2): score} if score else {})


def test_machines_one_after_the_other_are_two_and_one_mistyped_is_one() -> None:
    rows = Rows()
    first, second = rows.note("JK-2026-0031"), rows.note("LN774", at="B1", contract="C-1")
    rows.invoice(first, "12345650", serial="SN26-00731")
    rows.invoice(second, "12346550", serial="SN26-00732")
    assert rows.invoices_found() == {}
    rows.invoice(second, "77777777", serial="SN26-0O731")
    assert rows.invoices_found() == {(1, 2): 980}


def _book(picks: list[tuple[int, int, int, int, int]]) -> Rows:
    numbers = (
        "JK-2026-0031",
        "JK-2026-0O31",
        "JK-2026-0013",
        "JK-2026-0032",
        "JK-2926-0031",
        "JK20260031",
    )
    names = ("南京华东机械厂", "南京华东机械有限公司", "华东机械厂", "苏州华东机械厂")
    rows = Rows()
    for of, number, day, bank, amount in picks:
        note = rows.note(
            numbers[number], of=of + 1, day=DAY + timedelta(day), at=("A1", "A2", "B1")[bank],
            yuan=(3_000_000, 3_001_000)[amount], contract=f"HT-2026-{700 + bank}",
        )  # fmt: skip
        rows.invoice(note, ("12345650", "12346550", "22345650")[number % 3])
    for of in range(3):
        rows.name(of + 1, names[of])
    return rows


PICKS = st.lists(
    st.tuples(*(st.integers(0, top) for top in (2, 5, 9, 2, 1))), max_size=9, unique=True
)


def _all(notes: pl.DataFrame, names: pl.DataFrame, invoices: pl.DataFrame) -> list[list[Any]]:
    enterprises = near_enterprises.near_enterprises(notes, names, invoices)
    links = enterprises.select("first", "second")
    found = (
        enterprises,
        near_notes.near_notes(notes, links),
        near_invoices.near_invoices(notes, invoices),
    )
    return [frame.rows() for frame in found]


@settings(max_examples=40, deadline=None)
@given(PICKS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(
    picks: list[tuple[int, int, int, int, int]], chance: object
) -> None:
    rows = _book(picks)
    frames = (rows.notes, rows.names, rows.invoices)
    seed = chance.randrange(10**6)  # type: ignore[attr-defined]
    assert _all(*frames) == _all(*(f.sample(fraction=1, shuffle=True, seed=seed) for f in frames))


@settings(max_examples=40, deadline=None)
@given(PICKS)
def test_two_enterprises_match_by_themselves_and_have_a_key_in_common(
    picks: list[tuple[int, int, int, int, int]],
) -> None:
    rows = _book(picks)
    notes, names, invoices = rows.notes, rows.names, rows.invoices
    whole = _all(notes, names, invoices)
    owner = dict(notes.select("note_id", "enterprise_id").iter_rows())
    keys: dict[int, set[str]] = {}
    for one, key in near.link_keys(notes, names, invoices).iter_rows():
        keys.setdefault(one, set()).add(key)
    for first, second in ((1, 2), (1, 3), (2, 3)):
        both = pl.col("enterprise_id").is_in([first, second])
        some = notes.filter(both)
        alone = _all(some, names.filter(both), invoices.join(some, on="note_id", how="semi"))
        for place, (all_rows, own_rows) in enumerate(zip(whole, alone, strict=True)):
            owners = owner if place else {e: e for e in range(1, 4)}
            pair = {first, second}
            among = [row for row in all_rows if {owners[row[0]], owners[row[1]]} == pair]
            across = [row for row in own_rows if {owners[row[0]], owners[row[1]]} == pair]
            assert among == across
            assert not across or keys[first] & keys[second]


def test_everything_that_scores_has_words() -> None:
    for weights in (NOTE, ENTERPRISE, INVOICE):
        for field, given_points in weights.items():
            for relation in given_points.keys() - {"conflict"}:
                assert all(near_words.words(field)) and all(near_words.words(f"{field}:{relation}"))
    assert near_words.words("day:swapped") == ("日期：月日颠倒", "day: month and day swapped")


def test_odd_names_and_numbers_are_no_matter() -> None:
    rows = Rows()
    for of, (name, number) in enumerate(
        (("***", "JJ٣٤"), ("＊＊", "JJ०१"), ("😀", "FP３４")), start=1
    ):
        note = rows.note(number, of=of)
        rows.name(of, name)
        rows.invoice(note, number * 4, supplier="/")
    assert (rows.notes_found(), rows.enterprises_found(), rows.invoices_found()) == ({}, {}, {})
    assert near.possibly_alike(rows.names, [1]) == []
    assert near.possibly_alike(rows.names, [3]) in ([], [3])


def test_strangers_that_name_no_seller_are_not_compared() -> None:
    rows = Rows()
    for of, day in ((1, DAY), (2, NEXT_DAY)):
        rows.invoice(
            rows.note(f"LN77{of}", of=of, contract=f"C-{of}"), "00123456", supplier="/", day=day
        )
    assert rows.invoices_found() == {}
