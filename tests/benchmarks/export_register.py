"""A register of 36 columns, nine of them formulas, as our renderer writes it: rows, file, how far off.

`off` is added to every saved result, so that a right value can only come from a recalculation.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl

from reports.definitions.sheet import Column, Heading, Sheet, Table
from reports.render import xlsx

PART_ROWS = 50_000
HEADING = Heading(
    "subsidy-register", "贴息台账", "C0001110000000", "甲银行", "2026", "2026年", "元",
)  # fmt: skip
# tier → points in 10⁻⁴ of a percent point
TIERS = {"central": 15_000, "provincial": 10_000, "municipal": 10_000}
NAMES = {"central": "中央", "provincial": "省级", "municipal": "市级"}


def whole(points: int) -> str:
    """The whole period's subsidy of a product in 元·日 at so many points over 360, half up."""
    return f"INT(ROUND({{product}}*100,0)*{points}/360000000+0.5)/100"


def columns() -> tuple[Column, ...]:
    """The register's columns."""
    texts = {
        "scheme": "政策/文号", "institution": "机构编码", "name": "行名", "borrower": "借款人",
        "uscc": "统一社会信用代码", "size": "企业规模", "ownership": "所有制", "industry": "行业代码",
        "region": "登记地", "project": "项目", "contract": "合同号", "note": "借据号",
    }  # fmt: skip
    return (
        Column("number", "序号", "int"),
        *(Column(key, title, "text", "财金〔2026〕4号") for key, title in texts.items()),
        Column("version", "规则版本", "int"),
        Column("drawn_on", "放款日", "date"),
        Column("matures_on", "到期日", "date"),
        Column("exchange", "折算率", "exchange"),
        Column("rate", "合同利率(%)", "rate"),
        Column("lpr", "LPR(%)", "rate"),
        Column("principal", "放款金额", "yuan", total=True),
        Column("starts_on", "计息起日", "date"),
        Column("ends_on", "计息止日", "date"),
        Column("days", "实际付息天数", "int"),
        Column("product", "积数(元·日)", "product", total=True),
        Column("due", "应收利息", "yuan", total=True),
        Column("paid", "实收利息", "yuan", total=True),
        *(
            Column(f"whole_{tier}", f"全期贴息-{NAMES[tier]}", "yuan", total=True, formula=whole(points))
            for tier, points in TIERS.items()
        ),
        *(
            Column(
                f"earned_{tier}", f"应贴息-{NAMES[tier]}", "yuan", total=True,
                formula=f"ROUND({{whole_{tier}}}*{{paid}}/{{due}},2)",
            )
            for tier in TIERS
        ),
        Column("cut", "封顶核减", "yuan", total=True),
        Column(
            "granted", "实际贴息", "yuan", total=True,
            formula="ROUND({earned_central}+{earned_provincial}+{earned_municipal}-{cut},2)",
        ),
        Column("borne", "企业实付", "yuan", total=True, formula="ROUND({paid}-{granted},2)"),
        Column("share", "贴息占比(%)", "rate", formula="ROUND({granted}/{paid}*100,4)"),
    )  # fmt: skip


def part(first: int, rows: int, off: int) -> pl.DataFrame:
    """Rows number `first` and following, by whole-number arithmetic alone."""
    n = pl.int_range(first, first + rows, eager=True).alias("number")
    text = n.cast(pl.String).str.zfill(10)
    principal = (n * 7_919 % 99_991 + 1) * 100_000
    days = n % 91 + 1
    product = principal * days + n % 7
    paid = principal * days * 31 // 360_00 + 1
    frame = pl.DataFrame({"number": n, "principal": principal, "days": days, "product": product})
    wholes = {
        tier: (2 * product * points + 3_600_000_00) // (2 * 3_600_000_00)
        for tier, points in TIERS.items()
    }
    granted = sum(wholes.values())
    words = {
        "scheme": pl.lit("财金〔2026〕4号"), "institution": pl.lit("C0001320100000"),
        "name": pl.lit("甲银行南京分行"), "size": pl.lit("小型"), "ownership": pl.lit("民营"),
        "industry": pl.lit("C3421"), "region": pl.lit("320100"),
        "borrower": pl.concat_str(pl.lit("样例企业"), text, pl.lit("有限公司")),
        "uscc": pl.concat_str(pl.lit("91320100"), text), "project": pl.concat_str(pl.lit("P-"), text),
        "contract": pl.concat_str(pl.lit("HT-"), text), "note": pl.concat_str(pl.lit("JJ"), text),
    }  # fmt: skip
    return frame.with_columns(
        **words,
        version=pl.lit(1, pl.Int64),
        drawn_on=pl.lit(date(2026, 1, 15)),
        matures_on=pl.lit(date(2029, 1, 15)),
        exchange=pl.lit(10**8, pl.Int64),
        rate=pl.lit(31_000, pl.Int64),
        lpr=pl.lit(30_000, pl.Int64),
        starts_on=pl.lit(date(2026, 1, 21)),
        ends_on=pl.lit(date(2026, 4, 21)),
        due=paid,
        paid=paid,
        **{f"whole_{tier}": amount + off for tier, amount in wholes.items()},
        **{f"earned_{tier}": amount + off for tier, amount in wholes.items()},
        cut=n % 2,
        granted=granted - n % 2 + off,
        borne=paid - (granted - n % 2) + off,
        share=(2 * (granted - n % 2) * 1_000_000 + paid) // (2 * paid) + off,
    )


def register(rows: int, off: int = 0) -> Sheet:
    """The whole register, in parts."""

    def parts() -> Iterator[pl.DataFrame]:
        for first in range(0, rows, PART_ROWS):
            yield part(first + 1, min(PART_ROWS, rows - first), off)

    return Sheet(HEADING, (Table("register", "台账", columns(), parts),), footnotes=("合成数据。",))


def main() -> None:
    """Write it and say how long it took."""
    rows, path, off = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    started = time.monotonic()
    xlsx.write(register(rows, off), path)
    sys.stdout.write(
        json.dumps({"rows": rows, "milliseconds": int((time.monotonic() - started) * 1000)})
    )


if __name__ == "__main__":
    main()
