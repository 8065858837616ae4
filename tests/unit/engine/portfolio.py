"""Builds the engine's frames straight from portfolio files, without Django (tests only)."""

from __future__ import annotations

import csv
import datetime
import decimal
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl

from settlement.engine import facts as engine_facts
from settlement.engine.facts import SCHEMAS, AssessFacts, DeductFacts
from settlement.engine.terms import Terms, parse

Rows = dict[str, list[dict[str, str]]]
BuildDeductFacts = Callable[[pl.DataFrame], DeductFacts]

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "settlement" / "schemes"
PORTFOLIO = ROOT / "tests" / "data" / "portfolio"


def shipped_terms() -> list[Terms]:
    """The four schemes the project ships."""
    paths = sorted(SHIPPED.glob("*.toml"))
    return [parse(path.read_text(encoding="utf-8"), name=path.name) for path in paths]


def read(folder: Path) -> Rows:
    """Every file of a folder as rows of text, by kind."""
    found: Rows = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            found[path.stem] = list(csv.DictReader(file))
    return found


def fen(text: str | None) -> int:
    """Yuan as text to fen."""
    return int(decimal.Decimal(text or "0").scaleb(2))


def ppm(text: str) -> int:
    """Percent as text to parts per million."""
    return int(decimal.Decimal(text).scaleb(4))


def day(text: str) -> datetime.date:
    """An ISO date."""
    return datetime.date.fromisoformat(text)


def open_day(text: str | None) -> datetime.date | None:
    """An ISO date, or none."""
    return day(text) if text else None


def frame(name: str, rows: Iterable[tuple[object, ...]]) -> pl.DataFrame:
    """Rows in the order of a schema's columns."""
    return pl.DataFrame(list(rows), schema=engine_facts.empty(name).schema, orient="row")


class Register:
    """Ids for everything the files name by text."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.institutions = {r["institution_code"]: r for r in rows["institutions"]}
        self.institution_ids = {code: n for n, code in enumerate(self.institutions, 1)}
        uscc = dict.fromkeys(r["uscc"] for r in rows["enterprises"])
        self.enterprises = {code: n for n, code in enumerate(uscc, 1)}
        projects = rows.get("projects", [])
        self.projects = {r["project_code"]: n for n, r in enumerate(projects, 1)}
        self.contracts = {
            (r["institution_code"], r["contract_number"]): r for r in rows["contracts"]
        }
        self.notes = {
            (r["institution_code"], r["note_number"]): n for n, r in enumerate(rows["notes"], 1)
        }
        self.records: dict[str, list[dict[str, str]]] = defaultdict(list)
        for record in rows["enterprises"]:
            self.records[record["uscc"]].append(record)

    def note(self, row: dict[str, str]) -> int:
        """The id of the note a row names."""
        return self.notes[row["institution_code"], row["note_number"]]

    def contract(self, row: dict[str, str]) -> dict[str, str]:
        """The contract of a note's row."""
        return self.contracts[row["institution_code"], row["contract_number"]]

    def upwards(self, code: str) -> list[str]:
        """An institution and all above it."""
        found = [code]
        while parent := self.institutions[found[-1]].get("parent_code"):
            found.append(parent)
        return found

    def record(self, uscc: str, on: datetime.date) -> dict[str, str]:
        """The enterprise record in force on a day, the earliest if none is yet."""
        dated = sorted(self.records[uscc], key=lambda r: r.get("valid_from") or "0001-01-01")
        past = [r for r in dated if (r.get("valid_from") or "0001-01-01") <= on.isoformat()]
        return (past or dated[:1])[-1]


def _notes(register: Register) -> pl.DataFrame:
    return pl.DataFrame(
        [_note(register, row) for row in register.rows["notes"]],
        schema=engine_facts.empty("notes").schema,
    )


def _note(register: Register, row: dict[str, str]) -> dict[str, object]:
    contract = register.contract(row)
    record = register.record(contract["uscc"], day(row["drawn_on"]))
    rate = decimal.Decimal(row.get("exchange_rate") or "1").scaleb(8)
    return {
        "note_id": register.note(row),
        "institution_code": row["institution_code"],
        "note_number": row["note_number"],
        "bank_id": register.institution_ids[register.upwards(row["institution_code"])[-1]],
        "enterprise_id": register.enterprises[contract["uscc"]],
        "project_id": register.projects.get(contract.get("project_code") or "", 0),
        "signed_on": day(contract["signed_on"]),
        **{key: contract[key] for key in ("loan_type", "purpose_field")},
        "currency": contract.get("currency") or "CNY",
        "drawn_on": day(row["drawn_on"]),
        "matures_on": day(row["matures_on"]),
        "principal_fen": fen(row["principal"]),
        "equipment_fen": fen(row.get("equipment_amount")),
        "rate_ppm": ppm(row["annual_rate"]),
        "exchange_rate_e8": int(rate),
        **{key: record[key] for key in ("region_code", "industry_code", "size", "ownership")},
        **{key: record.get(key) or "" for key in ("environment_rating", "tax_rating")},
        "dishonest": (record.get("dishonest") or "no") == "yes",
    }


def _labels(register: Register) -> pl.DataFrame:
    return frame(
        "labels",
        (
            (register.note(row), code, place)
            for row in register.rows["notes"]
            for place, code in enumerate(filter(None, (row.get("scheme_codes") or "").split(";")))
        ),
    )


def _hits(register: Register) -> pl.DataFrame:
    covered = defaultdict(list)
    for row in register.rows.get("participations", []):
        last = row.get("valid_to") or "9999-12-31"
        covered[row["institution_code"]].append((row["scheme_code"], row["valid_from"], last))
    hits = {
        (register.note(row), scheme)
        for row in register.rows["notes"]
        for code in register.upwards(row["institution_code"])
        for scheme, first, last in covered[code]
        if first <= row["drawn_on"] <= last
    }
    return frame("participation_hits", sorted(hits))


def _titles(register: Register) -> pl.DataFrame:
    rows = register.rows.get("enterprise-titles", [])
    return frame(
        "titles",
        (
            (register.enterprises[r["uscc"]], r["title"], day(r["valid_from"]), day(r["valid_to"]))
            for r in rows
        ),
    )


def _stops(register: Register) -> pl.DataFrame:
    return frame(
        "stops",
        (
            (register.note(r), r["status"], day(r["starts_on"]), open_day(r.get("ends_on")))
            for r in register.rows.get("note-statuses", [])
        ),
    )


def _funds(register: Register) -> pl.DataFrame:
    latest = {
        (r["scheme_code"], int(r["year"])): fen(r["amount"])
        for r in register.rows.get("scheme-funds", [])
    }
    return frame("funds", ((*key, amount) for key, amount in latest.items()))


def assess_facts(register: Register) -> AssessFacts:
    """What `assess` reads."""
    notes, stops = _notes(register), _stops(register)
    overdue = stops.filter(pl.col("status") == "overdue").join(notes, on="note_id")
    return AssessFacts(
        notes=notes,
        labels=_labels(register),
        participation_hits=_hits(register),
        titles=_titles(register),
        lpr=frame(
            "lpr",
            (
                (day(r["published_on"]), ppm(r["one_year"]), ppm(r["five_year"]))
                for r in register.rows.get("lpr", [])
            ),
        ),
        overdue=overdue.select(SCHEMAS["overdue"].keys()),
        funds=_funds(register),
    )


def _collections(register: Register) -> pl.DataFrame:
    return frame(
        "collections",
        (
            (
                number,
                register.note(r),
                day(r["period_start"]),
                day(r["period_end"]),
                fen(r["interest_due"]),
                fen(r["interest_paid"]),
                day(r["collected_on"]),
                r["reference"],
            )
            for number, r in enumerate(register.rows.get("interest-collections", []), 1)
            if r.get("interest_paid")
        ),
    )


def _external(register: Register) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = register.rows.get("external-subsidies", [])
    loans = (
        (register.note(r), int(r["year"]), fen(r["amount"]))
        for r in rows
        if r["kind"] == "loan_interest"
        and (r.get("institution_code"), r.get("note_number")) in register.notes
    )
    leasing = (
        (register.enterprises[r["uscc"]], int(r["year"]), fen(r["amount"]))
        for r in rows
        if r["kind"] == "leasing_interest" and r["uscc"] in register.enterprises
    )
    return frame("external", loans), frame("leasing", leasing)


def _opening(register: Register) -> pl.DataFrame:
    return frame(
        "opening",
        (
            (
                register.note(r),
                r["scheme_code"],
                r["tier"],
                int(r["year"]),
                fen(r["amount"]),
                fen(r["interest_paid"]),
                day(r["paid_through"]),
            )
            for r in register.rows.get("opening-positions", [])
        ),
    )


def deduct_facts(register: Register, notes: pl.DataFrame, enrolments: pl.DataFrame) -> DeductFacts:
    """What `deduct` reads."""
    external, leasing = _external(register)
    repayments = register.rows.get("repayments", [])
    return DeductFacts(
        notes=notes,
        enrolments=enrolments,
        collections=_collections(register),
        repayments=frame(
            "repayments",
            ((register.note(r), day(r["repaid_on"]), fen(r["amount"])) for r in repayments),
        ),
        stops=_stops(register),
        external=external,
        leasing=leasing,
        opening=_opening(register),
        funds=_funds(register),
    )


def guarantees_of(rows: Rows) -> pl.DataFrame:
    """What `guarantee.subsidies` reads besides notes and enrolments; ids count rows from 1."""
    register = Register(rows)
    return frame(
        "guarantees",
        (
            (
                number,
                register.note(r),
                r["guarantee_number"],
                fen(r["principal"]),
                day(r["starts_on"]),
                day(r["ends_on"]),
            )
            for number, r in enumerate(rows.get("guarantees", []), 1)
        ),
    )


def facts_of(rows: Rows) -> tuple[AssessFacts, BuildDeductFacts]:
    """Facts of a portfolio held as rows of text by kind."""
    register = Register(rows)
    judged = assess_facts(register)
    return judged, lambda enrolments: deduct_facts(register, judged.notes, enrolments)


def load_portfolio(folder: Path) -> tuple[AssessFacts, BuildDeductFacts]:
    """Facts of a portfolio's folder: first for `assess`, then, given its result, for `deduct`."""
    return facts_of(read(folder))
