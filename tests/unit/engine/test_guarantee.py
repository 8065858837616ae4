"""Guarantee-fee subsidies (D17, ST-08, ST-17, ST-18, ST-23)."""

from __future__ import annotations

import datetime

import pytest

from settlement.engine import guarantee
from tests.unit.engine.build import DAY, YUAN, Case, Fact, frame, scheme

SPORTS = "jiangsu-sports-2026"
SPORT = {"purpose_field": "体育产业", "loan_type": "working_capital"}
MILLION = 1_000_000 * YUAN


def _guarantee(number: int, note: int = 1, **values: object) -> Fact:
    return {
        "guarantee_id": number,
        "note_id": note,
        "guarantee_number": f"DB{number:03d}",
        "principal_fen": 10 * MILLION,
        "starts_on": DAY(2026, 1, 10),
        "ends_on": DAY(2027, 1, 10),
        **values,
    }


def _given(case: Case, *guarantees: Fact) -> list[tuple[int, int, str, list[str]]]:
    found = guarantee.subsidies(
        terms=case.terms,
        guarantees=frame("guarantees", list(guarantees)),
        notes=frame("notes", case.notes),
        enrolments=case.assess(),
    )
    assert found.schema == guarantee.SUBSIDIES
    return found.select("months", "subsidy_fen", "status", "reasons").rows()


def _case(**values: object) -> Case:
    case = Case([scheme(SPORTS), scheme("central-sme-2026")])
    case.note(SPORTS, **{**SPORT, **values})
    return case


def test_twelve_months_of_half_a_point() -> None:
    assert _given(_case(), _guarantee(1)) == [(12, 50_000 * YUAN, "eligible", [])]


@pytest.mark.parametrize(
    ("ends_on", "months", "subsidy"),
    [
        (DAY(2026, 2, 9), 0, 0),
        (DAY(2026, 2, 10), 1, 416_667),
        (DAY(2026, 8, 9), 6, 2_500_000),
        (DAY(2026, 8, 10), 7, 2_916_667),
        (DAY(2029, 1, 10), 12, 5_000_000),
    ],
)
def test_whole_months_up_to_twelve(ends_on: datetime.date, months: int, subsidy: int) -> None:
    given = _given(_case(), _guarantee(1, ends_on=ends_on))
    assert given == [(months, subsidy, "eligible", [])]


def test_half_a_fen_goes_up() -> None:
    given = _given(_case(), _guarantee(1, principal_fen=100, ends_on=DAY(2027, 1, 10)))
    assert given == [(12, 1, "eligible", [])]


def test_only_notes_up_to_ten_million_in_cny() -> None:
    assert _given(_case(principal_fen=10 * MILLION + 1), _guarantee(1)) == [
        (12, 0, "ineligible", ["above_limit"])
    ]
    dollars = _case(principal_fen=2 * MILLION, exchange_rate_e8=500_000_001, currency="USD")
    assert _given(dollars, _guarantee(1)) == [(12, 0, "ineligible", ["above_limit"])]


def test_only_notes_eligible_under_the_scheme() -> None:
    case = _case(tax_rating="D")
    case.note("central-sme-2026")
    refused = (12, 0, "ineligible", ["note_not_eligible"])
    assert _given(case, _guarantee(1), _guarantee(2, note=2)) == [refused, refused]


def test_a_waiting_note_makes_its_guarantee_wait() -> None:
    case = _case()
    case.lpr = []
    assert _given(case, _guarantee(1)) == [(12, 0, "waiting", ["lpr_missing"])]


def test_once_per_enterprise_the_first_by_start_and_number() -> None:
    case = _case()
    case.note(SPORTS, **SPORT, principal_fen=10 * MILLION + 1)
    case.note(SPORTS, **SPORT)
    case.note(SPORTS, **SPORT, enterprise_id=2)
    given = _given(
        case,
        _guarantee(4, starts_on=DAY(2026, 1, 11)),
        _guarantee(3),
        _guarantee(1, note=2, starts_on=DAY(2026, 1, 1)),
        _guarantee(2, note=3, guarantee_number="DB002"),
        _guarantee(5, note=4),
    )
    assert [(months, status, reasons) for months, _, status, reasons in given] == [
        (12, "ineligible", ["above_limit"]),
        (12, "eligible", []),
        (12, "ineligible", ["already_subsidised"]),
        (11, "ineligible", ["already_subsidised"]),
        (12, "eligible", []),
    ]


def test_schemes_without_guarantee_fees_give_no_rows() -> None:
    case = Case([scheme("central-sme-2026")])
    case.note()
    assert _given(case, _guarantee(1)) == []
