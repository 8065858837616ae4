"""A file from its upload to the facts: looked at, confirmed, taken in, by the web or by a worker.

The bytes are kept by content before anything else; a confirmation takes in those very bytes. What is
small is done at once; what is not, and what reaches beyond the scope of whoever brings it, is a worker's,
claimed in PostgreSQL (`loans.services.import_work`).
"""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from config.kernel.models import SCOPE_ALL
from config.kernel.models.clients import ACTOR_PREFIX
from config.kernel.services import store, work
from loans.files.limits import MAX_FILE_BYTES, MIB
from loans.files.problems import FileError, shown_value
from loans.files.reader import ZIP, read_table
from loans.models import FileImport
from loans.services import confirmations, lists, locks
from loans.services.controls import Controls
from loans.services.looks import CHANGED, Look, Tell, detect_kind, look, take_in
from loans.services.outcomes import NOBODYS, REFUSED, ImportRefused, Outcome, Source
from loans.values.errors import DomainError, bilingual

RUN_KIND = "import"
SHOWN = 50  # problems and differences on the page; the lists to download hold all
MESSAGE_MAX = 4000
# What these files change is felt beyond the institutions of whoever brings them (projects that several
# banks lend to, notes that have moved), which the web's role does not see: a worker takes them in.
BEYOND_SCOPE = frozenset({"contracts", "external-subsidies"})
MOVES = "note-transfers"  # moving a note is a right of workers alone
ROW_BYTES = 200  # a workbook's row takes at least this much, unpacked
State = FileImport.State


@dataclass(frozen=True)
class Upload:
    """A file as it was sent: where it lies, what it calls itself, how it is to be read."""

    path: Path
    name: str
    kind: str = ""  # empty: by its headers
    encoding: str = ""


@transaction.atomic
def receive(
    *,
    upload: Upload,
    controls: Controls,
    institution_id: int | None,
    scope: tuple[int, int],
    actor: str,
    at: datetime,
) -> FileImport:
    """Keep an uploaded file, and look at it or leave that to a worker (`state` says which).

    `scope`: whose rows the actor may bring; `institution_id`: the institution of that scope, None for
    all. DomainError `file_too_large`.
    """
    size = _size(upload)
    is_large = rows_at_most(path=upload.path) > settings.IMPORT_CELERY_ROWS
    kind = upload.kind or ("" if is_large else _kind_by_headers(upload))
    row = FileImport.objects.create(
        institution_id=institution_id,
        kind=kind,
        file_name=upload.name[-255:],
        sha256=store.keep(upload.path),
        size=size,
        encoding=upload.encoding,
        control_rows=controls.rows,
        control_fen=controls.fen,
        by_worker=is_large or kind == MOVES or (kind in BEYOND_SCOPE and scope != SCOPE_ALL),
        made_by=actor,
        made_at=at,
    )
    _do_or_order(row, step="check", at=at)
    return row


@transaction.atomic
def bring(
    *,
    upload: Upload,
    controls: Controls,
    institution_id: int | None,
    scope: tuple[int, int],
    actor: str,
    at: datetime,
) -> FileImport:
    """Keep a machine's file and order a worker to take it in, whole or not at all; nobody previews it.

    `scope`: who sees the job. `institution_id`: whose rows it brings; None, only of clients of finance
    departments: rows that belong to no institution. DomainError `file_too_large`.
    """
    size = _size(upload)
    row = FileImport.objects.create(
        institution_id=institution_id,
        kind=upload.kind,
        file_name=upload.name[-255:],
        sha256=store.keep(upload.path),
        size=size,
        encoding=upload.encoding,
        control_rows=controls.rows,
        control_fen=controls.fen,
        by_worker=True,
        made_by=actor,
        made_at=at,
        confirmed_at=at,
        state=State.IMPORTING,
    )
    row.run_id = work.open_run(
        kind=RUN_KIND,
        params={"import": row.pk, "step": "take"},
        payloads=[{}],
        actor=actor,
        at=at,
        scope=scope,
    )
    row.save(update_fields=["run_id"])
    return row


def _size(upload: Upload) -> int:
    size = upload.path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise DomainError(
            "file_too_large",
            bilingual(
                f"文件超过 {MAX_FILE_BYTES // MIB} MiB，请拆分", "the file is too large: split it"
            ),
        )
    return size


def rows_at_most(*, path: Path) -> int:
    """About how many rows does a file hold, without reading it as a table? Rather too many than too few."""
    with path.open("rb") as source:
        if source.read(4) in ZIP:
            return _rows_of_package(path)
        source.seek(0)
        return sum(block.count(b"\n") for block in iter(lambda: source.read(1 << 20), b""))


def _rows_of_package(path: Path) -> int:
    """By the sheets' sizes; none for a broken package, which the look will tell."""
    try:
        with zipfile.ZipFile(path) as package:
            sheets = [i for i in package.infolist() if i.filename.startswith("xl/worksheets/")]
    except (zipfile.BadZipFile, ValueError, OSError):
        return 0
    return sum(sheet.file_size for sheet in sheets) // ROW_BYTES


def _kind_by_headers(upload: Upload) -> str:
    """The kind that the headers say; empty where they do not, which the look will tell."""
    try:
        return detect_kind(table=read_table(upload.path, encoding=upload.encoding or None))
    except (FileError, ImportRefused):
        return ""


def source_of(*, row: FileImport, at: datetime) -> Source:
    """Who brings the file, in which scope: of no institution, people bring all, machines what is nobody's."""
    if row.institution is not None:
        scope = row.institution.scope
    else:
        scope = NOBODYS if row.made_by.startswith(ACTOR_PREFIX) else SCOPE_ALL
    return Source(row.made_by, at, scope, row.file_name, row.sha256)


def _do_or_order(row: FileImport, *, step: str, at: datetime) -> None:
    """Do a step at once, or order it from a worker."""
    if not row.by_worker:
        STEPS[step](row=row, at=at)
        return
    place = row.institution
    row.state = State.CHECKING if step == "check" else State.IMPORTING
    row.run_id = work.open_run(
        kind=RUN_KIND,
        params={"import": row.pk, "step": step},
        payloads=[{}],
        actor=row.made_by,
        at=at,
        scope=SCOPE_ALL if place is None else place.scope,
    )
    row.save(update_fields=["state", "run_id", "confirmed_at"])


def check(*, row: FileImport, at: datetime, tell: Tell | None = None) -> None:
    """Look at the file and write down what it would do; `tell` hears of rows that are read."""
    with tempfile.TemporaryDirectory() as place, locks.patient():
        found = look(
            path=_copied(row, place),
            kind=row.kind,
            encoding=row.encoding or None,
            controls=Controls(row.control_rows, row.control_fen),
            source=source_of(row=row, at=at),
            tell=tell,
        )
    _write_down(row, found)


def take(*, row: FileImport, at: datetime, tell: Tell | None = None) -> str | None:
    """Take the file in if nothing is wrong with it; else write down what is, and say that it was refused."""
    with tempfile.TemporaryDirectory() as place, locks.patient():
        found = look(
            path=_copied(row, place),
            kind=row.kind,
            encoding=row.encoding or None,
            controls=Controls(row.control_rows, row.control_fen),
            source=source_of(row=row, at=at),
            tell=tell,
            is_kept=True,
        )
    _write_down(row, found)
    if found.outcome is None:
        return ImportRefused(found.problems).message
    row.confirmed_at = at
    _finish(row, found.outcome, at)
    return None


def carry_out(*, row: FileImport, at: datetime, tell: Tell | None = None) -> None:
    """Take the confirmed file in; where it would do something else by now, show that instead."""
    try:
        with tempfile.TemporaryDirectory() as place, locks.patient():
            outcome = take_in(
                path=_copied(row, place),
                kind=row.kind,
                encoding=row.encoding or None,
                source=source_of(row=row, at=at),
                expected=row.fingerprint,
                tell=tell,
            )
    except DomainError as refused:
        if refused.code not in {CHANGED, REFUSED}:
            raise
        check(row=row, at=at)
        _tell(row, refused.message)
    else:
        _finish(row, outcome, at)


STEPS: dict[str, Any] = {"check": check, "import": carry_out, "take": take}


def _copied(row: FileImport, place: str) -> Path:
    """The very bytes that were uploaded, under a name that says what they claim to be."""
    path = Path(place).joinpath("upload" + Path(row.file_name).suffix[:10])
    try:
        store.copy_out(row.sha256, path)
    except (store.MissingFileError, store.TamperedFileError) as error:
        raise DomainError(
            "file_lost",
            bilingual(
                "文件库中的上传文件缺失或已被改动，请重新上传",
                "the uploaded file is missing from the store or was changed: upload it again",
            ),
        ) from error
    return path


def _write_down(row: FileImport, found: Look) -> None:
    row.kind = found.kind
    row.state = State.REFUSED if found.problems else State.READY
    row.rows, row.total_fen = found.rows, found.total_fen
    row.inserted, row.corrected = found.inserted, found.corrected
    row.unchanged, row.refused = found.unchanged, found.refused
    row.problem_count, row.difference_count = len(found.problems), found.differences.height
    row.shown_problems = [
        [p.row, p.column or "", p.header or "", shown_value(p.value or ""), p.message, p.code]
        for p in found.problems[:SHOWN]
    ]
    row.shown_differences = [list(one) for one in found.differences.head(SHOWN).rows()]
    row.problems_sha256 = lists.keep_problems(found.problems)
    row.differences_sha256 = lists.keep_differences(found.differences)
    row.failing_usccs = list(found.failing_usccs)
    row.fingerprint, row.told, row.confirmed_at = found.fingerprint, "", None
    row.save(
        update_fields=[
            "kind", "state", "rows", "total_fen", "inserted", "corrected", "unchanged", "refused",
            "problem_count", "difference_count", "shown_problems", "shown_differences",
            "problems_sha256", "differences_sha256", "failing_usccs", "fingerprint", "told",
            "confirmed_at",
        ]
    )  # fmt: skip


def _tell(row: FileImport, message: str) -> None:
    row.told = message[:MESSAGE_MAX]
    row.save(update_fields=["told"])


def _finish(row: FileImport, outcome: Outcome, at: datetime) -> None:
    row.state, row.batch_id, row.finished_at = State.DONE, outcome.batch_id, at
    row.save(update_fields=["state", "batch_id", "finished_at", "confirmed_at"])


def locked(*, import_id: int) -> FileImport:
    """The file's row, held until the transaction ends: whoever comes second sees what the first did."""
    return FileImport.objects.select_for_update().get(pk=import_id)


@transaction.atomic
def confirm(*, import_id: int, fingerprint: str, actor: str, at: datetime) -> FileImport:
    """Take the file in as it was shown, at once or by a worker; `state` says what became of it.

    `fingerprint` is that of the preview the person saw. DomainError `import_taken` (also for whoever
    comes second), `import_not_ready`, `import_of_another`, `import_changed`.
    """
    row = locked(import_id=import_id)
    _require_own(row, actor)
    if row.state in {State.IMPORTING, State.DONE}:
        raise DomainError(
            "import_taken",
            bilingual("该文件已确认，不会重复导入", "confirmed already: it is imported once"),
        )
    _require(row, State.READY)
    if fingerprint != row.fingerprint:
        raise DomainError(
            CHANGED, bilingual("预览已更新，请核对后再确认", "the preview is a new one: look again")
        )
    row.confirmed_at = at
    _do_or_order(row, step="import", at=at)
    return row


@transaction.atomic
def look_again(*, import_id: int, actor: str, at: datetime) -> FileImport:
    """Look at the same bytes over what is stored by now."""
    row = locked(import_id=import_id)
    _require_own(row, actor)
    _require(row, State.READY, State.REFUSED, State.FAILED)
    _do_or_order(row, step="check", at=at)
    return row


@transaction.atomic
def drop(*, import_id: int, actor: str, at: datetime) -> None:
    """Give a file up that has not been taken in."""
    row = locked(import_id=import_id)
    _require_own(row, actor)
    _require(row, State.READY, State.REFUSED, State.FAILED)
    row.state, row.finished_at = State.DROPPED, at
    row.save(update_fields=["state", "finished_at"])


@transaction.atomic
def confirm_codes(*, import_id: int, reason: str, actor: str, at: datetime) -> int:
    """Say that the file's codes which fail their check digit are real; another person checks that (L7)."""
    row = locked(import_id=import_id)
    _require_own(row, actor)
    _require(row, State.REFUSED)
    confirmations.confirm_usccs(
        usccs=row.failing_usccs,
        institution_id=row.institution_id,
        actor=actor,
        at=at,
        confirming=confirmations.Confirming(checker=None, reason=reason),
    )
    return len(row.failing_usccs)


def _require_own(row: FileImport, actor: str) -> None:
    if row.made_by != actor:
        raise DomainError(
            "import_of_another",
            bilingual(
                "只有上传人可以继续处理此文件", "only whoever uploaded the file goes on with it"
            ),
        )


def _require(row: FileImport, *states: str) -> None:
    if row.state not in states:
        raise DomainError(
            "import_not_ready",
            bilingual(
                f"该文件现为“{row.get_state_display()}”，不能进行此操作", "not in its present state"
            ),
        )
