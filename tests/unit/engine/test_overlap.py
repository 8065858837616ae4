"""What counts as the same number, who is paired with whom, and how money at stake is reckoned."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from settlement.engine import duplicates, overlap
from settlement.engine.duplicates import Claim, Match, Paid

DAY = date(2026, 3, 1)
DUTIES = {"sme": "central", "equipment": "central", "making": "provincial"}


def normalised(text: str) -> str:
    return str(pl.DataFrame({"x": [text]}).select(overlap.normal("x")).item())


def test_width_case_punctuation_and_spaces_do_not_tell_numbers_apart() -> None:
    for text in ("JK-2026/0031", "jk 2026 0031", "ＪＫ－２０２６（００３１）", "JK.2026_0031。"):
        assert normalised(text) == "JK20260031"


def test_leading_zeros_and_characters_do() -> None:
    assert normalised("0012") == "0012"
    assert normalised("南通（海门）机床有限公司") == "南通海门机床有限公司"
    assert normalised("…-/") == ""


def notes(*rows: tuple[int, int, str, date, int]) -> pl.DataFrame:
    names = ["note_id", "enterprise_id", "note_number", "drawn_on", "principal_fen"]
    frame = pl.DataFrame(list(rows), schema=names, orient="row")
    return frame.with_columns(institution_code=pl.lit("A"))


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3), st.sampled_from(["1-12", "11-2", "112", "9"]),
            st.integers(0, 2), st.integers(1, 2),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_neighbours_join_exactly_the_notes_that_any_pair_would(
    given_rows: list[tuple[int, str, int, int]],
) -> None:
    rows = [
        (note, owner, number, DAY + timedelta(days), principal)
        for note, (owner, number, days, principal) in enumerate(given_rows)
    ]
    wanted = {
        frozenset((a[0], b[0]))
        for a in rows
        for b in rows
        if a[0] < b[0]
        and a[1] == b[1]
        and a[2].replace("-", "") == b[2].replace("-", "")
        and (a[3] == b[3] or a[4] == b[4])
    }
    found = overlap.same_numbers(notes(*rows)) if rows else pl.DataFrame(schema=overlap.PAIRS)
    pairs = {frozenset(pair) for pair in found.select("first", "second").iter_rows()}
    assert pairs <= wanted
    assert connected(pairs) == connected(wanted)
    by_id = {row[0]: row for row in rows}
    for first, second in found.select("first", "second").iter_rows():
        assert (by_id[first][3], by_id[first][2], first) < (
            by_id[second][3],
            by_id[second][2],
            second,
        )


def connected(pairs: set[frozenset[int]]) -> set[frozenset[int]]:
    groups: list[set[int]] = []
    for pair in pairs:
        touched = [group for group in groups if group & pair]
        groups = [group for group in groups if not group & pair] + [set(pair).union(*touched)]
    return {frozenset(group) for group in groups}


def paid(note: int, start: int, end: int, *fen: int, scheme: str = "sme", year: int = 2026) -> Paid:
    tiers = (*fen, 0, 0)[:3]
    return Paid(note, scheme, 7, year, DAY + timedelta(start), DAY + timedelta(end), tiers)


def reckoned(price: duplicates.Price, *rows: Paid) -> dict[tuple[int, str, str], int]:
    of: dict[int, list[Paid]] = defaultdict(list)
    for row in rows:
        of[row.note_id].append(row)
    return {(c.note_id, c.scheme_code, c.tier): c.fen for c in duplicates.folded(price(of))}


def test_only_shared_days_of_one_duty_are_at_stake() -> None:
    price = duplicates.overlapped([2], [1], DUTIES)
    first = paid(1, 0, 10, 1_000)
    assert reckoned(price, first, paid(2, 7, 17, 999)) == {(2, "sme", "central"): 299}
    assert reckoned(price, first, paid(2, 7, 17, 999, scheme="equipment")) == {
        (2, "equipment", "central"): 299
    }
    assert reckoned(price, first, paid(2, 7, 17, 0, 999, scheme="making")) == {}
    assert reckoned(price, first, paid(2, 10, 20, 999)) == {}


def test_parts_of_one_payment_are_no_second_payment() -> None:
    price = duplicates.repeated(1, DUTIES)
    assert reckoned(price, paid(1, 0, 10, 400), paid(1, 0, 10, 600)) == {}
    assert reckoned(price, paid(1, 0, 10, 400), paid(1, 5, 15, 600)) == {(1, "sme", "central"): 300}
    assert reckoned(price, paid(1, 0, 10, 400), paid(1, 0, 10, 600, scheme="equipment")) == {
        (1, "sme", "central"): 400
    }


def test_an_excess_is_taken_from_the_scheme_served_last_and_shared_between_its_tiers() -> None:
    price = duplicates.beyond(1, 2026, 1_000, ["sme", "making"])
    rows = [
        paid(1, 0, 10, 500),
        paid(1, 0, 10, 0, 301, 300, scheme="making"),
        paid(1, 0, 10, 0, 900, 900, scheme="making", year=2027),
    ]
    assert reckoned(price, *rows) == {
        (1, "sme", "central"): 399,
        (1, "making", "provincial"): 301,
        (1, "making", "municipal"): 300,
    }
    less = duplicates.beyond(1, 2026, 100, ["sme", "making"])
    assert reckoned(less, *rows) == {
        (1, "making", "provincial"): 50,
        (1, "making", "municipal"): 50,
    }


def test_one_matter_has_one_identity() -> None:
    one = Match("P2", ("A/1", "B/2"), "violation", "x", (1, 2), (2,))
    other = Match("P2", ("A/1", "B/2"), "warning", "y", (2, 1), (1,), evidence={"by": "z"})
    assert one.identity == other.identity
    assert one.identity != Match("P5", ("A/1", "B/2"), "violation", "x", (1, 2), (2,)).identity
    assert one.identity != Match("P2", ("A/1B", "/2"), "violation", "x", (1, 2), (2,)).identity


def test_claims_of_nothing_are_left_out() -> None:
    claims = [Claim(1, "sme", 7, 2026, "central", fen) for fen in (5, -5)]
    assert duplicates.folded([*claims, Claim(2, "sme", 7, 2026, "central", 3)]) == [
        Claim(2, "sme", 7, 2026, "central", 3)
    ]
