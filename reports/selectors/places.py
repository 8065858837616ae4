"""Where things are: levels of institutions, names of regions, and up to where the ledger reaches."""

from __future__ import annotations

import re
from functools import lru_cache

import polars as pl
from stdnum import numdb

from config.kernel.services.bulk import rows

_DATED = re.compile(r"^\[[^\]]*\]")  # a name's years, as [1996-]宿迁市


def filing_levels(*, institution_id: int) -> frozenset[str]:
    """At which levels does an institution file: its own; a head office without 一级分行 as both (EQ-06)."""
    found = rows(
        "SELECT i.level, EXISTS (SELECT FROM kernel_institution b WHERE b.level = 'provincial'"
        " AND b.id > i.id AND b.id <= i.last_id) FROM kernel_institution i WHERE i.id = %s",
        [institution_id],
    )
    level, has_provincial = found[0]
    if level == "headquarters" and not has_provincial:
        return frozenset({"headquarters", "provincial"})
    return frozenset({str(level)})


def ledger_position() -> int:
    """The number of the last ledger entry there is; 0 for an empty ledger."""
    return int(rows("SELECT coalesce(max(id), 0) FROM settlement_ledgerentry")[0][0])


@lru_cache(maxsize=4096)
def city_name(city_code: str) -> str:
    """What is the region of these six digits called (GB/T 2260)? Empty for a code that is not known."""
    parts = [one for _, one in numdb.get("cn/loc").info(city_code) if one]
    names = [str(name) for one in parts for name in one.values()]
    clean = [_DATED.sub("", name.split(",")[-1]) for name in names]
    return "".join(dict.fromkeys(clean))


def with_city(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with `city_code` (the first four digits of `region_code`, then 00) and `city_zh` (MF-22)."""
    coded = frame.with_columns(city_code=pl.col("region_code").str.slice(0, 4) + "00")
    codes = coded["city_code"].unique().to_list()
    names = pl.DataFrame(
        [(code, city_name(code)) for code in codes],
        schema={"city_code": pl.String, "city_zh": pl.String},
        orient="row",
    )
    return coded.join(names, on="city_code", how="left", maintain_order="left")
