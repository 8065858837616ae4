"""One notice that was sent by a bank, with the contact it went to."""

from __future__ import annotations

from datetime import datetime

from loans.models import EnterpriseContact
from settlement.models import Deduction, Notice, NoticeDelivery, NoticeRecord


def told(of: Deduction, at: datetime) -> Notice:
    """The deduction's notice: sent by text message, delivered."""
    place = {"institution_id": of.institution_id, "note_id": of.note_id}
    contact, _ = EnterpriseContact.objects.get_or_create(
        institution_id=of.institution_id,
        enterprise_id=of.note.contract.enterprise_id,
        channel="sms",
        defaults={"address": "13800001234", "name": "张三"},
    )
    made = Notice.objects.create(deduction=of, scheme_id=of.scheme_id, is_correction=False, **place)
    NoticeDelivery.objects.create(notice=made, state="delivered", attempts=1, next_at=at, **place)
    NoticeRecord.objects.create(
        notice=made, outcome="delivered", at=at, actor="system", reference=f"TX{made.pk}-1",
        channel="sms", gateway="file", contact=contact, address="*******1234", message_id="1",
        sha256="0" * 64, **place,
    )  # fmt: skip
    return made
