"""Workbooks: hand the file to the child process, turn its answer or its death into a result."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import polars as pl

from loans.files.limits import CHILD_WALL_SECONDS
from loans.files.problems import FileError, Problem, file_problem
from loans.files.table import CELL_TYPES, ROW, Table, build_table

_PROJECT = Path(__file__).resolve().parents[2]
_CHILD = "loans.files.child"


def read_workbook_table(
    path: Path, *, sheet_names: Collection[str] = (), allow_empty: bool = False
) -> Table:
    """Return the data sheet of an .xlsx file; raises FileError, whatever happens to the child."""
    with tempfile.TemporaryDirectory(prefix="workbook-") as folder:
        target = Path(folder) / "cells.csv"
        headers = _headers(path, target, sheet_names)
        width = len(headers)
        names = [ROW, *(str(position) for position in range(width))]
        if not target.stat().st_size:
            raw = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
        else:
            raw = pl.read_csv(target, has_header=False, new_columns=names, infer_schema=False)
    fields = raw.select(pl.exclude(ROW))
    return build_table(
        headers,
        fields.select(pl.all().str.slice(1)).with_columns(raw[ROW].cast(pl.Int64)),
        file_format="xlsx",
        cell_types=fields.select(_type(name) for name in fields.columns),
        allow_empty=allow_empty,
    )


def _type(name: str) -> pl.Expr:
    letter = pl.col(name).str.head(1)
    return pl.when(letter != "").then(letter).cast(CELL_TYPES).alias(name)


def _headers(path: Path, target: Path, sheet_names: Collection[str]) -> list[str]:
    answer = _run_child([str(path.resolve()), str(target), *sheet_names])
    if "problems" in answer:
        raise FileError(
            Problem(row, None, None, value, message) for row, message, value in answer["problems"]
        )
    return [str(header) for header in answer["headers"]]


def _run_child(arguments: list[str]) -> dict[str, list[Any]]:
    """Run the child with an environment of its own: no credentials, settings or site packages."""
    environment = {
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-S", "-m", _CHILD, *arguments],
            cwd=_PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=CHILD_WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _too_long() from None
    if done.returncode in {-signal.SIGXCPU, -signal.SIGKILL}:
        raise _too_long()
    try:
        answer: dict[str, list[Any]] = json.loads(done.stdout)
    except ValueError:
        answer = {}
    if done.returncode != 0 or not answer:
        raise FileError(
            [
                file_problem(
                    "无法读取此工作簿，请重新另存为 .xlsx",
                    "this workbook cannot be read; save it as .xlsx again",
                )
            ]
        )
    return answer


def _too_long() -> FileError:
    return FileError(
        [
            file_problem(
                "读取超时或所需资源过大",
                "reading takes too long or needs too much memory",
            )
        ]
    )
