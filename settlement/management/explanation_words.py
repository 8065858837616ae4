"""The words of an explanation: codes in Chinese with English beside, numbers, sources, wrapping."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction

from settlement.engine.codes import FIRST_DAY, LAST_DAY
from settlement.management.tables import width, yuan
from settlement.services.explained import Source, Sources

COLUMNS = 108
LONG = 44

TIERS = {"central": "中央 central", "provincial": "省级 provincial", "municipal": "市级 municipal"}
STATUS = {
    "eligible": "符合 eligible",
    "ineligible": "不符合 ineligible",
    "waiting": "待定 waiting",
    "unjudged": "尚未认定 not judged yet（先运行 run assess）",
}
BASES = {"principal": "借据本金 principal", "equipment": "设备购置金额 equipment amount"}
ENTITIES = {
    "enterprise": "每户 per borrower",
    "project": "每项目 per project",
    "note": "每笔 per note",
}
SPANS = {"life": "政策期内 over the scheme's life", "year": "每年 per year"}
STOPS = {
    "overdue": "逾期 overdue",
    "extended": "展期 extended",
    "non_performing": "不良 non-performing",
}
GAPS = {
    "before_drawdown": "放款前 before drawdown",
    "before_accrual": "计息期开始前 before the subsidised days begin",
    "after_term": "贴息期限届满 after the subsidised term",
    "rejected": "财政审核不予贴息 rejected by finance's review",
    "after_accrual": "计息期结束后 after the subsidised days end",
    "already_paid": "系统启用前已贴息 subsidised before the system took over (opening position)",
}
CAPS = {
    "interest_ceiling": "利息封顶 interest ceiling",
    "note_cap": "单笔上限 note cap",
    "project_cap": "项目年度上限 project cap",
    "enterprise_cap": "企业年度上限 enterprise cap",
    "joint_cap": "与融资租赁贴息合并上限 joint cap",
    "borrower_total_cap": "借款人总额上限 borrower lifetime cap",
    "principal_cap": "贴息本金上限 principal cap",
    "net_off": "差额补足 net-off",
    "higher_of": "就高 higher-of",
    "fund_pro_rata": "年度资金按比例 fund pro rata",
}
SHORT = {
    "principal_cap": "本金",
    "interest_ceiling": "利息",
    "project_cap": "项目",
    "enterprise_cap": "企业",
    "joint_cap": "合并",
    "borrower_total_cap": "总额",
    "net_off": "差额",
    "higher_of": "就高",
    "fund_pro_rata": "比例",
    "note_cap": "单笔",
}
USED = {
    "granted": "本系统已贴 granted here",
    "outside": "外部贴息 outside subsidies",
    "opening": "期初数 opening",
    "leasing": "融资租赁贴息 leasing",
}
WORDS = {
    "fixed_asset": "固定资产贷款",
    "project": "项目贷款",
    "working_capital": "流动资金贷款",
    "policy_instrument": "新型政策性金融工具",
    "tech_innovation": "科技创新类贷款",
    "private": "民营",
    "state": "国有",
    "collective": "集体",
    "foreign": "外资",
    "micro": "微型",
    "small": "小型",
    "medium": "中型",
    "large": "大型",
    "green": "绿",
    "blue": "蓝",
    "yellow": "黄",
    "red": "红",
    "black": "黑",
    "little_giant": "专精特新“小巨人”企业",
    "specialized": "专精特新中小企业",
}
_DECISION = re.compile(r"D\d+")


def word(code: object) -> str:
    """A code with its Chinese word before it; other texts as they are."""
    text = str(code)
    return f"{WORDS[text]} {text}" if text in WORDS else text


def words(codes: Iterable[object]) -> str:
    """Several codes, listed."""
    return "、".join(word(code) for code in codes)


def day(value: object) -> str:
    """A day; the ends of the calendar mean no limit."""
    if value is None or value in (FIRST_DAY, LAST_DAY):
        return "不限 open"
    assert isinstance(value, date)
    return value.isoformat()


def scaled(number: int, places: int, least: int = 0) -> str:
    """A whole number of 10⁻ᵖˡᵃᶜᵉˢ as a decimal, trailing zeros cut down to `least` decimals."""
    whole, rest = divmod(number, 10**places)
    decimals = str(rest).zfill(places).rstrip("0").ljust(least, "0")
    return f"{whole:,}.{decimals}" if decimals else f"{whole:,}"


def percent(rate_e8: int) -> str:
    """A rate of 10⁻⁸ in percent."""
    return f"{scaled(rate_e8, 6)}%"


def percent_ppm(rate_ppm: object) -> str:
    """A rate in parts per million, in percent with two decimals at least."""
    assert isinstance(rate_ppm, int)
    return f"{scaled(rate_ppm, 4, 2)}%"


def exact_yuan(fen: Fraction) -> str:
    """An exact amount of fen in yuan: six decimals, `…` if there are more."""
    micro, rest = divmod(fen.numerator * 10_000, fen.denominator)
    shown = scaled(micro, 6, 2)
    return f"{scaled(micro, 6, 6)}…" if rest else shown


def fraction_yuan(fen: Fraction) -> str:
    """An exact amount of fen as a fraction of yuan in lowest terms."""
    exact = fen / 100
    return f"{exact.numerator}/{exact.denominator}"


def signed(fen: int) -> str:
    """An amount with its sign."""
    return yuan(fen) if fen < 0 else f"+{yuan(fen)}"


def wrap(text: str, indent: int, hang: int = 0) -> list[str]:
    """A text cut into lines of at most `COLUMNS` columns.

    It is cut after Chinese commas, before signs and tags, and at spaces only where it must.
    """
    lines = [" " * indent]
    for piece in _pieces(text):
        fits = width(lines[-1]) + width(piece.rstrip()) <= COLUMNS
        if fits or not lines[-1].strip():
            lines[-1] += piece
        else:
            lines.append(" " * (indent + hang) + piece.lstrip())
    return [line.rstrip() for line in lines]


def _pieces(text: str) -> Iterator[str]:
    """Parts of a text between which it is best cut; long ones may also be cut at spaces."""
    for part in re.split(r"(?<=[，；、])|(?= [=→←+−×÷] )|(?=  ?\[)", text):
        if width(part) <= LONG or part.lstrip().startswith("["):
            yield part
        else:
            yield from re.split(r"(?<= )", part)


class Footnotes:
    """Sources as short tags; the reasons of what is assumed are collected and told once."""

    def __init__(self) -> None:
        self.told: dict[tuple[str, str], Source] = {}

    def tag(self, *groups: Sources) -> str:
        """Documents with articles, then names of assumptions: `[财金〔2026〕4号 一(三) 假定 D5]`."""
        sources = [source for group in groups for source in group]
        names = list(dict.fromkeys(f"{s.document} {s.article}" for s in sources if s.article))
        assumed = list(dict.fromkeys(self._assumed(s) for s in sources if not s.article))
        if assumed:
            names.append(f"假定 assumed {' '.join(assumed)}")
        return f"[{' · '.join(names)}]" if names else ""

    def _assumed(self, source: Source) -> str:
        decision = _DECISION.match(source.assumed_because) or _DECISION.match(source.key)
        name = decision.group() if decision else source.key
        self.told[name, source.assumed_because] = source
        return name

    def legend(self) -> list[str]:
        """One entry per assumption used."""

        def place(entry: tuple[str, str]) -> tuple[int, str]:
            number = entry[0][1:]
            return (int(number) if number.isdigit() else 10**6), entry[0]

        lines: list[str] = []
        for name, because in sorted(self.told, key=place):
            text = because if because.startswith(f"{name}:") else f"{name}: {because}"
            lines += wrap(text, 2, 4)
        return lines


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], indent: int) -> list[str]:
    """A small table: first and last column to the left, the others to the right."""
    widths = [max(width(row[i]) for row in (header, *rows)) for i in range(len(header))]
    last = len(header) - 1
    lines = []
    for row in (header, *rows):
        cells = [
            cell if place == last else _padded(cell, widths[place], left=place == 0)
            for place, cell in enumerate(row)
        ]
        lines.append((" " * indent + "  ".join(cells)).rstrip())
    return lines


def _padded(cell: str, columns: int, *, left: bool) -> str:
    space = " " * (columns - width(cell))
    return cell + space if left else space + cell
