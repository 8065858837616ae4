"""CSV and disguised files: what is read, and what is refused with which words."""

from pathlib import Path

import pytest

from loans.files import delimited, reader
from loans.files.problems import FileError, Problem, shown_value
from loans.files.reader import read_table
from tests.unit.loans.builders import csv_file, refusals, texts

PLAIN = "a,b\n1,二\n3,四\n"
ROWS = [("1", "二", 2), ("3", "四", 3)]


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("gb18030"),
        b"\xff\xfe" + PLAIN.encode("utf-16-le"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.rstrip("\n").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        b'"a","b"\n"1","\xe4\xba\x8c"\n3,"\xe5\x9b\x9b"\n',
        b" a ,b\xc2\xa0\n1,\xe4\xba\x8c\n3,\xe5\x9b\x9b\n",
        b"a,b,,\n1,\xe4\xba\x8c,,\n3,\xe5\x9b\x9b,,\n",
    ],
)
def test_accepted_forms(tmp_path: Path, data: bytes) -> None:
    table = read_table(csv_file(tmp_path, data))
    assert table.headers == ("a", "b")
    assert texts(table) == ROWS
    assert (table.format, table.cell_types) == ("csv", None)


def test_encoding_can_be_forced(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "a,b\n1,é\n".encode("latin-1"))
    assert texts(read_table(path, encoding="latin-1")) == [("1", "é", 2)]


def test_forced_encodings_that_fail(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "a,b\n1,二\n".encode("gb18030"))
    assert refusals(path, encoding="utf-8") == [
        "row 2: 从第 6 字节起不是有效的 utf-8 文本（混用了编码？）"
        " / not valid utf-8 text from byte 6 on (mixed encodings?)"
    ]
    assert refusals(path, encoding="klingon") == ["row 1: 不认识的编码 / unknown encoding, klingon"]
    assert refusals(path, encoding="rot13") == [
        "row 1: 不能用此编码读取 / cannot be read as text in, rot-13"
    ]


def test_mixed_encodings_name_line_and_byte(tmp_path: Path) -> None:
    good = "a,b\n1,江苏省财政厅\n".encode()
    path = csv_file(tmp_path, good + "2,江苏\n".encode("gbk"))
    [line] = refusals(path)
    assert line.startswith("row 3: ")
    assert f"from byte {len(good) + 2} on" in line


def test_neither_encoding(tmp_path: Path) -> None:
    assert (
        "not valid UTF-8 / GB18030 text from byte 4 on"
        in refusals(csv_file(tmp_path, b"a,b\n\xff\xff,1\n"))[0]
    )


def test_blank_lines_are_skipped_and_lines_stay_true(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "a,b\n\n1,二\n,\n  \n3,四\n\n")
    assert texts(read_table(path)) == [("1", "二", 3), ("3", "四", 6)]


def test_quoted_newlines_name_the_line_where_the_record_starts(tmp_path: Path) -> None:
    path = csv_file(tmp_path, 'a,b\n1,"x\ny"\n3,"say ""hi"""\n')
    assert texts(read_table(path)) == [("1", "x\ny", 2), ("3", 'say "hi"', 4)]


def test_quotes_inside_a_plain_field_stay(tmp_path: Path) -> None:
    path = csv_file(tmp_path, 'a,b\n1,5"管"\n3,四\n')
    assert texts(read_table(path)) == [("1", '5"管"', 2), ("3", "四", 3)]


def test_separators_inside_quotes_are_not_counted(tmp_path: Path) -> None:
    path = csv_file(tmp_path, 'a,b\n"1,234.50","x,""y"","\n')
    assert texts(read_table(path)) == [("1,234.50", 'x,"y",', 2)]


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        ("", ["row 1: 文件是空的 / the file is empty"]),
        (" \n\n", ["row 1: 文件是空的 / the file is empty"]),
        ("a,b\n", ["row 1: 没有数据行 / no data rows"]),
        ("a,b\n,\n\n", ["row 1: 没有数据行 / no data rows"]),
        ("\n1,2\n", ["row 1: 第一行应为表头 / the first row must hold the headers"]),
        (
            "a,b\n1\n2,3\n4,5,6\n",
            [
                "row 2: 应有 2 列，实有 1 列 / 2 columns expected, 1 found",
                "row 4: 应有 2 列，实有 3 列 / 2 columns expected, 3 found",
            ],
        ),
        (
            'a,b\n1,"x\ny",3\n4\n',
            [
                "row 2: 应有 2 列，实有 3 列 / 2 columns expected, 3 found",
                "row 4: 应有 2 列，实有 1 列 / 2 columns expected, 1 found",
            ],
        ),
        (
            'a,b\n1,2\n3,"x\n4,5\n',
            [
                "row 3: 第 3 行开始的引号没有闭合"
                " / the quote opened in the record of line 3 is not closed"
            ],
        ),
        (
            'a,b\n1,"x"y\n3,4\n5,"z" \n',
            [
                "row 2: 引号用法不对：引号只能包住整个字段，字段内的引号要写两次 / wrong quotes: "
                "they enclose whole fields, and a quote inside is written twice",
                "row 4: 引号用法不对：引号只能包住整个字段，字段内的引号要写两次 / wrong quotes: "
                "they enclose whole fields, and a quote inside is written twice",
            ],
        ),
        ("a,b\n1,x\0y\n", ["row 2: 第 2 列含有 NUL 字符 / NUL character in field 2"]),
        (
            "a,b,a\n1,2,3\n",
            ["row 1, column a: 列重复出现（A, C） / this column appears twice (A, C)"],
        ),
        ("a,row\n1,2\n", ["row 1, column row: 未知的列 / unknown column"]),
        (
            "a,,b\n1,,2\n3,x,4\n",
            ["row 3: 第 B 列有数据但没有表头 / column B has data but no header"],
        ),
        (
            ",".join(f"c{i}" for i in range(65)) + "\n" + "," * 64 + "1\n",
            ["row 1: 最多 64 列，实有 65 列 / at most 64 columns, this has 65"],
        ),
    ],
)
def test_refused_csv(tmp_path: Path, content: str, problems: list[str]) -> None:
    assert refusals(csv_file(tmp_path, content)) == problems


def test_headers_only_can_be_allowed(tmp_path: Path) -> None:
    table = read_table(csv_file(tmp_path, "a,b\n"), allow_empty=True)
    assert (table.headers, table.frame.height) == (("a", "b"), 0)


def test_unclosed_quote_that_swallows_the_file(tmp_path: Path) -> None:
    path = csv_file(tmp_path, 'a,b\n1,"x\n' + "2,yyyyyyyy\n" * 20_000)
    [line] = refusals(path)
    assert line.endswith("the quote opened in the record of line 2 is not closed")


def test_field_too_long_in_a_file_read_record_by_record(tmp_path: Path) -> None:
    path = csv_file(tmp_path, 'a,b\n"1\n",2\n3,' + "x" * 200_000 + "\n")
    assert refusals(path) == [
        "row 4: 字段超过 131072 个字符 / a field has more than 131072 characters"
    ]


def test_utf16_without_mark_is_named(tmp_path: Path) -> None:
    [line] = refusals(csv_file(tmp_path, PLAIN.encode("utf-16-le")))
    assert line.endswith("(UTF-16 without a byte-order mark?)")


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.xlsx", "the old .xls format"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0" + "EncryptedPackage".encode("utf-16-le"),
            "a.xlsx",
            "the file is encrypted; remove the password",
        ),
        (b"<html><table><tr><td>1</td></tr></table></html>", "a.xls", "this is a web page or XML"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE html>", "a.csv", "this is a web page or XML"),
        (b"<?xml version='1.0'?><Workbook/>", "a.xlsx", "this is a web page or XML"),
        (b"institution_code,name\n", "a.xlsx", "not a spreadsheet, or the file is damaged"),
        (b"PK\x03\x04 and then nothing useful", "a.xlsx", "the file is damaged"),
        (b"", "a.xlsx", "the file is empty"),
    ],
)
def test_disguised_files(tmp_path: Path, data: bytes, name: str, words: str) -> None:
    [line] = refusals(csv_file(tmp_path, data, name))
    assert words in line


def test_too_large_and_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = csv_file(tmp_path, PLAIN)
    monkeypatch.setattr(delimited, "MAX_ROWS", 1)
    assert refusals(path)[0].endswith("more than 1 rows; split the file")
    monkeypatch.setattr(reader, "MAX_FILE_BYTES", 2)
    assert "the file is larger than" in refusals(path)[0]


def test_problem_is_written_as_the_contract_says() -> None:
    problem = Problem(3, "principal", "放款金额", "-5", "金额必须大于零 / must be above zero")
    assert (
        str(problem)
        == "row 3, column principal (放款金额): 金额必须大于零 / must be above zero, -5"
    )
    assert str(FileError([problem, problem])) == f"{problem}\n{problem}"


def test_long_and_invisible_values_are_shown_on_one_line() -> None:
    assert shown_value("a\n\u200b") == "a\\u000a\\u200b"
    assert shown_value("x" * 100) == "x" * 60 + "… (100 字 / characters)"
