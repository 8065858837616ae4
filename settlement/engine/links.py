"""Which enterprises a check has to look at together: those that some rule may compare with each other.

A rule compares notes of one enterprise, or of enterprises that share a name, an organisation's number, a
project, an invoice or a machine (`overlap`). So whoever shares no such key, through any others, is not
concerned by a change.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from settlement.engine import overlap


def keys(
    *, names: pl.DataFrame, codes: pl.DataFrame, projects: pl.DataFrame, invoices: pl.DataFrame
) -> pl.DataFrame:
    """What each enterprise may be linked to others by: enterprise_id, key (hashed); only shared ones.

    Frames have enterprise_id and: `names` name; `codes` uscc; `projects` project_code; `invoices`
    invoice_number, serial_number, supplier, issued_on. All of the book, subsidised or not: a link
    outlives what made a rule look at it.
    """
    bought = invoices.with_columns(**overlap.numbers())
    kinds = {
        "name": names.select("enterprise_id", text=overlap.normal("name")),
        "organisation": codes.select(
            "enterprise_id", text=pl.col("uscc").str.slice(*overlap.ORGANISATION)
        ),
        "project": projects.select("enterprise_id", text=overlap.normal("project_code")),
        "invoice": bought.filter(pl.col("invoice") != "").select(
            "enterprise_id", text=pl.format("{}|{}", "invoice", overlap.INVOICE_ANYWHERE)
        ),
        "serial": bought.filter(overlap.TELLING).select(
            "enterprise_id", text=pl.format("{}|{}", "serial", overlap.SERIAL_ANYWHERE)
        ),
    }
    found = [
        _shared(frame.select("enterprise_id", key=pl.format("{}|{}", pl.lit(kind), "text").hash()))
        for kind, frame in kinds.items()
    ]
    return pl.concat(found)


def _shared(keyed: pl.DataFrame) -> pl.DataFrame:
    return keyed.unique().filter(pl.col("key").is_duplicated())


def closure(*, links: pl.DataFrame, enterprise_ids: Iterable[int]) -> list[int]:
    """These enterprises and all that are linked to them through any number of others, in order."""
    known = set(enterprise_ids)
    new = known
    while new:
        new = set(neighbours(links=links, enterprise_ids=new)) - known
        known |= new
    return sorted(known)


def neighbours(*, links: pl.DataFrame, enterprise_ids: Iterable[int]) -> list[int]:
    """Who has a key in common with one of these enterprises, they themselves left out, in order."""
    asked = pl.DataFrame(
        {"enterprise_id": sorted(enterprise_ids)}, schema={"enterprise_id": pl.Int64}
    )
    shared = links.join(asked, on="enterprise_id", how="semi").select("key").unique()
    reached = links.join(shared, on="key", how="semi").select("enterprise_id").unique()
    return sorted(reached.join(asked, on="enterprise_id", how="anti")["enterprise_id"].to_list())
