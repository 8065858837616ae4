"""N5: two notes that may have one invoice, or one machine, whose number is mistyped on one (near P5)."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from settlement.engine import near_names, near_numbers, near_scores, overlap
from settlement.engine.near_scores import INVOICE

LONG_NUMBER_CHARACTERS = 8  # of numbers that are equal but not exactly one invoice (F6)
COLUMNS = ("invoice_number", "serial_number")
PAIRS_AT_ONCE = 100_000
ROWS = {"row": pl.Int64, "row_2": pl.Int64}

PAIRS: dict[str, type[pl.DataType]] = {
    "first": pl.Int64,
    "second": pl.Int64,
    "by": pl.String,
    **dict.fromkeys(INVOICE, pl.String),
    "first_number": pl.String,
    "second_number": pl.String,
    "points": pl.Int64,
    "score_permille": pl.Int64,
}
_REPLACED = (near_numbers.SUBSTITUTED, near_numbers.EDITED)


def link_keys(notes: pl.DataFrame, invoices: pl.DataFrame) -> pl.DataFrame:
    """`enterprise_id`, `key` (hashed): enterprises whose invoices of one maker may be one have a key in common."""
    listed = _listed(notes, invoices)
    found = [_across(_numbered(listed, column), column) for column in COLUMNS]
    return pl.concat(found).select("enterprise_id", "key").unique()


def near_invoices(notes: pl.DataFrame, invoices: pl.DataFrame) -> pl.DataFrame:
    """Pairs of notes that may share an invoice or machine, with each field's relation and `score_permille`.

    Amounts must be equal; between enterprises the suppliers, too. Of several candidates for one note only
    the best of each enterprise is given. `first` is earlier in D4's order.
    """
    listed = _listed(notes, invoices)
    found = pl.concat(
        part for column in COLUMNS for part in _found(_numbered(listed, column), column)
    )
    proposed = found.join(_exact(found, notes, invoices), on=["first", "second"], how="anti")
    ordered = proposed.with_columns(
        edits=near_scores.edits(proposed, "first_number", "second_number")
    ).sort(
        "points", "edits", "rank", "rank_2", "by", "first_number", "second_number",
        descending=[True, False, False, False, False, False, False],
    )  # fmt: skip
    sides = (
        (["row", "enterprise_id_2"], "second_number"),
        (["row_2", "enterprise_id"], "first_number"),
    )
    for of, number in sides:
        ordered = near_scores.without_siblings(ordered, of=of, number=number)
    return (
        ordered.unique(["second", "enterprise_id"], keep="first", maintain_order=True)
        .sort("rank", "rank_2")
        .select(*PAIRS)
    )


def _listed(notes: pl.DataFrame, invoices: pl.DataFrame) -> pl.DataFrame:
    """Invoices of money with their note, enterprise, rank in D4's order and canonical maker."""
    ranked = notes.sort(*overlap.ORDER).select("note_id", "enterprise_id").with_row_index("rank")
    suppliers = invoices["supplier"].unique().to_list()
    makers = pl.DataFrame(
        {
            "supplier": suppliers,
            "maker": [near_names.canonical(name) for name in suppliers],
        },
        schema={"supplier": pl.String, "maker": pl.String},
    )
    listed = (
        invoices.filter(pl.col("amount_fen") > 0)
        .join(ranked.with_columns(pl.col("rank").cast(pl.Int64)), on="note_id")
        .join(makers, on="supplier", how="left")
    )
    for column in COLUMNS:
        listed = near_numbers.with_series(listed, column, ["enterprise_id", "maker", "amount_fen"])
    ordered = listed.sort("rank", "invoice_number", "serial_number", "issued_on")
    return ordered.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))


def _numbered(listed: pl.DataFrame, column: str) -> pl.DataFrame:
    text = near_numbers.folded(overlap.normal(column))
    return listed.with_columns(text=text).filter(
        pl.col("text").str.len_chars() >= near_numbers.WIDE_DIGITS
    )


def _exact_anywhere(column: str) -> pl.Expr:
    """Whether P5 has a pair of invoices whoever bought them (`overlap.invoice_keys`); unknown is no."""
    number, other = overlap.normal(column), overlap.normal(f"{column}_2")
    length, same = (
        number.str.len_chars(),
        overlap.normal("supplier") == overlap.normal("supplier_2"),
    )
    if column == "serial_number":
        told = same & (length >= overlap.SERIAL_TELLING_CHARACTERS)
    else:
        same_day = same & (pl.col("issued_on") == pl.col("issued_on_2"))
        told = same_day | (length >= overlap.INVOICE_UNIQUE_CHARACTERS)
    return ((number == other) & told).fill_null(value=False)


def _across(numbered: pl.DataFrame, column: str) -> pl.DataFrame:
    """Keys of invoices that strangers may have in common: one maker, amount and number but for look-alikes.

    Makers number their invoices one after the other and sell at one price: another digit, one more or
    less, or two in each other's place are as likely the invoice of another buyer.
    """
    return numbered.filter(pl.col("maker") != "").select(
        "row",
        "enterprise_id",
        key=pl.format(f"{column}|{{}}|{{}}|{{}}", "maker", "amount_fen", "text").hash(),
    )


def _found(numbered: pl.DataFrame, column: str) -> Iterator[pl.DataFrame]:
    """Pairs of invoices that are proposed by a column, so many compared at a time."""
    for pairs in _pairs(numbered, column).iter_slices(PAIRS_AT_ONCE):
        yield _proposed(_faced(pairs, numbered, column))
    yield _proposed(_faced(pl.DataFrame(schema=ROWS), numbered, column))


def _pairs(numbered: pl.DataFrame, column: str) -> pl.DataFrame:
    """Rows of invoices whose numbers are a character apart, in one book, or alike, in two."""
    group = pl.struct("enterprise_id", "amount_fen").hash()
    own = (
        numbered.select("row", "text", group=group, exact=overlap.normal(column))
        .unique(["group", "exact"], keep="first", maintain_order=True)  # equal ones are P5's
        .filter(pl.col("group").is_duplicated())
    )
    # A placeholder for a number stands on many invoices: days keep them apart.
    across = _across(numbered, column).filter(pl.col("key").is_duplicated())
    across = across.join(numbered.select("row", "issued_on"), on="row")
    among = [
        across.select("row", key=pl.format("{}|{}", "key", day).hash(), group=pl.lit(0, pl.UInt64))
        for day in near_scores.day_keys("issued_on")
    ]
    shares = own.height // PAIRS_AT_ONCE + 1
    books = (own.filter(pl.col("group") % shares == share) for share in range(shares))
    keys = (near_numbers.variants(book, "text", ["row", "group"], hashed=True) for book in books)
    return pl.concat([*map(_paired, keys), _paired(pl.concat(among).unique())]).unique()


def _paired(keys: pl.DataFrame) -> pl.DataFrame:
    """Rows with one key, two by two."""
    keyed = keys.filter(pl.struct("group", "key").is_duplicated())
    return (
        keyed.join(keyed, on=["group", "key"], suffix="_2")
        .filter(pl.col("row") < pl.col("row_2"))
        .select("row", "row_2")
        .unique()
    )


def _faced(pairs: pl.DataFrame, numbered: pl.DataFrame, column: str) -> pl.DataFrame:
    """Pairs of invoices of two notes side by side, as far as amount, day and seller let them be one."""
    first = numbered.join(pairs, on="row")
    second = numbered.join(pairs.select(row="row_2"), on="row", how="semi")
    second = second.rename({name: f"{name}_2" for name in numbered.columns})
    same_maker = (pl.col("maker") == pl.col("maker_2")) & (pl.col("maker") != "")
    unnamed = (pl.col("maker") == "") | (pl.col("maker_2") == "")
    own_book = pl.col("enterprise_id") == pl.col("enterprise_id_2")
    return (
        first.join(second, on="row_2")
        .with_columns(day=near_scores.days("issued_on", "issued_on_2"))
        .filter(
            (pl.col("note_id") != pl.col("note_id_2"))
            & (pl.col("amount_fen") == pl.col("amount_fen_2"))
            & (same_maker | (own_book & unnamed))
            & (pl.col("day") != "differ")
        )
        .filter(~_exact_anywhere(column))  # a placeholder for a number makes many of them
        .with_columns(
            first="note_id",
            second="note_id_2",
            by=pl.lit(column),
            first_number=column,
            second_number=f"{column}_2",
            amount=pl.lit("equal"),
            supplier=pl.when(same_maker).then(pl.lit("equal")).otherwise(pl.lit("unknown")),
            in_series=pl.col(f"{column}_series") & pl.col(f"{column}_series_2"),
        )
    )


def _proposed(found: pl.DataFrame) -> pl.DataFrame:
    """Pairs that may be one; another digit in its place only on one day, as notes' numbers are judged.

    Between strangers only what `_across` says. If the invoices tell two machines, or the machines two invoices one after the other, there are two.
    """
    invoice = near_scores.relations(found, "invoice_number", "invoice_number_2")
    serial = near_scores.relations(found, "serial_number", "serial_number_2")
    told = found.with_columns(invoice=invoice, serial=serial).with_columns(
        number=pl.when(pl.col("by") == "invoice_number").then("invoice").otherwise("serial"),
        machines=(overlap.normal("serial_number") != "")
        & (overlap.normal("serial_number_2") != ""),
    )
    replaced = pl.col("number").is_in(list(_REPLACED))
    doubtful = replaced | pl.col("number").is_in([near_numbers.TRANSPOSED, near_numbers.MISSING])
    equal = (
        (pl.col("number") == near_numbers.EQUAL)
        & (pl.col("enterprise_id") != pl.col("enterprise_id_2"))
        & (overlap.normal("first_number").str.len_chars() >= LONG_NUMBER_CHARACTERS)
    )
    likely = equal | pl.col("number").is_in(list(near_numbers.MISTYPED))
    strangers = pl.col("enterprise_id") != pl.col("enterprise_id_2")
    two_machines = (
        (pl.col("by") == "invoice_number")
        & pl.col("machines")
        & pl.col("serial").is_in([near_numbers.SERIAL, near_numbers.FAR])
    )
    two_invoices = (pl.col("by") == "serial_number") & (pl.col("invoice") == near_numbers.SERIAL)
    return (
        told.filter(
            likely
            & ~(doubtful & pl.col("in_series"))
            & ~(replaced & (pl.col("day") != "equal"))
            & ~(strangers & doubtful)
            & ~two_machines
            & ~two_invoices
        )
        .with_columns(points=near_scores.points(INVOICE))
        .filter(pl.col("points") >= near_scores.THRESHOLD_POINTS)
        .with_columns(score_permille=near_scores.permille("points"))
    )


def _exact(found: pl.DataFrame, notes: pl.DataFrame, invoices: pl.DataFrame) -> pl.DataFrame:
    """Pairs of notes that P5 has, neighbours or not."""
    pairs = found.select("first", "second").unique()
    asked = pl.concat([pairs["first"], pairs["second"]]).unique()
    keys = ["by", "matched", "place"]
    known = overlap.invoice_keys(
        notes.filter(pl.col("note_id").is_in(asked.implode())), invoices
    ).select("note_id", *keys)
    return (
        pairs.join(known, left_on="first", right_on="note_id")
        .join(known, left_on=["second", *keys], right_on=["note_id", *keys])
        .select("first", "second")
        .unique()
    )
