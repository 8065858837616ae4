"""CSV text to a table: well-formed files by Polars, the others line by line for exact messages."""

import csv
import io
from collections.abc import Iterator

import polars as pl

from loans.files.limits import MAX_FIELD_CHARACTERS, MAX_ROWS
from loans.files.problems import FileError, Problem, file_problem
from loans.files.table import ROW, Table, build_table

_QUOTED = r'"(?:[^"]|"")*"'
_NUL_SHARE = 8


def read_delimited(data: bytes, *, allow_empty: bool = False) -> Table:
    """Return the table in UTF-8 CSV text; comma, or `;` or tab where the header has no comma.

    Raises FileError for an empty file, NUL characters, ragged rows (expected and actual counts),
    text after a closing quote and quotes that are never closed.
    """
    if not data.strip():
        raise FileError([file_problem("文件是空的", "the file is empty")])
    _refuse_nul(data)
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    first, _, rest = data.partition(b"\n")
    if not first.strip(b" \t,;"):
        raise FileError([file_problem("第一行应为表头", "the first row must hold the headers")])
    separator = _separator(first.decode())
    lines = pl.read_lines(rest, row_index_name=ROW, row_index_offset=2) if rest else _no_lines()
    blank = pl.col("line").str.strip_chars(f" \t{separator}") == ""
    filled = lines.filter(~blank).cast({ROW: pl.Int64})
    if filled.height > MAX_ROWS:
        raise FileError([_too_many_rows()])
    header = first.decode()
    if _regular(header, filled, separator):
        body = rest if filled.height == lines.height else _joined(filled["line"])
        headers, cells = _read_regular(header, filled, body, separator)
    else:
        headers, cells = _read_records(data.decode(), separator)
    return build_table(headers, cells, file_format="csv", allow_empty=allow_empty)


def _no_lines() -> pl.DataFrame:
    return pl.DataFrame(schema={ROW: pl.Int64, "line": pl.String})


def _too_many_rows() -> Problem:
    return file_problem(
        f"超过 {MAX_ROWS:,} 行，请拆分文件",
        f"more than {MAX_ROWS:,} rows; split the file",
    )


def _separator(header: str) -> str:
    if "," in header:
        return ","
    return next((mark for mark in ("\t", ";") if mark in header), ",")


def _refuse_nul(data: bytes) -> None:
    nuls = data.count(b"\0")
    if not nuls:
        return
    if nuls * _NUL_SHARE > len(data):
        raise FileError(
            [
                file_problem(
                    "不是 UTF-8 或 GB18030 文本（可能是没有 BOM 的 UTF-16）",
                    "neither UTF-8 nor GB18030 text (UTF-16 without a byte-order mark?)",
                )
            ]
        )
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    raise FileError(
        file_problem(
            f"第 {line.count(b',', 0, line.index(0)) + 1} 列含有 NUL 字符",
            f"NUL character in field {line.count(b',', 0, line.index(0)) + 1}",
            row=number,
        )
        for number, line in enumerate(lines, start=1)
        if b"\0" in line
    )


def _regular(header: str, lines: pl.DataFrame, separator: str) -> bool:
    """Whether every line is a record of its own with quotes only around whole fields."""
    field = f'(?:{_QUOTED}|[^"{separator}]*)'
    record = f"^{field}(?:{separator}{field})*$"
    quoted = pl.concat([pl.Series("line", [header]), lines["line"]])
    quoted = quoted.filter(quoted.str.contains('"', literal=True))
    return bool(quoted.str.contains(record).all())


def _read_regular(
    header: str, lines: pl.DataFrame, body: bytes, separator: str
) -> tuple[list[str], pl.DataFrame]:
    headers = next(csv.reader([header], delimiter=separator))
    line = pl.col("line")
    outside = (
        pl.when(line.str.contains('"', literal=True))
        .then(line.str.replace_all(_QUOTED, ""))
        .otherwise(line)
    )
    counts = lines.select(
        pl.col(ROW),
        outside.str.count_matches(separator, literal=True).add(1).alias("count"),
    ).filter(pl.col("count") != len(headers))
    if counts.height:
        raise FileError(_ragged(row, len(headers), count) for row, count in counts.iter_rows())
    names = [str(position) for position in range(len(headers))]
    if lines.is_empty():
        return headers, pl.DataFrame(schema=dict.fromkeys(names, pl.String) | {ROW: pl.Int64})
    cells = pl.read_csv(
        body,
        has_header=False,
        new_columns=names,
        infer_schema=False,
        separator=separator,
    )
    assert cells.height == lines.height, "one record a line"
    return headers, cells.with_columns(lines[ROW])


def _joined(lines: pl.Series) -> bytes:
    text: str = lines.str.join("\n").item()
    return text.encode()


def _ragged(row: int, expected: int, actual: int) -> Problem:
    return file_problem(
        f"应有 {expected} 列，实有 {actual} 列",
        f"{expected} columns expected, {actual} found",
        row=row,
    )


def _read_records(text: str, separator: str) -> tuple[list[str], pl.DataFrame]:
    """Read a file with odd quoting record by record, collecting every problem."""
    problems: list[Problem] = []
    records = _records(text, separator, problems)
    _, headers = next(records, (1, []))
    rows: list[int] = []
    kept: list[list[str]] = []
    for row, fields in records:
        if not any(field.strip() for field in fields):
            continue
        if len(fields) != len(headers):
            problems.append(_ragged(row, len(headers), len(fields)))
        rows.append(row)
        kept.append(fields)
    if problems:
        raise FileError(problems)
    if len(rows) > MAX_ROWS:
        raise FileError([_too_many_rows()])
    columns = list(zip(*kept, strict=True)) if kept else [()] * len(headers)
    series = [pl.Series(str(i), values, pl.String) for i, values in enumerate(columns)]
    return headers, pl.DataFrame([*series, pl.Series(ROW, rows, pl.Int64)])


def _records(text: str, separator: str, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    """Yield (line where the record starts, fields); put what the reader refuses into `problems`."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as failure:
            problems.append(_refused(str(failure), start, reader.line_num))
            if reader.line_num > start:
                return
            continue
        yield start, fields


def _refused(failure: str, start: int, line: int) -> Problem:
    if "unexpected end" in failure or ("field limit" in failure and line > start):
        return file_problem(
            f"第 {start} 行开始的引号没有闭合",
            f"the quote opened in the record of line {start} is not closed",
            row=start,
        )
    if "field limit" in failure:
        return file_problem(
            f"字段超过 {MAX_FIELD_CHARACTERS} 个字符",
            f"a field has more than {MAX_FIELD_CHARACTERS} characters",
            row=start,
        )
    return file_problem(
        "引号用法不对：引号只能包住整个字段，字段内的引号要写两次",
        "wrong quotes: they enclose whole fields, and a quote inside is written twice",
        row=start,
    )
