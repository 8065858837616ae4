"""Steps of a file on its way in, and of an accepted one on its way back."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from config.kernel.admin.access import MAKERS, has_role, sees_everything, staff
from config.kernel.admin.sections import Section, link, numbers, texts
from config.kernel.models import Role
from loans.admin.base import in_yuan, own_language
from loans.admin.fields import ReasonField, WordChoice, amount_widget, refused
from loans.admin.steps import AnswerForm, StepForm
from loans.files.cells import RefusedCellError, parse_number
from loans.files.kinds import KINDS
from loans.files.limits import MAX_FILE_BYTES, MAX_ROWS, MIB
from loans.models import FileImport, ImportUndo
from loans.services import file_imports, import_undos
from loans.services.controls import Controls, control_column
from loans.services.file_imports import Upload
from loans.services.targets import TARGETS
from loans.tasks import work_import
from loans.values.money import FEN_DECIMALS

State = FileImport.State
SUM_MAX_FEN = 10**18  # what two million rows of real amounts never add up to


def kind_name(key: str) -> str:
    """The kind of file as people call it: its Chinese title, or its key."""
    kind = KINDS.get(key)
    return key if kind is None or get_language() == "en" else kind.title_zh


def ring(run_id: int | None) -> None:
    """Tell a worker once the order is stored; a message that is lost is made up by the sweep."""
    if run_id is not None:
        transaction.on_commit(lambda: work_import.delay(run_id=run_id), robust=True)


IMPORTERS = MAKERS | {
    Role.ADMINISTRATOR
}  # facts, not money; and who keeps the installation starts it


def may_import(request: HttpRequest) -> bool:
    """May this person bring files in at all: makers and administrators with institutions of their own?"""
    user = staff(request)
    return has_role(request, IMPORTERS) and user is not None and user.scope is not None


def kinds_for(request: HttpRequest) -> list[tuple[str, str]]:
    """The kinds this person may bring, in import order."""
    everything = sees_everything(request)
    return [
        (name, kind_name(name))
        for name in KINDS
        if everything or (name in TARGETS and not TARGETS[name].administrators_only)
    ]


class CountField(forms.CharField):
    """A number of rows, written as numbers are in files."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=amount_widget(), **options)

    def clean(self, value: Any) -> int:
        """The number."""
        text = str(super().clean(value))
        try:
            count = parse_number(text, 0)
        except RefusedCellError as refusal:
            raise refused(text, str(refusal)) from None
        if not 0 <= count <= MAX_ROWS:
            fault = gettext("须在 0 与 %(most)s 之间") % {"most": f"{MAX_ROWS:,}"}
            raise refused(text, fault)
        return count


class SumField(forms.CharField):
    """A sum of yuan, which may be larger than any one amount; its value is fen, None if blank."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=amount_widget(), **options)

    def clean(self, value: Any) -> int | None:
        """The sum."""
        text = str(super().clean(value))
        if not text:
            return None
        try:
            fen = parse_number(text, FEN_DECIMALS)
        except RefusedCellError as refusal:
            raise refused(text, str(refusal)) from None
        if abs(fen) > SUM_MAX_FEN:
            raise refused(text, gettext("金额过大"))
        return fen


class UploadFile(StepForm):
    """A file with its control totals, to be looked at."""

    title = _("导入文件")
    button = _("上传并检查")
    icon = "upload_file"
    note = _(
        "先检查，不保存任何数据：列出新增、更正、未变和有错的行，由您确认后才导入。"
        "控制总数请按来源系统的统计填写，不要从文件里数。"
    )
    at_field = {"file_too_large": "file"}
    roles = IMPORTERS

    kind = WordChoice(label=_("数据类别"), required=False)
    file = forms.FileField(
        label=_("文件"),
        widget=UnfoldAdminFileFieldWidget,
        help_text=_("CSV（UTF-8 或 GB18030）或 XLSX，第一行为表头；最大 1,024 MiB"),
    )
    rows = CountField(label=_("控制总数：行数"), help_text=_("不含表头"))
    total = SumField(
        label=in_yuan(_("控制总数：金额合计")),
        required=False,
        help_text=_(
            "有金额列的文件必填：收息填实收利息合计，借据填放款金额合计，其他填第一个金额列的合计"
        ),
    )
    encoding = WordChoice(
        label=_("CSV 编码"),
        required=False,
        choices=[("", _("自动识别")), ("utf-8", "UTF-8"), ("gb18030", "GB18030")],
    )

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        fields: Any = self.fields
        fields["kind"].choices = [("", _("按表头识别")), *kinds_for(request)]

    @classmethod
    def may(cls, request: HttpRequest) -> bool:
        """Makers with institutions of their own."""
        return may_import(request)

    def clean_file(self) -> Any:
        """Refuse what is too large before it is copied anywhere."""
        sent = self.cleaned_data["file"]
        if sent.size > MAX_FILE_BYTES:
            raise ValidationError(
                gettext("文件超过 %(most)s MiB，请拆分") % {"most": MAX_FILE_BYTES // MIB}
            )
        return sent

    def clean(self) -> dict[str, Any]:
        """A kind that holds money needs its sum, one that holds none has none."""
        data: dict[str, Any] = super().clean() or {}
        kind = data.get("kind")
        if kind and "total" in data:
            has_money = control_column(kind) is not None
            if has_money and data["total"] is None:
                self.add_error("total", gettext("请填写此类文件的金额合计"))
            if not has_money and data["total"] is not None:
                self.add_error("total", gettext("此类文件没有金额列，请不要填写"))
        return data

    def act(self, *, actor: str, at: datetime) -> FileImport:
        """Keep the file and look at it."""
        user = staff(self.request)
        if user is None or user.scope is None:
            raise PermissionDenied
        data, sent = self.cleaned_data, self.cleaned_data["file"]
        with tempfile.TemporaryDirectory() as place:
            path = Path(place).joinpath("upload" + Path(sent.name).suffix[:10])
            with path.open("wb") as out:
                out.writelines(sent.chunks())
            row = file_imports.receive(
                upload=Upload(path, sent.name, data["kind"], data["encoding"]),
                controls=Controls(data["rows"], data["total"]),
                institution_id=user.institution_id,
                scope=user.scope,
                actor=actor,
                at=at,
            )
        ring(row.run_id)
        return row

    def leads_to(self, outcome: FileImport) -> str:
        """The preview."""
        return reverse("admin:loans_fileimport_change", args=[outcome.pk])


class _OwnFile(StepForm):
    """A step of whoever uploaded the file."""

    roles = IMPORTERS
    states: tuple[str, ...] = (State.READY, State.REFUSED, State.FAILED)

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """One's own file, not yet taken in."""
        return row.made_by == request.user.get_username() and row.state in cls.states


class LookAgain(_OwnFile):
    """The same bytes over what is stored by now."""

    title = _("重新检查")
    button = _("重新检查")
    icon = "refresh"
    note = _("用现在的数据再检查同一文件，例如先导入了缺少的合同之后。")
    done = _("已重新检查")

    def act(self, *, actor: str, at: datetime) -> None:
        """Look again."""
        ring(file_imports.look_again(import_id=self.row.pk, actor=actor, at=at).run_id)


class Drop(_OwnFile):
    """Give the file up."""

    title = _("放弃导入")
    button = _("放弃")
    icon = "close"
    note = _("不导入此文件。已存数据不受影响，上传记录保留。")
    done = _("已放弃")

    def act(self, *, actor: str, at: datetime) -> None:
        """Give it up."""
        file_imports.drop(import_id=self.row.pk, actor=actor, at=at)


class ConfirmCodes(_OwnFile):
    """Codes that fail their check digit and are real all the same."""

    title = _("确认信用代码")
    button = _("提交复核")
    icon = "how_to_reg"
    note = _(
        "确认校验位不符的信用代码属实；另一人在“信用代码确认”中复核后，重新检查本文件即可导入。"
    )
    done = _("已登记确认，待他人复核")
    states = (State.REFUSED,)

    reason = ReasonField()

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """There are such codes."""
        return bool(row.failing_usccs) and super().fits(request, row)

    def act(self, *, actor: str, at: datetime) -> None:
        """Record the confirmation."""
        reason = self.cleaned_data["reason"]
        file_imports.confirm_codes(import_id=self.row.pk, reason=reason, actor=actor, at=at)


class AskUndo(StepForm):
    """An accepted file that should not have come in."""

    title = _("申请撤销")
    button = _("提交复核")
    icon = "undo"
    note = _(
        "撤销会删除该批次新增的全部数据，前提是没有任何后续数据、计算、计划、结算或已复核的报表用到它；"
        "由另一人复核后执行。删除的内容留有清单和历史。"
    )
    done = _("已提交，待他人复核")
    roles = IMPORTERS

    reason = ReasonField()

    @classmethod
    def may(cls, request: HttpRequest) -> bool:
        """Whoever may bring files in."""
        return may_import(request)

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Nobody has asked yet, and it is no undo itself."""
        waiting = row.undos.exclude(state__in=[ImportUndo.State.DECLINED, ImportUndo.State.FAILED])
        is_counter = ImportUndo.objects.filter(counter=row.pk).exists()
        return not is_counter and not waiting.exists()

    def sections(self) -> list[Section]:
        """Why it could not be taken back anyway, if so."""
        fault = import_undos.why_not(batch_id=self.row.pk)
        if fault is None:
            return []
        told = own_language(str(fault))
        return [Section(title=_("不能撤销"), columns=texts(_("原因")), rows=[(told,)])]

    def act(self, *, actor: str, at: datetime) -> int:
        """Ask for it."""
        reason = self.cleaned_data["reason"]
        return import_undos.ask(batch_id=self.row.pk, reason=reason, actor=actor, at=at)

    def leads_to(self, outcome: int) -> str:
        """The request."""
        return reverse("admin:loans_importundo_change", args=[outcome])


class AnswerUndo(AnswerForm):
    """An answer to it: shows what would go."""

    def sections(self) -> list[Section]:
        """The file that was taken in, how many rows it added, and why it should go."""
        batch = self.row.batch
        return [
            Section(
                title=_("将被撤销的导入批次"),
                columns=[
                    *texts(_("导入批次"), _("数据类别"), _("文件名"), _("导入人"), _("导入时间")),
                    *numbers(_("新增行数")),
                    *texts(_("申请人"), _("原因")),
                ],
                rows=[
                    (
                        link("loans_importbatch", batch.pk, f"#{batch.pk}"),
                        kind_name(batch.kind),
                        own_language(batch.file_name),
                        batch.actor,
                        batch.at,
                        f"{batch.inserted:,}",
                        self.row.made_by,
                        self.row.reason,
                    )
                ],
            )
        ]


class AgreeUndo(AnswerUndo):
    """A second person agrees."""

    title = _("同意撤销")
    button = _("同意并撤销")
    icon = "check"
    note = _("将删除该批次新增的全部数据；如已被使用则拒绝，不作任何改动。")

    answer = ReasonField(label=_("复核意见"), required=False)

    def act(self, *, actor: str, at: datetime) -> ImportUndo:
        """Take the file back."""
        answer = self.cleaned_data["answer"]
        row = import_undos.agree(undo_id=self.row.pk, answer=answer, actor=actor, at=at)
        ring(row.run_id)
        return row

    def told(self, outcome: ImportUndo) -> str:
        """What became of it."""
        if outcome.state == ImportUndo.State.DONE:
            return gettext("已撤销 %(rows)s 行") % {"rows": f"{outcome.removed:,}"}
        return gettext("正由后台撤销，本页自动刷新")


class DeclineUndo(AnswerUndo):
    """A second person does not agree, and says why."""

    title = _("不同意撤销")
    button = _("不同意")
    icon = "block"
    done = _("已答复不同意，数据未变")

    answer = ReasonField(label=_("复核意见"))

    def act(self, *, actor: str, at: datetime) -> None:
        """Answer so."""
        answer = self.cleaned_data["answer"]
        import_undos.decline(undo_id=self.row.pk, answer=answer, actor=actor, at=at)
