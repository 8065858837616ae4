"""Deductions as posted, added up, and which enterprises they may no longer be right for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from config.kernel.services.bulk import Schema, read_frame, rows
from loans.selectors import facts
from settlement.selectors import stops

MONEY = ("central_fen", "provincial_fen", "municipal_fen")
RAW = ("raw_central_fen", "raw_provincial_fen", "raw_municipal_fen")
STATE = ("days", "product", *RAW, "cut_reasons")

POSTED: Schema = {
    "collection_id": pl.Int64,
    "scheme_id": pl.Int64,
    "sequence": pl.Int64,
    "note_id": pl.Int64,
    "collected_on": pl.Date,
    **dict.fromkeys((*STATE, *MONEY), pl.Int64),
}


def posted(*, note_ids: list[int]) -> pl.DataFrame:
    """What is posted for these notes: one row per collection × scheme, the last state and net money.

    `sequence` is the last number used.
    """
    frame = read_frame(
        f"SELECT {', '.join(POSTED)} FROM settlement_deduction WHERE note_id = ANY(%(ids)s)",
        {"ids": note_ids},
        schema=POSTED,
    )
    return (
        frame.sort("collection_id", "scheme_id", "sequence")
        .group_by("collection_id", "scheme_id", maintain_order=True)
        .agg(
            pl.col("sequence", "note_id", "collected_on", *STATE).last(),
            pl.col(*MONEY).sum(),
        )
    )


def stale_enterprises(*, through: date, terms_key: str) -> pl.DataFrame:
    """Enterprises whose posted deductions may differ from the target, with their note counts.

    Stale is: never brought up to date, told something since, judged by other terms, blocked by other
    findings, or having paid interest after the day they are up to date for and not later than `through`.
    """
    versions = facts.enterprise_versions()
    done = read_frame(
        "SELECT enterprise_id, facts_version, through, terms_key FROM settlement_enterpriseposting",
        schema={
            "enterprise_id": pl.Int64,
            "done_version": pl.Int64,
            "through": pl.Date,
            "terms_key": pl.String,
        },
    )
    late: set[int] = set()
    for day in done.filter(pl.col("through") < through)["through"].unique().to_list():
        at_day = done.filter(pl.col("through") == day)["enterprise_id"]
        late |= facts.enterprises_collected(after=day, through=through) & set(at_day)
    joined = versions.join(done, on="enterprise_id", how="left")
    return joined.filter(
        pl.col("done_version").is_null()
        | (pl.col("done_version") != pl.col("facts_version"))
        | (pl.col("terms_key") != terms_key)
        | pl.col("enterprise_id").is_in([*late, *stops.changed_since()])
    ).select("enterprise_id", "notes")


def enterprises_within(*, scope: tuple[int, int]) -> set[int]:
    """Which enterprises have a note of these institutions?"""
    found = rows(
        "SELECT DISTINCT c.enterprise_id FROM loans_note n JOIN loans_contract c"
        " ON c.id = n.contract_id WHERE n.institution_id BETWEEN %s AND %s",
        list(scope),
    )
    return {int(row[0]) for row in found}


def collections_named(*, ids: list[int]) -> dict[int, tuple[str, str]]:
    """Collection → its note's number and its own reference, of those in sight."""
    found = rows(
        "SELECT x.id, n.note_number, x.reference FROM loans_interestcollection x"
        " JOIN loans_note n ON n.id = x.note_id WHERE x.id = ANY(%s)",
        [ids],
    )
    return {int(pk): (note, reference) for pk, note, reference in found}


def components(*, pro_rata_schemes: Iterable[str] = ()) -> dict[int, int]:
    """Which enterprises share caps with others? enterprise → number of its component.

    Enterprises are coupled by a project that several of them hold, and all enterprises of a scheme
    whose fund is shared pro rata are coupled by the fund. Those not coupled to any are left out.
    """
    return connected([*facts.project_links(), *_fund_links(pro_rata_schemes)])


def connected(links: Iterable[tuple[object, int]]) -> dict[int, int]:
    """Enterprise → its component's smallest member, given (what couples, enterprise) pairs."""
    parent: dict[int, int] = {}

    def root(node: int) -> int:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def join(first: int, second: int) -> None:
        low, high = sorted((root(first), root(second)))
        parent[high] = low

    last: dict[object, int] = {}
    for link, enterprise in links:
        join(last.get(link, enterprise), enterprise)
        last[link] = enterprise
    return {enterprise: root(enterprise) for enterprise in list(parent)}


def _fund_links(schemes: Iterable[str]) -> list[tuple[object, int]]:
    return [
        (scheme, int(enterprise))
        for scheme, enterprise in rows(
            "SELECT t.scheme_code, c.enterprise_id FROM settlement_enrolment t "
            "JOIN loans_note n ON n.id = t.note_id JOIN loans_contract c ON c.id = n.contract_id "
            "WHERE t.scheme_code = ANY(%s)",
            [list(schemes)],
        )
    ]


def note_ids(*, note_number: str | None, uscc: str | None) -> set[int]:
    """Which notes in sight carry this number, or are this borrower's, or both where both are given?"""
    found = rows(
        "SELECT n.id FROM loans_note n JOIN loans_contract c ON c.id = n.contract_id"
        " JOIN loans_enterprise e ON e.id = c.enterprise_id"
        " WHERE (%(number)s::text IS NULL OR n.note_number = %(number)s)"
        " AND (%(uscc)s::text IS NULL OR e.uscc = %(uscc)s)",
        {"number": note_number, "uscc": uscc},
    )
    return {int(row[0]) for row in found}
