"""Which notes, contracts, invoices and enterprises are the same thing twice? Exact keys only (domain §7).

Frames in, pairs out. Pairs are neighbours in a group's order, so that the work grows with the number
of rows and not with the square of a group. In every pair the first is the earlier one in D4's order.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from settlement.engine import exact

ORDER = ("drawn_on", "institution_code", "note_number", "note_id")
ORGANISATION = (8, 9)  # where the organisation's own number stands in a credit code, and its length
DAYS_APART = 7  # how close a new note and a repayment are to be one refinancing: assumed
INVOICE_UNIQUE_CHARACTERS = 20  # fully digital invoices are numbered once for the whole country
SERIAL_TELLING_CHARACTERS = 6  # shorter serial numbers repeat between makers

PAIRS: dict[str, type[pl.DataType]] = {
    "first": pl.Int64,
    "second": pl.Int64,
    "matched": pl.String,
    "by": pl.String,
}


def normal(column: str) -> pl.Expr:
    """A number or name as it is compared: one width, one case, letters and digits only.

    Leading zeros stay: 0012 and 12 are different numbers (domain §8).
    """
    return (
        pl.col(column)
        .str.normalize("NFKC")
        .str.to_uppercase()
        .str.replace_all(r"[^\p{L}\p{N}]", "")
    )


def neighbours(
    frame: pl.DataFrame, *, by: Sequence[str], order: Sequence[str], key: str
) -> pl.DataFrame:
    """Each row of a group with the one before it: `first`, `second` (values of `key`) and the group."""
    return (
        frame.filter(pl.len().over(by) > 1)  # nearly all rows are alone: nothing to sort
        .sort(*by, *order)
        .with_columns(first=pl.col(key).shift(1).over(by))
        .filter(pl.col("first").is_not_null() & (pl.col("first") != pl.col(key)))
        .rename({key: "second"})
    )


def _paired(found: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """One row per pair; what it matched by joined."""
    parts = [frame.select(*PAIRS) for frame in found if frame.height]
    if not parts:
        return pl.DataFrame(schema=PAIRS)
    return (
        pl.concat(parts)
        .unique()
        .sort("first", "second", "by", "matched")
        .group_by("first", "second", maintain_order=True)
        .agg(pl.col("matched").unique(maintain_order=True).str.join(";"),
             pl.col("by").unique(maintain_order=True).str.join(";"))
    )  # fmt: skip


def same_numbers(notes: pl.DataFrame) -> pl.DataFrame:
    """P1, P2: pairs of notes of one enterprise whose numbers are equal once normalised.

    Punctuation also tells 1-12 from 11-2, so a pair counts only if principal or drawdown day agree.
    `by` is principal, drawn_on or both.
    """
    keyed = notes.select(
        *ORDER, "enterprise_id", "principal_fen", matched=normal("note_number")
    ).filter(pl.col("matched") != "")
    return _paired(
        [
            neighbours(
                keyed, by=["enterprise_id", "matched", same], order=ORDER, key="note_id"
            ).with_columns(by=pl.lit(same))
            for same in ("principal_fen", "drawn_on")
        ]
    )


def same_contracts(notes: pl.DataFrame) -> pl.DataFrame:
    """P2: pairs of contracts of one enterprise whose numbers are equal once normalised.

    As with notes, amount or day of signing must agree. `first` and `second` are contract ids.
    """
    order = ("signed_on", "institution_code", "contract_number", "contract_id")
    contracts = (
        notes.select(*order, "enterprise_id", "contract_fen")
        .unique("contract_id")
        .with_columns(matched=normal("contract_number"))
    )
    return _paired(
        [
            neighbours(
                contracts.filter(pl.col("matched") != ""),
                by=["enterprise_id", "matched", same],
                order=order,
                key="contract_id",
            ).with_columns(by=pl.lit(same))
            for same in ("contract_fen", "signed_on")
        ]
    )


def same_enterprises(notes: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """P3: pairs of enterprises with notes that have one name, or one organisation number in the code.

    `names`: enterprise_id, name, one row per name ever recorded. The organisation number (characters
    9–17, GB 32100) belongs to one legal person for life, wherever it is registered.
    """
    owners = notes.select("enterprise_id", "uscc").unique("enterprise_id")
    named = names.select("enterprise_id", matched=normal("name"))
    keys = {
        "name": named.join(owners, on="enterprise_id", how="semi").unique(),
        "organisation_code": owners.select(
            "enterprise_id", matched=pl.col("uscc").str.slice(*ORGANISATION)
        ),
    }
    shared = {by: _not_alone(frame, ["matched"]) for by, frame in keys.items()}
    concerned = pl.concat(frame.select("enterprise_id") for frame in shared.values())
    first_notes = (
        notes.select(*ORDER, "enterprise_id")
        .join(concerned, on="enterprise_id", how="semi")
        .sort(*ORDER)
        .unique("enterprise_id", keep="first", maintain_order=True)
    )
    return _paired(
        [
            neighbours(
                frame.join(first_notes, on="enterprise_id"),
                by=["matched"],
                order=ORDER,
                key="enterprise_id",
            ).with_columns(by=pl.lit(by))
            for by, frame in shared.items()
        ]
    )


def _not_alone(frame: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Rows whose key says something and is not theirs alone: of many rows hardly any."""
    return frame.filter((pl.col("matched") != "") & (pl.len().over(by) > 1))


def numbers() -> dict[str, pl.Expr]:
    """An invoice's numbers and seller as they are compared: `invoice`, `serial`, `maker`."""
    columns = {"invoice": "invoice_number", "serial": "serial_number", "maker": "supplier"}
    return {name: normal(column) for name, column in columns.items()}


# What besides its number tells an invoice or a machine of any enterprise from others (columns of `numbers`).
INVOICE_ANYWHERE = (
    pl.when(pl.col("invoice").str.len_chars() >= INVOICE_UNIQUE_CHARACTERS)
    .then(pl.lit(""))
    .otherwise(pl.format("{}|{}", "issued_on", "maker"))
)
SERIAL_ANYWHERE = pl.col("maker")
TELLING = pl.col("serial").str.len_chars() >= SERIAL_TELLING_CHARACTERS


def shared_invoices(notes: pl.DataFrame, invoices: pl.DataFrame) -> pl.DataFrame:
    """P5: pairs of notes with one invoice, or one machine; `amounts_agree` says if it is the same money.

    `invoices`: note_id, invoice_number, serial_number, supplier, issued_on, amount_fen. Between
    enterprises, a number that is not unique in the country must also agree in day and supplier, a
    serial number in supplier; a short serial number within an enterprise, too.
    """
    keyed = invoice_keys(notes, invoices, shared_only=True)
    found = neighbours(
        keyed.join(notes.select(*ORDER), on="note_id"),
        by=["by", "matched", "place"],
        order=ORDER,
        key="note_id",
    )
    paid = invoices.filter(pl.col("amount_fen") > 0)
    concerned = pl.col("note_id").is_in(keyed["note_id"].unique().to_list())
    return _with_amounts(found, paid.filter(concerned).with_columns(**numbers()))


def invoice_keys(
    notes: pl.DataFrame, invoices: pl.DataFrame, *, shared_only: bool = False
) -> pl.DataFrame:
    """What makes two notes share an invoice or machine: `by`, `matched` and `place` are then equal.

    `shared_only`: without those that only one row has, of many rows nearly all.
    """
    listed = (
        invoices.filter(pl.col("amount_fen") > 0)
        .join(notes.select("note_id", "enterprise_id"), on="note_id")
        .with_columns(**numbers())
    )
    own = pl.format("enterprise {}", "enterprise_id")
    seller = pl.format("{}|{}", own, pl.when(TELLING).then(pl.lit("")).otherwise("maker"))
    places = {
        "invoice_number": [own, INVOICE_ANYWHERE],
        "serial_number": [seller, pl.when(TELLING).then(SERIAL_ANYWHERE).otherwise(seller)],
    }
    found = []
    for by, all_places in places.items():
        matched = pl.col(by.removesuffix("_number"))
        for place in all_places:
            told = listed.filter(matched != "").with_columns(matched=matched, place=place)
            if shared_only:
                keys = told.select(key=pl.format("{}|{}", "matched", "place").hash())["key"]
                told = told.filter(keys.is_duplicated())
            found.append(told.select("note_id", "matched", "place", by=pl.lit(by)))
    return pl.concat(found).unique()


def _with_amounts(found: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """The pairs, and whether something that both notes have has the same amount on both.

    Other invoices of theirs say nothing: two machines may cost the same.
    """
    shared = found.select(*PAIRS).unique()
    notes = pl.concat([shared["first"], shared["second"]]).unique()
    own = listed.filter(pl.col("note_id").is_in(notes.to_list()))
    said = pl.concat(
        own.select("note_id", "amount_fen", by=pl.lit(by), matched=by.removesuffix("_number"))
        for by in ("invoice_number", "serial_number")
    ).unique()
    agreeing = (
        shared.join(said.rename({"note_id": "first"}), on=["first", "by", "matched"])
        .join(
            said.rename({"note_id": "second"}),
            on=["second", "by", "matched", "amount_fen"],
            how="semi",
        )
        .select("first", "second", amounts_agree=pl.lit(value=True))
        .unique()
    )
    return (
        _paired([shared])
        .join(agreeing, on=["first", "second"], how="left", maintain_order="left")
        .with_columns(pl.col("amounts_agree").fill_null(value=False))
    )


def refinanced(notes: pl.DataFrame, repayments: pl.DataFrame) -> pl.DataFrame:
    """P8: notes drawn within a week of a repayment, of the same amount, of the enterprise's older note.

    Bridged loans are repaid shortly before, refinanced ones on the day or shortly after; what was repaid
    on several days of the two weeks counts together, too. `first` is the note repaid, `second` the new
    one; also `repaid_on` (the last day of several) and `amount_fen`.
    """
    paid = (
        repayments.group_by("note_id", "repaid_on")
        .agg(pl.col("amount_fen").sum())
        .filter(pl.col("amount_fen") > 0)
        .join(notes.select("note_id", "enterprise_id", old_drawn_on="drawn_on"), on="note_id")
        .rename({"note_id": "first"})
    )
    new = notes.select(
        "enterprise_id", second="note_id", drawn_on="drawn_on", principal_fen="principal_fen"
    )
    apart = (pl.col("drawn_on") - pl.col("repaid_on")).dt.total_days()
    near = (
        (pl.col("first") != pl.col("second"))
        & (pl.col("old_drawn_on") < pl.col("drawn_on"))
        & (apart.abs() <= DAYS_APART)
    )
    at_once = paid.join(
        new.with_columns(amount_fen="principal_fen"), on=["enterprise_id", "amount_fen"]
    ).filter(near)
    in_parts = (
        _soon_again(paid)
        .join(new, on="enterprise_id")
        .filter(near)
        .group_by("first", "second", "principal_fen")
        .agg(pl.col("repaid_on").max(), pl.col("amount_fen").sum())
        .filter(pl.col("amount_fen") == pl.col("principal_fen"))
    )
    columns = ("first", "second", "repaid_on", "amount_fen")
    return (
        pl.concat([at_once.select(columns), in_parts.select(columns)])
        .sort("second", "first", "repaid_on")
        .unique(["first", "second"], keep="first", maintain_order=True)
    )


def _soon_again(paid: pl.DataFrame) -> pl.DataFrame:
    """Repayments of notes that were repaid on another day, too, close enough to be one refinancing.

    Regular instalments are a month apart: hardly any row is left to be paired with new notes.
    """
    gap = pl.col("repaid_on").diff().dt.total_days() <= 2 * DAYS_APART
    same = pl.col("first") == pl.col("first").shift(1)
    return (
        paid.filter(pl.len().over("first") > 1)
        .sort("first", "repaid_on")
        .with_columns(soon=(same & gap).fill_null(value=False))
        .filter(pl.col("soon") | (pl.col("soon").shift(-1)).fill_null(value=False))
    )


def above_cap(bases: pl.DataFrame, *, by: str, limit_fen: int) -> pl.DataFrame:
    """P9, P10: notes of groups that stay below a limit only each by itself, in D4's order.

    `bases`: the notes' ORDER columns, `by`, `base_fen` (before any cap), `eligible_fen` (after it).
    Adds `granted_over_fen`: what of the note's subsidised principal lies above the limit.
    """
    total = pl.col("base_fen").sum().over(by)
    alone = pl.col("base_fen").max().over(by) <= limit_fen
    so_far = pl.col("eligible_fen").cum_sum().over(by)
    over = (so_far - limit_fen).clip(0, pl.col("eligible_fen"))
    return (
        bases.with_columns(total_fen=total, each_below=alone)
        .filter((pl.col("total_fen") > limit_fen) & (pl.len().over(by) > 1))
        .sort(by, *ORDER)
        .with_columns(granted_over_fen=over)
    )


def on_one_day(notes: pl.DataFrame) -> pl.DataFrame:
    """P9: notes with `draw`, the number of the draw they belong to.

    Notes of one enterprise belong together if drawn on one day, or within a week under one contract.
    """
    placed = notes.sort("enterprise_id", "drawn_on", "contract_id", "note_id")
    apart = (pl.col("drawn_on") - pl.col("drawn_on").shift(1)).dt.total_days()
    same = (pl.col("enterprise_id") == pl.col("enterprise_id").shift(1)) & (
        (apart == 0)
        | ((pl.col("contract_id") == pl.col("contract_id").shift(1)) & (apart <= DAYS_APART))
    )
    return placed.with_columns(draw=(~same.fill_null(value=False)).cast(pl.Int64).cum_sum())


def in_cny(column: str) -> pl.Expr:
    """An amount in the note's currency as fen of CNY, half up (D18)."""
    return exact.half_up(exact.wide(column) * exact.wide("exchange_rate_e8"), exact.lit(10**8))
