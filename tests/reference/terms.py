"""The four schemes, written down from the rule table of the domain text (財金〔2026〕4号, 财金〔2026〕2号,
苏财工贸〔2026〕7号, 苏体经〔2026〕1号), in plain constants. Money in fen, rates as exact fractions of one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

SME = "central-sme-2026"
EQUIPMENT = "central-equipment-2026"
MANUFACTURING = "jiangsu-manufacturing-2026"
SPORTS = "jiangsu-sports-2026"

TIERS = ("central", "provincial", "municipal")

REFUSALS = (
    "institution_not_participating", "drawn_outside_window", "signed_outside_window", "region",
    "industry_or_title", "not_private", "not_small_or_medium", "loan_type", "purpose_field",
    "no_equipment_amount", "dishonest", "environment_rating", "tax_rating", "overdue",
    "rate_above_ceiling", "exclusive_group", "one_bank_per_enterprise", "fund_exhausted",
)  # fmt: skip
CUTS = (
    "principal_cap", "interest_ceiling", "project_cap", "enterprise_cap", "joint_cap",
    "borrower_total_cap",
)  # fmt: skip


def _fields(text: str) -> frozenset[str]:
    return frozenset(text.split())


LIST_A = _fields(
    "新能源汽车 工业母机 医药工业 医疗装备 基础软件和工业软件 民用大飞机 服务器 移动通信设备 新型显示 仪器仪表"
    " 工业机器人 轨道交通装备 船舶与海洋工程装备 农机装备 科技服务 物流服务 信息和软件服务 节能环保服务"
    " 生产性租赁服务 商务服务 农业 林业 牧业 渔业 农副产品加工业 人工智能"
)
LIST_B = _fields(
    "工业 能源电力 交通运输 物流 文旅 老旧农机具 建筑和市政 用能设备 航空器材 电子信息 安全生产 设施农业 渔船"
    " 冷链设施 粮油加工 废弃物循环利用 小水电 消费商业设施 人工智能 养老"
)
SPORTS_FIELD = frozenset({"体育产业"})

YUAN = 100
MILLION = 1_000_000 * YUAN


@dataclass(frozen=True)
class Terms:
    """One scheme. `rates` per tier and year; `principal_caps` name the loan types that share a cap."""

    code: str
    priority: int
    group: str
    rates: dict[str, Fraction]
    basis: int
    loan_types: frozenset[str]
    term_months: int | None = None
    accrues: tuple[date, date] | None = None
    drawn: tuple[date, date] | None = None
    signed: tuple[date, date] | None = None
    on_equipment: bool = False
    fields: frozenset[str] | None = None
    principal_caps: tuple[tuple[frozenset[str], int], ...] = field(default=())
    project_cap: int | None = None
    enterprise_cap: int | None = None
    joint_cap: int | None = None
    borrower_total_cap: int | None = None


YEAR_2026 = (date(2026, 1, 1), date(2026, 12, 31))
_CENTRAL_RATE = {"central": Fraction(15, 1000)}
_ALL_TYPES = frozenset({"fixed_asset", "project", "working_capital", "policy_instrument"})

SCHEMES = {
    SME: Terms(
        code=SME, priority=10, group="central", rates=_CENTRAL_RATE, basis=360, term_months=24,
        drawn=YEAR_2026, loan_types=frozenset({"fixed_asset", "policy_instrument"}), fields=LIST_A,
        principal_caps=((_ALL_TYPES, 50 * MILLION),), borrower_total_cap=MILLION * 3 // 2,
    ),
    EQUIPMENT: Terms(
        code=EQUIPMENT, priority=20, group="central", rates=_CENTRAL_RATE, basis=360,
        term_months=24, drawn=YEAR_2026, loan_types=frozenset({"fixed_asset", "tech_innovation"}),
        fields=LIST_B,
    ),
    MANUFACTURING: Terms(
        code=MANUFACTURING, priority=30, group="provincial",
        rates={"provincial": Fraction(1, 100), "municipal": Fraction(1, 100)}, basis=360,
        accrues=(date(2026, 1, 1), date(2027, 1, 1)), on_equipment=True,
        loan_types=frozenset({"project", "fixed_asset", "policy_instrument"}),
        project_cap=6 * MILLION, enterprise_cap=10 * MILLION, joint_cap=20 * MILLION,
    ),
    SPORTS: Terms(
        code=SPORTS, priority=40, group="provincial", rates={"provincial": Fraction(12, 1000)},
        basis=365, term_months=12, drawn=YEAR_2026, signed=YEAR_2026, fields=SPORTS_FIELD,
        loan_types=frozenset({"project", "fixed_asset", "working_capital"}),
        principal_caps=(
            (frozenset({"project", "fixed_asset"}), 30 * MILLION),
            (frozenset({"working_capital"}), 20 * MILLION),
        ),
    ),
}  # fmt: skip

JIANGSU = "32"
TITLES = frozenset({"little_giant", "specialized"})
LPR_MARGIN_PERCENT = Fraction(80, 100)
LONG_TERM_MONTHS = 60
GUARANTEE_RATE = Fraction(5, 1000)
GUARANTEE_NOTE_LIMIT = 10 * MILLION
GUARANTEE_MONTHS = 12
