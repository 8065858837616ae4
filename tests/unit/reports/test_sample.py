"""Which notes are looked at first, and why."""

from __future__ import annotations

import polars as pl

from reports.definitions.sample import LARGE_FEN, MOST_ROWS, by_risk, sample, scored

COUNTS = (
    "corrections", "reversals", "capped", "findings", "stops", "clawbacks", "repaid_early",
    "lenders", "banks",
)  # fmt: skip


def notes(*rows: dict[str, int]) -> pl.DataFrame:
    """Notes numbered from 1; counts not named are what a quiet note has."""
    quiet = {"principal_fen": 1, "raw_fen": 10, "granted_fen": 10, "collections": 1}
    quiet |= dict.fromkeys(COUNTS, 0) | {"lenders": 1, "banks": 1}
    return pl.DataFrame([{"note_id": n, **quiet, **row} for n, row in enumerate(rows, start=1)])


def said(*rows: dict[str, int]) -> list[tuple[int, int, str]]:
    return scored(notes(*rows)).select("note_id", "score", "reasons").rows()


def test_quiet_notes_are_not_in_it() -> None:
    assert said({}) == []
    assert said({"principal_fen": LARGE_FEN}) == []


def test_each_reason_has_its_weight() -> None:
    assert said(
        {"findings": 2}, {"stops": 1}, {"principal_fen": LARGE_FEN + 1}, {"clawbacks": 1},
        {"banks": 2, "lenders": 3}, {"corrections": 1}, {"reversals": 1}, {"capped": 1},
        {"repaid_early": 1}, {"lenders": 2},
    ) == [
        (1, 5, "重复核查有事项"),
        (2, 4, "逾期、展期或不良"),
        (3, 3, "放款金额超过5000万元"),
        (4, 3, "有追回"),
        (5, 3, "借款人在多家银行借款"),
        (6, 2, "入账后更正"),
        (7, 2, "收息冲回"),
        (8, 2, "封顶核减"),
        (9, 2, "提前还清"),
        (10, 1, "借款人在多家机构借款"),
    ]  # fmt: skip


def test_reasons_add_up_and_money_decides_between_equals() -> None:
    assert said(
        {"capped": 1, "granted_fen": 5},
        {"capped": 3, "findings": 1},
        {"reversals": 1, "granted_fen": 6},
        {"corrections": 1, "granted_fen": 6},
    ) == [
        (2, 7, "重复核查有事项；封顶核减"),
        (3, 2, "收息冲回"),
        (4, 2, "入账后更正"),
        (1, 2, "封顶核减"),
    ]


def test_reasons_are_counted_over_all_notes_and_the_list_is_bounded() -> None:
    ranked = scored(notes(*[{"capped": 1}] * (MOST_ROWS + 5), {"capped": 1, "stops": 1}))
    assert by_risk(ranked).filter(pl.col("notes") > 0).rows() == [
        ("逾期、展期或不良", 4, 1, 10),
        ("封顶核减", 2, MOST_ROWS + 6, 10 * (MOST_ROWS + 6)),
    ]
    named = {"institution_code": "B", "institution_name": "行", "note_number": "J", "contract_number": "H",
             "borrower": "甲", "uscc": "U", "schemes": "s", "drawn_on": None, "matures_on": None,
             "principal_fen": 7}  # fmt: skip
    listed = sample(ranked, pl.DataFrame([{"note_id": MOST_ROWS + 6, **named}]))
    assert listed.height == MOST_ROWS
    assert listed["number"].to_list() == list(range(1, MOST_ROWS + 1))
    assert listed.row(0, named=True) == {
        "number": 1, "score": 6, "reasons": "逾期、展期或不良；封顶核减", **named,
        "collections": 1, "raw_fen": 10, "granted_fen": 10,
    }  # fmt: skip
