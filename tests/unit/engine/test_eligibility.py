"""Every refusal reason, alone and together, in order of precedence (domain §2, §3)."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from settlement.engine.codes import REASONS
from tests.unit.engine.build import DAY, LPR, Case, scheme

SME, EQUIPMENT = "central-sme-2026", "central-equipment-2026"
MANUFACTURING, SPORTS = "jiangsu-manufacturing-2026", "jiangsu-sports-2026"
FITS: dict[str, dict[str, Any]] = {
    SME: {},
    EQUIPMENT: {"loan_type": "tech_innovation"},
    MANUFACTURING: {"equipment_fen": 1},
    SPORTS: {"purpose_field": "体育产业", "loan_type": "working_capital"},
}


def _judge(code: str, **values: Any) -> list[str]:
    case = Case([scheme(code)])
    case.note(**{**FITS[code], **values})
    (reasons,) = case.reasons().values()
    assert isinstance(reasons, list)
    return reasons


@pytest.mark.parametrize("code", sorted(FITS))
def test_a_note_that_fits_is_eligible(code: str) -> None:
    assert _judge(code) == []


@pytest.mark.parametrize(
    ("code", "values", "reason"),
    [
        (SME, {"drawn_on": DAY(2025, 12, 31)}, "drawn_outside_window"),
        (SME, {"drawn_on": DAY(2027, 1, 1)}, "drawn_outside_window"),
        (SME, {"ownership": "state"}, "not_private"),
        (SME, {"size": "large"}, "not_small_or_medium"),
        (SME, {"loan_type": "project"}, "loan_type"),
        (SME, {"purpose_field": "房地产"}, "purpose_field"),
        (EQUIPMENT, {"loan_type": "working_capital"}, "loan_type"),
        (EQUIPMENT, {"purpose_field": "农业"}, "purpose_field"),
        (MANUFACTURING, {"region_code": "330100"}, "region"),
        (MANUFACTURING, {"industry_code": "C1200"}, "industry_or_title"),
        (MANUFACTURING, {"industry_code": "C4411"}, "industry_or_title"),
        (MANUFACTURING, {"industry_code": "R3421"}, "industry_or_title"),
        (MANUFACTURING, {"industry_code": "C"}, "industry_or_title"),
        (MANUFACTURING, {"loan_type": "working_capital"}, "loan_type"),
        (MANUFACTURING, {"equipment_fen": 0}, "no_equipment_amount"),
        (SPORTS, {"signed_on": DAY(2025, 12, 31)}, "signed_outside_window"),
        (SPORTS, {"region_code": "310100"}, "region"),
        (SPORTS, {"loan_type": "policy_instrument"}, "loan_type"),
        (SPORTS, {"purpose_field": "工业"}, "purpose_field"),
        (SPORTS, {"dishonest": True}, "dishonest"),
        (SPORTS, {"environment_rating": "red"}, "environment_rating"),
        (SPORTS, {"environment_rating": "black"}, "environment_rating"),
        (SPORTS, {"tax_rating": "D"}, "tax_rating"),
        (SPORTS, {"rate_ppm": 38_001}, "rate_above_ceiling"),
    ],
)
def test_one_condition_gives_one_reason(code: str, values: dict[str, Any], reason: str) -> None:
    assert _judge(code, **values) == [reason]


@pytest.mark.parametrize(
    ("code", "values"),
    [
        (SME, {"drawn_on": DAY(2026, 12, 31)}),
        (SME, {"size": "micro"}),
        (EQUIPMENT, {"ownership": "state", "size": "large"}),
        (MANUFACTURING, {"drawn_on": DAY(2020, 1, 1), "industry_code": "C1310"}),
        (MANUFACTURING, {"industry_code": "C4399"}),
        (SPORTS, {"environment_rating": "yellow", "tax_rating": "M"}),
        (SPORTS, {"rate_ppm": 38_000}),
    ],
)
def test_the_last_value_that_passes(code: str, values: dict[str, Any]) -> None:
    assert _judge(code, **values) == []


def test_all_reasons_are_listed_in_order_of_precedence() -> None:
    case = Case([scheme(SPORTS)])
    case.note(
        drawn_on=DAY(2025, 6, 1),
        signed_on=DAY(2025, 5, 1),
        region_code="110000",
        loan_type="policy_instrument",
        purpose_field="工业",
        dishonest=True,
        environment_rating="black",
        tax_rating="D",
        rate_ppm=50_000,
    )
    case.lpr = [{**LPR, "published_on": DAY(2025, 5, 20)}]
    case.strangers = [1]
    case.stops = [
        {"note_id": 1, "status": "overdue", "starts_on": DAY(2025, 6, 1), "ends_on": None}
    ]
    (reasons,) = case.reasons().values()
    assert reasons == [
        "institution_not_participating",
        "drawn_outside_window",
        "signed_outside_window",
        "region",
        "loan_type",
        "purpose_field",
        "dishonest",
        "environment_rating",
        "tax_rating",
        "overdue",
        "rate_above_ceiling",
    ]
    assert reasons == sorted(reasons, key=REASONS.index)


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "refused"),
    [
        (DAY(2026, 1, 10), None, True),
        (DAY(2026, 1, 11), None, False),
        (DAY(2026, 1, 1), DAY(2026, 1, 10), False),
        (DAY(2026, 1, 1), DAY(2026, 1, 11), True),
    ],
)
def test_overdue_counts_from_its_start_to_before_its_end_on_any_note_of_the_enterprise(
    starts_on: datetime.date, ends_on: datetime.date | None, refused: bool
) -> None:
    case = Case([scheme(SPORTS)])
    case.note(**FITS[SPORTS])
    case.note(SME, bank_id=2)
    case.stops = [
        {"note_id": 2, "status": "overdue", "starts_on": starts_on, "ends_on": ends_on},
        {"note_id": 1, "status": "extended", "starts_on": DAY(2026, 1, 1), "ends_on": None},
    ]
    assert case.reasons()[1, SPORTS] == (["overdue"] if refused else [])


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "held"),
    [
        (DAY(2026, 1, 10), DAY(2026, 1, 10), True),
        (DAY(2023, 1, 1), DAY(2026, 1, 9), False),
        (DAY(2026, 1, 11), DAY(2028, 1, 1), False),
    ],
)
def test_a_valid_title_stands_in_for_the_industry(
    valid_from: datetime.date, valid_to: datetime.date, held: bool
) -> None:
    case = Case([scheme(MANUFACTURING)])
    case.note(equipment_fen=1, industry_code="I6510")
    title = {"enterprise_id": 1, "valid_from": valid_from, "valid_to": valid_to}
    case.titles = [{**title, "title": "specialized"}]
    assert case.reasons()[1, MANUFACTURING] == ([] if held else ["industry_or_title"])


def test_the_five_year_lpr_is_for_terms_above_60_months() -> None:
    case = Case([scheme(SPORTS)])
    case.note(**FITS[SPORTS], matures_on=DAY(2031, 1, 10), rate_ppm=38_000)
    case.note(**FITS[SPORTS], matures_on=DAY(2031, 1, 11), rate_ppm=43_000)
    case.note(**FITS[SPORTS], matures_on=DAY(2031, 1, 10), rate_ppm=43_000)
    assert case.assess()["lpr_ppm"].to_list() == [30_000, 35_000, 30_000]
    assert list(case.reasons().values()) == [[], [], ["rate_above_ceiling"]]


def test_the_last_fixing_on_or_before_drawdown_counts() -> None:
    case = Case([scheme(SPORTS)])
    case.note(**FITS[SPORTS])
    case.lpr = [
        {**LPR, "published_on": DAY(2026, 1, 11), "one_year_ppm": 20_000},
        {**LPR, "published_on": DAY(2026, 1, 10), "one_year_ppm": 29_000},
        {**LPR, "published_on": DAY(2026, 1, 9), "one_year_ppm": 31_000},
    ]
    assert case.assess()["lpr_ppm"].to_list() == [29_000]


def test_without_a_fixing_a_note_waits_unless_something_else_speaks_against_it() -> None:
    case = Case([scheme(SPORTS), scheme(SME)])
    case.note(SPORTS, **FITS[SPORTS])
    case.note(SPORTS, purpose_field="工业", loan_type="working_capital")
    case.note(SME)
    case.lpr = []
    rows = case.assess().select("status", "reasons", "eligible_fen").rows()
    assert rows == [
        ("waiting", ["lpr_missing"], 0),
        ("ineligible", ["purpose_field"], 0),
        ("eligible", [], 10**9),
    ]


def test_foreign_currency_is_converted_once_half_up() -> None:
    case = Case([scheme(SME)])
    case.note(principal_fen=1_000_001, exchange_rate_e8=712_345_650, currency="USD")
    (row,) = case.assess().to_dicts()
    assert row["eligible_fen"] == 7_123_464
    assert (1_000_001 * 712_345_650 * 2 + 10**8) // (2 * 10**8) == 7_123_464


def test_the_window_of_a_note() -> None:
    case = Case([scheme(code) for code in FITS])
    case.note(SME, drawn_on=DAY(2026, 2, 28))
    case.note(SPORTS, **FITS[SPORTS], drawn_on=DAY(2026, 5, 31), signed_on=DAY(2026, 5, 1))
    case.note(MANUFACTURING, **FITS[MANUFACTURING], drawn_on=DAY(2024, 5, 1))
    case.note(MANUFACTURING, **FITS[MANUFACTURING], drawn_on=DAY(2026, 5, 1))
    windows = case.assess().select("subsidised_from", "subsidised_until").rows()
    assert windows == [
        (DAY(2026, 2, 28), DAY(2028, 2, 28)),
        (DAY(2026, 5, 31), DAY(2027, 5, 31)),
        (DAY(2026, 1, 1), DAY(2027, 1, 1)),
        (DAY(2026, 5, 1), DAY(2027, 1, 1)),
    ]
