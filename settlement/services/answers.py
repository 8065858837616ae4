"""What the core answered to a plan, and of it what may be posted without anybody looking at it again."""

from __future__ import annotations

import polars as pl

from settlement.selectors import deductions, reservations
from settlement.services.schemes import Book
from settlement.services.targets import Evidence, grouped


def answers_of(
    due: pl.DataFrame, *, plan_id: int, evidence: Evidence, book: Book
) -> tuple[pl.DataFrame, frozenset[int]]:
    """Of rows due, the first postings of the plan's results; and the results that have to wait.

    `due`: of whole groups, whatever bank's, since a limit counts what all of them were paid.
    Under a scheme that the plan did not name, only what comes to nothing. Where a group's posted
    deductions are too high by now, posting more could pass a limit that the target keeps (D20): its
    results wait for a recomputation, which two people see. Funds shared in proportion lower what is
    posted with every collection, so that is no reason to wait.
    """
    planned = reservations.answered(plan_id=plan_id)
    shared = [
        book.scheme_ids[terms.code] for terms in book.terms if terms.fund_method == "pro_rata"
    ]
    groups = grouped(evidence=evidence, book=book, by_fund=False).select("note_id", "group")
    rows = due.join(groups, on="note_id", how="left")
    is_lower = pl.min_horizontal(deductions.MONEY) < 0
    lowered = rows.filter(is_lower & ~pl.col("scheme_id").is_in(shared))["group"].to_list()
    is_nothing = pl.sum_horizontal(pl.col(name).abs() for name in deductions.MONEY) == 0
    mine = rows.filter(
        (pl.col("sequence") == 0)
        & pl.col("collection_id").is_in(planned["collection_id"].to_list())
    )
    named = mine.join(planned, on=["collection_id", "scheme_id"], how="semi")
    others = mine.join(planned, on=["collection_id", "scheme_id"], how="anti").filter(is_nothing)
    found = pl.concat([named, others])
    waits = pl.col("group").is_in(lowered)
    kept_back = frozenset(found.filter(waits)["collection_id"].to_list())
    return found.filter(~waits).drop("group"), kept_back
