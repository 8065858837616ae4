"""N2: two notes that may be one loan entered twice with a number mistyped (near P1 and P2).

Candidates are notes of one enterprise, or of two that are one (exact P3, or N3), drawn within a week or
with month and day swapped. Everything looked at belongs to those two enterprises.
"""

from __future__ import annotations

import polars as pl

from settlement.engine import near_numbers, near_scores, overlap
from settlement.engine.near_scores import BY_CONTRACT, NOTE, OTHER_BANK

PAIRS_AT_ONCE = 100_000
WINDOW_DAYS = near_scores.DAYS_CLOSE + 1
BUSY_NOTES = (
    300  # in one window of one enterprise; above, only numbers a character apart are compared
)
_FACTS = (
    "note_id", "note_number", "institution_code", "bank_code", "contract_id", "contract_number",
    "contract_fen", "signed_on", "loan_type", "project_code", "drawn_on", "principal_fen",
)  # fmt: skip
PAIRS: dict[str, type[pl.DataType]] = {
    "first": pl.Int64,
    "second": pl.Int64,
    **dict.fromkeys(NOTE, pl.String),
    "points": pl.Int64,
    "score_permille": pl.Int64,
}


def near_notes(notes: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Pairs of notes that may be one, with each field's relation and `score_permille`.

    `links`: pairs of enterprises that are one (`first`, `second`). Of several candidates for one note
    only the best of each enterprise is given, the earliest in D4's order among equals: n entries of one
    loan give at most n − 1 pairs within an enterprise. `first` is earlier in D4's order.
    """
    ranked = (
        notes.select(*dict.fromkeys([*overlap.ORDER, "enterprise_id", *_FACTS]))
        .sort(*overlap.ORDER)
        .with_row_index("rank")
        .with_columns(pl.col("rank").cast(pl.Int64))
    )
    for column in ("note_number", "contract_number"):
        ranked = near_numbers.with_series(ranked, column, ["enterprise_id"])
    pairs = _candidates(ranked, links)
    parts = (_scored(_faced(part, ranked)) for part in pairs.iter_slices(PAIRS_AT_ONCE))
    return _best(pl.concat([_scored(_faced(pairs.clear(), ranked)), *parts]))


def _windows(notes: pl.DataFrame) -> pl.DataFrame:
    """Each note under two overlapping windows of drawdown days, and under its day with month and day swapped."""
    kept = ["rank", "enterprise_id"]
    window = pl.col("drawn_on").cast(pl.Int32).cast(pl.Int64) // WINDOW_DAYS
    day, month = pl.col("drawn_on").dt.day(), pl.col("drawn_on").dt.month()
    swappable = notes.filter((day <= 12) & (day != month)).select(
        *kept,
        window=pl.format(
            "{}|{}|{}|{}",
            "principal_fen",
            pl.col("drawn_on").dt.year(),
            pl.min_horizontal(day, month),
            pl.max_horizontal(day, month),
        ).hash(),
    )
    return pl.concat(
        [
            notes.select(*kept, window=window.hash()),
            notes.select(*kept, window=(window + 1).hash()),
            swappable,
        ]
    )


def _candidates(notes: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Pairs of ranks to compare."""
    windows = _windows(notes)
    sizes = windows.group_by("enterprise_id", "window").len()
    busy = sizes.filter(pl.col("len") > BUSY_NOTES).select("enterprise_id").unique()
    shown = windows.join(busy, on="enterprise_id", how="anti")
    linked = links.select("first", "second").unique()
    crowd = pl.concat(
        [
            busy,
            linked.join(busy, left_on="first", right_on="enterprise_id").select(
                enterprise_id="second"
            ),
            linked.join(busy, left_on="second", right_on="enterprise_id").select(
                enterprise_id="first"
            ),
        ]
    ).unique()
    crowded = notes.join(crowd, on="enterprise_id", how="semi")
    numbered = _keyed(crowded, "note_number", "rank")
    contracts = _keyed(
        crowded.unique(["enterprise_id", "contract_id"]), "contract_number", "contract_id"
    )
    crowds = windows.join(crowd, on="enterprise_id", how="semi")
    placed = crowds.join(notes.select("rank", "contract_id"), on="rank")
    found = [
        *(_own(shown), _across(shown, linked)),
        *(_own(numbered.join(busy, on="enterprise_id", how="semi")), _across(numbered, linked)),
        _of_contracts(_own(contracts.join(busy, on="enterprise_id", how="semi")), placed),
        _of_contracts(_across(contracts, linked), placed),
    ]
    return pl.concat(found).unique()


def _keyed(frame: pl.DataFrame, column: str, of: str) -> pl.DataFrame:
    """What may be one number has a `window` in common; `of` is given as `rank`."""
    texts = frame.with_columns(text=near_numbers.folded(overlap.normal(column)))
    keys = near_numbers.variants(texts, "text", [of, "enterprise_id"], hashed=True)
    return keys.select("enterprise_id", rank=of, window="key")


def _of_contracts(contracts: pl.DataFrame, placed: pl.DataFrame) -> pl.DataFrame:
    """Pairs of notes in one window, of pairs of contracts. `placed`: rank, contract_id, window of each note."""
    one = placed.select(one="contract_id", window="window", left="rank")
    other = placed.select(two="contract_id", window="window", right="rank")
    return (
        contracts.select(one="rank", two="other")
        .join(one, on="one")
        .join(other, on=["two", "window"])
        .select(rank=pl.min_horizontal("left", "right"), other=pl.max_horizontal("left", "right"))
        .unique()
    )


def _own(keyed: pl.DataFrame) -> pl.DataFrame:
    together = keyed.filter(pl.len().over("enterprise_id", "window") > 1)
    return (
        together.join(together, on=["enterprise_id", "window"], suffix="_other")
        .filter(pl.col("rank") < pl.col("rank_other"))
        .select("rank", other="rank_other")
        .unique()
    )


def _across(keyed: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    return (
        links.join(keyed, left_on="first", right_on="enterprise_id")
        .join(
            keyed,
            left_on=["second", "window"],
            right_on=["enterprise_id", "window"],
            suffix="_other",
        )
        .select(
            rank=pl.min_horizontal("rank", "rank_other"),
            other=pl.max_horizontal("rank", "rank_other"),
        )
        .unique()
    )


def _faced(pairs: pl.DataFrame, notes: pl.DataFrame) -> pl.DataFrame:
    """Both notes' facts side by side, of pairs whose amounts and days are close at all."""
    facts = ["enterprise_id", "note_number_series", "contract_number_series", *_FACTS]
    first = notes.select("rank", *facts)
    second = notes.select(
        pl.col("rank").alias("other"), *(pl.col(fact).alias(f"{fact}_2") for fact in facts)
    )
    return (
        pairs.join(first, on="rank")
        .join(second, on="other")
        .with_columns(
            amount=near_scores.amounts("principal_fen", "principal_fen_2"),
            day=near_scores.days("drawn_on", "drawn_on_2"),
        )
        .filter((pl.col("amount") != "differ") & (pl.col("day") != "differ"))
    )


def _scored(pairs: pl.DataFrame) -> pl.DataFrame:
    """Pairs with every field's relation, as far as they are proposed and no exact rule has them."""
    found = pairs.with_columns(
        number=near_scores.relations(pairs, "note_number", "note_number_2"),
        contract=near_scores.relations(pairs, "contract_number", "contract_number_2"),
    )
    found = found.filter(~_exact())
    found = _numbered_by_place(found).with_columns(
        number=_unless_series("number", "note_number"),
        contract=pl.when(_SAME_CONTRACT)
        .then(pl.lit("same"))
        .otherwise(_unless_series("contract", "contract_number")),
        place=pl.when(_OTHER_BANK).then(pl.lit("other_bank")).otherwise(pl.lit("same_bank")),
        terms=_terms(),
        loan_type=_agreement("loan_type"),
        project=_agreement("project_code"),
    )
    bonus = pl.when(_by_contract()).then(BY_CONTRACT).when(_counted()).then(OTHER_BANK).otherwise(0)
    return (
        found.filter(_mistyped() | _by_contract() | _counted() | _above_contract())
        .with_columns(points=near_scores.points(NOTE) + bonus)
        .filter(pl.col("points") >= near_scores.THRESHOLD_POINTS)
        .with_columns(
            first="note_id", second="note_id_2", score_permille=near_scores.permille("points")
        )
    )


_SAME_CONTRACT = pl.col("contract_id") == pl.col("contract_id_2")
_OTHER_BANK = pl.col("bank_code") != pl.col("bank_code_2")
_ALL_EQUAL = (pl.col("amount") == "equal") & (pl.col("day") == "equal")


def _exact() -> pl.Expr:
    """Pairs that P1 and P2 have."""
    own = pl.col("enterprise_id") == pl.col("enterprise_id_2")
    amount, day = pl.col("amount") == "equal", pl.col("day") == "equal"
    signed = pl.col("signed_on") == pl.col("signed_on_2")
    granted = pl.col("contract_fen") == pl.col("contract_fen_2")
    numbers = (pl.col("number") == near_numbers.EQUAL) & (amount | day)
    contracts = (pl.col("contract") == near_numbers.EQUAL) & ~_SAME_CONTRACT & (signed | granted)
    return own & (numbers | contracts)


def _unless_series(field: str, column: str) -> pl.Expr:
    """A relation; of two numbers that both stand in a row of consecutive ones, that they are counted.

    0012 and 0021 of a row from 0011 to 0022 are two of the row.
    """
    both = pl.col(f"{column}_series") & pl.col(f"{column}_series_2")
    doubtful = pl.col(field).is_in([
        near_numbers.TRANSPOSED, near_numbers.MISSING, near_numbers.SUBSTITUTED, near_numbers.EDITED,
    ])  # fmt: skip
    return pl.when(both & doubtful).then(pl.lit(near_numbers.SERIAL)).otherwise(field)


def _numbered_by_place(pairs: pl.DataFrame) -> pl.DataFrame:
    """Pairs, of which those that differ in the branch's digits are told to be counted."""
    doubtful = pairs.select(
        "note_number", "note_number_2", "institution_code", "institution_code_2", "number"
    )
    found = [
        near_numbers.SERIAL
        if number in _REPLACED and near_numbers.tells_place(one, other, (code, other_code))
        else number
        for one, other, code, other_code, number in doubtful.iter_rows()
    ]
    return pairs.with_columns(number=pl.Series(found, dtype=pl.String))


_REPLACED = (near_numbers.SUBSTITUTED, near_numbers.EDITED)


def _terms() -> pl.Expr:
    """Whether two contracts are alike, or two notes of one day are more than their one contract grants."""
    alike = (pl.col("contract_fen") == pl.col("contract_fen_2")) & (
        pl.col("signed_on") == pl.col("signed_on_2")
    )
    drawn = pl.col("principal_fen") + pl.col("principal_fen_2")
    above = (drawn > pl.col("contract_fen")) & (pl.col("day") == "equal")
    return (
        pl.when(_SAME_CONTRACT & above)
        .then(pl.lit("above_contract"))
        .when(_SAME_CONTRACT)
        .then(pl.lit("same"))
        .when(alike)
        .then(pl.lit("equal"))
        .otherwise(pl.lit("differ"))
    )


def _agreement(column: str) -> pl.Expr:
    one, other = overlap.normal(column), overlap.normal(f"{column}_2")
    return (
        pl.when((one == "") | (other == ""))
        .then(pl.lit("unknown"))
        .when(one == other)
        .then(pl.lit("equal"))
        .otherwise(pl.lit("differ"))
    )


def _mistyped() -> pl.Expr:
    """The number is the other one mistyped.

    Another digit in its place may be meant: then all else must agree, and within a bank the contract.
    One digit changed alike in note and contract number within a bank is how the bank numbers.
    """
    number, contract = pl.col("number"), pl.col("contract")
    replaced = number.is_in(list(_REPLACED))
    alike = contract.is_in(list(_REPLACED))
    known = ~alike & (
        contract.is_in(["same", *near_numbers.MISTYPED]) | (pl.col("terms") == "equal")
    )
    sure = number.is_in([near_numbers.EQUAL, *near_numbers.MISTYPED]) & ~replaced
    return sure | (replaced & _ALL_EQUAL & (_OTHER_BANK | known))


def _by_contract() -> pl.Expr:
    """The contract's number is the other's mistyped, or its number under the other credit code."""
    number, contract = pl.col("number"), pl.col("contract")
    told = contract.is_in([near_numbers.EQUAL, *near_numbers.MISTYPED])
    other = (number == near_numbers.FAR) | ((number == near_numbers.SERIAL) & _OTHER_BANK)
    return told & other & (pl.col("terms") == "equal") & (pl.col("amount") == "equal")


def _counted() -> pl.Expr:
    """Last digits differ at two banks, that count each for itself; everything else is equal."""
    alone = ~(pl.col("note_number_series") | pl.col("note_number_series_2"))
    return (
        (pl.col("number") == near_numbers.SERIAL)
        & _OTHER_BANK & _ALL_EQUAL & alone & (pl.col("terms") == "equal")
    )  # fmt: skip


def _above_contract() -> pl.Expr:
    """The next number of the same contract, and day and amount, but the contract grants one of them only."""
    return (
        (pl.col("number") == near_numbers.SERIAL)
        & _ALL_EQUAL
        & (pl.col("terms") == "above_contract")
    )


def _best(pairs: pl.DataFrame) -> pl.DataFrame:
    """For each note the best candidate of each enterprise, in D4's order.

    Of the drawings of one series a note may be one, not several; without a number to tell which, two
    contracts are one question.
    """
    ordered = pairs.with_columns(
        edits=near_scores.edits(pairs, "note_number", "note_number_2"),
        contract_low=pl.min_horizontal("contract_id", "contract_id_2"),
        contract_high=pl.max_horizontal("contract_id", "contract_id_2"),
    ).sort("points", "edits", "rank", "other", descending=[True, False, False, False])
    told = ordered.filter(pl.col("number") != near_numbers.FAR)
    sides = (
        (["rank", "enterprise_id_2"], "note_number_2"),
        (["other", "enterprise_id"], "note_number"),
    )
    for of, number in sides:
        told = near_scores.without_siblings(told, of=of, number=number)
    contracts = ["contract_low", "contract_high"]
    untold = (
        ordered.filter(pl.col("number") == near_numbers.FAR)
        .unique(contracts, keep="first", maintain_order=True)
        .join(told, on=contracts, how="anti")
    )
    return (
        pl.concat([told, untold])
        .sort("points", "edits", "rank", "other", descending=[True, False, False, False])
        .unique(["other", "enterprise_id"], keep="first", maintain_order=True)
        .sort("rank", "other")
        .select(*PAIRS)
    )
