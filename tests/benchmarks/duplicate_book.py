"""A portfolio with all duplicates of P1–P12 planted among clean notes and their near-twins, as files.

`FOLDER/1`, `2`, … are imported one after the other and run; `FOLDER/later` is told after the run.
`FOLDER/expected.json` says what the check must find then. The same for the same size and seed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import polars as pl
from stdnum.cn import uscc

from tests.benchmarks.duplicate_plants import BANKS, BRANCHES, IDLE, branch, head, province
from tests.benchmarks.duplicate_plants_money import planted
from tests.benchmarks.duplicate_twins import PATTERNS
from tests.integration.planted_rows import EQUIPMENT, MAKING, SME, SPORTS, Rows

Frames = dict[str, pl.DataFrame]
PART_NOTES = 100_000  # in one folder: what is kept in memory at once
FIRST_DAY = date(2026, 1, 12)
INTEREST_DAYS = (date(2026, 3, 21), date(2026, 6, 21), date(2026, 9, 21))
REPEATED = [pattern for pattern in PATTERNS for _ in range(pattern.times)]
NOTES_PER_ROUND = sum(len(pattern.notes) for pattern in REPEATED)
FIRMS_PER_ROUND = sum(len(pattern.names) for pattern in REPEATED)


def write(folder: Path, *, notes: int, seed: int) -> int:
    """Write the files of a book of at least so many clean notes; returns how many notes it has."""
    plants = planted(seed)
    rounds = -(-notes // NOTES_PER_ROUND)
    step = max(1, PART_NOTES // NOTES_PER_ROUND)
    told = {kind: _frame(rows) for kind, rows in plants.rows.items()}
    for part, start in enumerate(range(0, rounds, step), start=1):
        frames = _clean(range(start, min(start + step, rounds)), seed)
        if part == 1:
            frames = _together([_reference(), frames, told])
        _save(folder / str(part), frames)
    _save(folder / "later", {kind: _frame(rows) for kind, rows in plants.later.rows.items()})
    (folder / "expected.json").write_text(json.dumps(plants.expected, ensure_ascii=False))
    return rounds * NOTES_PER_ROUND + len(plants.rows["notes"])


def _save(folder: Path, frames: Frames) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for kind, frame in frames.items():
        frame.write_csv(folder / f"{kind}.csv")


def _frame(rows: Sequence[dict[str, str]]) -> pl.DataFrame:
    names = dict.fromkeys(name for row in rows for name in row)
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String))


def _together(many: Sequence[Frames]) -> Frames:
    kinds = dict.fromkeys(kind for frames in many for kind in frames)
    return {
        kind: pl.concat([f[kind].cast(pl.String) for f in many if kind in f], how="diagonal")
        for kind in kinds
    }


def _reference() -> Frames:
    """Banks with an office in the province and branches; all take part in all schemes."""
    banks = [*range(1, BANKS + 1), *IDLE]
    tree = [(head(b), f"样例银行{b}", "headquarters", "", "110000") for b in banks]
    tree += [
        (province(b), f"样例银行{b}江苏省分行", "provincial", head(b), "320000") for b in banks
    ]
    tree += [
        (branch(b, n), f"样例银行{b}支行{n}", "branch", province(b), "320100")
        for b in banks
        for n in range(1, BRANCHES + 1)
    ]
    rows = Rows()
    names = ("institution_code", "name", "level", "parent_code", "region_code")
    rows.rows["institutions"] = [dict(zip(names, row, strict=True)) for row in tree]
    rows.rows["lpr"] = [{"published_on": "2025-05-20", "one_year": "3.00", "five_year": "3.50"}]
    rows.rows["participations"] = [
        {"scheme_code": scheme, "institution_code": head(b), "valid_from": "2026-01-01"}
        for scheme in (SME, EQUIPMENT, MAKING, SPORTS)
        for b in banks
    ]
    for bank in range(1, BANKS + 1):  # used up at once, and fresh
        for scheme, at in ((SME, head(bank)), (EQUIPMENT, province(bank))):
            rows.receive(scheme, "central", "2026-01-10", 1_000, at=at)
            rows.receive(scheme, "central", "2026-10-10", 90_000, at=at)
    return {kind: _frame(told) for kind, told in rows.rows.items()}


def _clean(rounds: range, seed: int) -> Frames:
    """So many rounds of all patterns."""
    firms = _firms(rounds)
    notes = _notes(rounds, seed).join(firms.select("b", "member", "uscc"), on=["b", "member"])
    notes = notes.sort("seq")
    return {
        "enterprises": firms.select(
            "uscc", "name", "size", region_code=pl.lit("320100"), industry_code=pl.lit("C3421"),
            ownership=pl.lit("private"),
        ),
        "projects": notes.filter(pl.col("project") != "").unique("project", maintain_order=True)
        .select("uscc", project_code="project", name="project", region_code=pl.lit("320100")),
        "contracts": notes.group_by("institution_code", "contract_number", maintain_order=True).agg(
            pl.col("uscc", "loan_type", "purpose_field").first(),
            signed_on=pl.col("drawn_on").first().dt.offset_by("-3d"),
            amount=pl.col("principal").sum(), project_code=pl.col("project").first(),
        ),
        "notes": notes.select(
            "institution_code", "note_number", "contract_number", "drawn_on", "principal", "annual_rate",
            matures_on=pl.col("drawn_on").dt.offset_by("36mo"), equipment_amount="principal",
            scheme_codes="schemes",
        ),
        "equipment-invoices": _invoices(notes),
        **_events(notes),
        "interest-collections": _collections(notes),
        "external-subsidies": _outside(notes, firms),
    }  # fmt: skip


def _repeated(column: str) -> pl.Expr:
    return pl.col(column).str.replace_all("{b}", pl.col("b").cast(pl.String), literal=True)


def _blocks(rounds: range) -> pl.DataFrame:
    """Each repetition of a pattern: `b` its number, `seq` and `firm` the first ones of its own."""
    rows, seq, firm = [], 0, 0
    for place, pattern in enumerate(REPEATED):
        rows.append((place, PATTERNS.index(pattern), seq, firm))
        seq, firm = seq + len(pattern.notes), firm + len(pattern.names)
    one = pl.DataFrame(rows, schema=["place", "pattern", "seq", "firm"], orient="row")
    number = pl.col("round")
    return pl.DataFrame({"round": rounds}).join(one, how="cross").select(
        "pattern", b=number * len(REPEATED) + pl.col("place"),
        seq=number * NOTES_PER_ROUND + pl.col("seq"),
        firm=number * FIRMS_PER_ROUND + pl.col("firm"),
    )  # fmt: skip


def _firms(rounds: range) -> pl.DataFrame:
    """Enterprises with their credit codes and names."""
    rows = [
        (number, member, name, pattern.sizes[member] if pattern.sizes else "small")
        for number, pattern in enumerate(PATTERNS)
        for member, name in enumerate(pattern.names)
    ]
    pattern = pl.DataFrame(rows, schema=["pattern", "member", "name", "size"], orient="row")
    firms = (
        _blocks(rounds)
        .join(pattern, on="pattern")
        .with_columns(e=pl.col("firm") + pl.col("member"))
    )
    codes = [_code(number) for number in firms["e"].to_list()]
    own = pl.col("e").cast(pl.String)
    return firms.with_columns(
        uscc=pl.Series(codes), name=_repeated("name").str.replace_all("{e}", own, literal=True)
    )


def _code(number: int) -> str:
    stem = f"91320100MA{number:07d}"
    return stem + str(uscc.calc_check_digit(stem))


def _notes(rounds: range, seed: int) -> pl.DataFrame:
    """Notes with all that their patterns say of them, in yuan."""
    twins = pl.concat(
        pl.DataFrame([twin._asdict() for twin in pattern.notes]).with_columns(
            pl.lit(number).alias("pattern"), pl.int_range(len(pattern.notes)).alias("k")
        )
        for number, pattern in enumerate(PATTERNS)
    )
    b, site, schemes = pl.col("b"), pl.col("site"), pl.col("schemes")
    scale = pl.when("exact").then(1).otherwise((b // 7 + seed) % 3 + 1)
    bank = (b + seed + (site == "b1").cast(pl.Int64)) % BANKS + 1
    at = (b // BANKS + (site == "a2").cast(pl.Int64)) % BRANCHES + 1
    seq = (pl.col("seq") + pl.col("k")).alias("seq")
    padded = seq.cast(pl.String).str.zfill(9)
    return (
        _blocks(rounds).join(twins, on="pattern")
        .with_columns(
            seq, pl.format("C{}320100{}", bank.cast(pl.String).str.zfill(4), at.cast(pl.String).str.zfill(3))
            .alias("institution_code"),
            note_number=pl.when(pl.col("number") == "").then(pl.format("JK2026{}", padded))
            .otherwise(_repeated("number")),
            contract_number=pl.when(pl.col("contract") == "").then(pl.format("HT2026{}", padded))
            .otherwise(_repeated("contract")),
            project=_repeated("project"),
            principal=pl.col("yuan") * scale,
            drawn_on=pl.lit(FIRST_DAY) + pl.duration(days=pl.col("day") + (b * 7 + seed) % 50),
            annual_rate=pl.when(schemes == SPORTS).then(pl.lit("3.00")).otherwise(pl.lit("4.00")),
            purpose_field=pl.when(schemes.str.contains(SME)).then(pl.lit("工业母机"))
            .when(schemes == SPORTS).then(pl.lit("体育产业")).otherwise(pl.lit("工业")),
        )
    )  # fmt: skip


def _invoices(notes: pl.DataFrame) -> pl.DataFrame:
    """One for each note, numbers one apart, of eight or twenty figures; and those of the patterns."""
    seq, key = pl.col("seq"), ("institution_code", "note_number")
    number = seq.cast(pl.String)
    own = notes.select(
        *key,
        invoice_number=pl.when(pl.col("b") % 2 == 0).then(pl.format("2632{}", number.str.zfill(16)))
        .otherwise(number.str.zfill(8)),
        issued_on=pl.col("drawn_on").dt.offset_by("-5d").cast(pl.String),
        amount=pl.format("{}.00", "principal"), serial_number=pl.format("SN-{}", number.str.zfill(9)),
        supplier=pl.format("样例设备厂{}", pl.col("b") % 50),
    )  # fmt: skip
    plain = {"serial_number": "", "issued_on": "2026-01-05", "amount": "60000.00"}
    rows = [
        {"pattern": number, "k": note} | plain | facts
        for number, pattern in enumerate(PATTERNS)
        for note, facts in pattern.invoices
    ]
    more = notes.join(pl.DataFrame(rows), on=["pattern", "k"]).with_columns(
        _repeated("invoice_number"), _repeated("serial_number")
    )
    return pl.concat([own, more.select(own.columns)])


def _events(notes: pl.DataFrame) -> Frames:
    """What happened to notes before their interest was subsidised, and guarantees."""
    key, drawn = ("institution_code", "note_number"), pl.col("drawn_on")

    def on(column: str, place: int) -> pl.Expr:
        return drawn + pl.duration(days=pl.col(column).list.get(place))

    repaid = notes.filter(pl.col("repaid").list.get(1) > 0).with_columns(
        part=pl.int_ranges(0, "instalments")
    ).explode("part")  # fmt: skip
    return {
        "repayments": repaid.select(
            *key, repaid_on=on("repaid", 0) + pl.duration(days=30 * pl.col("part")),
            amount=pl.col("principal") * pl.col("repaid").list.get(1) // 100,
            reference=pl.format("HK{}-{}", "seq", "part"),
        ),
        "note-statuses": notes.filter(pl.col("status") != "").select(
            *key, "status", starts_on=on("stopped", 0),
            ends_on=pl.when(pl.col("stopped").list.get(1) > 0).then(on("stopped", 1)),
        ),
        "guarantees": notes.filter("guaranteed").select(
            *key, guarantee_number=pl.format("DB{}", "seq"), guarantor=pl.lit("省信用再担保集团"),
            principal="principal", starts_on="drawn_on", ends_on=drawn.dt.offset_by("12mo"),
            fee_rate=pl.lit("0.9"),
        ),
    }  # fmt: skip


def _collections(notes: pl.DataFrame) -> pl.DataFrame:
    """Interest of each quarter at its rate of the whole principal; some of it paid in two parts."""
    ends = pl.DataFrame({"q": range(len(INTEREST_DAYS)), "ends_on": INTEREST_DAYS})
    rate = pl.col("annual_rate").str.slice(0, 1).cast(pl.Int64)
    rows = (
        notes.join(ends, how="cross")
        .filter(pl.col("ends_on") > pl.col("drawn_on"))
        .with_columns(starts_on=pl.max_horizontal("drawn_on", pl.col("ends_on").dt.offset_by("-3mo")))
        .with_columns(fen=pl.col("principal") * rate
                      * (pl.col("ends_on") - pl.col("starts_on")).dt.total_days() // 360)
    )  # fmt: skip
    halves = rows.filter("in_parts")
    first = pl.col("fen") // 2
    paid = pl.concat(
        [
            rows.filter(~pl.col("in_parts")).with_columns(paid=pl.col("fen"), part=pl.lit("")),
            halves.with_columns(paid=first, part=pl.lit("A")),
            halves.with_columns(paid=pl.col("fen") - first, part=pl.lit("B")),
        ]
    )
    return paid.sort("seq", "q", "part").select(
        "institution_code", "note_number", period_start="starts_on", period_end="ends_on",
        interest_due=_yuan("fen"), interest_paid=_yuan("paid"), collected_on="ends_on",
        reference=pl.format("SX{}-{}{}", "seq", "q", "part"),
    )  # fmt: skip


def _yuan(column: str) -> pl.Expr:
    cents = (pl.col(column) % 100).cast(pl.String).str.zfill(2)
    return pl.format("{}.{}", pl.col(column) // 100, cents)


def _outside(notes: pl.DataFrame, firms: pl.DataFrame) -> pl.DataFrame:
    """Outside records that match nothing subsidised."""
    plain = {
        "kind": "loan_interest", "scheme_name": "市级贴息", "institution_code": "", "note_number": "",
        "project_code": "", "year": "2026", "amount": "300.00",
    }  # fmt: skip
    rows = [
        {"pattern": number, "member": member, "place": place} | plain | facts
        for number, pattern in enumerate(PATTERNS)
        for place, (member, facts) in enumerate(pattern.outside)
    ]
    elsewhere = (
        pl.when(pl.col("institution_code") == "").then(pl.lit("")).otherwise(pl.lit(head(IDLE[0])))
    )
    return (
        firms.select("pattern", "b", "member", "uscc")
        .join(pl.DataFrame(rows), on=["pattern", "member"])
        .sort("b", "place")
        .select(
            "uscc", "kind", "scheme_name", "year", "amount", _repeated("note_number"), _repeated("project_code"),
            institution_code=elsewhere, source=pl.lit("市财政局"), reference=pl.format("WB{}-{}", "b", "place"),
        )
    )  # fmt: skip


def parts(folder: Path) -> Iterator[Path]:
    """The folders to import, in order."""
    yield from sorted(
        (p for p in folder.iterdir() if p.name.isdecimal()), key=lambda p: int(p.name)
    )


def main() -> None:
    """Write a book into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--notes", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    write(asked.folder, notes=asked.notes, seed=asked.seed)


if __name__ == "__main__":
    main()
