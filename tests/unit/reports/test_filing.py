"""Who files which report for which scheme, and what readers are told where it is somebody else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reports.definitions import filing
from reports.definitions.filing import FILINGS, SchemeTitle
from tests.unit.reports.made import MF, SME, TITLES

OTHER = SchemeTitle("harbour-2030", "港口贴息", "港〔2030〕1号")
ALL = (*TITLES, OTHER)


def test_without_a_scheme_a_report_speaks_of_those_whose_documents_ask_for_it() -> None:
    def codes(code: str, scheme: str | None = None) -> list[str]:
        return [one.code for one in filing.chosen(code, ALL, scheme)]

    assert codes("new-loans") == [SME, "harbour-2030"]
    assert codes("quarterly-payout") == [MF, "harbour-2030"]
    assert codes("annual-settlement") == [SME, MF, "harbour-2030"]
    assert codes("new-loans", MF) == [MF]
    assert codes("new-loans", "unknown") == []


def test_articles_and_addressees_are_those_of_the_documents() -> None:
    assert filing.article("annual-settlement", ALL) == "4号 二(四)；7号 (八)"
    assert filing.article("annual-settlement", [*TITLES[:1], OTHER]) == "财金〔2026〕4号 二(四)"
    assert filing.addressee("annual-settlement", ALL) == "对口财政部门；江苏省财政厅"
    assert (filing.article("new-loans", [OTHER]), filing.addressee("new-loans", [OTHER])) == (
        "",
        "",
    )


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ("headquarters", []),
        (
            "provincial",
            ["中小微企业贷款贴息（财金〔2026〕4号）由总行报送，本机构数据仅供内部使用。"],
        ),
        ("branch", ["中小微企业贷款贴息（财金〔2026〕4号）由总行报送，本机构数据仅供内部使用。"]),
    ],
)
def test_below_the_level_that_files_it_is_for_internal_use(level: str, said: list[str]) -> None:
    found = filing.remarks("new-loans", schemes=TITLES[:1], left_out=(), levels={level})
    assert found == said


def test_a_scheme_that_does_not_ask_for_the_report_is_told_and_what_is_left_out_is_named() -> None:
    found = filing.remarks("new-loans", schemes=TITLES[1:], left_out=TITLES[:1], levels={"branch"})
    assert found == [
        "江苏省制造业贷款财政贴息（苏财工贸〔2026〕7号）未要求报送本表，仅供内部使用。",
        "未列入：中小微企业贷款贴息（文件未要求本表，可按政策单独生成）。",
    ]
    assert filing.remarks("new-loans", schemes=[OTHER], left_out=(), levels={"branch"}) == []


def test_every_level_has_a_name() -> None:
    levels = {demand.level for one in FILINGS.values() for demand in one.demands.values()}
    assert levels - {""} == set(filing.LEVELS_ZH)  # "" files at any level
    assert replace(TITLES[0], document="X").full_zh == "中小微企业贷款贴息（X）"
