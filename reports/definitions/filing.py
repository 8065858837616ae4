"""Who asks for which report, in which article, from institutions of which level (domain §6)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

LEVELS_ZH = {"headquarters": "总行", "provincial": "一级分行"}


@dataclass(frozen=True)
class Demand:
    """One document's demand for a report: its article, which level files it ("" any), and with whom."""

    article: str
    level: str
    addressee_zh: str


@dataclass(frozen=True)
class Filing:
    """A report's title and the demands for it, by scheme."""

    title_zh: str
    demands: dict[str, Demand]


@dataclass(frozen=True)
class SchemeTitle:
    """A scheme as reports name it, the level whose fund pays, and the tiers it pays from."""

    code: str
    name_zh: str
    document: str
    fund_level: str = ""
    tiers: tuple[str, ...] = ()

    @property
    def full_zh(self) -> str:
        """Name and document number."""
        return f"{self.name_zh}（{self.document}）"


_SME, _EQ = "central-sme-2026", "central-equipment-2026"
_MF, _ST = "jiangsu-manufacturing-2026", "jiangsu-sports-2026"
KNOWN = frozenset({_SME, _EQ, _MF, _ST})
_COUNTERPART, _PROVINCE = "对口财政部门", "省级财政部门"
_JIANGSU = "江苏省财政厅"
_COPY = "（抄送中国人民银行、国家金融监督管理总局）"

_AUDITORS, _CHECKERS = "财政、审计等联合抽查部门", "财政部门、内部审计部门"


def _anybody(addressee_zh: str) -> dict[str, Demand]:
    """Every scheme's articles on supervision; an institution of any level makes the paper."""
    articles = {_SME: "三(三)", _EQ: "八", _MF: "(十二)", _ST: "六(二)"}
    return {code: Demand(article, "", addressee_zh) for code, article in articles.items()}


FILINGS: dict[str, Filing] = {
    "new-loans": Filing("新发放贷款月报", {_SME: Demand("二(三)", "headquarters", _COUNTERPART)}),
    "monthly-execution": Filing(
        "政策执行情况月报",
        {
            _SME: Demand("三(一)", "headquarters", _COUNTERPART + _COPY),
            _EQ: Demand("九", "headquarters", "财政部" + _COPY),
        },
    ),
    "monthly-application": Filing("贴息资金月度申请", {_EQ: Demand("四", "provincial", _PROVINCE)}),
    "quarterly-payout": Filing(
        "季度贴息资金拨付汇总", {_MF: Demand("(九)", "provincial", _JIANGSU)}
    ),
    "annual-demand": Filing(
        "年度资金需求申请",
        {
            _SME: Demand("二(二)", "headquarters", _COUNTERPART),
            _EQ: Demand("四", "provincial", _PROVINCE),
            _MF: Demand("(八)", "provincial", _JIANGSU),
            _ST: Demand("二(四)", "provincial", _JIANGSU),
        },
    ),
    "annual-settlement": Filing(
        "年度结算申请",
        {
            _SME: Demand("二(四)", "headquarters", _COUNTERPART),
            _EQ: Demand("五", "provincial", _PROVINCE),
            _MF: Demand("(八)", "provincial", _JIANGSU),
            _ST: Demand("五(五)", "provincial", _JIANGSU),
        },
    ),
    "subsidy-register": Filing("贴息明细台账", _anybody(_AUDITORS)),
    "duplicate-check": Filing("重复贴息核查报告", _anybody(_CHECKERS)),
    "audit-pack": Filing("审计资料包", _anybody(_AUDITORS)),
    "liquidation": Filing(
        "清算申请",
        {
            _SME: Demand("二(五)", "headquarters", _COUNTERPART),
            _EQ: Demand("六", "provincial", _PROVINCE),
        },
    ),
}


def chosen(
    code: str, schemes: Sequence[SchemeTitle], scheme_code: str | None
) -> tuple[SchemeTitle, ...]:
    """Which schemes does a report speak of: the one asked for, else those whose documents ask for it.

    Schemes whose documents are not known here are always in it.
    """
    if scheme_code is not None:
        return tuple(one for one in schemes if one.code == scheme_code)
    demands = FILINGS[code].demands
    return tuple(one for one in schemes if one.code in demands or one.code not in KNOWN)


def article(code: str, schemes: Sequence[SchemeTitle]) -> str:
    """The articles that ask for the report, with their documents; of several by their short numbers."""
    demands = FILINGS[code].demands
    asking = [one for one in schemes if one.code in demands]
    return "；".join(
        f"{one.document if len(asking) == 1 else one.document.split('〕')[-1]} {demands[one.code].article}"
        for one in asking
    )


def addressee(code: str, schemes: Sequence[SchemeTitle]) -> str:
    """Whom the report goes to."""
    demands = FILINGS[code].demands
    found = [demands[one.code].addressee_zh for one in schemes if one.code in demands]
    return "；".join(dict.fromkeys(found))


def remarks(
    code: str,
    *,
    schemes: Sequence[SchemeTitle],
    left_out: Sequence[SchemeTitle],
    levels: Collection[str],
) -> list[str]:
    """What a reader must know about who files this: of other levels or schemes it is for internal use.

    `levels`: at which levels the institution files (a local bank's head office counts as 省行, EQ-06).
    """
    found = []
    demands = FILINGS[code].demands
    for one in schemes:
        demand = demands.get(one.code)
        if demand is None and one.code in KNOWN:
            found.append(f"{one.full_zh}未要求报送本表，仅供内部使用。")
        elif demand is not None and demand.level and demand.level not in levels:
            wanted = LEVELS_ZH[demand.level]
            found.append(f"{one.full_zh}由{wanted}报送，本机构数据仅供内部使用。")
    if left_out:
        names = "、".join(one.name_zh for one in left_out)
        found.append(f"未列入：{names}（文件未要求本表，可按政策单独生成）。")
    return found
