"""Inputs that take nothing for what it is not, and name everything that is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from config.kernel.api.bodies import whole
from config.kernel.api.paging import CURSOR, PAGE_SIZE_MAX
from config.kernel.api.problems import Fault, Problem

_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS = re.compile(r"[0-9]{1,9}")
DAY = "^(?:199[0-9]|20[0-9]{2}|2100)-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$"  # FIRST to LAST_YEAR
VISIBLE = "^[!-~·—“”、。《》〈〉【】〔〕（），：；㐀-䶿一-鿿]+$"
OF_ALL = ("", "non_field_errors")  # faults of an object or list as a whole
UNKNOWN = "未知字段 / unknown field"
FIRST_YEAR, LAST_YEAR = 1990, 2100
MISSING = "必填 / required"
NOT_A_TEXT = "须为字符串 / must be a string"


class StrictSerializer(serializers.Serializer[Any]):
    """An object of known members, no other."""

    default_error_messages = {"invalid": "须为 JSON 对象 / must be an object"}

    def to_internal_value(self, data: Any) -> Any:
        """Refuse members that there are not."""
        if not isinstance(data, dict):
            raise serializers.ValidationError(
                {"": [self.error_messages["invalid"]]}, code="invalid"
            )
        unknown: dict[str, Any] = {
            name: [serializers.ErrorDetail(UNKNOWN, code="unknown_field")]
            for name in data
            if name not in self.fields
        }
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            told: Any = error.detail  # by member, as the data is an object
            raise serializers.ValidationError({**told, **unknown}) from error
        if unknown:
            raise serializers.ValidationError(unknown)
        return value


class TextField(serializers.CharField):
    """A string, and nothing that can be made one."""

    default_error_messages = {
        "invalid": NOT_A_TEXT,
        "required": MISSING,
        "null": MISSING,
        "blank": MISSING,
        "max_length": "最多 {max_length} 个字符 / at most {max_length} characters",
        "outer_space": "首尾不能有空白 / without spaces at its ends",
        "forbidden_character": "有不可见字符或控制字符 / a character that cannot be seen",
    }

    def to_internal_value(self, data: Any) -> str:
        """Refuse whatever is no string, or looks like another one."""
        if type(data) is not str:
            self.fail("invalid")
        if not data.isprintable():
            self.fail("forbidden_character")
        if data != data.strip():
            self.fail("outer_space")
        return str(super().to_internal_value(data))


class CodeField(TextField):
    """A code, number or name to look for: visible characters, by a pattern that the document shows."""

    def __init__(self, *, pattern: str = VISIBLE, code: str = "invalid", **options: Any) -> None:
        self.pattern = pattern  # as the document shows it
        told = f"须符合 {pattern} / must match {pattern}"
        options.setdefault("validators", [RegexValidator(pattern, told, code)])
        super().__init__(**options)


@extend_schema_field({"type": "string", "format": "date", "pattern": DAY})
class DayField(serializers.Field[date, str, str, Any]):
    """A calendar day, `2026-03-21` and no other way."""

    default_error_messages = {
        "invalid": "须为 2026-03-21 形式的日期 / must be a date like 2026-03-21",
        "required": MISSING,
        "null": MISSING,
    }

    def to_internal_value(self, data: Any) -> date:
        """Parse an ISO day of a year people lend in."""
        day = _day(data)
        if day is None:
            self.fail("invalid")
        return day

    def to_representation(self, value: date) -> str:
        """The same form going out."""
        return value.isoformat()


def _day(data: Any) -> date | None:
    if type(data) is not str or not _ISO_DAY.fullmatch(data):
        return None
    try:
        day = date.fromisoformat(data)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


class ChoiceField(serializers.ChoiceField):
    """One of a list of words."""

    default_error_messages = {
        "invalid_choice": "只能是 {choices} / must be one of {choices}",
        "required": MISSING,
        "null": MISSING,
    }

    def to_internal_value(self, data: Any) -> Any:
        """Refuse other words, and what is no word."""
        if type(data) is not str or data not in self.choices:
            self.fail("invalid_choice", choices=", ".join(map(str, self.choices)))
        return data


class WholeNumberField(serializers.Field[int, Any, int, Any]):
    """A whole number between two bounds, as a JSON number, or as plain digits in a query."""

    default_error_messages = {
        "invalid": "须为 {low} 至 {high} 的整数 / must be a whole number from {low} to {high}",
        "required": MISSING,
        "null": MISSING,
    }

    def __init__(self, *, low: int, high: int, in_query: bool = False, **options: Any) -> None:
        self.low, self.high, self.in_query = low, high, in_query
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> int:
        """Refuse fractions, texts and what is out of bounds."""
        is_digits = self.in_query and type(data) is str and _DIGITS.fullmatch(data)
        number = int(data) if is_digits else whole(data)
        if number is None or not self.low <= number <= self.high:
            self.fail("invalid", low=self.low, high=self.high)
        return number

    def to_representation(self, value: int) -> int:
        """The number."""
        return value


@extend_schema_field(OpenApiTypes.BOOL)
class FlagField(serializers.Field[bool, Any, bool, Any]):
    """Yes or no, as JSON says it."""

    default_error_messages = {
        "invalid": "须为 true 或 false / must be true or false",
        "required": MISSING,
        "null": MISSING,
    }

    def to_internal_value(self, data: Any) -> bool:
        """Refuse words and numbers."""
        if type(data) is not bool:
            self.fail("invalid")
        return bool(data)

    def to_representation(self, value: bool) -> bool:  # noqa: FBT001 (the framework's signature)
        """The same going out."""
        return value


class NoQuery(StrictSerializer):
    """An address without parameters."""


class PageQuery(StrictSerializer):
    """The query of a list."""

    cursor = CodeField(
        required=False,
        pattern=CURSOR,
        code="cursor_invalid",
        help_text="上一页 next 中的游标 / from `next`",
    )
    page_size = WholeNumberField(low=1, high=PAGE_SIZE_MAX, in_query=True, required=False)


def checked(kind: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """The body as the serializer understands it; Problem `invalid` with every fault."""
    serializer = kind(data=data)
    if not serializer.is_valid():
        raise Problem("invalid", faults=_faults("", serializer.errors, data))
    return dict(serializer.validated_data)


def query(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The query as the serializer understands it; repeated and unknown parameters are refused."""
    names = kind().fields.keys()
    told = "未知或重复的查询参数 / unknown or repeated query parameter"
    wrong = [
        Fault(_plain(name), "unknown_parameter", told)
        for name, values in request.query_params.lists()
        if name not in names or len(values) > 1
    ]
    wrong += [
        Fault(name, "forbidden_character", "有不可用的字符 / a character that is not allowed")
        for name, value in request.query_params.items()
        if name in names and not str(value).isprintable()
    ]
    if wrong:
        raise Problem(
            "unknown_parameter" if wrong[0].code == "unknown_parameter" else "invalid", faults=wrong
        )
    serializer = kind(data=request.query_params.dict())
    if not serializer.is_valid():
        raise Problem(
            "invalid",
            faults=_faults("", serializer.errors, request.query_params.dict(), is_query=True),
        )
    return dict(serializer.validated_data)


def _plain(name: str) -> str:
    return name[:32].encode("ascii", "backslashreplace").decode()


def _faults(pointer: str, errors: Any, data: Any, *, is_query: bool = False) -> list[Fault]:
    """The framework's nested errors, flat, each with its pointer and the value it is about."""
    found: list[Fault] = []
    if isinstance(errors, Mapping):
        for name, inner in errors.items():
            place = (
                str(name)
                if is_query
                else f"{pointer}/{_escaped(str(name))}"
                if name not in OF_ALL
                else pointer
            )
            value = data.get(name) if isinstance(data, Mapping) else None
            found += _faults(place, inner, data if name in OF_ALL else value, is_query=is_query)
        return found
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        for index, inner in enumerate(errors):
            value = data[index] if isinstance(data, list) and index < len(data) else None
            found += _faults(f"{pointer}/{index}", inner, value)
        return found
    shown = data if isinstance(data, str) else None
    return [
        Fault(pointer, getattr(error, "code", "invalid"), str(error), shown) for error in errors
    ]


def _escaped(name: str) -> str:
    return _plain(name).replace("~", "~0").replace("/", "~1")
