"""Papers: attached as files or named by archive number, never changed, withdrawn for a reason.

A note's paper serves every scheme that asks for its kind; an institution's own paper, such as its
commitment letter (MF-16), serves the notes of the institution and of those below it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from django.db import transaction
from django.db.models import Q

from config.kernel.models import Institution
from config.kernel.services import store
from loans.models import Note, Paper, PaperWithdrawal, SchemeLabel
from loans.services import locks
from loans.values.errors import DomainError, bilingual
from loans.values.papers import (
    FILE_NAME_MAX,
    HEAD_BYTES,
    PAPER_BYTES_MAX,
    PAPER_ENDINGS,
    PAPER_KINDS,
    bare_name,
    paper_type,
)
from loans.values.text import refused_character

KIND = "papers"  # as the file kind: whoever attaches waits for a file of papers, and the other way round


@dataclass(frozen=True)
class Attachment:
    """A file as somebody hands it in: where it lies for now, and what they call it."""

    path: Path
    name: str


@dataclass(frozen=True)
class Stated:
    """What is said of a paper: its kind, archive number (or blank), day (or none)."""

    kind: str
    archive_number: str = ""
    dated_on: date | None = None


@transaction.atomic
def add_to_notes(
    *,
    note_ids: Collection[int],
    stated: Stated,
    attachment: Attachment | None,
    actor: str,
    at: datetime,
) -> list[int]:
    """Give each of these notes the paper; returns the new papers' ids, in order of the notes.

    Notes that have it already are left as they are, unless all have. Refuses with nothing stored: `note_unknown`, `paper_kind_unknown`, `paper_nowhere` (neither file
    nor number), `paper_file_name`, `paper_too_large`, `paper_empty`, `paper_type`, `paper_known`.
    """
    locks.lock_intake(kind=KIND)
    notes = list(Note.objects.filter(pk__in=note_ids).order_by("pk"))
    if len(notes) < len(set(note_ids)) or not notes:
        raise DomainError(
            "note_unknown", bilingual("没有此借据，或不在您的机构范围内", "no such note in your scope")
        )  # fmt: skip
    blank = [Paper(institution_id=note.institution_id, note=note) for note in notes]
    return _store(blank, stated, attachment, actor, at)


@transaction.atomic
def add_to_institution(
    *,
    institution_id: int,
    scheme_code: str,
    stated: Stated,
    attachment: Attachment | None,
    scope: tuple[int, int],
    actor: str,
    at: datetime,
) -> int:
    """Give an institution a paper of its own for one scheme (blank: for all); returns its id.

    Refuses as `add_to_notes`, and `institution_unknown`, `scheme_unknown`.
    """
    locks.lock_intake(kind=KIND)
    if not Institution.objects.filter(pk=institution_id, pk__range=scope).exists():
        raise DomainError(
            "institution_unknown",
            bilingual("没有此机构，或不在您的机构范围内", "no such institution in your scope"),
        )
    if scheme_code and not SchemeLabel.objects.filter(code=scheme_code).exists():
        raise DomainError("scheme_unknown", bilingual("没有此贴息政策", "no such scheme"))
    blank = Paper(institution_id=institution_id, scheme_code=scheme_code)
    return _store([blank], stated, attachment, actor, at)[0]


def _store(
    blank: list[Paper], stated: Stated, attachment: Attachment | None, actor: str, at: datetime
) -> list[int]:
    if stated.kind not in PAPER_KINDS:
        raise DomainError(
            "paper_kind_unknown", bilingual("没有此资料种类", "no such kind of paper")
        )
    if attachment is None and not stated.archive_number:
        raise DomainError(
            "paper_nowhere",
            bilingual("请上传文件，或填写档案号", "attach a file or state the archive number"),
        )
    file = {} if attachment is None else _checked(attachment)
    for paper in blank:
        paper.kind, paper.dated_on = stated.kind, stated.dated_on
        paper.archive_number, paper.made_by, paper.made_at = stated.archive_number, actor, at
        for name, value in file.items():
            setattr(paper, name, value)
    new = _unknown(blank)
    if attachment is not None:
        store.keep(attachment.path)
    return [paper.pk for paper in Paper.objects.bulk_create(new)]


def _checked(attachment: Attachment) -> dict[str, str | int]:
    """The file's columns; refuses what may not be a paper. Nothing is written yet."""
    name = bare_name(attachment.name)
    if not name or len(name) > FILE_NAME_MAX or refused_character(name) is not None:
        raise DomainError(
            "paper_file_name",
            bilingual(
                f"文件名为空、超过 {FILE_NAME_MAX} 字或含有不可见字符，请改名后上传",
                "the file's name is blank, too long or holds invisible characters: rename it",
            ),
        )
    size = attachment.path.stat().st_size
    if size == 0:
        raise DomainError("paper_empty", bilingual("文件是空的", "the file is empty"))
    if size > PAPER_BYTES_MAX:
        raise DomainError(
            "paper_too_large",
            bilingual(
                f"文件超过 {PAPER_BYTES_MAX >> 20} MB，请压缩扫描件，或只登记档案号",
                f"the file is above {PAPER_BYTES_MAX >> 20} MB: compress the scan, or state its number",
            ),
        )
    if not _is_paper(attachment.path, name):
        raise DomainError(
            "paper_type",
            bilingual(
                f"只接受内容与扩展名一致的 {'、'.join(PAPER_ENDINGS)} 文件",
                f"only files of these types, with content to match: {', '.join(PAPER_ENDINGS)}",
            ),
        )
    return {"file_name": name, "size_bytes": size, "sha256": store.digest(attachment.path)}


def _is_paper(path: Path, name: str) -> bool:
    with path.open("rb") as file:
        kind = paper_type(name, file.read(HEAD_BYTES))
    if kind != "ofd":
        return kind is not None
    try:
        with zipfile.ZipFile(path) as package:
            return "OFD.xml" in package.namelist()
    except (zipfile.BadZipFile, ValueError, OSError):
        return False


def _unknown(papers: list[Paper]) -> list[Paper]:
    """Those that nobody entered before; refuses if there are none."""
    stored = [(paper, _stored(paper)) for paper in papers]
    new = [paper for paper, known in stored if known is None]
    if not new:
        known = stored[0][1]
        assert known is not None
        raise DomainError(
            "paper_known",
            bilingual(
                f"该资料已登记（第 {known.pk} 号，{known.made_by} 经办），未重复登记",
                f"this paper is there already (number {known.pk}) and was not entered again",
            ),
        )
    return new


def _stored(paper: Paper) -> Paper | None:
    """The same file or archive number of the same kind, which a note or institution has only once."""
    same = Q(pk__in=[])
    if paper.sha256:
        same |= Q(sha256=paper.sha256)
    if paper.archive_number:
        same |= Q(archive_number=paper.archive_number)
    of = (
        Q(note=paper.note_id)
        if paper.note_id is not None
        else Q(note__isnull=True, institution=paper.institution_id, scheme_code=paper.scheme_code)
    )
    live = Paper.objects.filter(same, of, kind=paper.kind, withdrawal__isnull=True)
    return live.order_by("pk").first()


@transaction.atomic
def withdraw(*, paper_id: int, why: str, scope: tuple[int, int], actor: str, at: datetime) -> int:
    """Say that a paper is wrong and why; it then counts for nothing. Returns the withdrawal's id.

    `scope`: institutions whose papers this person may withdraw; those of their head office they
    only see. Refuses `paper_unknown`, `paper_withdrawn` (already) and `reason_missing`.
    """
    locks.lock_intake(kind=KIND)
    if not why.strip():
        raise DomainError("reason_missing", bilingual("请填写撤回原因", "say why it is withdrawn"))
    paper = Paper.objects.filter(
        pk=paper_id, institution__gte=scope[0], institution__lte=scope[1]
    ).first()
    if paper is None:
        raise DomainError(
            "paper_unknown", bilingual("没有此资料，或不在您的机构范围内", "no such paper in your scope")
        )  # fmt: skip
    if PaperWithdrawal.objects.filter(paper=paper).exists():
        raise DomainError(
            "paper_withdrawn", bilingual("该资料已撤回", "this paper is withdrawn already")
        )
    done = PaperWithdrawal.objects.create(
        institution_id=paper.institution_id,
        note_id=paper.note_id,
        paper=paper,
        why=why.strip(),
        made_by=actor,
        made_at=at,
    )
    return int(done.pk)
