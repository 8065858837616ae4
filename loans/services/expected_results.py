"""Results of an instruction: a file may only answer what was asked, each row by its reference."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from config.kernel.services import bulk
from loans.files.problems import Problem
from loans.services.controls import Controls
from loans.services.intake import Intake
from loans.services.outcomes import ImportRefused
from loans.values.errors import bilingual

NOT_ASKED = bilingual(
    "不是本计划扣息指令中的流水号；请核对文件，其他收息请在“数据导入”中导入",
    "not in this plan's instruction: check the file; bring other collections in by the importer",
)
NOT_A_RESULT = bilingual(
    "缺少实收利息，不是收息结果；未扣到的请填 0",
    "no interest paid: not a result; write 0 for what was not collected",
)


@dataclass(frozen=True)
class OnlyAnswers:
    """What is expected of a file: these totals, and rows that answer these planned collections only."""

    collection_ids: Collection[int]
    controls: Controls

    def facts(self, intake: Intake, problems: Collection[Problem]) -> None:
        """Refuse the file, with everything else that is wrong with it, if it holds such rows."""
        found = bulk.rows(
            "SELECT r.row, r.reference, r.interest_paid_fen IS NULL, p.id FROM resolved r "
            "LEFT JOIN loans_interestcollection p ON p.origin_id = r.origin_id "
            "AND p.reference = r.reference AND p.interest_paid_fen IS NULL ORDER BY r.row"
        )
        asked = set(self.collection_ids)
        mine = [
            intake.problem(row, "interest_paid", None, NOT_A_RESULT)
            if is_plan
            else intake.problem(row, "reference", reference, NOT_ASKED)
            for row, reference, is_plan, planned_id in found
            if is_plan or planned_id not in asked
        ]
        if mine:
            raise ImportRefused([*problems, *mine])

    def institutions(self, frame: pl.DataFrame) -> None:
        """No file of collections has any."""
