"""What Splink 5 makes of the same rows: run by `near.py` with the interpreter of the bench lock.

Each kind gets the columns our rules read, normalised as ours are, blocking rules of its own, u by random
sampling and m by expectation maximisation. It writes scored pairs; `near.py` takes the threshold that is
best for Splink.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import splink.comparison_level_library as levels
import splink.comparison_library as compare
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

SEED = 1
UNLIKELY = -10  # match weight below which a pair is not worth writing


def close(column: str) -> Any:
    """Equal, within 1 %, else."""
    return compare.CustomComparison(
        output_column_name=column,
        comparison_levels=[
            levels.NullLevel(column),
            levels.ExactMatchLevel(column),
            levels.PercentageDifferenceLevel(column, 0.01),
            levels.ElseLevel(),
        ],
    )


def apart(column: str) -> Any:
    """Equal, a day, a week, else."""
    days = [
        levels.AbsoluteDateDifferenceLevel(
            column, input_is_string=False, threshold=limit, metric="day"
        )
        for limit in (1, 7)
    ]
    return compare.CustomComparison(
        output_column_name=column,
        comparison_levels=[
            levels.NullLevel(column), levels.ExactMatchLevel(column), *days, levels.ElseLevel(),
        ],
    )  # fmt: skip


def typed(column: str) -> Any:
    """Equal, one edit or two swapped, two, else."""
    return compare.DamerauLevenshteinAtThresholds(column, [1, 2])


KINDS: dict[str, dict[str, Any]] = {
    "N2": {
        "comparisons": [
            typed("number"), typed("contract"), close("principal_fen"), close("contract_fen"),
            apart("drawn_on"), apart("signed_on"), compare.ExactMatch("enterprise_id"),
            compare.ExactMatch("bank_code"), compare.ExactMatch("loan_type"),
            compare.ExactMatch("project"),
        ],
        "blocking": [
            block_on("enterprise_id", "principal_fen"), block_on("enterprise_id", "drawn_on"),
            block_on("enterprise_id", "number"), block_on("enterprise_id", "contract"),
            block_on("principal_fen", "signed_on", "contract_fen"),
        ],
        "training": [
            block_on("enterprise_id", "principal_fen"), block_on("enterprise_id", "drawn_on"),
            block_on("contract_fen", "signed_on"),
        ],
    },
    "N3": {
        "comparisons": [
            compare.JaroWinklerAtThresholds("core", [0.95, 0.9]), compare.ExactMatch("form"),
            compare.ExactMatch("grouped"), compare.ExactMatch("regions"), typed("uscc"),
            compare.ArrayIntersectAtSizes("loans", [1]),
            compare.ArrayIntersectAtSizes("contracts", [1]),
        ],
        "blocking": [
            block_on("core"), block_on("regions", "substr(core, 1, 2)"),
            block_on("regions", "substr(core, -4)"), block_on("substr(core, 1, 3)", "province"),
        ],
        "training": [block_on("core"), block_on("regions", "substr(core, 1, 2)")],
    },
    "N5": {
        "comparisons": [
            typed("invoice"), typed("serial"), compare.ExactMatch("maker"), close("amount_fen"),
            apart("issued_on"), compare.ExactMatch("enterprise_id"),
        ],
        "blocking": [
            block_on("maker", "amount_fen", "issued_on"),
            block_on("maker", "amount_fen", "substr(invoice, 1, 5)"),
            block_on("maker", "amount_fen", "substr(invoice, -5)"), block_on("invoice"),
        ],
        "training": [
            block_on("maker", "amount_fen"), block_on("substr(invoice, -6)"), block_on("issued_on", "enterprise_id"),
        ],
    },
}  # fmt: skip


def link(kind: str, folder: Path, pairs: int, *, taught: bool) -> int:
    """Scored pairs of a kind into a file; milliseconds.

    Untaught, m comes from expectation maximisation; taught, from the answers themselves, which is more than
    anybody has.
    """
    rows = pl.read_parquet(folder / f"{kind}.parquet")
    chosen = KINDS[kind]
    started = time.process_time()
    database = DuckDBAPI()
    settings = SettingsCreator(
        link_type="dedupe_only",
        max_iterations=20,
        em_convergence=0.005,
        unique_id_column_name="id",
        comparisons=chosen["comparisons"],
        blocking_rules_to_generate_predictions=chosen["blocking"],
        # Told, not guessed: as many pairs as there are.
        probability_two_random_records_match=2 * pairs / rows.height**2,
    )
    linker = Linker(database.register(rows.to_arrow()), settings, log_level="ERROR")
    training = linker.training
    training.estimate_u_using_random_sampling(max_pairs=1e6, seed=SEED)
    if taught:
        labels = pl.read_parquet(folder / f"{kind}.labels.parquet").to_arrow()
        training.estimate_m_from_pairwise_labels(database.register(labels))
    else:
        for rule in chosen["training"]:
            training.estimate_parameters_using_expectation_maximisation(rule)
    found = linker.inference.predict(threshold_match_weight=UNLIKELY)
    table = pl.from_arrow(found.as_pyarrow_table())
    assert isinstance(table, pl.DataFrame)
    name = "taught" if taught else "found"
    table.select("id_l", "id_r", "match_weight").write_parquet(folder / f"{kind}.{name}.parquet")
    return int((time.process_time() - started) * 1000)


def highest_mb() -> int:
    """The most memory this process had, in MB; a rusage would tell the parent's, too."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def main() -> None:
    """All kinds, untaught and taught; milliseconds of all untaught, and the highest memory in MB, as JSON."""
    folder, pairs = Path(sys.argv[1]), int(sys.argv[2])
    took = sum(link(kind, folder, pairs, taught=False) for kind in KINDS)
    peak = highest_mb()
    for kind in KINDS:
        link(kind, folder, pairs, taught=True)
    sys.stdout.write(json.dumps({"milliseconds": took, "peak_mb": peak}))


if __name__ == "__main__":
    main()
