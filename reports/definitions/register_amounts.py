"""The subsidy of a register's rows worked out again from the row itself: exact, in whole numbers (D7, D8).

What a spreadsheet's formula gives is the same only if binary floating point cannot tip a fen; rows
where it might have no formula, and rows that their own cells do not explain have none either.
"""

from __future__ import annotations

import polars as pl

from reports.definitions.words import TIERS

POINT_RATES = tuple(f"rate_{tier}_e8" for tier in TIERS)
E8_PER_PPM = 100
SAFE_PER_FEN = 100_000  # a value no nearer than this part of a fen to being rounded up is safe
SAFE_FEN = 10**9  # up to so much: 13 digits before and behind the point are a double's own

PERCENT = "按实付利息比例计算，积数不决定金额"
CHANGED_RATE = "计息期内贴息率变动，分段计算"
FINE_RATE = "贴息率超过4位小数"
FACTS_CHANGED = "入账后资料有变，待重算"
TOO_FINE = "金额过于接近舍入界限，电子表格浮点数不足以复算"

_ONE = pl.Int128


def with_rates(rows: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Rows (`place` is the row number) with version, names, basis and their rate per tier.

    `rate_<tier>` in parts per million; `remark` says why a row has no single rate. Of a period during
    which the rate changes the last one is shown.
    """
    start = pl.max_horizontal("period_start", "subsidised_from")
    end = pl.min_horizontal("period_end", "subsidised_until")
    near = rows.select(
        "place",
        "version_id",
        "drawn_on",
        "tiers_off",
        "note_rate_ppm",
        "lpr_ppm",
        start=start,
        end=end,
    ).join(cells, on="version_id", how="left", maintain_order="left")
    held = near.filter(
        (pl.col("drawn_on") >= pl.col("drawn_from")) & (pl.col("drawn_on") < pl.col("drawn_until"))
        & (pl.col("start") < pl.col("end")) & (pl.col("start") < pl.col("accrued_until")) & (pl.col("end") > pl.col("accrued_from"))
    )  # fmt: skip
    rated = held.with_columns(_annual()).with_columns(
        pl.when(pl.col("tiers_off").str.contains(tier)).then(0).otherwise(pl.col(name)).alias(name)
        for tier, name in zip(TIERS, POINT_RATES, strict=True)
    )
    single = (
        rated.group_by("place", maintain_order=True)
        .agg(
            pl.col(POINT_RATES).last(),
            pl.col("method", "basis_days").last(),
            kinds=pl.struct(POINT_RATES).n_unique(),
        )
        .with_columns(_unrated())
    )
    named = cells.group_by("version_id").agg(pl.col("version", "name_zh", "document").first())
    return (
        rows.join(single, on="place", how="left", maintain_order="left")
        .join(named, on="version_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("remark").fill_null(FACTS_CHANGED),
            pl.col("basis_days").fill_null(0),
            *(
                pl.col(name).fill_null(0).floordiv(E8_PER_PPM).alias(f"rate_{tier}")
                for tier, name in zip(TIERS, POINT_RATES, strict=True)
            ),
        )
    )


def _annual() -> list[pl.Expr]:
    """Each tier's rate in 10⁻⁸ of whatever the row is paid by; of interest, whole percents (§4)."""
    supported = pl.min_horizontal("note_rate_ppm", pl.col("lpr_ppm") + pl.col("above_lpr_ppm"))
    return [
        pl.when(pl.col("method") == "interest_to_lpr_plus")
        .then(supported * pl.col(name))
        .when(pl.col("method") == "percent_of_interest")
        .then(pl.col(name) * E8_PER_PPM)
        .otherwise(pl.col(name))
        .alias(name)
        for name in POINT_RATES
    ]


def _unrated() -> pl.Expr:
    fine = pl.any_horizontal(pl.col(name) % E8_PER_PPM != 0 for name in POINT_RATES)
    return (
        pl.when(pl.col("method") == "percent_of_interest")
        .then(pl.lit(PERCENT))
        .when(pl.col("kinds") > 1)
        .then(pl.lit(CHANGED_RATE))
        .when(fine)
        .then(pl.lit(FINE_RATE))
        .otherwise(pl.lit(""))
        .alias("remark")
    )


def with_earned(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the whole period's subsidy, earned before and earned to date per tier, in fen.

    Null where the row cannot be worked out: `remark` then says why, and `has_formula` is false.
    """
    full = pl.col("interest_due_fen").clip(lower_bound=1)  # the whole period's, whatever is due
    rated = pl.col("remark") == ""
    worked = rows.with_columns(
        *(_half_up(tier, full).alias(f"whole_{tier}_fen") for tier in TIERS),
        *(_half_up(tier, pl.col("paid_before_fen")).alias(f"before_{tier}_fen") for tier in TIERS),
        *(
            _half_up(tier, pl.col("paid_to_date_fen")).alias(f"to_date_{tier}_fen")
            for tier in TIERS
        ),
    )
    same = pl.all_horizontal(
        pl.col("due_before_fen") == pl.col("interest_due_fen"),
        *(
            pl.col(f"to_date_{tier}_fen") - pl.col(f"before_{tier}_fen")
            == pl.col(f"raw_{tier}_fen")
            for tier in TIERS
        ),
    ).fill_null(value=False)
    safe = pl.all_horizontal(
        _is_safe(tier, paid)
        for tier in TIERS
        for paid in (full, pl.col("paid_before_fen"), pl.col("paid_to_date_fen"))
    ).fill_null(value=False)
    remark = (
        pl.when(~rated)
        .then("remark")
        .when(~same)
        .then(pl.lit(FACTS_CHANGED))
        .when(~safe)
        .then(pl.lit(TOO_FINE))
        .otherwise(pl.lit(""))
    )
    amounts = [f"{part}_{tier}_fen" for part in ("whole", "before", "to_date") for tier in TIERS]
    told = worked.with_columns(remark=remark).with_columns(has_formula=pl.col("remark") == "")
    shown = pl.col("has_formula") | (pl.col("remark") == TOO_FINE)
    return told.with_columns(pl.when(shown).then(pl.col(amount)) for amount in amounts)


def _numerator(tier: str, paid: pl.Expr) -> pl.Expr:
    """Twice product × rate × paid: up to 10¹³ × 14,640 × 360,000 × 10¹³ it fits Int128."""
    product = pl.col("product").cast(_ONE) * pl.col(f"rate_{tier}").cast(_ONE)
    return product * paid.cast(_ONE) * pl.lit(2, dtype=_ONE)


def _denominator() -> pl.Expr:
    """Basis × 10⁶ × due; at least 1, for rows whose amounts are not shown or nothing."""
    days = pl.col("basis_days").clip(lower_bound=1).cast(_ONE)
    return days * pl.lit(10**6, dtype=_ONE) * _due()


def _due() -> pl.Expr:
    return pl.col("interest_due_fen").clip(lower_bound=1).cast(_ONE)


def _half_up(tier: str, paid: pl.Expr) -> pl.Expr:
    whole = _denominator()
    doubled = _numerator(tier, paid) + whole
    return doubled.floordiv(whole * pl.lit(2, dtype=_ONE)).cast(pl.Int64, strict=True)


def _is_safe(tier: str, paid: pl.Expr) -> pl.Expr:
    whole = _denominator() * pl.lit(2, dtype=_ONE)
    doubled = _numerator(tier, paid) + _denominator()
    gap = whole - doubled % whole
    small = doubled < whole * pl.lit(SAFE_FEN, dtype=_ONE)
    return small & (gap >= whole.floordiv(pl.lit(SAFE_PER_FEN, dtype=_ONE)))
