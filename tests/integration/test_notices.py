"""One notice per posted deduction, written with it and sent at least once (SME-14, EQ-11)."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import ProgrammingError, transaction

from loans.models import EnterpriseContact
from loans.values.errors import DomainError
from settlement.models import Deduction, Notice, NoticeDelivery, NoticeRecord
from settlement.services import notice_sending
from settlement.services import notices as service
from settlement.services.gateways import FileGateway, Refused, Unreached
from settlement.services.notice_texts import texts
from tests.integration.book import AT, PORTFOLIO, import_folder, load_shipped, run
from tests.integration.notice_book import (
    KEY,
    accepted,
    http_gateway,
    lines,
    notices,
    opened,
    reach,
    records,
    send,
    states,
)
from tests.integration.small_book import FIRST, NORTH, SECOND, TREE, SmallBook
from tests.integration.test_payouts import agree

pytestmark = pytest.mark.django_db

BANK = TREE[0][0]
TOLD = (
    "【甲银行】甲公司：贵企业尾号A的借据2026-02-01至2026-02-11计息期（止日不含）应付利息3,000.00元，"
    "本次收息3,000.00元。根据《试验》政策（试验），财政给予贴息1,000.00元（市级财政1,000.00元），"
    "已由本行在收息时代财政支付，各项贴息抵减后贵企业应付2,000.00元。咨询电话：95588"
)


# Amounts as in tests/data/portfolio/expected; the second collection is under two policies.
PORTFOLIO_TEXTS = {
    ("central-sme-2026", "S723-00002817"): (
        "【丙银行】样例企业723-33有限公司：贵企业尾号0213的借据2027-01-21至2027-02-21计息期（止日不含）应付利息"
        "18,833.31元，本次收息5,492.58元。根据《中小微企业贷款贴息》政策（财金〔2026〕4号），财政给予贴息2,388.08元"
        "（中央财政2,388.08元），已由本行在收息时代财政支付，各项贴息抵减后贵企业应付3,104.50元。"
        "该政策免申即享，企业无需另行申请。咨询电话：95588"
    ),
    ("jiangsu-manufacturing-2026", "S723-00002562"): (
        "【甲银行】样例企业723-30有限公司：贵企业尾号0192的借据2026-06-29至2026-09-21计息期（止日不含）应付利息"
        "37,128.67元，本次收息37,128.67元。根据《江苏省制造业贷款财政贴息》政策（苏财工贸〔2026〕7号），设备购置部分"
        "获财政贴息19,490.12元（省级财政9,745.06元、市级财政9,745.06元），已在扣息时直接抵减，"
        "各项贴息抵减后贵企业应付3,020.96元。咨询电话：95588"
    ),
    ("jiangsu-sports-2026", "S723-00003180"): (
        "【甲银行】样例企业723-1有限公司：贵企业尾号0235的“苏体贷”借据2026-09-21至2026-10-21计息期（止日不含）应付"
        "利息18,823.84元，本次收息18,823.84元。根据《江苏省“苏体贷”贴息》政策（苏体经〔2026〕1号），财政给予贴息"
        "6,457.73元（省级财政6,457.73元），已由本行在收息时代财政支付，各项贴息抵减后贵企业应付12,366.11元。"
        "该政策免申直达，不收取任何费用。咨询电话：95588"
    ),
}


@pytest.fixture
def book(tmp_path: Path, settings: Any) -> SmallBook:
    """One note whose enterprise is reached by a file; nothing collected yet."""
    opened(settings, tmp_path)
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST)
    reach(book)
    return book


def test_a_posted_deduction_is_told_once_with_its_exact_text(
    book: SmallBook, tmp_path: Path
) -> None:
    book.collect("A", 2)
    run()
    run()
    assert notices() == [("A-2", 0, False, None)]
    notice = Notice.objects.get()
    assert texts(notice_ids=[notice.pk]) == {notice.pk: TOLD}
    assert states() == ["waiting"]
    assert send() == {"sent": 1}
    assert send() == {}
    assert lines(tmp_path) == [
        {
            "reference": f"TX{notice.pk}-1",
            "to": "13800001234",
            "text": TOLD,
            "at": AT.isoformat(),
        }
    ]
    record = NoticeRecord.objects.get()
    assert (record.outcome, record.gateway, record.channel, record.address) == (
        "sent", "file", "sms", "*******1234",
    )  # fmt: skip
    assert record.message_id == "sms-2026-11-23.jsonl:0"
    assert record.sha256 == hashlib.sha256(TOLD.encode()).hexdigest()
    assert states() == ["sent"]


def test_a_deduction_of_the_portfolio_reads_as_its_policy_says(settings: Any) -> None:
    settings.NOTICES_HOTLINE = "95588"
    load_shipped()
    import_folder(PORTFOLIO)
    run()
    told = Deduction.objects.exclude(central_fen=0, provincial_fen=0, municipal_fen=0)
    assert Notice.objects.count() == told.count() > 0
    assert not NoticeDelivery.objects.exists()
    for (scheme, reference), text in PORTFOLIO_TEXTS.items():
        notice = Notice.objects.get(scheme__code=scheme, deduction__collection__reference=reference)
        assert texts(notice_ids=[notice.pk]) == {notice.pk: text}


def test_nothing_is_sent_unless_the_installation_says_so(book: SmallBook, settings: Any) -> None:
    settings.NOTICES_FOR = ()
    book.collect("A", 2)
    run()
    assert notices() == [("A-2", 0, False, None)]
    assert not NoticeDelivery.objects.exists()
    settings.NOTICES_FOR = ((BANK, "another"), ("C9", "test"))
    book.collect("A", 4)
    run()
    assert not NoticeDelivery.objects.exists()
    settings.NOTICES_FOR = ((BANK, "test"),)
    book.collect("A", 3)
    run()
    assert [d.notice.deduction.collection.reference for d in NoticeDelivery.objects.all()] == [
        "A-3"
    ]
    assert send() == {"sent": 1}


def test_a_difference_and_a_reversal_send_corrections_that_say_before_and_after(
    book: SmallBook, tmp_path: Path
) -> None:
    book.collect("A", 2)
    book.collect("A", 3)
    run()
    book.repay("A", "2026-03-01", 1_800_000)
    book.collect("A", 2, reference="A-2R", paid="-3000.00")
    run()
    assert notices() == [
        ("A-2", 0, False, None),
        ("A-3", 0, False, None),
        ("A-2R", 0, True, (0, 0, 1000)),
        ("A-3", 1, True, (0, 0, 1000)),
    ]
    assert send() == {"sent": 4}
    said = [line["text"] for line in lines(tmp_path) if "更正" in line["text"]]
    assert said == [
        "【甲银行】甲公司：更正告知。贵企业尾号A的借据2026-02-01至2026-02-11计息期（止日不含）享受《试验》政策"
        "（试验）的贴息，原为1,000.00元，现更正为0.00元（贴息为零），差额-1,000.00元。"
        "多付的贴息将在以后的贴息中抵扣或由贵企业退回。如有疑问请致电：95588",
        "【甲银行】甲公司：更正告知。贵企业尾号A的借据2026-03-01至2026-03-11计息期（止日不含）享受《试验》政策"
        "（试验）的贴息，原为1,000.00元，现更正为500.00元（市级财政500.00元），差额-500.00元。"
        "多付的贴息将在以后的贴息中抵扣或由贵企业退回。如有疑问请致电：95588",
    ]


def test_paid_and_taken_back_in_one_run_are_told_in_their_order(book: SmallBook) -> None:
    book.collect("A", 2)
    book.collect("A", 2, reference="A-2R", paid="-1500.00")
    run()
    assert notices() == [("A-2", 0, False, None), ("A-2R", 0, True, (0, 0, 1000))]


def test_a_part_payment_tells_what_was_collected(book: SmallBook) -> None:
    book.collect("A", 2, reference="A-2a", paid="1500.00")
    book.collect("A", 2, reference="A-2b", paid="1500.00")
    run()
    assert notices() == [("A-2a", 0, False, None), ("A-2b", 0, False, None)]
    (said,) = set(texts(notice_ids=Notice.objects.values_list("pk", flat=True)).values())
    assert "应付利息3,000.00元，本次收息1,500.00元。" in said
    assert "财政给予贴息500.00元（市级财政500.00元）" in said
    assert "抵减后贵企业应付1,000.00元" in said


def test_what_is_paid_out_is_said_to_be(book: SmallBook) -> None:
    agree(book)
    book.collect("A", 2)
    run()
    (said,) = texts(notice_ids=Notice.objects.values_list("pk", flat=True)).values()
    assert "财政给予贴息1,000.00元（市级财政1,000.00元），由本行代财政拨付至贵企业约定账户" in said
    assert "抵减后" not in said


def test_nothing_without_money_is_told(book: SmallBook) -> None:
    book.lend("B", SECOND, schemes="")
    book.collect("B", 1)
    book.collect("A", 2, paid="0.00")
    run()
    assert notices() == []


def test_who_has_no_contact_is_told_nothing_and_may_be_told_later(
    book: SmallBook, tmp_path: Path
) -> None:
    reach(book, in_use="no")
    book.collect("A", 2)
    run()
    assert send() == {"no_contact": 1}
    assert (states(), lines(tmp_path)) == (["no_contact"], [])
    reach(book, address="13900005678")
    assert send() == {}
    notice = Notice.objects.get()
    with pytest.raises(DomainError, match="say why"):
        service.send_anew(notice_ids=[notice.pk], why=" ", actor="wang", at=AT)
    assert states() == ["no_contact"]
    service.send_anew(notice_ids=[notice.pk], why="已补登手机号", actor="wang", at=AT)
    assert send() == {"sent": 1}
    assert [(line["to"], line["reference"]) for line in lines(tmp_path)] == [
        ("13900005678", f"TX{notice.pk}-2")
    ]
    assert records() == [
        ("no_contact", f"TX{notice.pk}-1", ""),
        ("asked", f"TX{notice.pk}-2", "已补登手机号"),
        ("sent", f"TX{notice.pk}-2", ""),
    ]
    with pytest.raises(DomainError, match="only what failed"):
        service.send_anew(notice_ids=[notice.pk], why="再发", actor="wang", at=AT)


def test_the_nearest_contact_goes_first_then_the_preferred_channel(
    book: SmallBook, settings: Any, tmp_path: Path
) -> None:
    settings.NOTICES_GATEWAYS = {"app": "file", "sms": "file"}
    reach(book, at=BANK, address="13700000000")
    reach(book, at=BANK, channel="app", address="user-7")
    for month in (1, 2, 3):
        if month == 2:
            reach(book, channel="app", address="user-8")
        if month == 3:
            reach(book, in_use="no")
            reach(book, channel="app", address="user-8", in_use="no")
        book.collect("A", month)
        run()
        send()
    assert [line["to"] for line in lines(tmp_path)] == ["13800001234"]
    assert [line["to"] for line in lines(tmp_path, "app")] == ["user-8", "user-7"]


def test_the_http_gateway_is_signed_keeps_proof_and_follows_no_redirect(
    book: SmallBook, settings: Any
) -> None:
    book.collect("A", 2)
    run()
    number = Notice.objects.get().pk
    with http_gateway() as server:
        settings.NOTICES_GATEWAYS = {"sms": server.address}
        server.headers = {"Location": server.address}
        server.answers = [(302, b""), accepted("M-7", "delivered")]
        assert send() == {"failed": 1}
        assert len(server.seen) == 1
        service.send_anew(notice_ids=[number], why="网关已修复", actor="wang", at=AT)
        assert send() == {"delivered": 1}
    headers, body = server.seen[1]
    assert json.loads(body) == {
        "reference": f"TX{number}-2", "channel": "sms", "to": "13800001234", "text": TOLD,
    }  # fmt: skip
    signed = hmac.new(KEY.encode(), headers["X-Timestamp"].encode() + b"." + body, "sha256")
    assert headers["X-Signature"] == f"sha256={signed.hexdigest()}"
    assert headers["Idempotency-Key"] == f"TX{number}-2"
    last = NoticeRecord.objects.latest("pk")
    assert (last.outcome, last.message_id, last.gateway) == ("delivered", "M-7", "127.0.0.1")
    assert states() == ["delivered"]


@pytest.mark.parametrize(
    ("code", "content", "outcome"),
    [
        (500, b"", "unreached"),
        (429, b"", "unreached"),
        (200, b"<html>", "unreached"),
        (200, b'{"status": "accepted"}', "unreached"),
        (200, b'{"status": "rejected", "message_id": "1", "reason": "blacklisted"}', "failed"),
        (400, b'{"reason": "bad number"}', "failed"),
    ],
)
def test_what_a_gateway_answers_decides_whether_it_is_tried_again(
    book: SmallBook, settings: Any, code: int, content: bytes, outcome: str
) -> None:
    book.collect("A", 2)
    run()
    with http_gateway() as server:
        settings.NOTICES_GATEWAYS = {"sms": server.address}
        server.answers = [(code, content)]
        assert send() == {outcome: 1}
        assert states() == ["failed" if outcome == "failed" else "waiting"]
        assert send(AT + timedelta(seconds=59)) == {}
        again = send(AT + timedelta(seconds=61))
    assert again == ({} if outcome == "failed" else {"sent": 1})
    assert len(set(server.references())) == 1


def test_a_gateway_that_is_down_is_tried_later_and_later_and_then_given_up(
    book: SmallBook, settings: Any
) -> None:
    settings.NOTICES_GATEWAYS = {"sms": "http://127.0.0.1:9/send"}
    book.collect("A", 2)
    run()
    at, waits = AT, []
    while (counts := send(at)) == {"unreached": 1}:
        delivery = NoticeDelivery.objects.get()
        waits.append((delivery.next_at - at).total_seconds() / 60)
        at = delivery.next_at
    assert (counts, states()) == ({"failed": 1}, ["failed"])
    assert waits == [1, 4, 16, 64, 256, 360, 360]
    assert NoticeRecord.objects.count() == notice_sending.ATTEMPTS_MAX
    assert {detail for _, _, detail in records()} == {"ConnectionError"}


def test_three_in_a_row_that_fail_leave_the_gateway_alone(book: SmallBook, settings: Any) -> None:
    settings.NOTICES_GATEWAYS = {"sms": "http://127.0.0.1:9/send"}
    for month in range(1, 6):
        book.collect("A", month)
    run()
    assert send() == {"unreached": 3}
    assert sorted(NoticeDelivery.objects.values_list("attempts", "leased_until")) == [
        (0, None), (0, None), (1, None), (1, None), (1, None),
    ]  # fmt: skip


def test_e_mail_goes_out_with_one_number_per_notice(book: SmallBook, settings: Any) -> None:
    settings.NOTICES_GATEWAYS = {"email": "email"}
    settings.DEFAULT_FROM_EMAIL = "银行 <told@bank.example>"
    reach(book, channel="email", address="caiwu@firm.example")
    book.collect("A", 2)
    run()
    assert send() == {"sent": 1}
    (letter,) = mail.outbox
    number = f"<TX{Notice.objects.get().pk}-1@bank.example>"
    assert (letter.to, letter.subject, letter.body) == (
        ["caiwu@firm.example"], "财政贴息告知", TOLD,
    )  # fmt: skip
    assert letter.extra_headers == {
        "Message-ID": number,
        "Date": "Mon, 23 Nov 2026 08:00:00 +0000",
    }
    record = NoticeRecord.objects.get()
    assert (record.message_id, record.address) == (number, "c***@firm.example")
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    book.collect("A", 3)
    run()
    assert send() == {"failed": 1}
    assert len(mail.outbox) == 1


def test_a_sender_killed_before_it_noted_sends_again_with_the_same_reference(
    book: SmallBook, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.collect("A", 2)
    run()

    class Killed(BaseException):
        pass

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    with http_gateway() as server:
        settings.NOTICES_GATEWAYS = {"sms": server.address}
        with monkeypatch.context() as patch:
            patch.setattr(notice_sending, "_note", killed)
            with pytest.raises(Killed):
                send()
        assert (states(), records()) == (["waiting"], [])
        assert send(AT + timedelta(minutes=4)) == {}
        assert send(AT + timedelta(minutes=6)) == {"sent": 1}
    first, second = server.references()
    assert first == second == f"TX{Notice.objects.get().pk}-1"
    assert NoticeDelivery.objects.get().attempts == 2


def test_templates_that_could_not_be_sent_are_refused(tmp_path: Path) -> None:
    from settlement.engine.errors import TermsError
    from settlement.services.notice_texts import SHIPPED, load_templates

    good = (SHIPPED / "default.toml").read_text(encoding="utf-8")
    for old, new, problem in (
        ("{net}", "{rate}", "way_netted: 未知的字段 / unknown field {rate}"),
        ("{enterprise}", "{enterprise.__class__}", "unknown field {enterprise.__class__}"),
        ("{total}", "{total:>9}", "unknown field {total:>9}"),
        ("{total}", "", "original: 必须写明 / must say {total}"),
        ("{way}", "{way", "braces do not match"),
        ("咨询电话", "咨询电话" * 40, "超过 500 字"),
        ('scheme = ""', 'scheme = ""\nmore = "x"', "more: 未知的键 / is not a known key"),
        ('added = "补付的贴息按同样方式支付。"', "", "added: 缺少 / is missing"),
    ):
        (tmp_path / "default.toml").write_text(good.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(TermsError) as refusal:
            load_templates(tmp_path)
        assert problem in str(refusal.value), old
    (tmp_path / "default.toml").write_text(good, encoding="utf-8")
    (tmp_path / "more.toml").write_text(good, encoding="utf-8")
    with pytest.raises(TermsError, match="told twice"):
        load_templates(tmp_path)


def test_the_file_gateway_writes_whole_lines_or_says_why_not(tmp_path: Path) -> None:
    gateway = FileGateway(tmp_path / "a" / "b", "sms")
    told = {"to": "1", "text": "一\n二", "at": AT}
    first = gateway.send(reference="R1", **told)
    second = gateway.send(reference="R2", **told)
    path = tmp_path / "a" / "b" / "sms-2026-11-23.jsonl"
    content = path.read_bytes()
    assert [json.loads(line)["reference"] for line in content.splitlines()] == ["R1", "R2"]
    assert first.message_id == "sms-2026-11-23.jsonl:0"
    start = len(content.splitlines(keepends=True)[0])
    assert second.message_id == f"sms-2026-11-23.jsonl:{start}"
    assert path.stat().st_mode & 0o777 == 0o600
    (tmp_path / "taken").write_text("")
    with pytest.raises(Unreached, match="FileExistsError"):
        FileGateway(tmp_path / "taken", "sms").send(reference="R3", **told)
    assert issubclass(Refused, Exception)


def test_notices_stay_and_are_their_institution_s(book: SmallBook, as_role: Any) -> None:
    from config.kernel.models import Institution

    book.collect("A", 2)
    run()
    send()
    north, south = (Institution.objects.get(code=code) for code in (NORTH, TREE[3][0]))
    for table in (Notice, NoticeDelivery, NoticeRecord, EnterpriseContact):
        with as_role("app", north):
            assert table.objects.count() == 1, table
        with as_role("app", south):
            assert table.objects.count() == 0, table
    for change in (
        "UPDATE settlement_notice SET is_correction = true",
        "DELETE FROM settlement_noticerecord",
        "DELETE FROM settlement_noticedelivery",
        "UPDATE settlement_noticedelivery SET note_id = 1",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            service.bulk.execute(change)
