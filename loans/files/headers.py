"""Which column of a file is which: by English key or Chinese header, in any order."""

import unicodedata

from loans.files.kind_types import Column, Kind
from loans.files.problems import HEADER_ROW, Problem
from loans.files.table import UNKNOWN_COLUMN, Table
from loans.values.errors import bilingual


def header_key(text: str) -> str:
    """Return a header fit to compare: width folded, spaces and line breaks gone, lower case."""
    return "".join(unicodedata.normalize("NFKC", text).replace("\ufeff", "").split()).casefold()


def match_headers(kind: Kind, table: Table) -> tuple[dict[str, str], list[Problem]]:
    """Return column key -> the file's header, and what is unknown, missing or given twice."""
    known: dict[str, Column] = {}
    for column in kind.columns:
        known[header_key(column.key)] = known[header_key(column.header_zh)] = column
    sources: dict[str, str] = {}
    problems: list[Problem] = []
    for header in table.headers:
        found = known.get(header_key(header))
        if found is None:
            problems.append(Problem(HEADER_ROW, header, None, None, UNKNOWN_COLUMN))
        elif found.key in sources:
            problems.append(_given_twice(found, sources[found.key], header))
        else:
            sources[found.key] = header
    problems += [
        _header_problem(column, bilingual("缺少必填的列", "this required column is missing"))
        for column in kind.columns
        if column.required and column.key not in sources
    ]
    return sources, problems


def _given_twice(column: Column, first: str, second: str) -> Problem:
    return _header_problem(
        column,
        bilingual(
            f"列重复出现（{first}、{second}）",
            f"this column appears twice ({first}, {second})",
        ),
    )


def _header_problem(column: Column, message: str) -> Problem:
    return Problem(HEADER_ROW, column.key, column.header_zh, None, message)
