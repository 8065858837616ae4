"""Checks of money and rules: the difference is shown, a refusal says why, nobody checks their own."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from config.kernel.models import Institution, Role
from settlement.models import PayoutBatch, PayoutResult, SchemeVersion
from settlement.services.schemes import SHIPPED, terms_in_force
from tests import database
from tests.integration import book as books
from tests.integration import rows
from tests.integration.book import AT
from tests.integration.small_book import NORTH, SmallBook
from tests.integration.steps import address, become, faults, send, taken
from tests.integration.test_admin import person, url, web  # noqa: F401
from tests.integration.test_payout_batches import HEADER, answer, everything, ids, paid_out  # noqa: F401
from tests.integration.test_payouts import book  # noqa: F401

pytestmark = pytest.mark.django_db

BATCH, VERSION = "settlement.payoutbatch", "settlement.schemeversion"
EQUIPMENT = SHIPPED / "central-equipment-2026.toml"


def whole(ask: Any) -> Any:
    """The answer as a worker sees it: everything."""
    with database.as_role("worker"):
        return ask()


@pytest.fixture
def bank() -> Institution:
    found = Institution.objects.get(code=NORTH)
    return found.parent or found


class TestPayouts:
    """Direct pay-outs: batched, checked, sent as a file, answered by a file."""

    @pytest.fixture
    def two(self, paid_out: SmallBook, bank: Institution, web: Any) -> tuple[Any, Any]:
        return web(person(Role.MAKER, bank, "zhang")), web(person(Role.CHECKER, bank, "li"))

    def batch(self, maker: Any) -> int:
        assert taken(send(maker, BATCH, "prepare", day="2026-03-12"))
        return int(whole(lambda: PayoutBatch.objects.latest("pk").pk))

    def upload(self, client: Any, *lines: tuple[Any, ...]) -> Any:
        text = HEADER + "".join(",".join(map(str, line)) + "\n" for line in lines)
        file = SimpleUploadedFile("results.csv", text.encode())
        return client.post(address(BATCH, "results"), {"file": file})

    def test_from_the_batch_to_the_answer(self, two: Any, tmp_path: Path) -> None:
        maker, checker = two
        first, second = whole(ids)
        key = self.batch(maker)
        file = reverse("admin:settlement_payoutbatch_file", args=[key, "csv"])
        before = whole(everything)
        assert maker.get(file).status_code == 302
        page = checker.get(address(BATCH, "send", key)).content.decode()
        for text in ("复核前后", "2,000.00", "0032"):
            assert text in page, text
        assert whole(everything) == before
        assert taken(send(checker, BATCH, "send", key))
        sent = maker.get(file)
        out = tmp_path / "batch.csv"
        with database.as_role("worker"):
            call_command(
                "export", "payouts", "--batch", str(key), "--out", str(out), stdout=io.StringIO()
            )
        assert b"".join(sent.streaming_content) == out.read_bytes()

        before = whole(everything)
        wrong = self.upload(
            maker, answer(first, "succeeded", amount="9.00"), answer(999, "succeeded")
        )
        assert faults(wrong)["file"].startswith("文件有 2 处错误")
        page = wrong.content.decode()
        for text in ("与拨付金额 1000.00 元不同", "没有此拨付号的第几次拨付", "金额"):
            assert text in page, text
        assert whole(everything) == before
        good = (answer(first, "succeeded"), answer(second, "failed"))
        assert taken(self.upload(maker, *good))
        told = whole(
            lambda: list(PayoutResult.objects.order_by("pk").values_list("result", "actor"))
        )
        assert told == [("succeeded", "zhang"), ("failed", "zhang")]
        before = whole(everything)
        assert "此前均已登记，未重复登记" in faults(self.upload(maker, *good))["file"]
        assert whole(everything) == before

    def test_twice_is_once_and_a_refusal_says_why(self, two: Any) -> None:
        maker, checker = two
        key = self.batch(maker)
        before = whole(everything)
        assert "没有可列入批次" in faults(send(maker, BATCH, "prepare", day="2026-03-12"))["day"]
        assert list(faults(send(checker, BATCH, "refuse", key, why=" "))) == ["why"]
        assert send(maker, BATCH, "refuse", key, why="x").status_code == 403
        assert whole(everything) == before
        assert taken(send(checker, BATCH, "refuse", key, why="户名有误"))
        before = whole(everything)
        assert "不是待复核状态" in faults(send(checker, BATCH, "send", key))[""]
        assert "户名有误" in checker.get(url(BATCH, "change", key)).content.decode()
        assert whole(everything) == before
        assert self.batch(maker) > key

    def test_nobody_sends_their_own(self, paid_out: SmallBook, bank: Institution, web: Any) -> None:
        boss = web(person(Role.MAKER, bank, "boss"))
        key = self.batch(boss)
        become("boss", Role.CHECKER)
        before = whole(everything)
        for step in ("send", "refuse"):
            assert "须由他人复核" in faults(send(boss, BATCH, step, key, why="x"))[""]
            page = boss.get(url(BATCH, "change", key)).content.decode()
            assert address(BATCH, step, key) not in page
        assert whole(everything) == before


class TestSchemes:
    """A new text of a scheme's terms: put in by one, in force or refused by another."""

    @pytest.fixture
    def two(self, web: Any) -> tuple[Any, Any]:
        tree = rows.institutions()
        books.load_shipped()
        place = tree[rows.BANK]
        return web(person(Role.MAKER, place, "zhang")), web(person(Role.CHECKER, place, "li"))

    def put(self, client: Any, text: str, name: str = "eq.toml") -> Any:
        file = SimpleUploadedFile(name, text.encode())
        return client.post(address(VERSION, "propose"), {"file": file})

    def changed(self) -> str:
        return EQUIPMENT.read_text(encoding="utf-8").replace('points = "1.5"', 'points = "1.2"')

    def versions(self) -> list[Any]:
        return whole(lambda: list(SchemeVersion.objects.order_by("pk").values()))

    def points(self) -> str:
        book = whole(terms_in_force)
        (terms,) = (one for one in book.terms if one.code == "central-equipment-2026")
        return str(terms.tiers)

    def test_the_difference_is_seen_before_it_is_in_force(self, two: Any) -> None:
        maker, checker = two
        before = self.points()
        assert taken(self.put(maker, self.changed()))
        made = whole(lambda: SchemeVersion.objects.latest("pk"))
        assert (made.version, made.made_by, made.checked_by) == (2, "zhang", None)
        assert self.points() == before
        page = checker.get(address(VERSION, "check", made.pk)).content.decode()
        for text in ("对照：版本 1", "贴息比例 › 资金层级 › 中央", "points = 1.5", "points = 1.2"):
            assert text in page, text
        assert "贴息期限" not in page
        assert taken(send(checker, VERSION, "check", made.pk))
        key = whole(terms_in_force).version_ids["central-equipment-2026"]
        assert key == made.pk
        before_again = self.versions()
        assert "未复核" in faults(send(checker, VERSION, "check", made.pk))[""]
        assert self.versions() == before_again

    def test_a_refused_text_never_is(self, two: Any) -> None:
        maker, checker = two
        assert taken(self.put(maker, self.changed()))
        made = whole(lambda: SchemeVersion.objects.latest("pk"))
        before = self.versions()
        assert list(faults(send(checker, VERSION, "refuse", made.pk, why=" "))) == ["why"]
        assert send(maker, VERSION, "refuse", made.pk, why="x").status_code == 403
        assert self.versions() == before
        assert taken(send(checker, VERSION, "refuse", made.pk, why="比例有误"))
        made = whole(lambda: SchemeVersion.objects.get(pk=made.pk))
        assert (made.refused_by, made.refused_why, made.checked_by) == ("li", "比例有误", None)
        before = self.versions()
        assert "未复核" in faults(send(checker, VERSION, "check", made.pk))[""]
        with pytest.raises(IntegrityError), database.as_role("worker"), transaction.atomic():
            SchemeVersion.objects.filter(pk=made.pk).update(checked_by="wang", checked_at=AT)
        assert self.versions() == before
        assert taken(self.put(maker, self.changed()))
        assert whole(lambda: SchemeVersion.objects.latest("pk").version) == 3

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (('points = "1.5"', "points = 1.5"), "不得用浮点数"),
            (("central-equipment-2026", "unheard-of"), "没有政策 unheard-of"),
            (("[rate]", "[rate"), "不是有效的 TOML"),
            (("", ""), "与版本 1 内容相同，未重复登记"),
        ],
    )
    def test_a_text_that_cannot_be(self, change: tuple[str, str], told: str, two: Any) -> None:
        maker, _checker = two
        before = self.versions()
        text = EQUIPMENT.read_text(encoding="utf-8").replace(*change, 1)
        assert told in faults(self.put(maker, text))["file"]
        assert self.versions() == before
        assert list(faults(self.put(maker, text, "eq.txt"))) == ["file"]
        assert self.versions() == before

    def test_nobody_checks_their_own(self, two: Any, web: Any) -> None:
        boss = web(person(Role.ADMINISTRATOR, None, "boss"))
        assert taken(self.put(boss, self.changed()))
        made = whole(lambda: SchemeVersion.objects.latest("pk"))
        before = self.versions()
        for step in ("check", "refuse"):
            assert "须由另一人复核" in faults(send(boss, VERSION, step, made.pk, why="x"))[""]
            page = boss.get(url(VERSION, "change", made.pk)).content.decode()
            assert address(VERSION, step, made.pk) not in page
        for who in ({"checked_by": "boss"}, {"refused_by": "boss", "refused_why": "x"}):
            with pytest.raises(IntegrityError), database.as_role("worker"), transaction.atomic():
                SchemeVersion.objects.filter(pk=made.pk).update(**who)
        assert self.versions() == before
