"""Portfolios of one or two notes built by hand, with sensible values where a test names none."""

from __future__ import annotations

from tests.reference.columns import columns_of
from tests.reference.facts import Portfolio, Row
from tests.reference.terms import EQUIPMENT, MANUFACTURING, SPORTS

HEAD, BRANCH = "C0001110000000", "C0001320100000"
USCC = "91320200MA1XC1LR11"
DEFAULTS: dict[str, Row] = {
    "institutions": {"name": "样例银行", "level": "branch", "region_code": "320100"},
    "participations": {"institution_code": HEAD, "valid_from": "2020-01-01"},
    "lpr": {"published_on": "2025-12-22", "one_year": "3.00", "five_year": "3.50"},
    "enterprises": {
        "uscc": USCC, "name": "样例企业有限公司", "region_code": "320200", "size": "small",
        "industry_code": "C3829", "ownership": "private", "dishonest": "no",
    },
    "contracts": {
        "institution_code": BRANCH, "contract_number": "HT-1", "uscc": USCC, "currency": "CNY",
        "signed_on": "2026-01-01", "loan_type": "fixed_asset", "amount": "900000000.00",
        "purpose_field": "人工智能",
    },
    "notes": {
        "institution_code": BRANCH, "note_number": "N1", "contract_number": "HT-1",
        "drawn_on": "2026-01-01", "matures_on": "2030-01-01", "annual_rate": "3.60",
        "principal": "10000000.00",
    },
    "interest-collections": {"institution_code": BRANCH, "note_number": "N1"},
}  # fmt: skip


def small(**kinds: list[Row]) -> Portfolio:
    """One bank, one enterprise and what is given: kind (with `_` for `-`) -> rows, blanks filled."""
    schemes = ("central-sme-2026", EQUIPMENT, MANUFACTURING, SPORTS)
    given: dict[str, list[Row]] = {
        "institutions": [
            {"institution_code": HEAD, "level": "headquarters"},
            {"institution_code": BRANCH, "parent_code": HEAD},
        ],
        "participations": [{"scheme_code": code} for code in schemes],
        "lpr": [{}],
        "enterprises": [{}],
        "contracts": [{}],
    }
    given |= {kind.replace("_", "-"): rows for kind, rows in kinds.items()}
    return {
        kind: [
            {**dict.fromkeys(columns_of(kind), ""), **DEFAULTS.get(kind, {}), **row} for row in rows
        ]
        for kind, rows in given.items()
    }


def collected(
    number: int, start: str, end: str, due: str, paid: str | None = None, **more: str
) -> Row:
    """A collection on the period's last day, paid in full unless told otherwise."""
    return {
        "period_start": start, "period_end": end, "interest_due": due, "collected_on": end,
        "interest_paid": due if paid is None else paid, "reference": f"S{number}", **more,
    }  # fmt: skip
