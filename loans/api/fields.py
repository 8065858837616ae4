"""Amounts: strings in yuan outside, whole fen inside, and nothing between."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.kernel.api.serializers import MISSING
from loans.api.items import SHAPES
from loans.values.money import fen_from_yuan, yuan_from_fen

_DIGITS = r"(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,2})?$"
SIGNED = rf"^(?!-0(?:\.0{{1,2}})?$)-?{_DIGITS}"
POSITIVE = rf"^(?!0(?:\.0{{1,2}})?$){_DIGITS}"


@extend_schema_field({"type": "string", "pattern": SIGNED, "examples": ["1234.56"]})
class AmountField(serializers.Field[int, Any, str, Any]):
    """Yuan as a string with at most two decimals; below zero too, but no zero with a sign."""

    default_error_messages = {
        "invalid": SHAPES["amount"][1],
        "required": MISSING,
        "null": MISSING,
    }
    shape = re.compile(SIGNED, re.ASCII)

    def to_internal_value(self, data: Any) -> int:
        """The text as fen."""
        if type(data) is not str or self.shape.fullmatch(data) is None:
            self.fail("invalid")
        return fen_from_yuan(data)

    def to_representation(self, value: int) -> str:
        """Fen as text with two decimals."""
        return yuan_from_fen(value)


@extend_schema_field({"type": "string", "pattern": POSITIVE, "examples": ["1234.56"]})
class PositiveAmountField(AmountField):
    """An amount above zero."""

    default_error_messages = {
        "invalid": "须为大于零、以元为单位、最多两位小数的字符串"
        " / a string in yuan above zero with at most 2 decimals"
    }
    shape = re.compile(POSITIVE, re.ASCII)
