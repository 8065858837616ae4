"""Amounts and texts as the columns of facts have them: one way of writing, shown in the document."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.kernel.api.serializers import MISSING, TextField
from loans.api import written
from loans.files.kind_types import Column
from loans.values.money import fen_from_yuan, yuan_from_fen

_EXAMPLES = [written.EXAMPLES["amount"]]


@extend_schema_field(
    {"type": "string", "pattern": written.AMOUNTS["signed"], "examples": _EXAMPLES}
)
class AmountField(serializers.Field[int, Any, str, Any]):
    """Yuan as a string with at most two decimals outside, whole fen inside."""

    column: ClassVar[Column] = Column("amount", "金额", "amount", sign="signed")
    default_error_messages = {
        "invalid": written.told(column),
        "required": MISSING,
        "null": MISSING,
    }

    def to_internal_value(self, data: Any) -> int:
        """The text as fen."""
        if type(data) is not str or re.fullmatch(written.pattern(self.column), data) is None:
            self.fail("invalid")
        return fen_from_yuan(data)


@extend_schema_field(
    {"type": "string", "pattern": written.AMOUNTS["positive"], "examples": _EXAMPLES}
)
class PositiveAmountField(AmountField):
    """An amount above zero."""

    column: ClassVar[Column] = Column("amount", "金额", "amount", sign="positive")
    default_error_messages = {"invalid": written.told(column)}


@extend_schema_field(
    {"type": "string", "pattern": r"^-?(?:0|[1-9][0-9]*)\.[0-9]{2}$", "examples": _EXAMPLES}
)
class YuanField(serializers.Field[int, Any, str, Any]):
    """Going out: fen, or a sum of them however large, as yuan with two decimals."""

    def to_representation(self, value: int) -> str:
        """Fen as text."""
        return yuan_from_fen(value)


class WordsField(TextField):
    """A text of so many characters that our papers have."""

    def __init__(self, *, max_length: int, **options: Any) -> None:
        self.pattern = written.text_pattern(max_length)
        self.told = written.text_told(max_length)
        super().__init__(max_length=max_length, **options)

    def to_internal_value(self, data: Any) -> str:
        """Refuse every other."""
        if type(data) is not str or re.fullmatch(self.pattern, data) is None:
            raise serializers.ValidationError(self.told, code="invalid")
        return str(super().to_internal_value(data))
