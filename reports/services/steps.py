"""The steps of a report's life after it was made: checked, submitted, accepted or returned."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from config.kernel.services import outbox
from loans.values.errors import DomainError, bilingual
from loans.values.text import refused_character
from reports.models import TOLD, Report

State = Report.State
REASON_MAX = 500
DOCUMENT_MAX = 100


@transaction.atomic
def check(*, report_id: int, actor: str, at: datetime) -> None:
    """Answer for a generated report; DomainError `own_work` for its maker."""
    report = _locked(report_id, State.GENERATED)
    if report.made_by == actor:
        raise DomainError(
            "own_work",
            bilingual("须由另一人复核", "has to be checked by another person than who made it"),
        )
    _move(report, State.CHECKED, checked_by=actor, checked_at=at)


@transaction.atomic
def submit(*, report_id: int, actor: str, at: datetime) -> None:
    """Note that finance has it; what it corrects is superseded in the same moment."""
    report = _locked(report_id, State.CHECKED)
    told = Report.objects.select_for_update().filter(
        institution_id=report.institution_id,
        code=report.code,
        period=report.period,
        scheme_code=report.scheme_code,
        state__in=TOLD,
    )
    for earlier in told:
        if earlier.pk != report.corrects_id:
            raise DomainError(
                "report_outdated",
                bilingual(
                    "此前已另有报送，请重新生成",
                    "another version was submitted since, generate again",
                ),
            )
        _move(earlier, State.SUPERSEDED, superseded_at=at)
    _move(report, State.SUBMITTED, submitted_by=actor, submitted_at=at)
    _tell_submitted(report, at=at)


def _tell_submitted(report: Report, *, at: datetime) -> None:
    outbox.emit(
        topic="report.submitted",
        aggregate=f"report:{report.pk}",
        institution_id=report.institution_id,
        scheme_code=report.scheme_code,
        payload={
            "report_id": report.pk,
            "code": report.code,
            "period": report.period,
            "scheme_code": report.scheme_code,
            "scheme_codes": [report.scheme_code] if report.scheme_code else report.schemes,
            "version": report.version,
            "corrects": report.corrects_id,
            "content_sha256": report.content_sha256,
            "submitted_at": at.isoformat(),
        },
        at=at,
    )


@transaction.atomic
def accept(*, report_id: int, actor: str, at: datetime, document_number: str = "") -> None:
    """Note that finance took it, with the number of its answer if there is one."""
    report = _locked(report_id, State.SUBMITTED)
    number = _readable(document_number, DOCUMENT_MAX)
    _move(report, State.ACCEPTED, answered_by=actor, answered_at=at, document_number=number)


@transaction.atomic
def give_back(*, report_id: int, actor: str, at: datetime, why: str) -> None:
    """Return it for a reason: the checker before it is submitted, finance afterwards."""
    report = _locked(report_id, State.GENERATED, State.CHECKED, State.SUBMITTED)
    reason = _readable(why, REASON_MAX)
    if not reason:
        raise DomainError("reason_missing", bilingual("请填写原因", "say why"))
    _move(report, State.RETURNED, answered_by=actor, answered_at=at, returned_why=reason)


def _locked(report_id: int, *states: str) -> Report:
    """The report, locked, in one of these states."""
    report = Report.objects.select_for_update().filter(pk=report_id).first()
    if report is None:
        raise DomainError(
            "report_missing", bilingual(f"没有报表 #{report_id}", "there is no such report")
        )
    if report.state not in states:
        raise DomainError(
            "report_wrong_state",
            bilingual(
                f"报表 #{report_id} 现为“{report.get_state_display()}”，不能办理此步骤",
                f"the report is {report.state}, this step does not follow",
            ),
        )
    return report


def _move(report: Report, state: str, **fields: object) -> None:
    Report.objects.filter(pk=report.pk).update(state=state, **fields)


def _readable(text: str, longest: int) -> str:
    """The text without the spaces around it; refused if too long or with characters nobody sees."""
    text = text.strip()
    if len(text) > longest or refused_character(text) is not None:
        raise DomainError(
            "text_unreadable",
            bilingual(
                f"不得超过 {longest} 字，且不得含控制字符",
                f"more than {longest} characters, or a control character",
            ),
        )
    return text
