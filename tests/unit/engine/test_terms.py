"""Scheme files: what the shipped ones say, and how a bad one is refused."""

from __future__ import annotations

import pytest

from settlement.engine.codes import FIRST_DAY, LAST_DAY, TIERS
from settlement.engine.decisions import DECISIONS
from settlement.engine.errors import TermsError
from settlement.engine.terms import Terms, Window, parse
from tests.unit.engine.build import DAY, FOLDERS, scheme, text_of, variant

SHIPPED = sorted(path.stem for path in FOLDERS[0].glob("*.toml"))
ALL = sorted(path.stem for folder in FOLDERS for path in folder.glob("*.toml"))
YEAR_2026 = Window(DAY(2026, 1, 1), DAY(2027, 1, 1))


def _refused(code: str, changes: dict[str, str]) -> list[str]:
    """The problems of a changed file, without the file's name, which each must begin with."""
    with pytest.raises(TermsError) as caught:
        variant(code, changes)
    name = f"{code}.toml: "
    assert all(line.startswith(name) and " / " in line for line in caught.value.problems)
    return [line.removeprefix(name) for line in caught.value.problems]


def _rates(terms: Terms) -> dict[str, list[int]]:
    return {tier: [b.amount for b in dated.blocks] for tier, dated in terms.rates}


def test_the_four_schemes_are_shipped() -> None:
    assert SHIPPED == [
        "central-equipment-2026",
        "central-sme-2026",
        "jiangsu-manufacturing-2026",
        "jiangsu-sports-2026",
    ]


@pytest.mark.parametrize(
    ("code", "document", "priority", "group", "level", "basis", "months", "rates"),
    [
        ("central-sme-2026", "财金〔2026〕4号", 10, "central", "headquarters", 360, 24,
         {"central": [1_500_000]}),
        ("central-equipment-2026", "财金〔2026〕2号", 20, "central", "provincial", 360, 24,
         {"central": [1_500_000]}),
        ("jiangsu-manufacturing-2026", "苏财工贸〔2026〕7号", 30, "provincial", "provincial", 360, 0,
         {"provincial": [1_000_000], "municipal": [1_000_000]}),
        ("jiangsu-sports-2026", "苏体经〔2026〕1号", 40, "provincial", "provincial", 365, 12,
         {"provincial": [1_200_000]}),
    ],
)  # fmt: skip
def test_what_the_shipped_schemes_say(
    code: str,
    document: str,
    priority: int,
    group: str,
    level: str,
    basis: int,
    months: int,
    rates: dict[str, list[int]],
) -> None:
    terms = scheme(code)
    assert (terms.code, terms.document, terms.priority) == (code, document, priority)
    assert (terms.exclusive_group, terms.fund_level) == (group, level)
    assert (terms.basis, terms.term_months, _rates(terms)) == (basis, months, rates)
    assert (terms.method, terms.duplicate_rule) == ("points", "stack_under_ceiling")
    assert terms.interest_ceiling
    assert terms.shortfall == "advance"
    assert terms.tiers == tuple(tier for tier in TIERS if tier in rates)


def test_windows_and_caps_of_the_shipped_schemes() -> None:
    sme, equipment, manufacturing, sports = (
        scheme(code)
        for code in (
            "central-sme-2026",
            "central-equipment-2026",
            "jiangsu-manufacturing-2026",
            "jiangsu-sports-2026",
        )
    )
    assert sme.drawn == equipment.drawn == sports.drawn == sports.signed == YEAR_2026
    assert manufacturing.accrued == YEAR_2026
    assert manufacturing.drawn == Window(FIRST_DAY, LAST_DAY)
    assert [(c.per, c.limit_fen.smallest) for c in sme.principal_caps] == [
        ("enterprise", 5_000_000_000)
    ]
    assert [(c.reason, c.limit_fen.smallest) for c in sme.amount_caps] == [
        ("borrower_total_cap", 150_000_000)
    ]
    assert [(c.reason, c.limit_fen.smallest) for c in manufacturing.amount_caps] == [
        ("project_cap", 600_000_000),
        ("enterprise_cap", 1_000_000_000),
        ("joint_cap", 2_000_000_000),
    ]
    assert [(c.loan_types, c.limit_fen.smallest) for c in sports.principal_caps] == [
        (("project", "fixed_asset"), 3_000_000_000),
        (("working_capital",), 2_000_000_000),
    ]
    assert (equipment.principal_caps, equipment.amount_caps) == ((), ())
    assert (len(sme.purpose_fields), len(equipment.purpose_fields)) == (26, 20)
    assert [(off.tier, off.group) for off in manufacturing.tiers_off] == [("municipal", "central")]
    assert (sports.fund_method, sports.one_bank) == ("first_come_first_served", True)
    assert sports.rate_ceiling_ppm == 8_000
    assert sports.guarantee is not None
    assert (sports.guarantee.rate_e8, sports.guarantee.max_months) == (500_000, 12)
    assert sports.guarantee.max_note_fen == 1_000_000_000


@pytest.mark.parametrize("code", ALL)
def test_every_value_has_an_article_or_says_why_it_is_assumed(code: str) -> None:
    terms = scheme(code)
    assert all(c.article or c.assumed_because for c in terms.citations)
    assert len({c.key for c in terms.citations}) == len(terms.citations)
    assert all(c.value for c in terms.citations if not c.key.startswith("guarantee."))


def test_a_value_is_cited_by_its_key() -> None:
    terms = scheme("jiangsu-sports-2026")
    cited = terms.cite("rate.tiers.provincial")
    assert (cited.value, cited.article, cited.assumed_because) == ("1.2", "二(二)", "")
    assert terms.cite("window.drawn").value == "from=2026-01-01; until=2027-01-01"
    assert terms.cite("eligible.loan_types").value == "project、fixed_asset、working_capital"
    assert terms.cite("eligible.one_bank").value == "true"
    assert scheme("central-sme-2026").cite("rate.day_count").assumed_because.startswith("D1")


def test_decisions_are_settings_with_a_default_and_a_source() -> None:
    terms = scheme("jiangsu-sports-2026")
    assert [c.key for c in terms.decisions] == list(DECISIONS)
    assert terms.cite("D8").assumed_because.startswith("D8: ")
    assert terms.cite("D13").assumed_because.startswith("一(一)")
    said = 'D13 = { value = "drawdown_day"'
    assert _refused("jiangsu-sports-2026", {said: 'D13 = { value = "approval_day"'}) == [
        "decisions.D13.value: 应为其一：drawdown_day / must be one of drawdown_day"
    ]


def test_the_fifth_scheme_is_data_only() -> None:
    terms = scheme("central-services-2026")
    assert (terms.document, terms.term_months) == ("财金〔2026〕5号", 12)
    assert _rates(terms) == {"central": [900_000], "provincial": [100_000]}
    assert [c.limit_fen.smallest for c in terms.principal_caps] == [1_000_000_000]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('yuan = "50000000"', 'yuan = 5e7', "principal_caps.0.yuan: 不得用浮点数，写作文字 / must not be a float; write it as text"),
        ("value = 10,", 'value = "10",', "priority.value: 应为 0 至 9999 的整数 / must be a whole number 0 to 9999"),
        ("value = 10,", "value = true,", "priority.value: 应为 0 至 9999 的整数 / must be a whole number 0 to 9999"),
        ('points = "1.5"', 'points = "1.5%"', "rate.tiers.central.points: 应为 0 至 36 的数，写作文字 / must be a number 0 to 36, as text"),
        ('points = "1.5"', 'points = "-1"', "rate.tiers.central.points: 应为 0 至 36 的数，写作文字 / must be a number 0 to 36, as text"),
        ('points = "1.5"', 'points = "1e1"', "rate.tiers.central.points: 应为 0 至 36 的数，写作文字 / must be a number 0 to 36, as text"),
        ('points = "1.5"', 'points = "１"', "rate.tiers.central.points: 应为 0 至 36 的数，写作文字 / must be a number 0 to 36, as text"),
        ('points = "1.5"', 'points = "1.0000001"', "rate.tiers.central.points: 最多 6 位小数 / must have at most 6 decimals"),
        ('code = "central-sme-2026"', 'code = " "', "code: 应为非空文字 / must be a text that is not blank"),
        ("value = true,", "value = 1,", "interest_ceiling.value: 应为 true 或 false / must be true or false"),
        ('value = "headquarters"', 'value = "moon"', "fund_level.value: 应为其一：headquarters、provincial、branch / must be one of headquarters, provincial, branch"),
        ('["private"]', "[]", "eligible.ownership.values: 应为非空文字列表 / must be a list of texts that is not empty"),
        ('["private"]', '["private", "private"]', "eligible.ownership.values: 有重复项 / repeats itself"),
        ('["private"]', '["nobody"]', "eligible.ownership.values: 未知值 nobody / unknown value nobody"),
        ('code = "central-sme-2026"', 'code = "central-sme-2026"\nspeed = 3', "speed: 未知的键 / unknown key"),
        ("months = 24,", "months = 24, weeks = 2,", "window.term.weeks: 未知的键 / unknown key"),
        ('months = 24, article = "一(三)"', "months = 24", "window.term: 缺少条款或假定理由 / needs an article or assumed_because"),
        ('months = 24, article = "一(三)"', 'months = 24, article = ""', "window.term.article: 应为非空文字 / must be a text that is not blank"),
        ("from = 2026-01-01,", 'from = "2026-01-01",', "window.drawn.from: 应为日期 / must be a date"),
        ("until = 2027-01-01", "until = 2026-01-01", "window.drawn.until: 不晚于 from / is not after from"),
        ('document = "财金〔2026〕4号"', "", "document: 缺少 / is missing"),
        ('value = "actual_360"', 'value = "thirty_360"', "rate.day_count.value: 应为其一：actual_360、actual_365、months、months_odd_days_360 / must be one of actual_360, actual_365, months, months_odd_days_360"),
        ("[[principal_caps]]\nper", "[[principal_caps]]\nhow", "principal_caps.0.per: 缺少 / is missing"),
    ],
)  # fmt: skip
def test_a_problem_names_file_key_and_rule(old: str, new: str, problem: str) -> None:
    assert problem in _refused("central-sme-2026", {old: new})


def test_all_problems_are_listed_at_once() -> None:
    problems = _refused(
        "central-sme-2026",
        {
            "value = 10,": "value = 10, extra = 1,",
            'value = "headquarters"': 'value = "moon"',
            'points = "1.5"': "points = 1.5",
            "months = 24,": "",
        },
    )
    assert [line.split(": ")[0] for line in problems] == [
        "rate.tiers.central.points",
        "window.term.months",
        "priority.extra",
        "fund_level.value",
        "rate.tiers.central.points",
    ]


def test_a_file_that_is_not_toml() -> None:
    with pytest.raises(TermsError, match=r"x\.toml: \.: 不是有效的 TOML / is not valid TOML"):
        parse("code = ", name="x.toml")


def test_wrong_shapes_are_problems_not_crashes() -> None:
    text = 'code = "x"\nrate = 3\nwindow = []\neligible = "y"\nprincipal_caps = 4\npriority = 5\n'
    with pytest.raises(TermsError) as caught:
        parse(text, name="x.toml")
    assert "x.toml: rate: 应为表 / must be a table" in caught.value.problems
    assert any(line.startswith("x.toml: principal_caps: ") for line in caught.value.problems)
    assert any(line.startswith("x.toml: priority: ") for line in caught.value.problems)


def test_gaps_and_overlaps_of_dates_are_refused() -> None:
    first, second = 'by = "accrual"\nuntil = 2026-07-01', 'by = "accrual"\nfrom = 2026-07-01'
    assert _refused("dated", {second: second.replace("07", "08")}) == [
        "rate.tiers.provincial.0: 2026-07-01 起有空档 / gap from 2026-07-01"
    ]
    assert _refused("dated", {first: first.replace("07", "09")}) == [
        "rate.tiers.provincial.0: 2026-07-01 起有重叠 / overlap from 2026-07-01"
    ]
    ended = f"{second}\nuntil = 2027-01-01"
    assert _refused("dated", {second: ended}) == [
        "rate.tiers.provincial.0: 2027-01-01 起有空档 / gap from 2027-01-01"
    ]
    started = f"{first}\nfrom = 2026-01-01"
    assert _refused("dated", {first: started}) == [
        "rate.tiers.provincial.0: 0001-01-01 起有空档 / gap from 0001-01-01"
    ]
    assert _refused("dated", {first: first.replace("accrual", "drawdown")}) == [
        "rate.tiers.provincial.0: 各段 by 应相同 / every block must have the same by"
    ]


def test_dated_blocks_need_only_cover_the_days_a_note_can_have() -> None:
    table = 'central = { points = "1.5", article = "一(三)" }'
    blocks = "".join(
        f'[[rate.tiers.central]]\npoints = "{points}"\nby = "drawdown"\nfrom = {start}\n'
        f'until = {end}\narticle = "x"\n'
        for points, start, end in (
            ("1", "2026-07-01", "2027-01-01"),
            ("1.5", "2026-01-01", "2026-07-01"),
        )
    )
    terms = variant("central-sme-2026", {f"[rate.tiers]\n{table}": blocks})
    assert _rates(terms) == {"central": [1_500_000, 1_000_000]}


def test_shares_add_up_to_a_hundred_and_split_into_whole_units() -> None:
    assert _refused("central-services-2026", {'share = "10"': 'share = "11"'}) == [
        "rate.tiers: 各级比例合计应为100 / shares must add up to 100"
    ]
    assert _refused("central-services-2026", {'points = "1"': 'points = "0.000001"'}) == [
        "rate.tiers.central: 拆分后不是整数单位 / does not split into whole units",
        "rate.tiers.provincial: 拆分后不是整数单位 / does not split into whole units",
    ]


def test_rules_that_need_each_other() -> None:
    assert _refused("net-off", {'value = "net_off"': 'value = "exclusive"'}) == [
        "exclusive_group: 互斥规则须写明分组 / the exclusive rule needs a group"
    ]
    off = '[[tiers_off]]\ntier = "provincial"\nproject_eligible_under_group = "central"\narticle = "x"\n'
    assert _refused("net-off", {"[window]": f"{off}\n[window]"}) == [
        "tiers_off.0: 本政策无此级资金 / names a tier this scheme does not pay"
    ]
    assert _refused("putian-2025", {'term = { months = 12, article = "1年" }': ""}) == [
        "window: 期限、计息期、放款期至少有一项 / needs a term or a bounded window"
    ]
    joint = '[[amount_caps]]\nper = "project"\nspan = "year"\ntogether_with = "leasing_interest"\nyuan = "1"\narticle = "x"\n'
    assert _refused("net-off", {"[window]": f"{joint}\n[window]"}) == [
        "amount_caps.0.together_with: 只用于企业年度上限 / is for enterprise-year caps only"
    ]
    range_ = "first = 13, last = 43"
    assert _refused("jiangsu-manufacturing-2026", {range_: "first = 44, last = 43"}) == [
        "eligible.industry.last: 小于起始大类 / is below first"
    ]
    assert _refused("net-off", {"[window]": "[guarantee]\n[window]"})[:1] == [
        "guarantee.term: 缺少 / is missing"
    ]


def test_a_method_that_counts_no_days_takes_no_day_count() -> None:
    line = 'day_count = { value = "actual_360", article = "x" }'
    method = 'method = { value = "percent_of_interest", article = "按实付利息90%" }'
    assert _refused("shanghang-2022", {method: f"{method}\n{line}"}) == [
        "rate.day_count: 未知的键 / unknown key"
    ]
    assert scheme("shanghang-2022").basis == 0
    assert _refused("lpr-plus", {'percent = "100"': 'percent = "99.5"'})[:1] == [
        "rate.total.percent: 最多 0 位小数 / must have at most 0 decimals"
    ]


def test_equal_texts_give_equal_terms() -> None:
    text = text_of("dated")
    assert parse(text, name="a.toml") == parse(text, name="a.toml")
    assert hash(parse(text, name="a.toml")) == hash(parse(text, name="a.toml"))


def test_an_error_holds_at_least_one_problem() -> None:
    with pytest.raises(AssertionError):
        TermsError([])
