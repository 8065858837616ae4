"""An accepted file taken back while nothing has used it: asked for by one, agreed to by another.

PostgreSQL decides whether it is unused and removes the rows (`loans_undo_import`); here are the people,
the copy of what was removed, and the word to whatever was worked out over the facts.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from config.kernel.models import SCOPE_ALL
from config.kernel.services import bulk, work
from loans.models import ImportBatch, ImportUndo
from loans.services import lists, locks
from loans.services.outcomes import Outcome, Source, record_batch
from loans.values.errors import DomainError, bilingual

RUN_KIND = "import"
REFUSALS = {
    "TX403": "undo_unchecked",
    "TX404": "undo_unknown",
    "TX405": "undo_kind",
    "TX409": "undo_used",
}  # what `loans_undo_import` raises
WORKED_OUT = {
    "run": _("贴息计算"),
    "assessment": _("贴息认定"),
    "plan": _("代付计划"),
    "settlement": _("结算清算"),
    "report": _("报表"),
}
USES_SHOWN = 20
State = ImportUndo.State

# Whose subsidies the removed rows may have concerned: a column of theirs → enterprises.
_TOUCHED = {
    "enterprise_id": "SELECT t.enterprise_id FROM {0} t WHERE t.batch_id = {1}",
    "note_id": "SELECT c.enterprise_id FROM {0} t JOIN loans_note n ON n.id = t.note_id"
    " JOIN loans_contract c ON c.id = n.contract_id WHERE t.batch_id = {1}",
    "contract_id": "SELECT c.enterprise_id FROM {0} t JOIN loans_contract c ON c.id = t.contract_id"
    " WHERE t.batch_id = {1}",
    "note_number": "SELECT c.enterprise_id FROM {0} t JOIN loans_note n ON n.origin_id = t.origin_id"
    " AND n.note_number = t.note_number JOIN loans_contract c ON c.id = n.contract_id"
    " WHERE t.batch_id = {1}",
    "uscc": "SELECT e.id FROM {0} t JOIN loans_enterprise e ON e.uscc = t.uscc WHERE t.batch_id = {1}",
}


def undo_table(*, kind: str) -> str | None:
    """Where the rows of a kind are that can be taken back; None: by another file only."""
    ((found,),) = bulk.rows("SELECT loans_undo_table(%s)::text", [kind])
    return None if found is None else str(found)


@transaction.atomic
def ask(*, batch_id: int, reason: str, actor: str, at: datetime) -> int:
    """Ask for an accepted file to be taken back; returns the request.

    DomainError `undo_asked` (once asked, or done), `undo_kind`, `undo_corrected`, `undo_used`.
    """
    batch = ImportBatch.objects.get(pk=batch_id)
    bulk.rows("SELECT pg_advisory_xact_lock(%s, %s)::text", [0x756E, batch_id % 2**31])
    if batch.undos.exclude(state__in=[State.DECLINED, State.FAILED]).exists():
        raise DomainError(
            "undo_asked", bilingual("该批次已申请过撤销", "taking it back has been asked for")
        )
    _require_possible(batch)
    return int(
        ImportUndo.objects.create(
            institution_id=batch.institution_id,
            batch=batch,
            reason=reason,
            made_by=actor,
            made_at=at,
        ).pk
    )


def why_not(*, batch_id: int) -> DomainError | None:
    """Why asking would be refused as things are now, whoever asks; None if it would not."""
    try:
        _require_possible(ImportBatch.objects.get(pk=batch_id))
    except DomainError as fault:
        return fault
    return None


def _require_possible(batch: ImportBatch) -> None:
    """Refuse at once what no checker could agree to."""
    if undo_table(kind=batch.kind) is None:
        raise DomainError(
            "undo_kind",
            bilingual(
                "此类文件不能撤销，请导入更正文件",
                "this kind is not taken back: import a correction",
            ),
        )
    if batch.corrected:
        raise DomainError(
            "undo_corrected",
            bilingual(
                f"该批次更正过 {batch.corrected} 行已存数据，不能撤销；请按导入时的差异清单另行导入更正",
                "it corrected stored rows: import a correction from its list of differences",
            ),
        )
    ((uses,),) = bulk.rows("SELECT loans_undo_uses(%s)", [batch.pk])
    if uses:
        raise DomainError("undo_used", _in_use(uses))


@transaction.atomic
def decline(*, undo_id: int, answer: str, actor: str, at: datetime) -> None:
    """A second person does not agree, and says why."""
    row = _asked(undo_id, actor)
    row.state, row.answer, row.checked_by, row.checked_at = State.DECLINED, answer, actor, at
    row.save(update_fields=["state", "answer", "checked_by", "checked_at"])


@transaction.atomic
def agree(*, undo_id: int, answer: str, actor: str, at: datetime) -> ImportUndo:
    """A second person agrees: the rows go at once, or by a worker (`state` says which).

    DomainError `undo_used` names what uses them, and nothing has changed.
    """
    row = _asked(undo_id, actor)
    row.state, row.answer, row.checked_by, row.checked_at = State.WORKING, answer, actor, at
    row.save(update_fields=["state", "answer", "checked_by", "checked_at"])
    if row.batch.rows <= settings.IMPORT_CELERY_ROWS:
        take_back(undo_id=undo_id, at=at)
        row.refresh_from_db()
        return row
    place = row.institution
    row.run_id = work.open_run(
        kind=RUN_KIND,
        params={"undo": undo_id},
        payloads=[{}],
        actor=actor,
        at=at,
        scope=SCOPE_ALL if place is None else place.scope,
    )
    row.save(update_fields=["run_id"])
    return row


def _asked(undo_id: int, actor: str) -> ImportUndo:
    row = ImportUndo.objects.select_for_update().get(pk=undo_id)
    if row.state != State.ASKED:
        raise DomainError(
            "undo_answered", bilingual("该申请已有结论", "the request has been answered")
        )
    if row.made_by == actor:
        raise DomainError(
            "undo_own", bilingual("不能复核本人的申请", "nobody checks their own request")
        )
    return row


@transaction.atomic
def take_back(*, undo_id: int, at: datetime) -> None:
    """Remove the rows of an agreed request; DomainError if they are used by now."""
    row = ImportUndo.objects.select_for_update(of=("self",)).select_related("batch").get(pk=undo_id)
    assert row.state == State.WORKING, "agreed to, and not done yet"
    table = undo_table(kind=row.batch.kind)
    assert table is not None, "asked for only where it is possible"
    _hold(table, row.batch_id)
    row.removed_sha256 = lists.keep_rows(table=table, batch_id=row.batch_id)
    row.removed = _remove(undo_id)
    row.counter_id = _counter(row, at)
    row.state = State.DONE
    row.save(update_fields=["removed_sha256", "removed", "counter_id", "state"])
    bulk.analyze(table, written=row.removed)


def _hold(table: str, batch_id: int) -> None:
    """Let nothing come in or be worked out meanwhile, and mark whom the rows concern."""
    with locks.patient():
        locks.hold_intake()
        columns = bulk.rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass", [table]
        )
        known = {name for (name,) in columns}
        of = [query.format(table, batch_id) for name, query in _TOUCHED.items() if name in known]
        locks.touch_enterprises(queries=of)


def _remove(undo_id: int) -> int:
    try:
        with transaction.atomic():
            ((removed,),) = bulk.rows("SELECT loans_undo_import(%s)", [undo_id])
    except DatabaseError as error:
        diagnosis: Any = getattr(error.__cause__, "diag", None)
        code = REFUSALS.get(getattr(diagnosis, "sqlstate", None) or "")
        if code is None:
            raise
        message = str(diagnosis.message_primary)
        if diagnosis.message_detail:
            message = _in_use(diagnosis.message_detail.split(", "))
        raise DomainError(code, message) from error
    return int(removed)


def _in_use(uses: list[str]) -> str:
    """What uses the rows, in words: `loans_note 3` is three notes, `run #5` the fifth run."""
    named = [use.split(" ") for use in uses]
    if named[0][0] == "corrected":
        return bilingual(
            f"该批次有 {named[0][1]} 行已被后来的文件更正，不能撤销",
            f"later files have corrected {named[0][1]} of its rows: it is not taken back",
        )
    listed = {}
    for language in ("zh-hans", "en"):
        with translation.override(language):
            tables = [model._meta for model in apps.get_models()]  # noqa: SLF001 (Django's own door)
            names = {table.db_table: str(table.verbose_name) for table in tables}
            words = names | {name: str(word) for name, word in WORKED_OUT.items()}
            listed[language] = [f"{words[name]} {figure}" for name, figure in named[:USES_SHOWN]]
    more = "…" if len(uses) > USES_SHOWN else ""
    return bilingual(
        f"已被使用，不能撤销（{'、'.join(listed['zh-hans'])}{more}）；请冲正，或导入更正文件",
        f"in use ({', '.join(listed['en'])}{more}): reverse, or import a correction",
    )


def _counter(row: ImportUndo, at: datetime) -> int:
    """A batch that says that the rows are gone: whatever was worked out over the facts looks again."""
    scope = SCOPE_ALL if row.institution is None else row.institution.scope
    name = f"撤销批次 #{row.batch_id} / undo of #{row.batch_id}"
    removed = int(row.removed or 0)
    source = Source(str(row.checked_by), at, scope, name, row.batch.sha256)
    gone = Outcome(row.batch.kind, removed, 0, 0)
    return record_batch(outcome=replace(gone, corrected=removed), source=source)
