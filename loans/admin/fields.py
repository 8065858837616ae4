"""Fields of forms, read as the cells of files are: the same words, digits and refusals."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from loans.admin.base import own_language
from loans.files.cells import RefusedCellError, parse_cell
from loans.files.kind_types import Column, Sign
from loans.files.problems import shown_value
from loans.values.errors import DomainError
from loans.values.money import ppm_from_percent
from loans.values.text import refused_character

REASON_MAX = 500
CHOICES: Any = forms.ChoiceField.choices  # the property that fields of choices have


def refused(value: str, message: str) -> ValidationError:
    """A refusal at a field: the value as it was written, and what is wrong with it."""
    shown = shown_value(value)
    return ValidationError(
        gettext("“%(value)s”：%(fault)s") % {"value": shown, "fault": own_language(message)}
    )


class CellField(forms.CharField):
    """Text that means what the same cell of a file means; blank is None."""

    widget: Any = UnfoldAdminTextInputWidget

    def __init__(self, column: Column, **options: Any) -> None:
        super().__init__(**options)
        self.column = column

    def clean(self, value: Any) -> Any:
        """The typed value."""
        text = str(super().clean(value))
        if not text:
            return None
        try:
            return parse_cell(self.column, text)
        except RefusedCellError as refusal:
            raise refused(text, str(refusal)) from None


def amount_widget() -> UnfoldAdminTextInputWidget:
    """A box for yuan, aligned right."""
    return UnfoldAdminTextInputWidget(
        {"inputmode": "decimal", "autocomplete": "off", "class": "kernel-amount"}
    )


class AmountField(CellField):
    """Yuan with at most 2 decimals, grouped and full-width digits too; its value is fen."""

    def __init__(self, sign: Sign = "positive", **options: Any) -> None:
        column = Column("amount", "金额", "amount", sign=sign)
        super().__init__(column, widget=amount_widget(), **options)


class PercentField(forms.CharField):
    """Percent with at most 4 decimals; its value is parts per million, None if blank."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=amount_widget(), **options)

    def clean(self, value: Any) -> Any:
        """The typed value."""
        text = str(super().clean(value))
        try:
            return ppm_from_percent(text) if text else None
        except DomainError as refusal:
            raise refused(text, refusal.message) from None


class DayField(CellField):
    """A day, as files write it."""

    widget = UnfoldAdminDateWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(Column("day", "日期", "date"), **options)


class YearField(CellField):
    """A calendar year."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Column("year", "年度", "year"), **options)


class WordField(CellField):
    """An identifier: a note's or document's number, a reference."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Column("text", "文号", "text"), **options)

    def clean(self, value: Any) -> str:
        """The text; blank is empty."""
        return super().clean(value) or ""


class ReasonField(forms.CharField):
    """Why: a sentence or two on one line."""

    widget = UnfoldAdminTextareaWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=REASON_MAX, **{"label": _("原因"), **options})
        self.widget.attrs["rows"] = 3

    def to_python(self, value: Any) -> str:
        """Line breaks become spaces."""
        return " ".join(str(super().to_python(value)).splitlines())

    def clean(self, value: Any) -> str:
        """The text, without characters that nobody sees."""
        text = str(super().clean(value))
        found = refused_character(text)
        if found is not None:
            place = {"place": found[0], "code": found[1]}
            raise ValidationError(gettext("第 %(place)s 个字符（%(code)s）不可用") % place)
        return text


class WordChoice(forms.ChoiceField):
    """One of a few, for the person to choose: what must be said starts empty, unless only one is left."""

    widget = UnfoldAdminSelectWidget

    @property
    def choices(self) -> Any:
        """As offered."""
        return CHOICES.__get__(self)

    @choices.setter
    def choices(self, offered: Any) -> None:
        found = list(offered)
        is_open = self.required and self.initial is None and len(found) > 1
        chosen = [("", _("请选择")), *found] if is_open else found
        CHOICES.__set__(self, chosen)


class YesNo(forms.BooleanField):
    """Ticked or not."""

    widget = UnfoldBooleanWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)
