"""What the shipped schemes ask for, article by article, and which scheme files are refused."""

import pytest

from settlement.engine.errors import TermsError
from settlement.engine.terms import parse
from tests.unit.engine.build import FOLDERS, scheme

ASKED = {
    "central-sme-2026": [
        ("eligibility_proof", "note", False, "二(一)"),
        ("payment_proof", "note", False, "三(三)"),
        ("use_of_funds", "note", False, "三(三)"),
    ],
    "central-equipment-2026": [
        ("invoice", "note", True, "四"),
        ("payment_proof", "note", False, "四"),
        ("use_of_funds", "note", False, "八"),
    ],
    "jiangsu-manufacturing-2026": [
        ("commitment_letter", "institution", False, "(五)"),
        ("borrower_undertaking", "note", False, "(七)"),
        ("supplementary_agreement", "note", False, "(七)"),
        ("invoice", "note", True, "(十二)"),
        ("payment_proof", "note", True, "(十二)"),
        ("use_of_funds", "note", False, "(十二)"),
    ],
    "jiangsu-sports-2026": [
        ("commitment_letter", "institution", False, "附件2"),
        ("payment_proof", "note", False, "六(二)"),
        ("use_of_funds", "note", False, "五(五)"),
    ],
}
TEXT = (FOLDERS[0] / "central-sme-2026.toml").read_text(encoding="utf-8").partition("[[papers]]")[0]
PAPER = """
[[papers]]
kind = "invoice"
per = "note"
say_zh = "发票"
say_en = "invoices"
article = "四"
"""


@pytest.mark.parametrize("code", ASKED)
def test_what_the_shipped_schemes_ask_for(code: str) -> None:
    rules = scheme(code).papers
    assert [(r.kind, r.per, r.with_equipment, r.article) for r in rules] == ASKED[code]
    assert not any(rule.blocks for rule in rules)
    assumed = {rule.kind for rule in rules if rule.assumed_because}
    assert assumed == ({"invoice", "payment_proof"} if code == "central-equipment-2026" else set())


def test_papers_are_cited_by_no_trace_or_footnote() -> None:
    assert not [c.key for c in scheme("jiangsu-manufacturing-2026").citations if "papers" in c.key]


def test_a_text_without_papers_asks_for_none() -> None:
    assert parse(TEXT, name="x").papers == ()


def test_a_paper_may_block() -> None:
    (rule,) = parse(TEXT + PAPER + 'missing = "block"\n', name="x").papers
    assert (rule.blocks, rule.say_zh, rule.say_en) == (True, "发票", "invoices")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('article = "四"\n', "", "papers.0: 缺少条款或假定理由"),
        ('kind = "invoice"', 'kind = "invoices"', "papers.0.kind: 应为其一"),
        ('per = "note"', 'per = "bank"', "papers.0.per: 应为其一"),
        ('say_zh = "发票"', 'say_zh = " "', "papers.0.say_zh: 应为非空文字"),
        ('per = "note"', 'per = "note"\nmissing = "stop"', "papers.0.missing: 应为其一"),
        ('per = "note"', 'per = "note"\nuntil = 3', "papers.0.until: 未知的键"),
        (
            'per = "note"',
            'per = "institution"\nwith_equipment = true',
            "papers.0.with_equipment: 只用于借据的资料",
        ),
        ('article = "四"\n', f'article = "四"\n{PAPER}', "papers.1.kind: 重复要求 invoice"),
    ],
)
def test_what_is_wrong_is_said_by_key(old: str, new: str, line: str) -> None:
    assert PAPER.count(old) == 1
    with pytest.raises(TermsError) as refusal:
        parse(TEXT + PAPER.replace(old, new), name="x")
    assert str(refusal.value).startswith(f"x: {line}")
    assert len(str(refusal.value).splitlines()) == 1
