"""Reminding the makers of an institution, by e-mail, of what it has to hand in: once a day."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.core.mail import EmailMessage
from django.db import transaction

from config.kernel.models import Role, User
from config.kernel.services import bulk
from loans.values.errors import DomainError
from reports.definitions.due_dates import AHEAD_WORKING_DAYS
from reports.models import Reminder
from reports.selectors.calendar import calendar
from reports.selectors.obligations import to_remind

logger = logging.getLogger(__name__)

REMINDER_LOCK = 0x6D61 << 48  # advisory lock keys from here on mean "being reminded"
WORDS = {"overdue": "已逾期 overdue", "pending": "未生成 not made", "generated": "待报送 to submit"}


def remind(*, at: datetime) -> int:
    """Tell each institution's makers what is overdue or due soon; returns how many were told of.

    Each institution in a transaction of its own: a letter that cannot be sent is not noted, and is
    tried again with the next bell.
    """
    due = list(to_remind(today=at.date(), until=_until(at.date())).order_by("institution_id"))
    told = 0
    for institution_id, own in groupby(due, key=lambda obligation: obligation.institution_id):
        try:
            told += _tell(institution_id=institution_id, obligations=list(own), at=at)
        except (OSError, ValueError) as error:  # smtplib's, and those of an unusable address
            logger.warning("institution %s was not reminded: %r", institution_id, error)
    return told


def _until(today: date) -> date:
    """The last day that is soon; where the calendar ends, nothing that it cannot date is."""
    try:
        return calendar().after(today, AHEAD_WORKING_DAYS)
    except DomainError:
        return today


@transaction.atomic
def _tell(*, institution_id: int, obligations: Sequence[Any], at: datetime) -> int:
    bulk.rows("SELECT pg_advisory_xact_lock(%s)::text", [REMINDER_LOCK + institution_id])
    noted = set(
        Reminder.objects.filter(institution_id=institution_id, day=at.date()).values_list(
            "obligation_id", flat=True
        )
    )
    obligations = [one for one in obligations if one.pk not in noted]
    if not obligations:
        return 0
    to = _recipients(institution_id)
    Reminder.objects.bulk_create(
        Reminder(
            institution_id=institution_id,
            obligation_id=obligation.pk,
            day=at.date(),
            recipients=", ".join(to),
            at=at,
        )
        for obligation in obligations
    )
    if to:
        EmailMessage(subject=_subject(obligations), body=_body(obligations), to=to).send()
    return len(obligations)


def _recipients(institution_id: int) -> list[str]:
    """Makers and managers of this very institution who have an address."""
    makers = User.objects.filter(
        institution_id=institution_id, role__in=[Role.MAKER, Role.MANAGER], is_active=True
    ).exclude(email="")
    return sorted(makers.values_list("email", flat=True))


def _subject(obligations: Sequence[Any]) -> str:
    name = obligations[0].institution.name
    return f"【贴息】{name}有 {len(obligations)} 项报送待办 / {len(obligations)} reports to hand in"


def _body(obligations: Sequence[Any]) -> str:
    lines = [
        f"{o.due_on:%Y-%m-%d}（最后工作日 last working day {o.last_working_day:%Y-%m-%d}） "
        f"{o.code} {o.scheme_code} {o.period} → {o.addressee}，{o.article}：{WORDS[o.standing]}"
        for o in sorted(obligations, key=lambda o: (o.due_on, o.scheme_code, o.code))
    ]
    return "\n".join(lines) + "\n"
