"""A file of any accepted format to a table of text. The format is read from the bytes."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import NoReturn

from loans.files.decoding import utf8_text
from loans.files.delimited import read_delimited
from loans.files.kind_types import Kind
from loans.files.limits import MAX_FILE_BYTES, MIB
from loans.files.problems import FileError, Problem, file_problem
from loans.files.table import ROW, Table
from loans.files.workbook import read_workbook_table

__all__ = ["ROW", "FileError", "Problem", "Table", "read_table"]

ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MARKUP = re.compile(rb"\s*<(!doctype|html|table|head|body|meta|\?xml)", re.IGNORECASE)
_UTF8_MARK = b"\xef\xbb\xbf"


def read_table(
    path: Path,
    *,
    encoding: str | None = None,
    kind: Kind | None = None,
    allow_empty: bool = False,
) -> Table:
    """Return the rows of a CSV or XLSX file as text.

    `encoding` forces a CSV's encoding; `kind` lets a workbook's data sheet be found by the kind's
    title; `allow_empty` accepts a file with headers only. Raises FileError with every problem that
    makes the file unreadable.
    """
    size = path.stat().st_size
    if not size:
        _refuse("文件是空的", "the file is empty")
    if size > MAX_FILE_BYTES:
        _refuse(
            f"文件超过 {MAX_FILE_BYTES // MIB} MiB，请拆分",
            f"the file is larger than {MAX_FILE_BYTES // MIB} MiB; split it",
        )
    with path.open("rb") as file:
        magic = file.read(len(_OLE2))
    if magic.startswith(ZIP):
        return read_workbook_table(path, sheet_names=_names(kind), allow_empty=allow_empty)
    data = path.read_bytes()
    _refuse_disguised(path, data)
    return read_delimited(utf8_text(data, encoding=encoding), allow_empty=allow_empty)


def _names(kind: Kind | None) -> Collection[str]:
    return () if kind is None else (kind.title_zh, kind.name)


def _refuse_disguised(path: Path, data: bytes) -> None:
    """Refuse what is neither a workbook nor text, whatever its name says."""
    if data.startswith(_OLE2):
        if _ENCRYPTED in data:
            _refuse("文件已加密，请去掉密码", "the file is encrypted; remove the password")
        _refuse(
            "这是旧版 .xls 格式，请另存为 .xlsx",
            "this is the old .xls format; save it as .xlsx",
        )
    if _MARKUP.match(data.removeprefix(_UTF8_MARK)):
        _refuse(
            "这是网页或 XML，不是表格，请另存为 .xlsx",
            "this is a web page or XML, not a spreadsheet; save it as .xlsx",
        )
    if path.suffix.casefold() in {".xlsx", ".xlsm", ".xls", ".xlsb"}:
        _refuse(
            "不是 Excel 工作簿，或文件已损坏",
            "not a spreadsheet, or the file is damaged",
        )


def _refuse(zh: str, en: str) -> NoReturn:
    raise FileError([file_problem(zh, en)])
