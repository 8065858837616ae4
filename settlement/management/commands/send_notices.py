"""`send_notices`: send what enterprises are still to be told, and sum up how notices stand."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.conf import settings

from config.kernel.management.base import ProjectCommand, now
from settlement.management.tables import table
from settlement.models import Notice, NoticeDelivery
from settlement.services.notice_sending import send_waiting

WORDS = {
    "sent": "已发送 sent",
    "delivered": "已送达 delivered",
    "waiting": "待发送 waiting",
    "failed": "发送失败 failed",
    "no_contact": "无联系方式 no contact",
    "no_gateway": "未开通 no gateway",
}
TRIED = {"unreached": "未发出，稍后重试 to be tried again"}


class Command(ProjectCommand):
    """See `--help`."""

    help = (
        "发送待发送的企业告知并汇总状态；不用 Celery 时定时执行，可重复、可同时执行"
        " / send the notices that wait and sum up how notices stand; to be run regularly where Celery"
        " is not, as often and as many at once as you like"
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Send until nothing is due, then print what was done and what there is."""
        self.require_everywhere(options)
        if not settings.NOTICES_FOR:
            self.stdout.write("未开通任何告知（NOTICES_FOR）/ no notices are sent (NOTICES_FOR)")
        counts = send_waiting(actor=self.actor(options), clock=now)
        for outcome, count in sorted(counts.items()):
            self.stdout.write(f"本次 now: {(WORDS | TRIED)[outcome]} {count}")
        there = Counter(NoticeDelivery.objects.values_list("state", flat=True).iterator())
        there["no_gateway"] = Notice.objects.count() - there.total()
        rows = [[WORDS[state], str(there[state])] for state in WORDS if there[state]]
        self.stdout.write(table(["状态 state", "条数 notices"], rows))
