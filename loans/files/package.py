"""The zip around a workbook, checked before it is unpacked. Runs in the child process."""

import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, NoReturn
from xml.parsers import expat

from loans.files.limits import (
    MAX_COMPRESSION_RATIO,
    MAX_PACKAGE_ENTRIES,
    MAX_SMALL_PART_BYTES,
    MAX_UNCOMPRESSED_BYTES,
    MIB,
    RATIO_FREE_BYTES,
)
from loans.files.problems import FileError, file_problem

DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    struct.error,
    NotImplementedError,
    expat.ExpatError,
)
"""What the standard library raises for a damaged package or part."""

_METHODS = frozenset([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
_CHUNK_BYTES = 65_536
_MAX_TOKEN_BYTES = MIB
_ENCRYPTED_FLAG = 1


def refuse(zh: str, en: str, *, row: int = 1, value: str | None = None) -> NoReturn:
    """Refuse the file with one problem."""
    raise FileError([file_problem(zh, en, row=row, value=value)])


def damaged() -> NoReturn:
    """Refuse the file as damaged."""
    refuse("文件已损坏，请重新另存为 .xlsx", "the file is damaged; save it as .xlsx again")


def open_package(path: Path) -> zipfile.ZipFile:
    """Open the zip and check its directory: entries, sizes, ratios, macros, links, DTDs.

    Sizes in the directory can lie; they are only the first of two barriers (the other is the
    child's limits on memory and time).
    """
    try:
        package = zipfile.ZipFile(path)
    except DAMAGE:
        damaged()
    entries = package.infolist()
    if len(entries) > MAX_PACKAGE_ENTRIES:
        refuse(
            f"压缩包内有 {len(entries)} 个文件，最多 {MAX_PACKAGE_ENTRIES} 个",
            f"{len(entries)} entries in the package, at most {MAX_PACKAGE_ENTRIES}",
        )
    _refuse_content({entry.filename.casefold() for entry in entries})
    if len({entry.filename.casefold() for entry in entries}) != len(entries):
        damaged()
    _refuse_sizes(entries)
    for entry in entries:
        if entry.filename.casefold().endswith((".xml", ".rels")):
            _refuse_dtd(package, entry)
    return package


def _refuse_content(names: set[str]) -> None:
    if any(name.endswith("vbaproject.bin") or "/macrosheets/" in name for name in names):
        refuse("不接受含宏的工作簿", "macros are not accepted; save as .xlsx without them")
    if any("/externallinks/" in name for name in names):
        refuse(
            "不接受含外部链接的工作簿，请断开链接后另存",
            "links to other workbooks are not accepted; break them and save again",
        )
    if any(name.endswith("workbook.bin") for name in names):
        refuse("这是 .xlsb，请另存为 .xlsx", "this is .xlsb; save it as .xlsx")
    if "mimetype" in names:
        refuse(
            "这是 OpenDocument，请另存为 .xlsx",
            "this is OpenDocument; save it as .xlsx",
        )


def _refuse_sizes(entries: list[zipfile.ZipInfo]) -> None:
    total = sum(entry.file_size for entry in entries)
    if total > MAX_UNCOMPRESSED_BYTES:
        refuse(
            f"解压后超过 {MAX_UNCOMPRESSED_BYTES // MIB} MiB",
            f"more than {MAX_UNCOMPRESSED_BYTES // MIB} MiB when unpacked",
        )
    for entry in entries:
        if entry.flag_bits & _ENCRYPTED_FLAG:
            refuse("文件已加密，请去掉密码", "the file is encrypted; remove the password")
        if entry.compress_type not in _METHODS:
            damaged()
        ratio = entry.file_size // max(entry.compress_size, 1)
        if entry.file_size > RATIO_FREE_BYTES and ratio > MAX_COMPRESSION_RATIO:
            refuse(
                f"压缩比 {ratio} 异常（zip 炸弹？），最多 {MAX_COMPRESSION_RATIO}",
                f"compression ratio {ratio} (a zip bomb?), at most {MAX_COMPRESSION_RATIO}",
            )


class _RootReachedError(Exception):
    pass


def new_parser() -> expat.XMLParserType:
    """Return a parser that refuses any document type, with names as `namespace}local`."""
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*_: object) -> NoReturn:
    refuse("工作簿的 XML 含有 DTD，拒绝读取", "the workbook's XML has a DTD; refused")


def _refuse_dtd(package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Read a part up to its root element: only there can a DTD stand."""
    parser = new_parser()

    def stop(*_: object) -> NoReturn:
        raise _RootReachedError

    parser.StartElementHandler = stop
    try:
        with package.open(entry) as part:
            _pump(part, parser)
    except _RootReachedError:
        return
    except DAMAGE:
        damaged()


def parse_part(package: zipfile.ZipFile, name: str, parser: expat.XMLParserType) -> None:
    """Feed a part of the package to a parser in chunks."""
    try:
        with package.open(name) as part:
            feed(part, parser)
    except KeyError:
        damaged()


def feed(
    part: IO[bytes], parser: expat.XMLParserType, check: Callable[[], None] = lambda: None
) -> None:
    """Feed an open part to a parser in chunks, so that memory does not follow its size."""
    try:
        _pump(part, parser, check)
        parser.Parse(b"", True)
    except DAMAGE:
        damaged()


def _pump(
    part: IO[bytes], parser: expat.XMLParserType, check: Callable[[], None] = lambda: None
) -> None:
    """Parse chunk by chunk; a token that never ends would be read again with every chunk."""
    fed = 0
    while chunk := part.read(_CHUNK_BYTES):
        parser.Parse(chunk)
        fed += len(chunk)
        if fed - parser.CurrentByteIndex > _MAX_TOKEN_BYTES:
            damaged()
        check()


def small_part(package: zipfile.ZipFile, name: str) -> bytes | None:
    """Return a part that is small by nature, or None if the package has none of that name."""
    try:
        with package.open(name) as part:
            data = part.read(MAX_SMALL_PART_BYTES + 1)
    except KeyError:
        return None
    except DAMAGE:
        damaged()
    if len(data) > MAX_SMALL_PART_BYTES:
        damaged()
    return data
