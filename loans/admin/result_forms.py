"""What the core system answers to an instruction: interest collected, taken in as a file of its kind."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.sections import Section
from loans.admin.base import in_yuan
from loans.admin.files import TableField, on_disk, problem_table
from loans.admin.import_forms import CountField, SumField
from loans.admin.steps import StepForm
from loans.services.controls import Controls
from loans.services.expected_results import OnlyAnswers
from loans.services.intake import import_file
from loans.services.outcomes import ImportRefused, Outcome
from loans.values.errors import DomainError


class CollectionResults(StepForm):
    """A file of what the core answered to the row's instruction, whole or not at all.

    Problems are told by row and column; a row that answers nothing asked is one, and so is a file that
    is not what the core's own count says.
    """

    title = _("上传收息结果")
    button = _("上传并入账")
    icon = "upload_file"
    note = _(
        "核心系统的收息文件（收息数据格式，流水号与指令相同）：全额收到、部分收到或实收为 0（未扣）。只接受本计划指令中的流水号；有一处错误则整个文件不保存。"
        "控制总数请按核心系统的统计填写，不要从文件里数。"
    )
    file = TableField()
    rows = CountField(label=_("控制总数：行数"), help_text=_("不含表头"))
    total = SumField(label=in_yuan(_("控制总数：实收利息合计")))

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        self.problems: list[Any] = []

    def sections(self) -> list[Section]:
        """What is wrong with the file that was just sent."""
        return [problem_table(self.problems)] if self.problems else []

    def refuse(self, refusal: DomainError) -> None:
        """How many problems there are at the field; each of them above."""
        if isinstance(refusal, ImportRefused):
            self.problems = list(refusal.problems)
            told = gettext("文件有 %(count)d 处错误，未保存任何数据，请更正后重新上传")
            self.add_error("file", told % {"count": len(self.problems)})
            return
        super().refuse(refusal)

    def take_in(self, *, asked: Collection[int], actor: str, at: datetime) -> Outcome:
        """Take the file in, of which the planned collections `asked` are answered."""
        data = self.cleaned_data
        with on_disk(data["file"]) as path:
            return import_file(
                kind="interest-collections",
                path=path,
                actor=actor,
                at=at,
                scope=self.row.institution.scope,
                expecting=OnlyAnswers(asked, Controls(data["rows"], data["total"])),
            )
