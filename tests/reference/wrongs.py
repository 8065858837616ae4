"""Plausible wrong first versions of rows that may later be corrected under the same natural key.

A wrong version keeps the importer's rules and names only parties that exist in the portfolio.
Evidence has none: it is reversed, not corrected.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from tests.reference.facts import Portfolio, Row, fen, yuan
from tests.reference.terms import SCHEMES

Change = Callable[[Random, Row, Portfolio], Row]


def wrong_version(rng: Random, kind: str, row: Row, final: Portfolio) -> Row | None:
    """Another content for the row's key, or None where the kind or the row allows none."""
    changes = CHANGES.get(kind)
    if changes is None:
        return None
    tries = ({**row, **rng.choice(changes)(rng, row, final)} for _ in range(4))
    return next((wrong for wrong in tries if wrong != row), None)


def _days(text: str, days: int) -> str:
    return (date.fromisoformat(text) + timedelta(days=days)).isoformat()


def _other(column: str, kind: str) -> Change:
    """The value of that column in any row of a kind."""
    return lambda rng, row, final: {column: rng.choice(final[kind])[column]}


def _one_of(column: str, *values: str) -> Change:
    return lambda rng, row, final: {column: rng.choice(values)}


def _shifted(column: str, *days: int) -> Change:
    """A date moved; blank dates stay blank."""
    return lambda rng, row, final: (
        {column: _days(row[column], rng.choice(days))} if row[column] else {}
    )


def _scaled(column: str, *percents: int) -> Change:
    return lambda rng, row, final: (
        {column: yuan(fen(row[column]) * rng.choice(percents) // 100)} if row[column] else {}
    )


def _other_project(rng: Random, row: Row, final: Portfolio) -> Row:
    codes = [r["project_code"] for r in final.get("projects", [])]
    return {"project_code": rng.choice(["", *codes])}


def _other_labels(rng: Random, row: Row, final: Portfolio) -> Row:
    """Another choice or order of labels; blank is possible too."""
    return {"scheme_codes": ";".join(rng.sample(sorted(SCHEMES), rng.randint(0, 3)))}


def _other_contract(rng: Random, row: Row, final: Portfolio) -> Row:
    bank = row["institution_code"]
    mine = [r for r in final["contracts"] if r["institution_code"] == bank]
    return {"contract_number": rng.choice(mine)["contract_number"]}


def _other_equipment(rng: Random, row: Row, final: Portfolio) -> Row:
    part = fen(row["principal"]) * rng.randint(0, 100) // 100
    return {"equipment_amount": rng.choice(("", yuan(part)))}


def _other_status_end(rng: Random, row: Row, final: Portfolio) -> Row:
    """Mostly still open, as a status is first entered; else closed on another day."""
    if row["ends_on"] and rng.random() < 0.6:
        return {"ends_on": ""}
    return {"ends_on": _days(row["starts_on"], rng.choice((1, 20, 200)))}


def _other_valid_to(rng: Random, row: Row, final: Portfolio) -> Row:
    return {"valid_to": _days(row["valid_from"], rng.choice((30, 200, 900)))}


def _other_transfer(rng: Random, row: Row, final: Portfolio) -> Row:
    """Another branch of the same bank; institution codes of one bank share their first part."""
    family = [
        r["institution_code"]
        for r in final["institutions"]
        if r["institution_code"][:5] == row["institution_code"][:5] and r["level"] != "headquarters"
    ]
    others = [code for code in family if code != row["institution_code"]]
    return {"new_institution_code": rng.choice(others)}


CHANGES: dict[str, list[Change]] = {
    "institutions": [_one_of("name", "样例银行（曾用名）")],
    "participations": [_other_valid_to],
    "lpr": [_one_of("one_year", "2.70", "3.10"), _one_of("five_year", "3.20", "3.95")],
    "enterprises": [
        _one_of("name", "样例企业（曾用名）有限公司"),
        _one_of("region_code", "320100", "330100"),
        _one_of("industry_code", "C3421", "R8810"),
        _one_of("size", "small", "large"),
        _one_of("ownership", "private", "state"),
        _one_of("environment_rating", "", "red", "green"),
        _one_of("tax_rating", "", "D", "A"),
        _one_of("dishonest", "yes", "no"),
    ],
    "enterprise-titles": [_other_valid_to],
    "projects": [_other("uscc", "enterprises"), _one_of("name", "样例项目（原名）")],
    "contracts": [
        _other("uscc", "enterprises"), _other_project, _other_project,
        _one_of("loan_type", "fixed_asset", "working_capital", "project", "tech_innovation"),
        _one_of("purpose_field", "房地产", "人工智能", "体育产业"), _shifted("signed_on", -30, -400),
    ],
    "notes": [
        _scaled("principal", 110, 200, 300), _other_equipment, _other_labels, _other_labels,
        _one_of("annual_rate", "1.2", "3.80", "4.5"), _one_of("exchange_rate", "1", "6.9"),
        _other_contract, _shifted("drawn_on", -1, -15), _shifted("matures_on", 1, 365),
    ],
    "note-statuses": [_other_status_end],
    "guarantees": [_scaled("principal", 50, 99), _shifted("ends_on", 10, 40), _shifted("starts_on", -20)],
    "scheme-funds": [_scaled("amount", 10, 50, 300)],
    "note-transfers": [_other_transfer],
    "opening-positions": [
        _scaled("amount", 0, 50, 99, 120), _scaled("interest_paid", 0, 50, 200),
        _shifted("paid_through", -30, 30),
    ],
}  # fmt: skip
