"""Steps with papers: attach one or name its archive number, for a note or an institution; withdraw it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from config.kernel.admin.access import staff
from config.kernel.admin.sections import Section, texts
from loans.admin.base import scheme_name
from loans.admin.entry_forms import holders
from loans.admin.fields import DayField, ReasonField, WordChoice, WordField, YesNo
from loans.admin.steps import StepForm
from loans.models import Note, Paper, PaperKind, SchemeLabel
from loans.services import papers
from loans.services.papers import Attachment, Stated
from loans.values.errors import DomainError, bilingual
from loans.values.papers import PAPER_BYTES_MAX, PAPER_ENDINGS

NOTHING = (0, -1)


@contextmanager
def on_disk(upload: UploadedFile[Any]) -> Iterator[Attachment]:
    """An uploaded file at a place of its own until it is taken or refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "paper"
        with path.open("wb") as out:
            for block in upload.chunks():
                out.write(block)
        yield Attachment(path, upload.name or "")


def own_scope(request: HttpRequest) -> tuple[int, int]:
    """Institutions whose papers this person enters and withdraws."""
    user = staff(request)
    return (user.scope if user else None) or NOTHING


def _file_field() -> forms.FileField:
    return forms.FileField(
        label=_("文件"),
        required=False,
        allow_empty_file=True,  # refused in our own words
        widget=UnfoldAdminFileFieldWidget(
            {"accept": ",".join(f".{ending}" for ending in PAPER_ENDINGS)}
        ),
    )


class PaperForm(StepForm):
    """What attaching to a note and to an institution share."""

    button = _("登记资料")
    icon = "attach_file"
    done = _("资料已登记")
    at_field = {
        "paper_nowhere": "file",
        "paper_file_name": "file",
        "paper_too_large": "file",
        "paper_empty": "file",
        "paper_type": "file",
        "paper_known": "archive_number",
        "note_unknown": "note_number",
    }

    kind = WordChoice(label=_("资料种类"), choices=PaperKind.choices)
    file = _file_field()
    archive_number = WordField(
        label=_("档案号"), required=False, help_text=_("资料在行内档案的编号；上传文件时可不填")
    )
    dated_on = DayField(label=_("文件日期"), required=False, help_text=_("资料上的日期"))

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        said = {"types": "、".join(PAPER_ENDINGS), "size": PAPER_BYTES_MAX >> 20}
        self.fields["file"].help_text = gettext("%(types)s，最大 %(size)s MB") % said

    @property
    def stated(self) -> Stated:
        """What the person says of the paper."""
        said = self.cleaned_data
        return Stated(said["kind"], said["archive_number"], said["dated_on"])

    def attachment(self) -> Any:
        """The file on disk, or None where only the number is given."""
        upload = self.cleaned_data["file"]
        return nullcontext(None) if upload is None else on_disk(upload)


class AttachToNote(PaperForm):
    """A paper of a note, or of every note of its contract."""

    title = _("添加借据资料")
    note = _("资料登记后不可修改；登记错的可以撤回并说明原因。同一份资料对该借据的各项政策都有效。")

    note_number = WordField(label=_("借据号"))
    institution_code = WordField(
        label=_("机构编码"), required=False, help_text=_("借据号在多家机构重复时填写")
    )
    whole_contract = YesNo(label=_("同一合同的其他借据也登记"))
    field_order = ("note_number", "institution_code", "kind", "file", "archive_number", "dated_on")

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        self.of = self._asked()
        if self.of is not None:
            del self.fields["note_number"], self.fields["institution_code"]

    def _asked(self) -> Note | None:
        """The note of the page this was opened from."""
        number = self.request.GET.get("note", "")
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            return None
        return Note.objects.select_related("institution", "contract").filter(pk=int(number)).first()

    def sections(self) -> list[Section]:
        """The note, so that nobody attaches to the wrong one."""
        if self.of is None:
            return []
        note = self.of
        return [
            Section(
                title=_("借据"),
                columns=texts(_("借据号"), _("机构"), _("合同"), _("放款日期")),
                rows=[(note.note_number, note.institution.name, note.contract, note.drawn_on)],
            )
        ]

    def _named(self) -> Note:
        """The note that the person names."""
        found = Note.objects.filter(note_number=self.cleaned_data["note_number"])
        if code := self.cleaned_data["institution_code"]:
            found = found.filter(origin__code=code)
        notes = list(found.order_by("pk")[:2])
        if not notes:
            raise DomainError(
                "note_unknown",
                bilingual("没有此借据，或不在您的机构范围内", "no such note in your scope"),
            )
        if len(notes) > 1:
            raise DomainError(
                "several_notes",
                bilingual("多家机构有此借据号，请填写机构编码", "several institutions have it: name one"),
            )  # fmt: skip
        return notes[0]

    def act(self, *, actor: str, at: datetime) -> int:
        """Attach it; the note whose page is shown then."""
        note = self.of or self._named()
        ids = [note.pk]
        if self.cleaned_data["whole_contract"]:
            others = Note.objects.filter(contract_id=note.contract_id).order_by("pk")
            ids = list(others.values_list("pk", flat=True))
        with self.attachment() as attachment:
            papers.add_to_notes(
                note_ids=ids, stated=self.stated, attachment=attachment, actor=actor, at=at
            )
        return note.pk

    def leads_to(self, outcome: Any) -> str:
        """Back to the note, where what is still missing is shown."""
        return reverse("admin:loans_note_change", args=[outcome])


class AttachToInstitution(PaperForm):
    """A paper that an institution gives for all its notes under a scheme."""

    title = _("添加机构资料")
    icon = "domain_add"
    note = _("合作银行承诺书等由机构提供的资料，对该机构及下级机构的全部借据有效。")

    institution_id = WordChoice(label=_("机构"))
    scheme_code = WordChoice(label=_("贴息政策"), required=False)
    field_order = ("institution_id", "scheme_code", "kind")

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        fields: Any = self.fields
        fields["kind"].initial = PaperKind.COMMITMENT_LETTER
        fields["institution_id"].choices = [(str(p.pk), str(p)) for p in holders(request)]
        codes = SchemeLabel.objects.order_by("code").values_list("code", flat=True)
        fields["scheme_code"].choices = [
            ("", _("全部政策")),
            *((code, scheme_name(code)) for code in codes),
        ]

    def act(self, *, actor: str, at: datetime) -> None:
        """Attach it."""
        with self.attachment() as attachment:
            papers.add_to_institution(
                institution_id=int(self.cleaned_data["institution_id"]),
                scheme_code=self.cleaned_data["scheme_code"],
                stated=self.stated,
                attachment=attachment,
                scope=own_scope(self.request),
                actor=actor,
                at=at,
            )


class Withdraw(StepForm):
    """A wrong paper: it stays to be looked at and counts no more."""

    title = _("撤回资料")
    button = _("撤回")
    icon = "unpublished"
    note = _("撤回后该资料不再计入，记录和文件仍保留备查。")
    done = _("资料已撤回")

    why = ReasonField()

    @classmethod
    def fits(cls, request: HttpRequest, row: Paper) -> bool:
        """Not withdrawn yet, and of an institution in this person's scope."""
        lo, hi = own_scope(request)
        return lo <= row.institution_id <= hi and not hasattr(row, "withdrawal")

    def act(self, *, actor: str, at: datetime) -> None:
        """Withdraw it."""
        papers.withdraw(
            paper_id=self.row.pk,
            why=self.cleaned_data["why"],
            scope=own_scope(self.request),
            actor=actor,
            at=at,
        )
