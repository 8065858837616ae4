"""A new text of a scheme in a browser: refused line by line, put in by one, in force by another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from settlement.models import SchemeVersion
from settlement.services.schemes import SHIPPED, terms_in_force
from tests.browser.desk import CHECKER, MAKER, Desk, desks, two_people, whole
from tests.browser.door import MARKS
from tests.integration import book, rows

pytestmark = MARKS

CODE = "central-equipment-2026"
TEXT = SHIPPED / f"{CODE}.toml"


@pytest.fixture
def desk(transactional_db: None, live_server: Any) -> Any:
    tree = rows.institutions()
    book.load_shipped()
    two_people(tree[rows.BANK])
    with desks(live_server.url, "scheme") as made:
        yield made


def upload(desk: Desk, folder: Path, before: str, after: str) -> str:
    """The maker puts in the shipped text with a change; what the page says."""
    path = folder / f"{CODE}.toml"
    path.write_text(TEXT.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    desk.menu(MAKER, "settlement/schemeversion")
    desk.press(MAKER, "登记新版本")
    desk[MAKER].set_input_files("#id_file", path)
    return desk.submit(MAKER)


def in_force() -> int:
    return whole(lambda: terms_in_force().version_ids[CODE])


def test_new_terms_are_put_in_by_one_and_in_force_by_another(desk: Desk, tmp_path: Path) -> None:
    before = in_force()
    assert "不得用浮点数" in upload(desk, tmp_path, 'points = "1.5"', "points = 1.5")
    desk.look(MAKER, "01-refused")
    assert whole(SchemeVersion.objects.count) == 4
    told = upload(desk, tmp_path, 'points = "1.5"', 'points = "1.2"')
    assert "新版本已登记，待他人复核" in told
    desk.look(MAKER, "02-put-in")
    desk.cannot(MAKER, "check")
    desk.cannot(MAKER, "refuse")
    made = whole(lambda: SchemeVersion.objects.latest("pk").pk)

    desk.waiting(CHECKER, "政策版本")
    desk.row(CHECKER, MAKER)
    desk.press(CHECKER, "复核通过")
    shown = desk.look(CHECKER, "03-check")
    for text in ("对照：版本 1", "贴息比例 › 资金层级 › 中央", "points = 1.5", "points = 1.2"):
        assert text in shown, text
    assert in_force() == before
    assert "已复核，新条款生效" in desk.submit(CHECKER)
    assert in_force() == made
    desk.look(CHECKER, "04-in-force")
