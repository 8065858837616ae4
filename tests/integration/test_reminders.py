"""Reminding makers of what is due: once a day, each bank apart from the others."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from config.kernel.models import Institution, Role, User
from reports.models import Reminder
from reports.services import obligations, reminders
from tests.integration import rows
from tests.integration.rows import BANK, NANJING, OTHER

AT = datetime(2026, 4, 2, 9, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def banks() -> dict[str, Institution]:
    made = rows.institutions()
    rows.scheme_version()
    rows.note(made[NANJING], "N1", drawn_on=date(2026, 2, 10))
    return made


def person(name: str, institution: Institution, **more: Any) -> None:
    defaults = {"role": Role.MAKER, "email": f"{name}@bank.example", "institution": institution}
    User.objects.create_user(name, **defaults | more)


def test_makers_are_reminded_once_a_day_of_what_is_due_and_overdue(
    banks: dict[str, Institution],
) -> None:
    person("m1", banks[BANK])
    person("m2", banks[BANK], role=Role.MANAGER)
    person("checker", banks[BANK], role=Role.CHECKER)
    person("left", banks[BANK], is_active=False)
    person("branch", banks[NANJING])
    obligations.refresh(today=date(2026, 3, 2))
    at = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)

    assert reminders.remind(at=at) == 3
    assert reminders.remind(at=at + timedelta(hours=1)) == 0

    (letter,) = mail.outbox
    assert letter.to == ["m1@bank.example", "m2@bank.example"]
    assert "甲银行有 3 项报送待办" in letter.subject
    lines = letter.body.splitlines()
    assert [line[:10] for line in lines] == ["2026-02-05", "2026-03-05", "2026-03-06"]
    assert lines[1].endswith("财金〔2026〕4号 二(三)：已逾期 overdue")
    assert lines[2].endswith("财金〔2026〕4号 三(一)：未生成 not made")
    told = {(one.obligation.code, one.day, one.recipients) for one in Reminder.objects.all()}
    assert told == {
        (code, date(2026, 3, 6), "m1@bank.example, m2@bank.example")
        for code in ("annual-demand", "new-loans", "monthly-execution")
    }
    assert reminders.remind(at=at + timedelta(days=1)) == 3
    assert len(mail.outbox) == 2


def test_a_letter_that_cannot_be_sent_is_not_noted(
    banks: dict[str, Institution], monkeypatch: pytest.MonkeyPatch
) -> None:
    person("m1", banks[BANK])
    obligations.refresh(today=date(2026, 3, 2))

    def refuse(self: Any) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMessage.send", refuse)
        assert reminders.remind(at=AT) == 0
    assert Reminder.objects.count() == 0
    assert reminders.remind(at=AT) == Reminder.objects.count() > 0


def test_an_address_that_cannot_be_used_keeps_no_other_bank_from_its_letter(
    banks: dict[str, Institution],
) -> None:
    rows.note(banks[OTHER], "N9", drawn_on=date(2026, 2, 10))
    person("m1", banks[BANK], email="m1@bank.example\nCc: all@bank.example")
    person("m2", banks[OTHER])
    obligations.refresh(today=date(2026, 3, 2))

    assert reminders.remind(at=AT) == Reminder.objects.count() == 5

    (letter,) = mail.outbox
    assert letter.to == ["m2@bank.example"]
    assert {one.institution_id for one in Reminder.objects.all()} == {banks[OTHER].pk}
