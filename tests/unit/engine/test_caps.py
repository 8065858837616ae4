"""Ceilings and caps in the order of domain D9, with what openings and outside money take up."""

from __future__ import annotations

import polars as pl
import pytest

from settlement.engine import caps
from settlement.engine.codes import cut_reasons
from settlement.engine.tiers import share
from tests.unit.engine.build import DAY, YUAN, Case, Fact, month_ends, scheme, variant

SME, EQUIPMENT = "central-sme-2026", "central-equipment-2026"
MANUFACTURING, SPORTS = "jiangsu-manufacturing-2026", "jiangsu-sports-2026"
MILLION = 1_000_000 * YUAN
MARCH, JUNE = DAY(2026, 3, 21), DAY(2026, 6, 21)
SEPTEMBER, DECEMBER = DAY(2026, 9, 21), DAY(2026, 12, 21)


def _out(case: Case) -> list[tuple[int, list[str]]]:
    return [
        (sum(r[f"{t}_fen"] for t in ("central", "provincial", "municipal")),
         cut_reasons(r["cut_reasons"]))
        for r in case.rows()
    ]  # fmt: skip


def _opening(code: str, amount: int, **values: object) -> Fact:
    return {
        "note_id": 1,
        "scheme_code": code,
        "tier": "provincial",
        "year": 2026,
        "amount_fen": amount,
        "interest_paid_fen": 0,
        "paid_through": DAY(2026, 1, 1),
        **values,
    }


@pytest.mark.parametrize(
    ("uncut", "total", "expected"),
    [
        ((100, 50, 50), 100, (50, 25, 25)),
        ((100, 100, 100), 100, (34, 33, 33)),
        ((0, 100, 100), 101, (0, 51, 50)),
        ((0, 0, 7), 5, (0, 0, 5)),
        ((5, 5, 0), 0, (0, 0, 0)),
        ((3, 4, 5), 12, (3, 4, 5)),
        ((0, 0, 0), 0, (0, 0, 0)),
        ((1, 9, 0), 20, (2, 18, 0)),
    ],
)
def test_lower_tiers_get_the_floor_and_the_highest_the_rest(
    uncut: tuple[int, ...], total: int, expected: tuple[int, ...]
) -> None:
    assert share(uncut, total) == expected
    assert sum(expected) == total


def test_the_interest_ceiling_is_to_date_within_the_year() -> None:
    case = Case([scheme(EQUIPMENT)])
    case.note()
    case.collect(MARCH, JUNE, due=3_000_000)
    case.collect(JUNE, SEPTEMBER, due=9_000_000)
    assert _out(case) == [(3_000_000, ["interest_ceiling"]), (3_833_333, [])]


def test_year_totals_that_look_fine_still_cut() -> None:
    case = Case([scheme(EQUIPMENT)])
    case.note()
    case.collect(MARCH, JUNE, due=3_000_000)
    case.collect(JUNE, SEPTEMBER, due=90_000_000)
    assert sum(amount for amount, _ in _out(case)) == 6_833_333


def test_the_ceiling_begins_anew_each_calendar_year_of_collection() -> None:
    case = Case([scheme(EQUIPMENT)])
    case.note()
    case.collect(SEPTEMBER, DECEMBER, due=90_000_000)
    case.collect(DECEMBER, DAY(2027, 3, 21), due=3_000_000)
    assert _out(case) == [(3_791_667, []), (3_000_000, ["interest_ceiling"])]


def test_outside_subsidies_count_from_the_first_of_january() -> None:
    case = Case([scheme(EQUIPMENT)])
    case.note()
    case.external = [{"note_id": 1, "year": 2026, "amount_fen": 5_500_000}]
    case.collect(MARCH, JUNE, due=6_000_000)
    case.collect(JUNE, SEPTEMBER, due=6_000_000)
    assert _out(case) == [(500_000, ["interest_ceiling"]), (3_833_333, [])]


def test_interest_of_a_collection_that_earns_nothing_still_counts() -> None:
    case = Case([scheme(EQUIPMENT)])
    case.note()
    case.external = [{"note_id": 1, "year": 2026, "amount_fen": 5_000_000}]
    case.collect(DAY(2025, 12, 21), DAY(2026, 1, 5), due=5_000_000)
    case.collect(MARCH, JUNE, due=6_000_000)
    assert _out(case) == [(3_833_333, [])]


def test_opening_positions_count_in_the_ceiling_once_per_note() -> None:
    case = Case([scheme(EQUIPMENT)])
    case.note()
    case.opening = [
        _opening(EQUIPMENT, 2_000_000, tier="central", interest_paid_fen=3_000_000),
        _opening("some-other-scheme", 1_000_000, interest_paid_fen=3_000_000),
    ]
    case.collect(MARCH, JUNE, due=3_000_000)
    assert _out(case) == [(3_000_000, ["interest_ceiling"])]


def test_schemes_of_one_collection_are_served_by_priority() -> None:
    case = Case([scheme(MANUFACTURING), scheme(EQUIPMENT)])
    case.note(equipment_fen=10 * MILLION)
    case.collect(MARCH, JUNE, due=6_000_000)
    by_scheme = {r["scheme_code"]: r for r in case.rows()}
    assert by_scheme[EQUIPMENT]["central_fen"] == 3_833_333
    assert by_scheme[MANUFACTURING]["provincial_fen"] == 1_083_334
    assert by_scheme[MANUFACTURING]["municipal_fen"] == 1_083_333


def test_the_project_cap_counts_both_tiers_and_all_notes_of_the_project() -> None:
    case = Case([scheme(MANUFACTURING)])
    for number in (1, 2):
        case.note(principal_fen=1000 * MILLION, equipment_fen=800 * MILLION, project_id=3,
                  note_number=f"JJ{number}")  # fmt: skip
    for note in (2, 1):
        case.collect(MARCH, JUNE, note=note)
    assert _out(case) == [(191_111_112, ["project_cap"]), (408_888_888, [])]


def test_a_note_without_a_project_has_no_project_cap_but_the_enterprises() -> None:
    case = Case([scheme(MANUFACTURING)])
    case.note(principal_fen=1000 * MILLION, equipment_fen=900 * MILLION)
    case.collect(MARCH, JUNE)
    case.collect(JUNE, SEPTEMBER)
    case.collect(SEPTEMBER, DECEMBER)
    assert _out(case) == [
        (460_000_000, []),
        (460_000_000, []),
        (80_000_000, ["enterprise_cap"]),
    ]


def test_the_enterprise_cap_covers_all_its_projects() -> None:
    case = Case([scheme(MANUFACTURING)])
    for project in (1, 2, 3):
        case.note(principal_fen=900 * MILLION, equipment_fen=800 * MILLION, project_id=project)
        case.collect(DAY(2026, 1, 21), JUNE, note=project)
    assert _out(case) == [
        (600_000_000, ["project_cap"]),
        (400_000_000, ["project_cap", "enterprise_cap"]),
        (0, ["project_cap", "enterprise_cap"]),
    ]


def test_leasing_subsidies_count_in_full_in_the_joint_cap() -> None:
    case = Case([scheme(MANUFACTURING)])
    case.note(equipment_fen=10 * MILLION)
    case.leasing = [
        {"enterprise_id": 1, "year": 2026, "amount_fen": 19 * MILLION + 99_000_000},
        {"enterprise_id": 1, "year": 2025, "amount_fen": 20 * MILLION},
        {"enterprise_id": 2, "year": 2026, "amount_fen": 20 * MILLION},
    ]
    case.collect(MARCH, JUNE)
    assert _out(case) == [(1_000_000, ["joint_cap"])]
    case.leasing[0]["amount_fen"] = 21 * MILLION
    assert _out(case) == [(0, ["joint_cap"])]


def test_opening_amounts_count_in_year_caps_of_their_year_and_scheme() -> None:
    case = Case([scheme(MANUFACTURING)])
    case.note(equipment_fen=10 * MILLION, project_id=4)
    case.collect(MARCH, JUNE)
    case.opening = [_opening(MANUFACTURING, 6 * MILLION - 7, interest_paid_fen=10**12)]
    assert _out(case) == [(7, ["project_cap"])]
    case.opening[0]["year"] = 2025
    assert _out(case) == [(5_111_112, [])]
    case.opening[0] |= {"year": 2026, "scheme_code": SPORTS}
    assert _out(case) == [(5_111_112, [])]


def test_lifetime_caps_count_openings_of_years_up_to_the_collections() -> None:
    case = Case([scheme(SME)])
    case.note()
    case.collect(SEPTEMBER, DECEMBER)
    case.collect(DECEMBER, DAY(2027, 3, 21))
    case.opening = [_opening(SME, 150_000_000 - 5, year=2027, tier="central",
                             interest_paid_fen=10**12)]  # fmt: skip
    assert _out(case) == [(3_791_667, []), (0, ["borrower_total_cap"])]
    case.opening[0]["year"] = 2025
    assert _out(case) == [(5, ["borrower_total_cap"]), (0, ["borrower_total_cap"])]


def test_the_lifetime_cap_goes_over_years_and_notes() -> None:
    case = Case([scheme(SME)])
    for _ in range(2):
        case.note(principal_fen=25 * MILLION)
    for note in (1, 2):
        for year in (2026, 2027):
            case.collect(DAY(year, 1, 10), DAY(year + 1, 1, 10), note=note)
    amounts = [amount for amount, _ in _out(case)]
    assert amounts == [38_020_833, 38_020_833, 38_020_833, 35_937_501]
    assert sum(amounts) == 150_000_000


def test_principal_cap_is_named_on_every_deduction_of_a_cut_note() -> None:
    case = Case([scheme(SME)])
    case.note(principal_fen=60 * MILLION)
    case.collect(MARCH, JUNE)
    case.collect(JUNE, SEPTEMBER, due=1_000_000)
    case.collect(SEPTEMBER, DECEMBER, paid=0)
    assert [reasons for _, reasons in _out(case)] == [
        ["principal_cap"],
        ["principal_cap"],
        ["principal_cap"],
    ]


def test_a_used_up_cap_is_not_named_where_there_is_nothing_to_cut() -> None:
    case = Case([scheme(MANUFACTURING)])
    case.note(equipment_fen=10 * MILLION)
    case.leasing = [{"enterprise_id": 1, "year": 2026, "amount_fen": 30 * MILLION}]
    case.collect(MARCH, JUNE, paid=0)
    assert _out(case) == [(0, [])]


def test_a_lowering_row_takes_back_in_proportion_of_what_was_granted_and_frees_its_caps() -> None:
    case = Case([scheme(MANUFACTURING)])
    case.note(equipment_fen=10 * MILLION)
    case.leasing = [{"enterprise_id": 1, "year": 2026, "amount_fen": 20 * MILLION - 3_000_001}]
    case.collect(MARCH, JUNE, due=10_000_000)
    case.collect(MARCH, JUNE, due=10_000_000, paid=-5_000_000, on=DAY(2026, 7, 1))
    case.collect(JUNE, DAY(2026, 7, 21), due=10_000_000)
    rows = case.rows()
    assert [(r["provincial_fen"], r["municipal_fen"]) for r in rows] == [
        (1_500_001, 1_500_000),
        (-750_001, -750_000),
        (750_001, 750_000),
    ]
    assert cut_reasons(rows[1]["cut_reasons"]) == []


def _capped_per_note(span: str) -> Case:
    cap = f'\n[[amount_caps]]\nper = "note"\nspan = "{span}"\nyuan = "40000"\narticle = "x"\n'
    case = Case([variant(EQUIPMENT, {"\n[window]": f"{cap}\n[window]"})])
    case.note()
    case.note()
    return case


@pytest.mark.parametrize(
    ("span", "expected"),
    [("year", [3_833_333, 166_667, 3_750_000]), ("life", [3_833_333, 166_667, 0])],
)
def test_amount_caps_per_note(span: str, expected: list[int]) -> None:
    case = _capped_per_note(span)
    case.collect(MARCH, JUNE)
    case.collect(JUNE, SEPTEMBER)
    case.collect(DECEMBER, DAY(2027, 3, 21))
    case.collect(MARCH, JUNE, note=2)
    out = _out(case)
    assert [amount for amount, _ in out] == [*expected, 3_833_333]
    assert out[1][1] == ["note_cap"]
    assert out[3][1] == []


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("collection", [5_000_000, 3_000_000]),
        ("accrual", [5_000_000, 0]),
        ("drawdown", [5_000_000, 0]),
    ],
)
def test_amount_caps_that_change_on_a_date(by: str, expected: list[int]) -> None:
    case = Case([variant("dated", {'by = "collection"': f'by = "{by}"'})])
    case.note(principal_fen=20 * MILLION, drawn_on=DAY(2026, 3, 1))
    case.collect(MARCH, JUNE)
    case.collect(JUNE, DAY(2026, 10, 1), on=DAY(2026, 10, 1))
    assert [amount for amount, _ in _out(case)] == expected


def test_only_groups_that_meet_a_limit_are_walked() -> None:
    notes = pl.DataFrame(
        {"project_id": [0, 0, 1, 1, 2, 2, 3], "enterprise_id": [1, 2, 3, 4, 4, 5, 6]}
    )
    assert caps.linked(pl.Series("enterprise_id", [3]), notes).sort().to_list() == [3, 4, 5]
    assert caps.linked(pl.Series("enterprise_id", [1, 6]), notes).sort().to_list() == [1, 6]


@pytest.mark.parametrize("due", [3_000_000, 3_833_333, 10_000_000])
def test_the_short_way_and_the_walk_agree(due: int) -> None:
    case = Case([scheme(EQUIPMENT), scheme(MANUFACTURING)])
    case.note(equipment_fen=5 * MILLION, project_id=1)
    for start, end in month_ends(DAY(2026, 1, 21), 11):
        case.collect(start, end, due=due // 3)
    short, walked = case.deduct(), case.deduct(trace=True)
    keys = ["collection_id", "scheme_code"]
    assert short.rows.sort(keys).equals(walked.rows.sort(keys))
    assert short.trace is None


def test_the_order_of_service_is_by_day_institution_and_note() -> None:
    case = Case([scheme(MANUFACTURING)])
    numbers = [("C2", "JJ1"), ("C1", "JJ9"), ("C1", "JJ10")]
    for institution, number in numbers:
        case.note(institution_code=institution, note_number=number, principal_fen=900 * MILLION,
                  equipment_fen=800 * MILLION)  # fmt: skip
    for note in (1, 2, 3):
        case.collect(MARCH, JUNE, note=note)
    assert [amount for amount, _ in _out(case)] == [182_222_224, 408_888_888, 408_888_888]
    case.collections[0]["collected_on"] = DAY(2026, 6, 20)
    assert [amount for amount, _ in _out(case)] == [408_888_888, 182_222_224, 408_888_888]
