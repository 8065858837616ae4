"""Asking systems of provinces for bank lists and review results, and taking the answers in (MF-16, MF-21).

An answer is taken in whole or refused whole, in one transaction with the cursor that says how far we are:
killed half-way the same question is asked again. Its bytes are kept by content first, as evidence.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError, connection, transaction

from config.kernel.models import SCOPE_ALL, Institution
from config.kernel.services import store
from config.kernel.services.outbox import NotSent
from loans.services import pulled_rows
from loans.values.errors import DomainError
from settlement.engine.wire import BANKS, Definition, Mapped
from settlement.engine.wire_rows import Cell, ours
from settlement.models import ProvinceAnswer, ProvinceCursor, ProvinceSystem
from settlement.services import province_answers, province_inbox, province_sending
from settlement.services.province_answers import Page, Unreadable
from settlement.services.province_definitions import definitions
from settlement.services.province_sending import DONE, IN, folder

logger = logging.getLogger(__name__)

PAGE_ROWS = 1_000
PAGES_MAX = 1_000  # of one kind in one go: a cursor that runs in circles ends
PROBLEMS_KEPT = 50
BUSY = "数据库忙或不可用，下次再试 / the database is busy or away: it is tried again"
OURS = "本行系统内部错误，详见日志 / an error of this system, see its log"
TEXT_MAX = 500
Told = tuple[int, str, str, str]


@dataclass
class Pulled:
    """What came of asking one system: answers taken in, rows of them, new ones, and what stands in the way."""

    answers: int = 0
    rows: int = 0
    inserted: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Question:
    """One kind of one system: what is asked, and where it has come from."""

    system: ProvinceSystem
    definition: Definition
    mapped: Mapped

    @property
    def kind(self) -> str:
        """The kind of file its rows are."""
        return self.mapped.kind

    @property
    def scope(self) -> tuple[int, int]:
        """Whose rows may come of it."""
        bound = self.system.bound_to
        return SCOPE_ALL if bound is None else bound.scope


@dataclass(frozen=True)
class _Answer:
    """Bytes as they came, and what they were an answer to."""

    content: bytes
    source: str
    asked: str = ""


def pull_all(*, clock: Callable[[], datetime], until: datetime | None = None) -> dict[str, Pulled]:
    """Ask every system that is active; code → what came of it.

    Whatever is wrong with one, or with us while we ask it, stops no other.
    """
    found = {}
    for system in ProvinceSystem.objects.filter(is_active=True).order_by("code"):
        if until is not None and clock() >= until:
            break
        found[system.code] = pull(system_id=system.pk, clock=clock, until=until)
    return found


def pull(*, system_id: int, clock: Callable[[], datetime], until: datetime | None = None) -> Pulled:
    """Ask one system for everything it has for us, bank lists first, since reviews name their banks."""
    system = ProvinceSystem.objects.select_related("bound_to").get(pk=system_id)
    definition = definitions().get(system.definition)
    done = Pulled()
    if definition is None:
        done.problems.append(f"没有这份对接规格 / no such definition: {system.definition}")
    if definition is None or not system.is_active:
        return done
    for kind in sorted(definition.pull):
        if kind == BANKS and system.bound_to is not None:
            continue  # lists of banks are administrators' to bring, for all of them
        question = _Question(system, definition, definition.pull[kind])
        ask = _from_files if definition.transport == "file" else _from_interface
        try:
            ask(question, done, clock, until)
        except SoftTimeLimitExceeded:
            raise
        except Exception as failure:  # noqa: BLE001 (told, and the next system is asked)
            _failed(question, failure, done, at=clock())
    return done


def _failed(question: _Question, failure: Exception, done: Pulled, *, at: datetime) -> None:
    """Note why nothing came of a question, and leave the cursor where it is."""
    why = BUSY if isinstance(failure, OperationalError) else OURS
    if isinstance(failure, (NotSent, OSError, DomainError)):
        why = str(failure)
        logger.warning("province %s %s: %s", question.system.code, question.kind, why)
    else:
        logger.error("province %s %s", question.system.code, question.kind, exc_info=failure)
    connection.close_if_unusable_or_obsolete()
    _note(question, why, at=at)
    done.problems.append(f"{question.kind}: {why}")


def _from_interface(
    question: _Question, done: Pulled, clock: Callable[[], datetime], until: datetime | None
) -> None:
    """Page after page from where we are, until there is no more."""
    for _page in range(PAGES_MAX):
        if until is not None and clock() >= until:
            return
        at = clock()
        around = question.definition.envelope
        asked = _cursor(question).cursor
        spoken = province_sending.speak(
            system=question.system,
            definition=question.definition,
            endpoint=question.mapped.endpoint,
            told={around.cursor: asked, around.limit: PAGE_ROWS},
            at=at,
            most=province_answers.BYTES_MAX + 1,
        )
        if not 200 <= spoken.status < 300:
            raise NotSent(f"HTTP {spoken.status}: {spoken.told}", status=spoken.status)
        if spoken.holds_secret:
            raise NotSent(province_sending.ECHOED)
        answer = _Answer(spoken.body, question.mapped.endpoint, asked)
        if not _take(question, answer, done, at=at):
            return


def _from_files(
    question: _Question, done: Pulled, clock: Callable[[], datetime], until: datetime | None
) -> None:
    """Each file of the kind in the inbox, by name; what is taken in is moved away, what is refused stays."""
    system, definition = question.system, question.definition
    inbox, done_with = folder(system=system, name=IN), folder(system=system, name=DONE)
    with province_inbox.alone(inbox=f"{system.pk}:{question.kind}") as is_mine:
        if not is_mine or not inbox.exists():
            return
        for path in province_inbox.waiting(
            inbox=inbox, begin=question.kind, end=f".{definition.format}"
        ):
            if until is not None and clock() >= until:
                return
            found = province_inbox.read(path=path, at=clock())
            if found is None or not _take(
                question, _Answer(found.content, path.name), done, at=clock()
            ):
                return  # a later file may build on this one
            province_inbox.move(path=path, target=done_with, found=found)
        _note(question, "", at=clock())


def _take(question: _Question, answer: _Answer, done: Pulled, *, at: datetime) -> bool:
    """Keep an answer and take its rows in; whether to go on asking."""
    try:
        page = province_answers.read(answer.content, of=question.definition, mapped=question.mapped)
    except Unreadable as why:
        _refuse(question, answer, [(0, "", "", str(why))], rows=0, done=done, at=at)
        return False
    is_file = question.definition.transport == "file"
    is_end = page.cursor in ("", answer.asked)
    if is_end and not page.rows:
        _note(question, "", at=at)
        return is_file
    rows, others = _own(question, page.rows)
    texts, wrong = ours(rows, mapped=question.mapped, of=question.definition)
    try:
        with transaction.atomic():
            if not _is_still(question, answer.asked):
                return False  # another process has been faster
            row = _store(question, answer, page, texts, wrong, others=others, at=at)
            if row is None:
                transaction.set_rollback(True)
    except DomainError as refused:
        told = _told(refused)
        _refuse(question, answer, told, rows=len(page.rows), done=done, at=at)
        return False
    if row is None:
        _note(question, "", at=at)
        return False
    done.answers, done.rows, done.inserted = (
        done.answers + 1, done.rows + row.rows, done.inserted + row.inserted,
    )  # fmt: skip
    return is_file or not is_end


def _was_last(question: _Question, sha256: str) -> bool:
    """Was this the last answer of the kind that was taken in?"""
    last = (
        ProvinceAnswer.objects.filter(
            system=question.system, kind=question.kind, outcome=ProvinceAnswer.Outcome.TAKEN
        )
        .order_by("-pk")
        .values_list("sha256", flat=True)
        .first()
    )
    return last == sha256


def _own(
    question: _Question, rows: Sequence[Mapping[str, Cell]]
) -> tuple[list[Mapping[str, Cell]], int]:
    """The rows that are ours to take, and how many are of banks that are not registered here."""
    if not question.mapped.skips_others:
        return list(rows), 0
    name = question.mapped.fields["institution_code"]
    codes = question.mapped.codes.get("institution_code", {})
    here = {there: code for code, there in codes.items()}
    asked = {here.get(value, value) for row in rows if (value := row.get(name))}
    known = set(Institution.objects.filter(code__in=asked).values_list("code", flat=True))
    own = [row for row in rows if not (value := row.get(name)) or here.get(value, value) in known]
    return own, len(rows) - len(own)


def _store(
    question: _Question, answer: _Answer, page: Page, texts: Sequence[Mapping[str, Cell]],
    wrong: Sequence[Told], *, others: int, at: datetime,
) -> ProvinceAnswer | None:  # fmt: skip
    """Write rows, cursor and what was answered, in the caller's transaction.

    None: a system that has no cursor says what it said last, and nothing of it is new or different here.
    """
    sha256 = _kept(answer.content)
    inserted = corrected = 0
    if texts:
        outcome = pulled_rows.take_rows(
            kind=question.kind,
            rows=texts,
            columns=list(question.mapped.fields),
            source=pulled_rows.Source(
                actor=question.system.actor,
                at=at,
                scope=question.scope,
                file_name=f"{question.system.code} {answer.source}",
                sha256=sha256,
            ),
            wrong=wrong,
        )
        inserted, corrected = outcome.inserted, outcome.corrected
    is_repeat = question.definition.transport != "file" and page.cursor in ("", answer.asked)
    if is_repeat and not inserted and not corrected and _was_last(question, sha256):
        return None
    ProvinceCursor.objects.filter(system=question.system, kind=question.kind).update(
        cursor=page.cursor or answer.asked, asked_at=at, problem=""
    )
    return ProvinceAnswer.objects.create(
        **_of(question, answer, sha256, at),
        outcome=ProvinceAnswer.Outcome.TAKEN,
        rows=len(page.rows),
        others=others,
        inserted=inserted,
        corrected=corrected,
    )


def _of(question: _Question, answer: _Answer, sha256: str, at: datetime) -> dict[str, object]:
    return {
        "system": question.system,
        "institution": question.system.bound_to,
        "kind": question.kind,
        "source": answer.source[:255],
        "sha256": sha256,
        "cursor": answer.asked,
        "at": at,
    }


def _refuse(
    question: _Question,
    answer: _Answer,
    told: Sequence[Told],
    *,
    rows: int,
    done: Pulled,
    at: datetime,
) -> None:
    """Keep why an answer was not taken, once for the same answer, and stay where we are."""
    first = told[0]
    where = f"第 {first[0]} 行 {first[1]} {first[2]} " if first[0] else ""
    problem = f"{where}{first[3]}".strip()[:TEXT_MAX]
    with transaction.atomic():
        sha256 = _kept(answer.content)
        ProvinceAnswer.objects.bulk_create(
            [
                ProvinceAnswer(
                    **_of(question, answer, sha256, at),
                    outcome=ProvinceAnswer.Outcome.REFUSED,
                    rows=rows,
                    problem_count=len(told),
                    problems=[list(one) for one in told[:PROBLEMS_KEPT]],
                )
            ],
            ignore_conflicts=True,
        )
        _note(question, problem, at=at)
    done.problems.append(f"{question.kind}: {answer.source}: {problem}")


def _told(refused: DomainError) -> list[Told]:
    """Every problem of a refusal, by row."""
    problems = getattr(refused, "problems", None)
    if not problems:
        return [(0, "", "", refused.message)]
    return [(one.row, one.column or "", one.value or "", one.message) for one in problems]


def _cursor(question: _Question) -> ProvinceCursor:
    found, _is_new = ProvinceCursor.objects.get_or_create(
        system=question.system, kind=question.kind
    )
    return found


def _is_still(question: _Question, asked: str) -> bool:
    """Is the cursor where it was when we asked? It is locked from here on."""
    _cursor(question)
    held = ProvinceCursor.objects.select_for_update().get(
        system=question.system, kind=question.kind
    )
    return question.definition.transport == "file" or held.cursor == asked


def _note(question: _Question, problem: str, *, at: datetime) -> None:
    _cursor(question)
    ProvinceCursor.objects.filter(system=question.system, kind=question.kind).update(
        asked_at=at, problem=problem.replace("\0", "")[:TEXT_MAX]
    )


def _kept(content: bytes) -> str:
    """The bytes in the store, by content."""
    with tempfile.NamedTemporaryFile() as partial:
        partial.write(content)
        partial.flush()
        return store.keep(Path(partial.name))
