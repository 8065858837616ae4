"""Texts that are kept in both languages, shown in the reader's."""

from __future__ import annotations

from django.utils.translation import get_language


def own_language(message: str) -> str:
    """The reader's part of a message stored or raised as `中文 / English`."""
    chinese, found, english = message.partition(" / ")
    return english if found and get_language() == "en" else chinese
