"""Bytes of a text file to checked UTF-8: UTF-8 strict first, then GB18030 strict, UTF-16 by BOM."""

import codecs
import re

from loans.files.problems import FileError, file_problem

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# A GB18030 file almost never starts with several characters that are also valid three-byte UTF-8.
_THREE_BYTE_RUN = re.compile(rb"[\xe3-\xe9][\x80-\xbf][\x80-\xbf]")
_MIXED_FROM = 3


def utf8_text(data: bytes, *, encoding: str | None = None) -> bytes:
    """Return the file's text as valid UTF-8 without a byte-order mark.

    `encoding` forces one; otherwise a byte-order mark decides, then UTF-8, then GB18030. Raises
    FileError with the line and byte offset where the text stops being valid.
    """
    for mark, marked in _MARKS:
        if data.startswith(mark):
            return _strict(data[len(mark) :], encoding=marked)
    if encoding is not None:
        return _strict(data, encoding=_known(encoding))
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as failure:
        if len(_THREE_BYTE_RUN.findall(data, 0, failure.start)) >= _MIXED_FROM:
            raise _undecodable(data, failure.start, "UTF-8") from None
        return _strict(data, encoding="gb18030")
    return data


def _known(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):
        raise FileError(
            [file_problem("不认识的编码", "unknown encoding", value=encoding)]
        ) from None


def _strict(data: bytes, *, encoding: str) -> bytes:
    try:
        return data.decode(encoding).encode("utf-8")
    except UnicodeDecodeError as failure:
        name = "UTF-8 / GB18030" if encoding == "gb18030" else encoding
        raise _undecodable(data, failure.start, name) from None
    except (UnicodeEncodeError, LookupError, AttributeError):
        raise FileError(
            [file_problem("不能用此编码读取", "cannot be read as text in", value=encoding)]
        ) from None


def _undecodable(data: bytes, offset: int, name: str) -> FileError:
    line = data.count(b"\n", 0, offset) + 1
    return FileError(
        [
            file_problem(
                f"从第 {offset} 字节起不是有效的 {name} 文本（混用了编码？）",
                f"not valid {name} text from byte {offset} on (mixed encodings?)",
                row=line,
            )
        ]
    )
