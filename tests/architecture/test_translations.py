"""Everything the admin says is said in Chinese first and in English too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.utils import translation

ROOT = Path(__file__).parents[2]
APPS = ("config", "loans", "settlement", "reports")
CHINESE = re.compile("[\u4e00-\u9fff]")
IN_TEMPLATE = re.compile(r"""{% translate (["'])(?P<text>.+?)\1""")


def _said() -> Iterator[str]:
    """Every text marked for translation in code and templates."""
    for app in APPS:
        for path in (ROOT / app).rglob("*.html"):
            yield from (found["text"] for found in IN_TEMPLATE.finditer(path.read_text()))
        for path in (ROOT / app).rglob("*.py"):
            if "migrations" not in path.parts:
                yield from _marked(ast.parse(path.read_text()))


def _marked(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name(id="_" | "gettext"), args=[ast.Constant(value=str(text)), *_]
            ):
                yield text


def test_every_text_has_its_english() -> None:
    said = {text for text in _said() if CHINESE.search(text)}
    assert len(said) > 500
    with translation.override("en"):
        assert [text for text in sorted(said) if CHINESE.search(translation.gettext(text))] == []


def test_a_text_in_both_languages_is_shown_in_one() -> None:
    both = {text for text in _said() if " / " in text and CHINESE.search(text)}
    with translation.override("zh-hans"):
        assert [text for text in sorted(both) if " / " in translation.gettext(text)] == []
