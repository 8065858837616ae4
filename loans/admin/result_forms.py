"""What the core system answers to an instruction: interest collected, taken in as a file of its kind."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.sections import Section
from loans.admin.files import TableField, on_disk, problem_table
from loans.admin.steps import StepForm
from loans.services.intake import import_file
from loans.services.outcomes import ImportRefused, Outcome
from loans.values.errors import DomainError


class CollectionResults(StepForm):
    """A file of interest collected at the row's bank, whole or not at all; problems by row and column."""

    title = _("上传收息结果")
    button = _("上传并入账")
    icon = "upload_file"
    note = _(
        "核心系统的收息文件（收息数据格式，流水号与指令相同）：全额收到、部分收到或实收为 0（未扣）。有一处错误则整个文件不保存。"
    )
    file = TableField()

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

    def act(self, *, actor: str, at: datetime) -> Outcome:
        """Take the file in."""
        with on_disk(self.cleaned_data["file"]) as path:
            return import_file(
                kind="interest-collections",
                path=path,
                actor=actor,
                at=at,
                scope=self.row.institution.scope,
            )
