"""Who files which report with whom, and when: one entry per scheme × report that its document asks for.

Reports without a day in any document (register, duplicate check, audit pack) are made when asked for;
the sports scheme sets no day for its reports (ST-25, ST-26).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from reports.definitions.due_dates import (
    DayOfNextMonth,
    DayOfYear,
    PeriodEnd,
    Rule,
    WorkingDays,
)
from reports.definitions.period import Period, parse

SME, EQUIPMENT = "central-sme-2026", "central-equipment-2026"
MANUFACTURING = "jiangsu-manufacturing-2026"
COUNTERPART = "对口财政部门"
PROVINCE = "省级财政部门"
MINISTRY = "财政部（抄送中国人民银行、国家金融监督管理总局）"
LIKEWISE = "文件只定 2026 年日期，以后年度比照 / the document dates 2026 only; later years likewise"
MONTHLY = "文件只定按月，未定日期，按月后 5 个工作日 / monthly by the document, no day: 5 working days assumed"


@dataclass(frozen=True)
class Deadline:
    """One duty to report. `level`: whose institutions file (the root above where there is none such).

    `first` and `last` are the periods it is asked for; `assumed` says what the document leaves open.
    """

    scheme_code: str
    code: str
    every: Literal["month", "quarter", "year"]
    level: Literal["headquarters", "provincial"]
    addressee: str
    article: str
    rule: Rule
    first: str
    last: str
    assumed: str = ""

    def periods(self) -> Iterator[Period]:
        """Every period it is asked for, in order."""
        first, last = parse(self.first), parse(self.last)
        assert first is not None and last is not None
        period = first
        while period.start <= last.start:
            yield period
            period = _period_from(period.end, self.every)


def _period_from(day: date, every: str) -> Period:
    codes = {
        "month": f"{day:%Y-%m}",
        "quarter": f"{day.year}-Q{(day.month + 2) // 3}",
        "year": f"{day.year}",
    }
    period = parse(codes[every])
    assert period is not None and period.start == day
    return period


DEADLINES: tuple[Deadline, ...] = (
    Deadline(
        SME, "new-loans", "month", "headquarters", COUNTERPART, "财金〔2026〕4号 二(三)",
        DayOfNextMonth(5), "2026-01", "2026-12",
    ),
    Deadline(
        SME, "monthly-execution", "month", "headquarters",
        f"{COUNTERPART}（抄送中国人民银行、国家金融监督管理总局）", "财金〔2026〕4号 三(一)",
        WorkingDays(5), "2026-01", "2028-12",
    ),
    Deadline(
        SME, "annual-demand", "year", "headquarters", COUNTERPART, "财金〔2026〕4号 二(二)",
        DayOfYear(2, 5), "2026", "2026",
    ),
    Deadline(
        SME, "annual-demand", "year", "headquarters", COUNTERPART, "财金〔2026〕4号 二(四)",
        DayOfYear(1, 31), "2027", "2028",
    ),
    Deadline(
        SME, "annual-settlement", "year", "headquarters", COUNTERPART, "财金〔2026〕4号 二(四)",
        DayOfYear(1, 31, years_later=1), "2026", "2028",
    ),
    Deadline(
        SME, "liquidation", "year", "headquarters", COUNTERPART, "财金〔2026〕4号 二(五)",
        DayOfYear(1, 31, years_later=1), "2028", "2028",
    ),
    Deadline(
        EQUIPMENT, "monthly-execution", "month", "headquarters", MINISTRY, "财金〔2026〕2号 九",
        WorkingDays(5), "2026-01", "2028-12",
    ),
    Deadline(
        EQUIPMENT, "monthly-application", "month", "provincial", PROVINCE, "财金〔2026〕2号 四",
        WorkingDays(5), "2026-01", "2028-12", MONTHLY,
    ),
    Deadline(
        EQUIPMENT, "annual-demand", "year", "provincial", PROVINCE, "财金〔2026〕2号 四",
        DayOfYear(1, 31), "2026", "2026",
    ),
    Deadline(
        EQUIPMENT, "annual-demand", "year", "provincial", PROVINCE, "财金〔2026〕2号 四",
        DayOfYear(1, 31), "2027", "2028", LIKEWISE,
    ),
    Deadline(
        EQUIPMENT, "annual-settlement", "year", "provincial", PROVINCE, "财金〔2026〕2号 五",
        DayOfYear(1, 31, years_later=1), "2026", "2028",
    ),
    Deadline(
        EQUIPMENT, "liquidation", "year", "provincial", PROVINCE, "财金〔2026〕2号 六",
        DayOfYear(1, 31, years_later=1), "2028", "2028",
    ),
    Deadline(
        MANUFACTURING, "quarterly-payout", "quarter", "provincial", "江苏省财政厅",
        "苏财工贸〔2026〕7号 (九)", PeriodEnd(), "2026-Q1", "2026-Q4",
    ),
)  # fmt: skip
