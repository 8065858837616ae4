"""Institutions come in as a tree: the kernel numbers them, this module speaks file and row."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from config.kernel.models import SCOPE_ALL
from config.kernel.services import bulk
from config.kernel.services.institutions import (
    InstitutionRow,
    InstitutionsRefused,
    register_institutions,
)
from loans.files.kinds import KINDS
from loans.files.problems import Problem, file_problem
from loans.services.outcomes import ImportRefused, Outcome, Source, record_batch

KIND = "institutions"


def import_institutions(*, frame: pl.DataFrame, source: Source) -> Outcome:
    """Register the rows of an institutions file; raises ImportRefused naming each row at fault."""
    if source.scope != SCOPE_ALL:
        raise ImportRefused(
            [file_problem("只有管理员可以导入机构", "only administrators import institutions")]
        )
    rows = [
        InstitutionRow(
            code=row["institution_code"],
            name=row["name"],
            level=row["level"],
            parent_code=row["parent_code"] or "",
            region_code=row["region_code"],
        )
        for row in frame.iter_rows(named=True)
    ]
    try:
        registered = register_institutions(rows=rows)
    except InstitutionsRefused as refused:
        lines = frame["row"].to_list()
        raise ImportRefused(
            [
                Problem(
                    row=lines[problem.index],
                    column=problem.column,
                    header=KINDS[KIND].column(problem.column).header_zh,
                    value=problem.value,
                    message=problem.message,
                )
                for problem in refused.problems
            ]
        ) from refused
    outcome = Outcome(KIND, frame.height, registered.inserted, registered.corrected)
    if outcome.inserted or outcome.corrected:
        bulk.analyze("kernel_institution", written=outcome.inserted + outcome.corrected)
        return replace(outcome, batch_id=record_batch(outcome=outcome, source=source))
    return outcome
