"""Near-duplicates found among look-alikes: precision and recall, ours beside Splink's, on one planted book.

`make bench-near` runs this file. Splink works in a process of its own, in the environment of the bench
lock, and gets the threshold that is best for it, chosen with the answers in hand; ours has one, set
before. Pairs that the exact rules have count for nobody.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import polars as pl
from rapidfuzz.distance import OSA

from settlement.engine import near_enterprises, near_invoices, near_names, near_notes, overlap
from tests.benchmarks.near_book import Truth, book_with_near_duplicates, frames, truth

HERE = Path(__file__).resolve().parent
RULES = ("N2", "N3", "N5")
SEED = 2026  # none that anything was tuned on
Frames = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]
Pairs = set[tuple[int, int]]


def ours(notes: pl.DataFrame, names: pl.DataFrame, invoices: pl.DataFrame) -> dict[str, Pairs]:
    """Pairs by rule, smaller id first."""
    enterprises = near_enterprises.near_enterprises(notes, names, invoices)
    exact = overlap.same_enterprises(notes, names)
    one = pl.concat([exact.select("first", "second"), enterprises.select("first", "second")])
    found = {
        "N2": near_notes.near_notes(notes, one),
        "N3": enterprises,
        "N5": near_invoices.near_invoices(notes, invoices),
    }
    return {rule: _pairs(frame, "first", "second") for rule, frame in found.items()}


def _pairs(frame: pl.DataFrame, one: str, other: str) -> Pairs:
    return {(min(a, b), max(a, b)) for a, b in frame.select(one, other).iter_rows()}


def wanted(planted: Truth, rule: str) -> Pairs:
    """The planted pairs of a rule."""
    return {(a, b) for of, a, b in planted if of == rule}


def permille(part: int, whole: int) -> int:
    """A share in whole thousandths, downwards."""
    return 1000 * part // whole if whole else 1000


def missed(planted: Truth, rule: str, found: Pairs) -> str:
    """How many of each sort of error were found, of how many."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for (of, a, b), kind in planted.items():
        if of == rule:
            counts[kind][1] += 1
            counts[kind][0] += (a, b) in found
    return ", ".join(f"{kind} {got}/{of}" for kind, (got, of) in sorted(counts.items()))


def prepared(
    notes: pl.DataFrame, names: pl.DataFrame, invoices: pl.DataFrame, folder: Path
) -> None:
    """The rows for Splink: normalised as ours are, one table for each rule."""
    notes.select(
        "enterprise_id", "principal_fen", "contract_fen", "drawn_on", "signed_on", "bank_code",
        "loan_type",
        id="note_id",
        number=overlap.normal("note_number"),
        contract=overlap.normal("contract_number"),
        project=pl.when(pl.col("project_code") != "").then("project_code"),
    ).write_parquet(folder / "N2.parquet")  # fmt: skip
    owned = notes.group_by("enterprise_id", "uscc").agg(
        loans=pl.format("{}|{}", "principal_fen", "drawn_on").unique(),
        contracts=overlap.normal("contract_number").unique(),
    )
    parts = near_names.parted(names["name"].to_list()).unique(
        "name", keep="first", maintain_order=True
    )
    owned.join(names.join(parts, on="name"), on="enterprise_id").select(
        "uscc", "core", "form", "regions", "loans", "contracts",
        id="enterprise_id",
        grouped="group",
        province=pl.col("uscc").str.slice(2, 2),
    ).write_parquet(folder / "N3.parquet")  # fmt: skip
    makers = {name: near_names.canonical(name) for name in invoices["supplier"].unique()}
    invoices.with_row_index("id").join(notes.select("note_id", "enterprise_id"), on="note_id").select(
        "id", "note_id", "enterprise_id", "amount_fen", "issued_on",
        invoice=overlap.normal("invoice_number"),
        serial=pl.when(pl.col("serial_number") != "").then(overlap.normal("serial_number")),
        maker=pl.col("supplier").replace_strict(makers),
    ).write_parquet(folder / "N5.parquet")  # fmt: skip


def answers(labels: Truth, folder: Path) -> None:
    """The planted pairs as Splink is taught them: rows of its tables."""
    for rule in RULES:
        pairs = pl.DataFrame(
            list(wanted(labels, rule)), schema={"a": pl.Int64, "b": pl.Int64}, orient="row"
        )
        if rule == "N5":
            rows = pl.read_parquet(folder / "N5.parquet")
            both = pairs.join(rows, left_on="a", right_on="note_id").join(
                rows,
                left_on=["b", "maker", "amount_fen"],
                right_on=["note_id", "maker", "amount_fen"],
                suffix="_2",
            )
            texts = both.select("invoice", "invoice_2", "serial", "serial_2").iter_rows()
            near = [
                OSA.distance(i, j) <= 2 or bool(s and t and OSA.distance(s, t) <= 2)
                for i, j, s, t in texts
            ]
            pairs = both.filter(pl.Series(near, dtype=pl.Boolean)).select(a="id", b="id_2")
        pairs.select(
            id_l=pl.min_horizontal("a", "b"), id_r=pl.max_horizontal("a", "b"),
            clerical_match_score=pl.lit(value=1),
        ).write_parquet(folder / f"{rule}.labels.parquet")  # fmt: skip


def exact(notes: pl.DataFrame, names: pl.DataFrame, invoices: pl.DataFrame) -> dict[str, Pairs]:
    """What the exact rules have: no near match."""
    contracts = overlap.same_contracts(notes).select("first", "second")
    on = notes.select("contract_id", "note_id")
    by_contract = contracts.join(on, left_on="first", right_on="contract_id").join(
        on, left_on="second", right_on="contract_id", suffix="_2"
    )
    return {
        "N2": _pairs(overlap.same_numbers(notes), "first", "second")
        | _pairs(by_contract, "note_id", "note_id_2"),
        "N3": _pairs(overlap.same_enterprises(notes, names), "first", "second"),
        "N5": _pairs(overlap.shared_invoices(notes, invoices), "first", "second"),
    }


def splinks(folder: Path, rule: str, how: str, known: Pairs) -> pl.DataFrame:
    """Splink's pairs of notes or enterprises, each once with its best weight."""
    found = pl.read_parquet(folder / f"{rule}.{how}.parquet").rename({"id_l": "a", "id_r": "b"})
    if rule == "N5":
        rows = pl.read_parquet(folder / "N5.parquet").select("id", "note_id")
        found = (
            found.join(rows, left_on="a", right_on="id")
            .join(rows, left_on="b", right_on="id", suffix="_2")
            .select("match_weight", a="note_id", b="note_id_2")
            .filter(pl.col("a") != pl.col("b"))
        )
    low, high = pl.min_horizontal("a", "b"), pl.max_horizontal("a", "b")
    exactly = pl.DataFrame(list(known), schema={"a": pl.Int64, "b": pl.Int64}, orient="row")
    return (
        found.select("match_weight", a=low.cast(pl.Int64), b=high.cast(pl.Int64))
        .group_by("a", "b")
        .agg(pl.col("match_weight").max())
        .join(exactly, on=["a", "b"], how="anti")
    )


def best(scored: pl.DataFrame, right: Pairs) -> Pairs:
    """The pairs above the threshold with the best F1 against the answers."""
    labels = pl.DataFrame(list(right), schema={"a": pl.Int64, "b": pl.Int64}, orient="row")
    ordered = (
        scored.join(labels.with_columns(hit=1), on=["a", "b"], how="left")
        .with_columns(pl.col("hit").fill_null(0))
        .group_by("match_weight")
        .agg(pl.col("hit").sum(), pl.len())
        .sort("match_weight", descending=True)
        .with_columns(hits=pl.col("hit").cum_sum(), given=pl.col("len").cum_sum())
        .with_columns(f1=2_000_000 * pl.col("hits") // (pl.col("given") + len(right)))
    )
    if ordered.is_empty():
        return set()
    threshold = ordered.row(int(ordered["f1"].arg_max() or 0), named=True)["match_weight"]
    return _pairs(scored.filter(pl.col("match_weight") >= threshold), "a", "b")


def beside(peer: str, book: Frames, labels: Truth) -> tuple[list[str], dict[str, int]]:
    """What Splink found, at its best threshold, and what it says of its time and memory."""
    known = exact(*book)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepared(*book, folder)
        answers(labels, folder)
        process = subprocess.run(
            [peer, str(HERE / "near_splink.py"), name, str(len(labels) // len(RULES))],
            stdout=subprocess.PIPE,
            check=True,
        )
        lines = []
        for how, side in (("found", "splink"), ("taught", "splink taught the answers")):
            for rule in RULES:
                right = wanted(labels, rule)
                scored = splinks(folder, rule, how, known[rule])
                lines.append(line(side, rule, right, best(scored, right)))
    return lines, json.loads(process.stdout)


def line(side: str, rule: str, right: Pairs, found: Pairs) -> str:
    """Precision and recall of a side for a rule."""
    hits = len(right & found)
    return (
        f"{rule} {side:<8} precision {permille(hits, len(found)):>5} ‰  recall"
        f" {permille(hits, len(right)):>5} ‰  ({len(right)} planted, {len(found)} proposed)"
    )


def highest_mb() -> int:
    """The most memory this process had, in MB; a rusage would tell the parent's, too."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def main() -> None:
    """Read the arguments, plant, find, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--peer", default="", help="python that has Splink; ours alone without")
    arguments = parser.parse_args()
    planted = book_with_near_duplicates(arguments.notes, arguments.seed)
    labels, book = truth(planted), frames(planted)
    del planted
    before = highest_mb()
    started = time.process_time()
    found = ours(*book)
    took = int((time.process_time() - started) * 1000)
    peak = highest_mb()
    heights = ", ".join(f"{frame.height:,}" for frame in book)
    lines = [f"notes, names, invoices: {heights}; seed {arguments.seed}"]
    for rule in RULES:
        lines.append(line("ours", rule, wanted(labels, rule), found[rule]))
        lines.append(f"   {missed(labels, rule, found[rule])}")
    lines.append(
        f"ours: {took / 1000:.1f} processor seconds, {peak:,} MB at most ({before:,} MB with the book planted)"
    )
    if arguments.peer:
        told, of = beside(arguments.peer, book, labels)
        lines += told
        lines.append(
            f"splink: {of['milliseconds'] / 1000:.1f} processor seconds, {of['peak_mb']:,} MB at most;"
            f" ours is {of['milliseconds'] / took:.1f} times as fast"
        )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
