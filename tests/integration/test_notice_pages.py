"""Pages of notices and contacts: who sees which, what is masked, and what makers do there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from config.kernel.models import Institution, Role
from loans.models import EnterpriseContact, ImportBatch, Note
from settlement.models import Notice, NoticeDelivery, NoticeRecord
from tests.database import web_connections, worker_connections
from tests.integration.book import run
from tests.integration.notice_book import opened, reach, send, states
from tests.integration.signed_in import client_of
from tests.integration.small_book import FIRST, NORTH, TREE, SmallBook
from tests.integration.test_admin import person

PHONE, MASKED = "13800001234", "*******1234"

SignedIn = Callable[..., Any]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def book(tmp_path: Path, settings: Any) -> SmallBook:
    """One note with a sent notice, and one whose enterprise had no contact."""
    opened(settings, tmp_path)
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST)
    reach(book)
    book.collect("A", 2)
    run()
    send()
    reach(book, in_use="no")
    book.collect("A", 3)
    run()
    send()
    return book


@pytest.fixture
def signed_in(book: SmallBook) -> Iterator[Callable[..., Any]]:
    """People of a branch, and a maker of another bank's, on the web's own connection."""
    found = {
        (role, code): person(role, Institution.objects.get(code=code))
        for code in (NORTH, TREE[3][0])
        for role in (Role.MAKER, Role.CHECKER, Role.AUDITOR, Role.FINANCE_VIEWER)
    }
    with web_connections():
        yield lambda role, code=NORTH: client_of(found[role, code])


def read(what: Callable[[], Any]) -> Any:
    """What is stored, whoever may see it."""
    with worker_connections():
        return what()


def page(client: Any, name: str, *args: Any) -> str:
    answer = client.get(reverse(f"admin:{name}", args=args))
    assert answer.status_code == 200, (name, answer.status_code)
    return str(answer.content.decode())


def test_no_page_shows_a_whole_number_but_the_maker_s_form(signed_in: SignedIn) -> None:
    contact = read(EnterpriseContact.objects.get)
    note, notice = read(Note.objects.get), read(Notice.objects.order_by("pk").first)
    shown = (
        ("loans_enterprisecontact_changelist",),
        ("loans_enterprisecontact_change", contact.pk),
        ("loans_enterprisecontactevent_changelist",),
        ("loans_enterprise_change", contact.enterprise_id),
        ("settlement_notice_changelist",),
        ("settlement_notice_change", notice.pk),
        ("settlement_noticerecord_changelist",),
        ("loans_note_change", note.pk),
    )
    for role in (Role.MAKER, Role.CHECKER, Role.AUDITOR):
        client = signed_in(role)
        for name, *args in shown:
            text = page(client, name, *args)
            assert PHONE not in text, (role, name)
            assert MASKED in text, (role, name)


def test_finance_sees_what_was_told_and_no_contact(signed_in: SignedIn) -> None:
    client = signed_in(Role.FINANCE_VIEWER)
    assert MASKED in page(client, "settlement_notice_changelist")
    for name in ("loans_enterprisecontact_changelist", "loans_enterprisecontactevent_changelist"):
        assert client.get(reverse(f"admin:{name}")).status_code == 403
    enterprise = read(EnterpriseContact.objects.get).enterprise_id
    assert MASKED not in page(client, "loans_enterprise_change", enterprise)


def test_makers_enter_and_correct_contacts(signed_in: SignedIn) -> None:
    client, contact = signed_in(Role.MAKER), read(EnterpriseContact.objects.get)
    address = reverse("admin:loans_enterprisecontact_enter")
    row = {
        "institution_code": NORTH, "uscc": FIRST, "channel": "email", "address": "not an address",
        "name": "", "in_use": "yes",
    }  # fmt: skip
    answer = client.post(address, row)
    assert "不是电子邮箱地址" in answer.content.decode()
    assert read(EnterpriseContact.objects.count) == 1
    assert client.post(address, {**row, "address": "caiwu@jia.example"}).status_code == 302
    assert read(lambda: ImportBatch.objects.latest("pk")).kind == "enterprise-contacts"
    step = reverse("admin:loans_enterprisecontact_change", args=[contact.pk])
    step = f"{step.removesuffix('change/')}change-contact/"
    assert PHONE in client.get(step).content.decode()
    changed = {"address": "13900005678", "name": "李四", "in_use": "yes"}
    assert client.post(step, changed).status_code == 302
    now = read(lambda: EnterpriseContact.objects.get(pk=contact.pk))
    assert (now.address, now.name, now.in_use) == ("13900005678", "李四", True)
    assert signed_in(Role.CHECKER).get(step).status_code == 403
    assert signed_in(Role.MAKER, TREE[3][0]).get(step).status_code == 404


def test_makers_have_what_failed_sent_anew_for_a_reason(signed_in: SignedIn) -> None:
    sent, without = read(lambda: list(Notice.objects.order_by("pk")))
    assert read(states) == ["sent", "no_contact"]
    client = signed_in(Role.MAKER)
    step = reverse("admin:settlement_notice_again", args=[without.pk])
    assert client.post(step, {"why": ""}).status_code == 200
    assert signed_in(Role.CHECKER).get(step).status_code == 403
    listed = reverse("admin:settlement_notice_changelist")
    chosen = {"action": "resend", "_selected_action": [sent.pk, without.pk], "why": "已补登"}
    answer = client.post(listed, chosen, follow=True).content.decode()
    assert "1 条已转入待发送" in answer
    assert "只有发送失败或无联系方式的可以重发" in answer
    assert read(states) == ["sent", "waiting"]
    asked = read(lambda: NoticeRecord.objects.get(outcome="asked"))
    assert (asked.notice_id, asked.detail, asked.actor[:5]) == (without.pk, "已补登", "maker")
    assert read(lambda: NoticeDelivery.objects.get(pk=without.pk)).round == 2


def test_notices_are_found_by_state_policy_and_month(signed_in: SignedIn) -> None:
    sent, without = read(lambda: list(Notice.objects.order_by("pk")))
    client, listed = signed_in(Role.MAKER), reverse("admin:settlement_notice_changelist")
    for query, found in (
        ({"state": "sent"}, [sent]),
        ({"state": "no_contact"}, [without]),
        ({"state": "no_gateway"}, []),
        ({"scheme": "test", "month": "2026-02"}, [sent]),
        ({"correction": "yes"}, []),
        ({"q": "A"}, [without, sent]),
    ):
        rows = client.get(listed, query).context_data["cl"].result_list
        assert [one.pk for one in rows] == [one.pk for one in found], query
