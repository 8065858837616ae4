"""`explain`: every deduction redone by hand from its explanation, and what a clerk reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from config.kernel.models import SCOPE_ALL, Institution, User
from loans.models import Note
from settlement.management.explanation_text import page
from settlement.management.tables import width
from settlement.models import Enrolment
from settlement.services.explained import Explanation, LabelWorking
from settlement.services.explanations import explain, find_notes
from settlement.services.schemes import load_schemes
from tests.integration import outside_schemes
from tests.integration.book import (
    AT,
    PORTFOLIO,
    deduction_facts,
    import_folder,
    import_rows,
    load_shipped,
    read_csv,
    run,
)
from tests.integration.redone import redo, redo_labels

pytestmark = pytest.mark.django_db

EXPECTED = PORTFOLIO / "expected"
SCHEMES = PORTFOLIO.parent / "schemes"
BANK = "C0001320100000"
OTHER_BANK = "C0011320100000"


@pytest.fixture
def portfolio() -> None:
    load_shipped()
    import_folder(PORTFOLIO)
    run()


def explained(number: str, collection: str | None = None) -> Explanation:
    (note,) = find_notes(note_number=number, scope=SCOPE_ALL, asked=None)
    return explain(note=note, scope=SCOPE_ALL, collection=collection)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command prints, in a transaction that refuses to write."""
    capsys.readouterr()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        call_command("explain", *arguments)
    return capsys.readouterr().out


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as error:
        call_command("explain", *arguments)
    assert error.value.returncode == 1
    return str(error.value)


def says(text: str, *lines: str) -> None:
    """Each of the lines is in the text, in this order, whatever the spaces and line breaks."""
    flat = "".join(text.split())
    place = 0
    for line in lines:
        place = flat.find("".join(line.split()), place)
        assert place >= 0, line


def test_every_deduction_and_judgement_of_the_portfolio_is_redone_by_hand(portfolio: None) -> None:
    rows = {
        (r["institution_code"], r["note_number"], r["scheme_code"]): r
        for r in read_csv(EXPECTED / "enrolments.csv")
    }
    redone = {}
    for number in Note.objects.order_by("pk").values_list("note_number", flat=True):
        whole = explained(number)
        assert whole.is_judged_current
        assert whole.is_posted_current
        redo_labels(whole)
        for label in whole.labels:
            row = rows.pop((whole.note.institution_code, number, label.scheme.code))
            agrees_with_the_judgement(whole.note.note_id, label, row)
        assert all(work.difference is None for work in whole.deductions)
        assert all(work.posted_fen == work.granted_fen for work in whole.deductions)
        redone.update(redo(whole))
        assert [line for line in page(whole).splitlines() if width(line) > 110] == []
    assert rows == {}
    assert redone == deduction_facts(read_csv(EXPECTED / "deductions.csv"))


def agrees_with_the_judgement(note_id: int, label: LabelWorking, row: dict[str, str]) -> None:
    """The explanation says what the export and the stored judgement say."""
    own = Enrolment.objects.get(note_id=note_id, scheme_code=label.scheme.code)
    assert label.status == row["status"]
    assert {r.reason for r in label.refusals} == {x for x in row["reasons"].split(";") if x}
    assert [r.reason for r in label.refusals] == own.reasons
    if label.status == "eligible":
        assert label.eligible is not None
        assert label.eligible.eligible_fen == own.eligible_fen
        committed = label.commitment.commitment_fen if label.commitment else None
        assert committed == own.commitment_fen
    if label.lpr is not None:
        assert label.lpr.rate_ppm == own.lpr_ppm
    assert [off.tier for off in label.tiers_off] == own.tiers_off
    assert all(off.notes and not off.others for off in label.tiers_off)


def test_a_plain_deduction_reads_as_steps(
    portfolio: None, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(capsys, "JJ72300000072", "--collection", "S723-00001017")
    says(
        text,
        "结论 status: 符合 eligible",
        "可贴息金额 eligible amount = 借据本金 principal 519,724.00 元 [财金〔2026〕2号 一]",
        "贴息期 subsidised 2026-01-10 → 2028-01-10",
        "(1) 收息 S723-00001017 × central-equipment-2026",
        "版本 v1 sha256 ",
        "① 积数 product = Σ 基数 base × 天数 days [财金〔2026〕2号 一 · 假定 assumed D2 D5]",
        "2026-01-10 2026-03-21 519,724.00 519,724.00 70 36,380,680.00",
        "36,380,680.00 × 1.5% ÷ 360 = 1,515.861666… 元（=909517/600，≈ 1,515.86） [财金〔2026〕2号 一]",
        "③ 全额收息",
        "本借据当年已收利息 interest paid this year 3,486.48 − 已用 0.00 = 剩余 3,486.48；",
        "⑤ 贴息 subsidy 1,515.86 元，核减 cut 0.00",
        "⑥ 已入账 posted 1,515.86 = 应贴 target，一致 ✓ agrees",
        "#0 原始 original 2026-11-23 run",
        "D1: 人民币利息按360天计",
        "D2: 算头不算尾 / the first day counts, the last does not",
    )
    assert text.count("── (") == 1


def test_part_payments_and_a_reversal_read_as_steps(
    portfolio: None, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(capsys, "JJ72300000002")
    says(
        text,
        "市级 municipal 不贴 pays nothing",
        "2026-02-11 2026-03-21 1,255,981.37 1,255,981.37 0 0.00 停贴 逾期",
        "停贴 stopped（逾期 overdue）不贴息，以后不补 earns nothing, then or later [假定 assumed D6]",
        "收息 S723-00000038",
        "累计实收 paid so far = 8,024.33 (S723-00000037) − 8,024.33 (S723-00000038) = 0.00；",
        "本笔 raw -3,209.73",
        "④ 冲回 taken back",
        "省级 provincial: −(3,209.73 × 3,209.73 ÷ 3,209.73) = -3,209.73",
        "收息 S723-00000039",
        "8,005.85 (S723-00000039) = 8,005.85； 占应收 share 8,005.85 / 8,024.33",
        "3,209.730167… × 8,005.85 ÷ 8,024.33 = 累计 3,202.34；− 此前 0.00 = 本笔 raw 3,202.34",
        "2027-01-01 → 2027-01-22 计息期结束后",
    )


def test_two_caps_are_named_with_what_they_left(
    portfolio: None, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(capsys, "JJ72300000097", "--collection", "S723-00001306")
    says(
        text,
        "437,762,923.01 USD × 汇率 7.1234 = 3,118,360,405.77 元",
        "项目年度上限 project cap [苏财工贸〔2026〕7号 (三)2]",
        "前 before 6,159,968.35 → 后 after 6,000,000.00 ← 核减 cut 159,968.35",
        "企业年度上限 enterprise cap",
        "限额 limit 10,000,000.00 − 已用 946,004.88 = 剩余 9,053,995.12；",
        "限额 limit 20,000,000.00 − 已用 18,097,474.88 = 剩余 1,902,525.12；",
        "→ 后 after 1,902,525.12 ← 核减 cut 4,097,474.88",
        "本系统已贴 granted here 946,004.88 + 融资租赁贴息 leasing 17,151,470.00",
        "⑤ 贴息 subsidy 1,902,525.12 元，核减 cut 4,257,443.23，因 by "
        "项目年度上限 project cap (project_cap)、与融资租赁贴息合并上限 joint cap (joint_cap)",
    )


def test_a_refused_note_says_what_each_rule_demands(
    portfolio: None, capsys: pytest.CaptureFixture[str]
) -> None:
    says(
        printed(capsys, "JJ72300000079"),
        "✗ loan_type 贷款类型不符 loan type [财金〔2026〕2号 一]",
        "要求 demands: 固定资产贷款 fixed_asset、科技创新类贷款 tech_innovation",
        "实际 has: 项目贷款 project",
        "✗ region 登记地不在范围内 region [苏财工贸〔2026〕7号 (一)]",
        "实际 has: 330100",
        "没有符合的政策，收息不产生贴息",
    )
    says(
        printed(capsys, "JJ72300000193"),
        "✗ fund_exhausted 年度资金不足 fund exhausted [苏体经〔2026〕1号 四(四) · 假定 assumed D16]",
        "840,000.00 − 在先占用 committed before 793,274.33 = 剩余 left 46,725.67",
        "实际 has: 预计贴息 expected subsidy 129,754.02",
        "10,812,835.37 × [365 天 × 1.2% (2026-08-18 → 2027-08-18)] ÷ 365 = 129,754.02",
    )


def second_note(folder: Path) -> None:
    """The same number at another bank."""
    source = {r["note_number"]: r for r in read_csv(PORTFOLIO / "notes.csv")}["JJ72300000000"]
    contracts = {r["contract_number"]: r for r in read_csv(PORTFOLIO / "contracts.csv")}
    contract = contracts[source["contract_number"]]
    import_rows("contracts", [{**contract, "institution_code": OTHER_BANK}], folder)
    import_rows("notes", [{**source, "institution_code": OTHER_BANK}], folder)


def test_a_number_of_several_banks_is_listed_and_chosen_by_institution(
    portfolio: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second_note(tmp_path)
    message = refused("JJ72300000000")
    assert BANK in message
    assert OTHER_BANK in message
    for asked in (BANK, "C0001320000001", "C0001110000000"):
        says(printed(capsys, "JJ72300000000", "--institution", asked), f"· {BANK}")
    text = printed(capsys, "JJ72300000000", "--institution", OTHER_BANK)
    says(text, f"· {OTHER_BANK}", "! 资格认定之后又有新事实", "尚未认定 not judged yet")


def test_what_is_unknown_is_refused_in_both_languages(portfolio: None) -> None:
    message = refused("NO-SUCH-NOTE")
    assert "没有借据号 NO-SUCH-NOTE" in message
    assert "no note of this number" in message
    assert "没有流水号为 X" in refused("JJ72300000000", "--collection", "X")
    assert "未登记的机构编码" in refused("JJ72300000000", "--institution", "NOWHERE")
    assert "没有借据号" in refused("JJ72300000000", "--institution", OTHER_BANK)
    assert "没有这个用户" in refused("JJ72300000000", "--actor", "nobody")


def person(name: str, code: str) -> None:
    User.objects.create(username=name, institution=Institution.objects.get(code=code))


def test_a_person_sees_his_own_notes_and_only_them(
    portfolio: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second_note(tmp_path)
    person("own", "C0001320000001")
    person("other", "C0021320000001")
    says(printed(capsys, "JJ72300000000", "--actor", "own"), f"· {BANK}")
    assert "没有借据号" in refused("JJ72300000000", "--actor", "other")
    outside = refused("JJ72300000000", "--actor", "own", "--institution", OTHER_BANK)
    assert "不在用户范围内" in outside
    text = printed(capsys, "JJ72300000013", "--actor", "other")
    says(text, "✗ one_bank_per_enterprise", "另一家银行的借据 a note of another bank")
    assert "C0011320100000" not in text
    text = printed(capsys, "JJ72300000097", "--actor", "own")
    says(text, "市级 municipal 不贴 pays nothing", "范围外 outside your scope × 1")
    assert "JJ72300000194" not in text


def test_a_moved_note_is_found_by_both_institutions_but_seen_by_its_holder(
    portfolio: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    person("old", "C0001320000001")
    person("new", "C0011320000001")
    moved = {"institution_code": BANK, "note_number": "JJ72300000000", "moved_on": "2026-12-01"}
    import_rows("note-transfers", [{**moved, "new_institution_code": OTHER_BANK}], tmp_path)
    run()
    for asked in (BANK, OTHER_BANK, "C0001110000000", "C0011110000001"):
        text = printed(capsys, "JJ72300000000", "--institution", asked)
        says(text, f"· {BANK}", f"现属 now held by {OTHER_BANK}")
    says(printed(capsys, "JJ72300000000", "--actor", "new"), f"现属 now held by {OTHER_BANK}")
    assert "没有借据号" in refused("JJ72300000000", "--actor", "old")


def test_late_facts_show_as_waiting_then_as_numbered_differences(
    portfolio: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"institution_code": BANK, "note_number": "JJ72300000020", "repaid_on": "2026-07-01"}
    import_rows("repayments", [{**row, "amount": "1000.00", "reference": "LATE-1"}], tmp_path)
    before = explained("JJ72300000020")
    assert not before.is_posted_current
    wrong = [work for work in before.deductions if work.difference is not None]
    assert wrong
    for work in wrong:
        assert work.posted_fen + sum(work.difference or ()) == work.granted_fen
    says(printed(capsys, "JJ72300000020"), "! 入账结果尚未更新", "≠ 应贴 target", "下次运行将补记")
    run()
    after = explained("JJ72300000020")
    assert after.is_posted_current
    redo(after)
    assert [work.granted_fen for work in after.deductions] == [
        work.granted_fen for work in before.deductions
    ]
    assert all(work.posted_fen == work.granted_fen for work in after.deductions)
    assert {len(work.postings) for work in after.deductions} == {1, 2}
    says(printed(capsys, "JJ72300000020"), "#1 差额 difference", "事实变更后重算")


def test_opening_positions_and_guarantees_are_told(
    portfolio: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = {
        "scheme_code": "central-equipment-2026",
        "institution_code": "C0011320101001",
        "note_number": "JJ72300000072",
        "tier": "central",
        "year": 2026,
        "amount": "1500.00",
        "interest_paid": "3000.00",
        "paid_through": "2026-03-21",
    }
    import_rows("opening-positions", [opened], tmp_path)
    sports = Enrolment.objects.filter(
        scheme_code="jiangsu-sports-2026", status="eligible", note__principal_fen__lt=10**9
    ).select_related("note__origin")[0]
    guarantee = {
        "institution_code": sports.note.origin.code,
        "note_number": sports.note.note_number,
        "guarantee_number": "G-1",
        "guarantor": "省信用再担保集团",
        "principal": "1000000.00",
        "starts_on": sports.note.drawn_on.isoformat(),
        "ends_on": "2027-12-31",
        "fee_rate": "0.90",
    }
    import_rows("guarantees", [guarantee], tmp_path)
    run()
    says(
        printed(capsys, "JJ72300000072"),
        "2026-01-10 → 2026-03-21 系统启用前已贴息",
        "#1 差额 difference",
        "已用 used = 期初数 opening 1,500.00",
    )
    text = printed(capsys, sports.note.note_number)
    says(
        text,
        "担保费补贴 guarantee-fee subsidy G-1（jiangsu-sports-2026）: 符合 eligible",
        "[苏体经〔2026〕1号 二(五) · 苏体经〔2026〕1号 一(四) · 苏体经〔2026〕1号 四(三) · 假定 assumed D17]",
        "担保本金 1,000,000.00 × 0.5% × 12 个月 months ÷ 12 = 5,000.00 元",
    )


def test_methods_of_other_schemes_are_redone_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load_shipped()
    load_schemes(paths=[SCHEMES], actor="system", checker="system-checker", at=AT)
    outside_schemes.build(tmp_path)
    run()
    methods = set()
    for number in outside_schemes.NUMBERS:
        whole = explained(number)
        redo_labels(whole)
        assert redo(whole)
        methods |= {work.method for work in whole.deductions}
        assert all(work.difference is None for work in whole.deductions)
        assert printed(capsys, number)
    shared = explained("N-pro-rata")
    assert sum(work.granted_fen for work in shared.deductions) == 500_000
    assert methods == {"points", "percent_of_interest", "interest_to_lpr_plus"}
    says(printed(capsys, "N-net-off"), "差额补足 net-off", "其他来源 others 1,000.00")
    says(printed(capsys, "N-higher-of"), "就高 higher-of", "其他来源 others 1,000.00")
    says(
        printed(capsys, "N-pro-rata"),
        "年度资金按比例 fund pro rata 2026",
        "资金 fund 5,000.00 ÷ 全部 all",
    )
    says(
        printed(capsys, "N-lpr-plus"),
        "补贴利率 rate = min(借据利率 3.60%, LPR 3.00% + 0.50% = 3.50%)",
    )
    says(printed(capsys, "N-dated"), "× 2% + ", "× 1%) ÷ 360")
    says(printed(capsys, "N-shanghang-2022"), "全额积数 full product", "× 90.00% ×")
