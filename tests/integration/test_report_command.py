"""`report` and `import_holidays` as people run them; and two who make the same report at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config.kernel.models import User
from config.kernel.services import store
from reports.models import Obligation, Report, ReportFile, WorkingDayException
from reports.services import asking, generation
from reports.services.catalogue import Asked
from reports.services.generation import Generated
from reports.services.obligations import refresh
from tests.integration import book, rows
from tests.integration.rows import BANK, NANJING, OTHER
from tests.integration.small_report import CODE, Small, small
from tests.integration.test_report_life import AT

pytestmark = pytest.mark.django_db

HEADER = "日期,类别,名称,文号\n"


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Path) -> None:
    settings.REPORTS_DIR = tmp_path / "store"


@pytest.fixture
def report() -> Iterator[Small]:
    with small() as one:
        yield one


@pytest.fixture
def bank() -> None:
    rows.institutions()
    book.load_shipped()


def run(name: str, *arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(name, *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def ask(folder: Path, **changes: str) -> tuple[str, str]:
    options = {"period": "2026-03", "institution": NANJING, "out": str(folder)}
    code = changes.pop("code", CODE)
    return run("report", code, *(f"--{k}={v}" for k, v in (options | changes).items()))


def test_a_report_is_put_into_a_folder_and_told(report: Small, bank: None, tmp_path: Path) -> None:
    out, _ = ask(tmp_path / "out", scheme="central-sme-2026")

    made = Report.objects.get()
    stem = f"{CODE}_central-sme-2026_{NANJING}_2026-03"
    assert out.splitlines() == [
        f"报表 report #{made.pk} 第 1 版 version, 已复核 checked, 新生成 new",
        str(tmp_path / "out" / f"{stem}.csv"),
        str(tmp_path / "out" / f"{stem}.pdf"),
        "合计 total 明细 · 放款金额: 3500.50 元 yuan",
        "勾稽 ties 放款合计 = 借据: 3500.50 元 yuan ✓",
    ]
    assert (made.made_by, made.checked_by, made.scheme_code) == (
        "system", "system-checker", "central-sme-2026",
    )  # fmt: skip
    assert {path.name: store.digest(path) for path in (tmp_path / "out").iterdir()} == dict(
        ReportFile.objects.values_list("name", "sha256")
    )
    (asked,) = report.asked
    assert (asked.period.code, asked.scheme_code) == ("2026-03", "central-sme-2026")
    again, _ = ask(tmp_path / "again", scheme="central-sme-2026")
    assert "内容未变 unchanged" in again
    assert Report.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"code": "news"}, "没有这种报表：news，可选 new-loans / "),
        ({"period": "2026-3"}, "报告期 2026-3 无法识别，写作 2026-03 | 2026-Q1 | 2026 / "),
        ({"institution": "NOBODY"}, "未登记的机构编码：NOBODY / unknown institution"),
        ({"scheme": "x"}, "未装载的贴息政策：x / unknown scheme"),
    ],
)
def test_what_is_unknown_is_told_in_one_line(
    report: Small, bank: None, tmp_path: Path, changes: dict[str, str], told: str
) -> None:
    with pytest.raises(CommandError) as refused:
        ask(tmp_path / "out", **changes)
    assert str(refused.value).startswith(told)
    assert ("\n" in str(refused.value), refused.value.returncode) == (False, 1)
    assert Report.objects.count() == 0
    assert not (tmp_path / "out").exists()


def test_without_an_institution_it_is_a_mistake_of_usage(report: Small, bank: None) -> None:
    with pytest.raises(CommandError) as refused:
        run("report", CODE, "--period=2026", "--out=x")
    assert refused.value.returncode == 2


def test_a_person_makes_reports_of_the_own_scope_alone(
    report: Small, bank: None, tmp_path: Path
) -> None:
    place = rows.institutions()[NANJING]
    User.objects.create_user("branch", role="maker", institution=place)
    User.objects.create_user("auditor", role="auditor", institution=place)
    with pytest.raises(CommandError, match="不在用户范围内"):
        ask(tmp_path, actor="branch", institution=BANK)
    with pytest.raises(CommandError, match="不能执行此命令"):
        ask(tmp_path, actor="auditor")
    assert Report.objects.count() == 0
    ask(tmp_path / "out", actor="branch")
    assert Report.objects.get().made_by == "branch"


def test_a_tampered_file_is_not_handed_out(report: Small, bank: None, tmp_path: Path) -> None:
    ask(tmp_path / "out")
    file = ReportFile.objects.get(format="pdf")
    stored = store.place(file.sha256)
    stored.chmod(0o640)
    stored.write_text("other")
    with pytest.raises(CommandError, match=r"2026-03\.pdf 与登记的 sha256 .* 不符，已被改动"):
        ask(tmp_path / "again")
    assert not (tmp_path / "again" / file.name).exists()


def days(path: Path, content: str) -> Path:
    path.write_text(HEADER + content, encoding="utf-8")
    return path


def test_deadlines_are_there_once_they_are_asked_for(bank: None) -> None:
    rows.note(rows.institutions()[NANJING], drawn_on=date(2026, 2, 10))
    assert not Obligation.objects.exists()

    out, _ = run("deadlines", "--list", f"--institution={BANK}")

    told = out.splitlines()
    assert told[0].startswith(
        f"报送事项 obligations: 新增 new {Obligation.objects.count()}, 更新 updated 0; "
    )
    listed = next(line for line in told if line.startswith("2026-03-05"))
    assert listed.endswith(
        f" new-loans central-sme-2026 2026-02 {BANK} → 对口财政部门，财金〔2026〕4号 二(三)"
    )
    assert len(told) == 1 + Obligation.objects.count()
    out, _ = run("deadlines", f"--institution={OTHER}")
    assert out == "报送事项 obligations: 新增 new 0, 更新 updated 0; \n"


def test_a_year_is_brought_in_and_its_deadlines_with_it(bank: None, tmp_path: Path) -> None:
    rows.note(rows.institutions()[NANJING])
    known = WorkingDayException.objects.count()
    file = days(
        tmp_path / "2027.csv", "2027-01-01,休,元旦,国办1号\n2027/1/4,workday,元旦,国办1号\n"
    )

    out, _ = run("import_holidays", str(file))

    assert (
        out.splitlines()[0] == "holidays: 2 行 rows, 新增 new 2, 更正 corrected 0, 未变 unchanged 0"
    )
    assert WorkingDayException.objects.count() == known + 2
    assert WorkingDayException.objects.get(day=date(2027, 1, 4)).is_working
    assert Obligation.objects.get(code="monthly-execution", period="2026-01").due_on == date(
        2026, 2, 6
    )
    out, _ = run("import_holidays", str(file))
    assert "新增 new 0, 更正 corrected 0, 未变 unchanged 2" in out
    days(file, "2027-01-04,休,元旦,国办2号\n")
    out, _ = run("import_holidays", str(file))
    assert "新增 new 0, 更正 corrected 1, 未变 unchanged 0" in out


def test_a_year_brought_in_by_half_is_still_refused_naming_the_rest(
    bank: None, tmp_path: Path
) -> None:
    rows.note(rows.institutions()[NANJING])
    file = days(tmp_path / "half.csv", "2027-01-01,休,元旦,国办1号\n2027-02-06,休,春节,国办1号\n")

    _, err = run("import_holidays", str(file))

    assert err.startswith("2027 年尚缺 清明节、劳动节、端午节、中秋节、国庆节，")
    (problem,) = refresh(today=date(2026, 11, 27)).problems
    assert problem.startswith("2027 年节假日安排不全（缺清明节、劳动节、端午节、中秋节、国庆节），")
    assert not Obligation.objects.filter(due_on__year=2027).exists()

    rest = (
        "2027-04-05,休,清明节\n2027-05-01,休,劳动节\n2027-06-09,休,端午节\n2027-09-15,休,中秋节\n"
    )
    days(file, (rest + "2027-10-01,休,国庆节\n").replace("节\n", "节,国办1号\n"))
    _, err = run("import_holidays", str(file))
    assert "尚缺" not in err
    assert refresh(today=date(2026, 11, 27)).problems == ()
    assert Obligation.objects.get(code="monthly-execution", period="2026-12").due_on == date(
        2027, 1, 8
    )


def test_bad_days_are_listed_by_row_and_column_and_nothing_is_kept(
    bank: None, tmp_path: Path
) -> None:
    before = list(WorkingDayException.objects.values_list())
    file = days(
        tmp_path / "bad.csv",
        "2027-02-30,休,春节,国办1号\n2027-02-01,放假,春节,国办1号\n2027-02-02,休,,国办1号\n"
        "2027-02-03,休,春节,国办1号\n2027-02-03,班,春节,国办1号\n",
    )
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError, match="未保存任何数据"):
        call_command("import_holidays", str(file), stdout=out, stderr=err)
    lines = err.getvalue().splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "row 2, column day (日期)", "row 3, column kind (类别)", "row 4, column name (名称)",
        "row 5, column day (日期)", "row 6, column day (日期)",
    ]  # fmt: skip
    assert list(WorkingDayException.objects.values_list()) == before
    with pytest.raises(CommandError) as refused:
        run("import_holidays", str(tmp_path / "none.csv"))
    assert refused.value.returncode == 2
    with pytest.raises(CommandError, match="全部机构"):
        run("import_holidays", str(file), f"--institution={NANJING}")


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_report(report: Small, bank: None) -> None:
    """The second waits for the first, and then finds what it made."""
    building, go_on = threading.Event(), threading.Event()
    build = report.build

    def slow(asked: Asked) -> Any:
        building.set()
        assert go_on.wait(30)
        return build(asked)

    from reports.services.catalogue import BUILDERS

    BUILDERS[CODE] = slow
    made: list[Generated] = []

    def work() -> None:
        asked = asking.read(
            code=CODE, period_code="2026-03", institution_code=NANJING, scheme_code=None
        )
        made.append(generation.generate(code=CODE, asked=asked, actor="maker", at=AT))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert building.wait(30)
    _until_one_waits()
    go_on.set()
    for thread in threads:
        thread.join(30)

    assert sorted(one.is_new for one in made) == [False, True]
    assert len({one.report_id for one in made}) == Report.objects.count() == 1


def _until_one_waits() -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    pause = threading.Event()
    for _ in range(300):
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0] == 1:
                return
        pause.wait(0.1)
    raise AssertionError("nobody waits")
