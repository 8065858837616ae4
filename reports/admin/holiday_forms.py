"""Published days off and make-up working days, brought in as a file."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import is_administrator, sees_everything
from config.kernel.admin.sections import Section
from config.kernel.models import Role
from loans.admin.files import TableField, on_disk, problem_table
from loans.admin.steps import StepForm
from loans.values.errors import DomainError
from reports.services.holidays import HolidaysRefused, Taken, import_days
from reports.tasks import refresh_deadlines


class ImportDays(StepForm):
    """The notice of a year as a file, whole or not at all; they are everybody's, so not a bank's to change."""

    title = _("导入节假日")
    button = _("导入")
    icon = "upload_file"
    note = _(
        "按国务院办公厅公布的放假与调休安排：日期、类别（班/休）、名称、文号。已有的日期按文件更正，"
        "原值留在历史记录；有一处错误则整个文件不保存。各报送事项的截止日随后重新计算。"
    )
    roles = frozenset({Role.ADMINISTRATOR})

    file = TableField()

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        self.problems: list[Any] = []

    @classmethod
    def may(cls, request: HttpRequest) -> bool:
        """Administrators who see every institution."""
        return is_administrator(request) and sees_everything(request)

    def sections(self) -> list[Section]:
        """What is wrong with the file that was just sent."""
        return [problem_table(self.problems)] if self.problems else []

    def refuse(self, refusal: DomainError) -> None:
        """How many problems there are at the field; each of them above."""
        if not isinstance(refusal, HolidaysRefused):
            return super().refuse(refusal)
        self.problems = refusal.problems
        told = gettext("文件有 %(count)d 处错误，未保存任何数据，请更正后重新上传")
        return self.add_error("file", told % {"count": len(self.problems)})

    def act(self, *, actor: str, at: datetime) -> Taken:
        """Take the file in; a worker brings the deadlines up to date."""
        with on_disk(self.cleaned_data["file"]) as path:
            taken = import_days(path=path)
        transaction.on_commit(refresh_deadlines.delay, robust=True)
        return taken

    def told(self, outcome: Taken) -> str:
        """What came of it, and which public holidays nobody knows yet."""
        text = gettext("已导入 %(rows)d 天：新增 %(new)d，更正 %(corrected)d") % {
            "rows": outcome.rows, "new": outcome.inserted, "corrected": outcome.corrected,
        }  # fmt: skip
        lacking = [
            gettext("%(year)d 年尚缺 %(names)s，补齐前不计算该年的截止日")
            % {"year": year, "names": gettext("、").join(names)}
            for year, names in outcome.missing.items()
        ]
        return gettext("；").join([text, *lacking])
