"""The oracle against the shipped case portfolio, the published figures and rules worked by hand."""

from __future__ import annotations

import csv
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from tests.reference import oracle
from tests.reference.facts import Portfolio, Row, add_months, day, half_up, load
from tests.reference.small import BRANCH, HEAD, USCC, collected, small
from tests.reference.terms import EQUIPMENT, MANUFACTURING, SME, SPORTS

CASE = Path(__file__).parents[1] / "data" / "portfolio"
NUMBERS = (
    "days", "product", "raw_central", "raw_provincial", "raw_municipal", "central", "provincial",
    "municipal", "total", "cut",
)  # fmt: skip


def _expected(name: str) -> list[Row]:
    with (CASE / "expected" / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split(";")) - {""}


def test_the_case_portfolio_enrolments_agree() -> None:
    def by_label(rows: list[Row]) -> dict[tuple[str, ...], tuple[str, frozenset[str]]]:
        keys = ("scheme_code", "institution_code", "note_number")
        return {tuple(r[k] for k in keys): (r["status"], _codes(r["reasons"])) for r in rows}

    assert by_label(oracle.assess(load(CASE))) == by_label(_expected("enrolments.csv"))


def test_the_case_portfolio_deductions_agree() -> None:
    def by_row(rows: list[Row]) -> dict[tuple[str, ...], tuple[object, ...]]:
        keys = ("scheme_code", "institution_code", "collection_reference")
        return {
            tuple(r[k] for k in keys): (
                *(Decimal(r[n] or 0) for n in NUMBERS),
                _codes(r["cut_reasons"]),
            )
            for r in rows
        }

    found, expected = oracle.deductions(load(CASE)), _expected("deductions.csv")
    assert by_row(found) == by_row(expected)
    assert len(found) == len(expected)
    assert list(found[0]) == list(expected[0])


def _totals(portfolio: Portfolio) -> list[tuple[str, str, str, str]]:
    """Reference, scheme, total and reasons of each deduction, in the order served."""
    return [
        (r["collection_reference"], r["scheme_code"], r["total"], r["cut_reasons"])
        for r in oracle.deductions(portfolio)
    ]


def test_lifetime_amount_of_a_borrower_at_the_principal_cap() -> None:
    """MOF, 2026-01-20: 50,000,000 × 1.5 % × 2 years → at most 1,500,000; 730 days ÷ 360 is more."""
    notes = [{"principal": "60000000.00", "scheme_codes": SME}]
    rows = [
        collected(1, "2026-01-01", "2027-01-01", "2190000.00"),
        collected(2, "2027-01-01", "2028-02-01", "2376000.00"),
    ]
    found = oracle.deductions(small(notes=notes, interest_collections=rows))
    assert [r["raw_central"] for r in found] == ["760416.67", "760416.67"]
    assert [r["total"] for r in found] == ["760416.67", "739583.33"]
    assert [r["days"] for r in found] == ["365", "365"]
    assert [r["cut_reasons"] for r in found] == [
        "principal_cap",
        "principal_cap;borrower_total_cap",
    ]


def test_printed_formula_of_the_sports_scheme() -> None:
    """苏体经〔2026〕1号: 20,000,000 × 1.2 % × 90/365 = 59,178.08."""
    contracts = [{"loan_type": "working_capital", "purpose_field": "体育产业"}]
    notes = [{"principal": "20000000.00", "scheme_codes": SPORTS}]
    rows = [collected(1, "2026-01-01", "2026-04-01", "180000.00")]
    portfolio = small(contracts=contracts, notes=notes, interest_collections=rows)
    assert _totals(portfolio) == [("S1", SPORTS, "59178.08", "")]


def test_printed_formula_of_the_manufacturing_scheme() -> None:
    """苏财工贸〔2026〕7号: 10,000,000 × 1 % × 91/360 = 25,277.78, for each of the two tiers."""
    notes = [{"equipment_amount": "10000000.00", "scheme_codes": MANUFACTURING}]
    rows = [collected(1, "2026-01-01", "2026-04-02", "91000.00")]
    (found,) = oracle.deductions(small(notes=notes, interest_collections=rows))
    assert (found["provincial"], found["municipal"]) == ("25277.78", "25277.78")


def test_the_interest_ceiling_cuts_the_later_scheme() -> None:
    """10,000,000 at 2.3 %, 90/360: central 37,500.00 + provincial 25,000.00 → cut 5,000.00."""
    contracts = [{"project_code": "P1"}]
    notes = [
        {
            "equipment_amount": "10000000.00",
            "annual_rate": "2.3",
            "scheme_codes": f"{SME};{MANUFACTURING}",
        }
    ]
    rows = [collected(1, "2026-01-01", "2026-04-01", "57500.00")]
    found = oracle.deductions(small(contracts=contracts, notes=notes, interest_collections=rows))
    assert [(r["total"], r["cut"]) for r in found] == [
        ("37500.00", "0.00"),
        ("20000.00", "5000.00"),
    ]
    assert [r["raw_municipal"] for r in found] == ["0.00", "0.00"]  # MF-06


def test_guarantee_fee_subsidy() -> None:
    """10,000,000 × 0.5 % × 12/12 = 50,000.00, once per enterprise, of notes up to 10,000,000."""
    contracts = [{"loan_type": "working_capital", "purpose_field": "体育产业"}]
    notes = [
        {"scheme_codes": SPORTS},
        {"note_number": "N2", "principal": "10000000.01", "scheme_codes": SPORTS},
    ]
    common = {"institution_code": BRANCH, "principal": "10000000.00", "starts_on": "2026-01-31"}
    guarantees = [
        {**common, "note_number": "N2", "guarantee_number": "G1", "ends_on": "2027-01-31"},
        {**common, "note_number": "N1", "guarantee_number": "G2", "ends_on": "2027-04-30"},
        {**common, "note_number": "N1", "guarantee_number": "G3", "ends_on": "2026-02-28"},
    ]
    found = oracle.guarantee_subsidies(
        small(contracts=contracts, notes=notes, guarantees=guarantees)
    )
    assert [(r["guarantee_number"], r["months"], r["subsidy"], r["status"]) for r in found] == [
        ("G1", "12", "0.00", "ineligible"),
        ("G2", "12", "50000.00", "eligible"),
        ("G3", "1", "0.00", "ineligible"),
    ]


def test_a_part_payment_its_rest_and_a_part_reversal() -> None:
    """D7: earned to date − earned before; a reversal takes back granted × lowered ÷ earned."""
    notes = [{"scheme_codes": EQUIPMENT}]
    span = ("2026-01-01", "2026-04-01", "90000.00")
    rows = [
        collected(1, *span, "30000.01"),
        collected(2, *span, "59999.99", collected_on="2026-05-01"),
        collected(3, *span, "-45000.00", collected_on="2026-06-01"),
    ]
    assert _totals(small(notes=notes, interest_collections=rows)) == [
        ("S1", EQUIPMENT, "12500.00", ""),
        ("S2", EQUIPMENT, "25000.00", ""),
        ("S3", EQUIPMENT, "-18750.00", ""),
    ]


def test_a_reversal_of_a_cut_collection_takes_back_what_was_granted() -> None:
    """Interest 20,000 for a raw 37,500: granted 20,000; half reversed takes back half of that."""
    notes = [{"scheme_codes": EQUIPMENT}]
    span = ("2026-01-01", "2026-04-01", "20000.00")
    rows = [collected(1, *span), collected(2, *span, "-10000.00", collected_on="2026-04-02")]
    found = oracle.deductions(small(notes=notes, interest_collections=rows))
    assert [(r["raw_central"], r["total"], r["cut"], r["cut_reasons"]) for r in found] == [
        ("37500.00", "20000.00", "17500.00", "interest_ceiling"),
        ("-18750.00", "-10000.00", "-8750.00", ""),
    ]


def test_a_plan_earns_nothing_until_completed() -> None:
    notes = [{"scheme_codes": EQUIPMENT}]
    plan = collected(1, "2026-01-01", "2026-04-01", "90000.00", "")
    assert _totals(small(notes=notes, interest_collections=[plan])) == []
    done = {**plan, "interest_paid": "90000.00", "collected_on": "2026-04-03"}
    both = small(notes=notes, interest_collections=[plan, done])
    assert _totals(both) == [("S1", EQUIPMENT, "37500.00", "")]


def test_an_opening_position_stops_earlier_days_and_fills_the_ceiling() -> None:
    """Subsidised through 2026-03-01: 31 of 90 days earn; 20,000.00 of 50,000.00 interest is left."""
    notes = [{"scheme_codes": EQUIPMENT}]
    opening = {
        "scheme_code": EQUIPMENT, "institution_code": BRANCH, "note_number": "N1", "year": "2026",
        "tier": "central", "amount": "40000.00", "interest_paid": "10000.00",
        "paid_through": "2026-03-01",
    }  # fmt: skip
    rows = [collected(1, "2026-01-01", "2026-04-01", "40000.00")]
    portfolio = small(notes=notes, interest_collections=rows, opening_positions=[opening])
    (found,) = oracle.deductions(portfolio)
    assert (found["days"], found["product"], found["raw_central"]) == (
        "31",
        "310000000.00",
        "12916.67",
    )
    assert (found["total"], found["cut_reasons"]) == ("10000.00", "interest_ceiling")


def test_balances_statuses_and_a_repayment_reversed() -> None:
    """D5, D6: a repayment lowers its own day; overdue days never earn."""
    notes = [{"scheme_codes": EQUIPMENT}]
    mine = {"institution_code": BRANCH, "note_number": "N1"}
    repayments = [
        {**mine, "repaid_on": "2026-01-11", "amount": "4000000.00", "reference": "R1"},
        {**mine, "repaid_on": "2026-01-21", "amount": "-4000000.00", "reference": "R2"},
    ]
    statuses = [{**mine, "status": "overdue", "starts_on": "2026-01-16", "ends_on": "2026-01-18"}]
    rows = [collected(1, "2026-01-01", "2026-01-31", "30000.00")]
    portfolio = small(
        notes=notes, repayments=repayments, note_statuses=statuses, interest_collections=rows
    )
    (found,) = oracle.deductions(portfolio)
    assert (found["days"], found["product"]) == ("28", "248000000.00")


def test_waiting_only_where_nothing_else_refuses() -> None:
    contracts = [
        {"purpose_field": "体育产业"},
        {"contract_number": "HT-2", "purpose_field": "房地产"},
    ]
    notes = [
        {"scheme_codes": SPORTS},
        {"note_number": "N2", "contract_number": "HT-2", "scheme_codes": SPORTS},
    ]
    late = [{"published_on": "2026-01-02"}]
    found = oracle.assess(small(contracts=contracts, notes=notes, lpr=late))
    assert [(r["status"], r["reasons"]) for r in found] == [
        ("waiting", "lpr_missing"),
        ("ineligible", "purpose_field"),
    ]


def test_a_label_after_a_refused_one_of_its_group_is_judged_on_its_own() -> None:
    """D14 with D16: sports refused by the fund leaves manufacturing standing; in order, not both."""
    contracts = [{"loan_type": "project", "purpose_field": "体育产业"}]
    notes = [{"equipment_amount": "10000000.00", "scheme_codes": f"{SPORTS};{MANUFACTURING}"}]

    def reasons(fund: str) -> dict[str, str]:
        funds = [{"scheme_code": SPORTS, "year": "2026", "amount": fund}]
        rows = oracle.assess(small(contracts=contracts, notes=notes, scheme_funds=funds))
        return {r["scheme_code"]: r["reasons"] for r in rows}

    assert reasons("120000.00") == {SPORTS: "", MANUFACTURING: "exclusive_group"}
    assert reasons("119999.99") == {SPORTS: "fund_exhausted", MANUFACTURING: ""}


def test_every_attribute_reason_in_precedence_order() -> None:
    enterprises = [
        {"region_code": "330100", "industry_code": "R8810", "size": "large", "ownership": "state",
         "dishonest": "yes", "environment_rating": "red", "tax_rating": "D"}
    ]  # fmt: skip
    contracts = [
        {"signed_on": "2025-12-31", "loan_type": "tech_innovation", "purpose_field": "房地产"}
    ]
    labels = f"{SME};{EQUIPMENT};{MANUFACTURING};{SPORTS}"
    notes = [{"drawn_on": "2027-01-01", "annual_rate": "3.81", "scheme_codes": labels}]
    statuses = [
        {
            "institution_code": BRANCH,
            "note_number": "N1",
            "status": "overdue",
            "starts_on": "2027-01-01",
        }
    ]
    portfolio = small(
        enterprises=enterprises, contracts=contracts, notes=notes, note_statuses=statuses,
        participations=[{"scheme_code": EQUIPMENT}],
    )  # fmt: skip
    assert {r["scheme_code"]: r["reasons"].split(";") for r in oracle.assess(portfolio)} == {
        SME: ["institution_not_participating", "drawn_outside_window", "not_private",
              "not_small_or_medium", "loan_type", "purpose_field"],
        EQUIPMENT: ["drawn_outside_window", "purpose_field"],
        MANUFACTURING: ["institution_not_participating", "region", "industry_or_title", "loan_type",
                        "no_equipment_amount"],
        SPORTS: ["institution_not_participating", "drawn_outside_window", "signed_outside_window",
                 "region", "loan_type", "purpose_field", "dishonest", "environment_rating",
                 "tax_rating", "overdue", "rate_above_ceiling"],
    }  # fmt: skip


def test_a_foreign_note_is_converted_once() -> None:
    """D18: 1,000,000.01 USD × 7.1234 = 7,123,400.071… → 7,123,400.07 for each day."""
    notes = [{"principal": "1000000.01", "exchange_rate": "7.1234", "scheme_codes": EQUIPMENT}]
    rows = [collected(1, "2026-01-01", "2026-01-11", "99999.00")]
    (found,) = oracle.deductions(small(notes=notes, interest_collections=rows))
    assert (found["product"], found["total"]) == ("71234000.70", "2968.08")


def test_outside_subsidies_count_by_their_kind() -> None:
    """A note's own loan interest eats the ceiling; leasing the joint cap; grants nothing."""
    notes = [{"equipment_amount": "10000000.00", "scheme_codes": MANUFACTURING}]
    mine = {"institution_code": BRANCH, "note_number": "N1"}
    outside = [
        {"kind": "loan_interest", "amount": "60000.00", "reference": "X1", **mine},
        {"kind": "loan_interest", "amount": "-10000.00", "reference": "X2", **mine},
        {"kind": "grant", "amount": "90000.00", "reference": "X3", **mine},
        {"kind": "leasing_interest", "amount": "19980000.01", "reference": "X4"},
    ]
    rows = [collected(1, "2026-01-01", "2026-04-01", "90000.00")]
    external = [{**row, "source": "省", "uscc": USCC, "year": "2026"} for row in outside]
    portfolio = small(notes=notes, interest_collections=rows, external_subsidies=external)
    (found,) = oracle.deductions(portfolio)
    assert (found["provincial"], found["municipal"]) == ("10000.00", "9999.99")
    assert found["cut_reasons"] == "interest_ceiling;joint_cap"


def test_head_office_groups_and_participation_from_above() -> None:
    institutions = [
        {"institution_code": HEAD},
        {"institution_code": BRANCH, "parent_code": HEAD},
        {"institution_code": "C0009110000000"},
    ]
    contracts = [
        {"loan_type": "project", "purpose_field": "体育产业"},
        {"institution_code": "C0009110000000", "loan_type": "project", "purpose_field": "体育产业"},
    ]
    notes = [
        {"drawn_on": "2026-02-01", "scheme_codes": SPORTS},
        {"institution_code": "C0009110000000", "drawn_on": "2026-02-02", "scheme_codes": SPORTS},
    ]
    participations = [
        {"scheme_code": SPORTS, "valid_to": "2026-02-01"},
        {"scheme_code": SPORTS, "institution_code": "C0009110000000", "valid_from": "2026-02-02"},
    ]
    portfolio = small(
        institutions=institutions, contracts=contracts, notes=notes, participations=participations
    )
    assert [(r["status"], r["reasons"]) for r in oracle.assess(portfolio)] == [
        ("eligible", ""),
        ("ineligible", "one_bank_per_enterprise"),
    ]


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-08-31", 3, "2026-11-30"),
        ("2026-12-31", 24, "2028-12-31"),
    ],
)
def test_months_land_on_the_same_day_or_the_last(start: str, months: int, end: str) -> None:
    assert add_months(day(start), months) == day(end)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [(Fraction(1, 2), 1), (Fraction(49, 100), 0), (Fraction(3, 2), 2), (Fraction(-1, 2), -1)],
)
def test_halves_go_up(value: Fraction, rounded: int) -> None:
    assert half_up(value) == rounded
