"""Everything of a workbook outside its sheets' cells: sheet list, styles, shared strings."""

import posixpath
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

from loans.files.limits import MAX_CELL_CHARACTERS, MAX_SHEETS
from loans.files.package import (
    DAMAGE,
    damaged,
    new_parser,
    parse_part,
    refuse,
    small_part,
)

Attributes = dict[str, str]

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_QUOTED_OR_BRACKETED = re.compile(r'"[^"]*"|\\.|_.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_DATE_LETTERS = re.compile(r"[dmyhs]|上午|下午", re.IGNORECASE)
_BUILTIN_DATES = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_BUILTIN_PERCENTS = frozenset([9, 10])

NUMBER, PERCENT, DATE = "n", "p", "d"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A visible worksheet: its name and the part that holds its cells."""

    name: str
    part: str


@dataclass(frozen=True, slots=True)
class Workbook:
    """What reading a sheet needs: sheets, how styles show numbers, strings, the date epoch."""

    sheets: list[Sheet]
    styles: list[str]
    strings: list[str]
    epoch_1904: bool


def local(name: str) -> str:
    """Return an XML name without its namespace."""
    return name.rpartition("}")[2]


def read_workbook(package: zipfile.ZipFile) -> Workbook:
    """Read the workbook's own parts; refuses packages that are no workbook."""
    part = _target(package, "", "officeDocument")
    if part is None:
        refuse("不是 Excel 工作簿", "not a spreadsheet")
    sheets, epoch_1904 = _sheets(package, part)
    styles = _target(package, part, "styles")
    strings = _target(package, part, "sharedStrings")
    return Workbook(
        sheets=sheets,
        styles=[] if styles is None else _styles(package, styles),
        strings=[] if strings is None else _strings(package, strings),
        epoch_1904=epoch_1904,
    )


def _elements(data: bytes, start: Callable[[str, Attributes], None]) -> None:
    parser = new_parser()
    parser.StartElementHandler = lambda name, attributes: start(
        local(name), {local(key): value for key, value in attributes.items()}
    )
    try:
        parser.Parse(data, True)
    except DAMAGE:
        damaged()


def _relationships(package: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """Return id -> (type, absolute part name) of what a part refers to."""
    folder, name = posixpath.split(part)
    data = small_part(package, posixpath.join(folder, "_rels", f"{name}.rels"))
    found: dict[str, tuple[str, str]] = {}

    def start(tag: str, attributes: Attributes) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", "")))
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = (kind, target.lstrip("/"))

    if data is not None:
        _elements(data, start)
    return found


def _target(package: zipfile.ZipFile, part: str, kind: str) -> str | None:
    targets = [target for type_, target in _relationships(package, part).values() if type_ == kind]
    return targets[0] if targets else None


def _sheets(package: zipfile.ZipFile, part: str) -> tuple[list[Sheet], bool]:
    data = small_part(package, part)
    if data is None:
        damaged()
    relationships = _relationships(package, part)
    sheets: list[Sheet] = []
    epochs: list[str] = []

    def start(tag: str, attributes: Attributes) -> None:
        if tag == "workbookPr":
            epochs.append(attributes.get("date1904", "0"))
        elif tag == "sheet" and attributes.get("state", "visible") == "visible":
            kind, target = relationships.get(attributes.get("id", ""), ("", ""))
            if kind == "worksheet":
                sheets.append(Sheet(attributes.get("name", ""), target))

    _elements(data, start)
    if len(sheets) > MAX_SHEETS:
        refuse(f"最多 {MAX_SHEETS} 个工作表", f"at most {MAX_SHEETS} sheets")
    return sheets, "1" in epochs or "true" in epochs


def _styles(package: zipfile.ZipFile, part: str) -> list[str]:
    """Return per cell style whether it shows a number, a percentage or a date."""
    data = small_part(package, part)
    if data is None:
        damaged()
    formats: dict[int, str] = {}
    styles: list[str] = []
    inside: list[bool] = [False]

    def start(tag: str, attributes: Attributes) -> None:
        if tag == "numFmt":
            formats[int(attributes.get("numFmtId", "0"))] = attributes.get("formatCode", "")
        elif tag in {"cellXfs", "cellStyles", "dxfs"}:
            inside[0] = tag == "cellXfs"
        elif tag == "xf" and inside[0]:
            styles.append(_shown_as(int(attributes.get("numFmtId", "0")), formats))

    try:
        _elements(data, start)
    except ValueError:
        damaged()
    return styles


def _shown_as(number: int, formats: dict[int, str]) -> str:
    code = formats.get(number)
    if code is None:
        if number in _BUILTIN_DATES:
            return DATE
        return PERCENT if number in _BUILTIN_PERCENTS else NUMBER
    bare = _QUOTED_OR_BRACKETED.sub("", code.partition(";")[0])
    if "general" not in bare.casefold() and _DATE_LETTERS.search(bare):
        return DATE
    return PERCENT if "%" in bare else NUMBER


def unescaped(text: str) -> str:
    """Undo the `_x000D_` escapes of workbooks; a lone surrogate becomes U+FFFD."""
    if "_x" not in text:
        return text
    plain = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _strings(package: zipfile.ZipFile, part: str) -> list[str]:
    strings: list[str] = []
    reader = StringReader(strings.append)
    parser = new_parser()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parse_part(package, part, parser)
    return strings


class StringReader:
    """Collects the text of each `si`: its `t` parts, without phonetic guides (`rPh`)."""

    def __init__(self, keep: Callable[[str], None]) -> None:
        self._keep = keep
        self._pieces: list[str] = []
        self._length = 0
        self._inside_text = False
        self._phonetic = False

    def start(self, name: str, _: Attributes) -> None:
        """Note which element opens."""
        tag = local(name)
        if tag == "t":
            self._inside_text = not self._phonetic
        elif tag == "rPh":
            self._phonetic = True
        elif tag == "si":
            self._pieces.clear()
            self._length = 0

    def end(self, name: str) -> None:
        """Keep the string where its element closes."""
        tag = local(name)
        if tag == "t":
            self._inside_text = False
        elif tag == "rPh":
            self._phonetic = False
        elif tag == "si":
            self._keep(unescaped("".join(self._pieces)))

    def text(self, data: str) -> None:
        """Add text, up to what one cell may hold."""
        if not self._inside_text:
            return
        self._length += len(data)
        if self._length > MAX_CELL_CHARACTERS:
            refuse(
                f"有单元格超过 {MAX_CELL_CHARACTERS} 个字符",
                f"a cell has more than {MAX_CELL_CHARACTERS} characters",
            )
        self._pieces.append(data)
