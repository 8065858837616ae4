"""The looks of cells, numbered as they are first used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias
from xml.sax.saxutils import quoteattr

Look: TypeAlias = Literal[
    "plain", "body", "total", "header", "note_row", "title", "meta", "right", "note"
]

_FONT = '<name val="等线"/><family val="2"/><charset val="134"/>'
_FONTS = (
    f'<font><sz val="11"/>{_FONT}</font>',
    f'<font><b/><sz val="11"/>{_FONT}</font>',
    f'<font><b/><sz val="16"/>{_FONT}</font>',
    f'<font><sz val="8"/><color rgb="FF666666"/>{_FONT}</font>',
)
_SIDES = ("left", "right", "top", "bottom")
_BORDERS = (
    "<border><left/><right/><top/><bottom/><diagonal/></border>",
    "<border>"
    + "".join(f'<{side} style="thin"><color rgb="FF999999"/></{side}>' for side in _SIDES)
    + "<diagonal/></border>",
)
_FILLS = (
    '<fill><patternFill patternType="none"/></fill>',
    '<fill><patternFill patternType="gray125"/></fill>',
    '<fill><patternFill patternType="solid"><fgColor rgb="FFEDF2F9"/><bgColor indexed="64"/></patternFill></fill>',
)
_FIRST_FORMAT = 164  # numbers below are the format's own


@dataclass(frozen=True)
class _Look:
    font: int = 0
    fill: int = 0
    border: int = 0
    alignment: str = ""


_LOOKS: dict[str, _Look] = {
    "plain": _Look(),
    "body": _Look(border=1, alignment='vertical="center"'),
    "total": _Look(font=1, fill=2, border=1, alignment='vertical="center"'),
    "header": _Look(
        font=1, fill=2, border=1, alignment='horizontal="center" vertical="center" wrapText="1"'
    ),
    "note_row": _Look(
        font=3, border=1, alignment='horizontal="center" vertical="center" wrapText="1"'
    ),
    "title": _Look(font=2, alignment='horizontal="center" vertical="center"'),
    "meta": _Look(alignment='vertical="center" wrapText="1"'),
    "right": _Look(alignment='horizontal="right" vertical="center" wrapText="1"'),
    "note": _Look(alignment='vertical="top" wrapText="1"'),
}


class Styles:
    """The styles of one workbook; style 0 is the plain one."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], int] = {}
        self.number("plain")

    def number(self, look: Look, number_format: str = "") -> int:
        """The number of a look with a number format, "" for the general one."""
        return self._known.setdefault((look, number_format), len(self._known))

    def xml(self) -> str:
        """The workbook's style sheet."""
        formats = dict.fromkeys(code for _, code in self._known if code)
        ids = {code: place for place, code in enumerate(formats, start=_FIRST_FORMAT)}
        listed = "".join(
            f'<numFmt numFmtId="{place}" formatCode={quoteattr(code)}/>'
            for code, place in ids.items()
        )
        cells = "".join(_xf(_LOOKS[look], ids.get(code, 0)) for look, code in self._known)
        return (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            + (f'<numFmts count="{len(ids)}">{listed}</numFmts>' if ids else "")
            + _counted("fonts", _FONTS)
            + _counted("fills", _FILLS)
            + _counted("borders", _BORDERS)
            + '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
            + f'<cellXfs count="{len(self._known)}">{cells}</cellXfs>'
            + '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
            + "</styleSheet>"
        )


def _counted(name: str, items: tuple[str, ...]) -> str:
    return f'<{name} count="{len(items)}">{"".join(items)}</{name}>'


def _xf(look: _Look, format_id: int) -> str:
    opened = (
        f'<xf numFmtId="{format_id}" fontId="{look.font}" fillId="{look.fill}" '
        f'borderId="{look.border}" xfId="0"'
        + (' applyNumberFormat="1"' if format_id else "")
        + (' applyFont="1"' if look.font else "")
        + (' applyFill="1"' if look.fill else "")
        + (' applyBorder="1"' if look.border else "")
    )
    if not look.alignment:
        return f"{opened}/>"
    return f'{opened} applyAlignment="1"><alignment {look.alignment}/></xf>'
