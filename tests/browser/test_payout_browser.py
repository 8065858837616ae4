"""Pay-outs in a browser: batched, sent by another, answered, and what failed tried again."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.kernel.models import Institution
from settlement.models import Payout, PayoutAttempt
from tests.browser.desk import CHECKER, MAKER, Desk, desks, two_people, whole
from tests.browser.door import MARKS
from tests.integration.book import run
from tests.integration.small_book import TREE, SmallBook
from tests.integration.test_payout_batches import HEADER, answer
from tests.integration.test_payouts import agree, book  # noqa: F401

pytestmark = MARKS

BATCHES = "settlement/payoutbatch"


@pytest.fixture
def paid_out(transactional_db: None, book: SmallBook) -> SmallBook:
    """Two pay-outs of 1,000 yuan, due on 11 February and 11 March."""
    for month in (2, 3):
        book.collect("A", month)
    run()
    two_people(Institution.objects.get(code=TREE[0][0]))
    return book


def prepare(desk: Desk, day: str, file: str) -> str:
    """The maker puts into a batch what is due by a day; what the batch says."""
    desk.menu(MAKER, BATCHES)
    desk.press(MAKER, "生成拨付批次")
    desk.fill(MAKER, day=day)
    assert "待他人复核" in desk.submit(MAKER)
    return desk.look(MAKER, file)


def send(desk: Desk, day: str, file: str) -> None:
    """The checker comes from home to the batch, sees whom it pays, and sends it."""
    desk.waiting(CHECKER, "拨付批次")
    desk.row(CHECKER, day)
    desk.press(CHECKER, "复核并发出")
    shown = desk.look(CHECKER, file)
    for text in ("复核前后", "发出金额（元）", "丙银行"):
        assert text in shown, text
    assert "已发出，可下载拨付文件" in desk.submit(CHECKER)


def upload(desk: Desk, folder: Path, *lines: tuple[Any, ...]) -> str:
    """The maker brings in what the payment system answered."""
    path = folder / "results.csv"
    path.write_text(HEADER + "".join(",".join(map(str, line)) + "\n" for line in lines))
    desk.menu(MAKER, BATCHES)
    desk.press(MAKER, "上传拨付结果")
    desk[MAKER].set_input_files("#id_file", path)
    return desk.submit(MAKER)


def attempts() -> list[Any]:
    rows = PayoutAttempt.objects.order_by("pk")
    return whole(lambda: list(rows.values_list("attempt", "account_number", "state")))


def test_a_batch_is_sent_answered_and_what_failed_is_tried_again(
    paid_out: SmallBook, live_server: Any, tmp_path: Path
) -> None:
    first, second = Payout.objects.order_by("pk").values_list("pk", flat=True)
    with desks(live_server.url, "payout") as desk:
        shown = prepare(desk, "2026-03-12", "01-batch")
        assert shown.count("1,000.00") == 2 and "2,000.00" in shown
        desk.cannot(MAKER, "send")
        desk.cannot(MAKER, "refuse")
        send(desk, "2026-03-12", "02-send")
        desk.menu(MAKER, BATCHES)
        desk.row(MAKER, "2026-03-12")
        desk.look(MAKER, "03-sent")
        sent = desk.saved(MAKER, "下载拨付文件 CSV").decode("utf-8-sig").splitlines()
        assert [line.count("0032") for line in sent] == [0, 1, 1]

        wrong = upload(desk, tmp_path, answer(first, "succeeded", amount="999.00"))
        assert "文件有 1 处错误，未保存任何数据" in wrong
        desk.look(MAKER, "04-wrong-file")
        told = upload(desk, tmp_path, answer(first, "succeeded"), answer(second, "failed"))
        assert "已登记结果 2 笔（文件 2 行）" in told
        assert attempts() == [(1, "0032", "paid"), (1, "0032", "failed")]
        desk.menu(MAKER, "settlement/payout")
        assert "拨付失败" in desk.look(MAKER, "05-payouts")

        whole(lambda: agree(paid_out, account_number="0033"))
        shown = prepare(desk, "2026-03-13", "06-again")
        assert "0033" in shown and "0032" not in shown
        send(desk, "2026-03-13", "07-send-again")
        told = upload(desk, tmp_path, answer(second, "succeeded", 2, paid_on="2026-03-14"))
        assert "已登记结果 1 笔（文件 1 行）" in told
        desk.menu(MAKER, "settlement/payout")
        desk.look(MAKER, "08-all-paid")

    assert attempts() == [(1, "0032", "paid"), (1, "0032", "failed"), (2, "0033", "paid")]
