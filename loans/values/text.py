"""What text may hold, and how width variants of ASCII are folded."""

import re
import unicodedata

# Full-width ASCII and the ideographic space. Only these are folded: NFKC would also turn
# superscripts and circled digits into digits.
_FOLD = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}

# Outside the refused categories: fillers, joiners, variation selectors, and the mark that an
# earlier conversion leaves for a character it lost.
_INVISIBLE = frozenset(
    [
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0xFFFD),
        *range(0x180B, 0x180F),
        *range(0xFE00, 0xFE10),
        *range(0xE0100, 0xE01F0),
    ]
)
_REFUSED_CATEGORIES = frozenset(["Cc", "Cf", "Co", "Cs", "Zl", "Zp"])
# Han characters newer than Python's tables look unassigned there: planes 2 and 3 pass.
_HAN_PLANES = range(0x20000, 0x3FFFE)
_INNER_SPACES = frozenset([0x20, 0x3000])
_LETTERS_AND_DIGITS = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")

FORMULA_STARTS = "=+-@＝＋－＠"


def fold_width(text: str) -> str:
    """Return the text with full-width ASCII made half-width; nothing else is changed."""
    return text.translate(_FOLD)


def refused_character(text: str) -> tuple[int, str] | None:
    """Return (position counted from 1, `U+XXXX`) of the first character that may not be stored.

    Refused: control, zero-width, direction, private-use, unassigned and other invisible characters,
    line separators, and spaces other than the ordinary and the ideographic one.
    """
    for position, character in enumerate(text, start=1):
        if _refused(ord(character), unicodedata.category(character)):
            return position, f"U+{ord(character):04X}"
    return None


def _refused(code: int, category: str) -> bool:
    if category == "Zs":
        return code not in _INNER_SPACES
    if category == "Cn":
        return code not in _HAN_PLANES
    return category in _REFUSED_CATEGORIES or code in _INVISIBLE


def without_formula_guard(text: str) -> str:
    """Drop the leading `'` that our CSV export puts before = + - @, so that exports come back."""
    if len(text) > 1 and text[0] == "'" and text[1] in FORMULA_STARTS:
        return text[1:]
    return text
