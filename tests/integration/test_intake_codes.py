"""Credit codes that fail their check digit: one person confirms, another checks, then they come in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config.kernel.models import User
from loans.models import Enterprise, UsccConfirmation
from loans.services.checking import check_confirmation
from loans.services.confirmations import Confirming
from loans.values.errors import DomainError
from tests.integration.book import AT
from tests.integration.samples import (
    BOOK,
    WRONG_DIGIT,
    changed,
    csv_bytes,
    load_book,
    refused,
    state,
    stored,
    take,
)

pytestmark = pytest.mark.django_db

FIRM = changed(BOOK["enterprises"][0], uscc=WRONG_DIGIT)
PLACE = "row 2, column uscc (统一社会信用代码)"
UNCONFIRMED = (
    f"{PLACE}: 校验位不符；核对后如确实无误，用 --confirm-uscc（后台：复核确认）"
    " / the check digit does not match; if the code is right, use --confirm-uscc"
    f" (in the admin: confirm it), {WRONG_DIGIT}"
)
UNCHECKED = (
    f"{PLACE}: 校验位不符，已登记确认，待另一人复核后重新导入 / the check digit does not match;"
    f" confirmed: import again once another person has checked it, {WRONG_DIGIT}"
)


@pytest.fixture
def file(tmp_path: Path) -> str:
    load_book(tmp_path, upto="enterprises")
    User.objects.create(username="wang", role="administrator")
    path = tmp_path / "firm.csv"
    path.write_bytes(csv_bytes([FIRM]))
    return str(path)


def confirm(file: str, *arguments: str, kind: str = "enterprises") -> None:
    call_command("import_data", kind, file, "--confirm-uscc", "--actor", "wang", *arguments)


def test_an_unconfirmed_code_is_refused(file: str, tmp_path: Path) -> None:
    assert refused("enterprises", [FIRM], tmp_path) == [UNCONFIRMED]


def test_a_confirmed_code_comes_in_where_commands_are_checked(file: str, tmp_path: Path) -> None:
    confirm(file)
    assert FIRM in stored("enterprises", tmp_path)
    one = UsccConfirmation.objects.get()
    assert (one.uscc, one.made_by, one.checked_by) == (WRONG_DIGIT, "wang", "system-checker")
    contract = changed(BOOK["contracts"][0], uscc=WRONG_DIGIT, project_code="")
    assert take("contracts", [contract], tmp_path).inserted == 1


def test_a_confirmed_code_waits_for_another_person_elsewhere(
    file: str, tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.AUTO_CHECK = False
    for _ in range(2):
        with pytest.raises(CommandError, match="1 处错误"):
            confirm(file)
        assert capsys.readouterr().err.splitlines() == [UNCHECKED]
    assert not Enterprise.objects.filter(uscc=WRONG_DIGIT).exists()
    one = UsccConfirmation.objects.get()
    assert (one.made_by, one.checked_by) == ("wang", None)
    assert refused("enterprises", [FIRM], tmp_path) == [UNCONFIRMED]
    with pytest.raises(DomainError, match="须由另一人复核"):
        check_confirmation(confirmation_id=one.pk, actor="wang", at=AT)
    assert refused("enterprises", [FIRM], tmp_path) == [UNCONFIRMED]
    check_confirmation(confirmation_id=one.pk, actor="li", at=AT)
    assert take("enterprises", [FIRM], tmp_path).inserted == 1


def test_a_confirmation_of_a_refused_file_is_not_kept(file: str, tmp_path: Path) -> None:
    """Neither with a bad cell, nor with a row that points nowhere, checked or unchecked."""
    for checker in ("system-checker", None):
        confirming = Confirming(checker=checker)
        bad = changed(FIRM, size="huge")
        (problem,) = refused("enterprises", [bad], tmp_path, confirming=confirming)
        assert "column size" in problem
    contract = changed(BOOK["contracts"][0], uscc=WRONG_DIGIT, project_code="P-404")
    problems = refused(
        "contracts", [contract], tmp_path, confirming=Confirming(checker="system-checker")
    )
    assert [problem.split(" (")[0] for problem in problems] == [
        "row 2, column uscc", "row 2, column project_code",
    ]  # fmt: skip


def test_a_dry_run_confirms_nothing(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = state()
    confirm(file, "--dry-run")
    assert state() == before
    assert capsys.readouterr().out.splitlines() == [
        "enterprises: 1 行 rows, 新增 new 1, 更正 corrected 0, 未变 unchanged 0"
        "（试运行，未保存 / dry run, nothing saved）"
    ]


def test_confirming_needs_no_failing_code(file: str, tmp_path: Path) -> None:
    take("enterprises", BOOK["enterprises"], tmp_path, confirming=Confirming(checker=None))
    assert UsccConfirmation.objects.count() == 0
