"""Fields and rules that many tables of this app share."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Institution

AMOUNT_MAX_FEN = 10**13  # 100,000,000,000 yuan, the largest amount a file may hold
RATE_MAX_PPM = 360_000  # 36 %


def money(name: Any, **options: Any) -> "models.BigIntegerField[Any, Any]":
    """Whole fen."""
    return models.BigIntegerField(name, help_text=_("分 / fen"), **options)


def rate(name: Any) -> "models.BigIntegerField[Any, Any]":
    """Parts per million: 3.00 % is 30000."""
    return models.BigIntegerField(
        name, help_text=_("百万分之一，3.00% = 30000 / parts per million")
    )


def institution(name: Any, *, constrained: bool = True) -> "models.ForeignKey[Any, Any]":
    """Whose row it is; `constrained=False` on bulk tables, where each foreign key costs seconds."""
    return models.ForeignKey(
        Institution,
        models.PROTECT if constrained else models.DO_NOTHING,
        verbose_name=name,
        related_name="+",
        db_constraint=constrained,
        db_index=constrained,
    )


def scope() -> "models.ForeignKey[Any, Any]":
    """The institution that sees the row now; follows the note when it moves."""
    return institution(_("所属机构"))


def origin() -> "models.ForeignKey[Any, Any]":
    """The institution in the row's natural key; stays when the note moves."""
    return institution(_("原机构"))


def note() -> "models.ForeignKey[Any, Any]":
    """The note a row belongs to."""
    return models.ForeignKey("loans.Note", models.PROTECT, verbose_name=_("借据"), related_name="+")


def batch() -> "models.ForeignKey[Any, Any]":
    """The accepted file a row last came from; blank when it was typed in."""
    return models.ForeignKey(
        "loans.ImportBatch",
        models.DO_NOTHING,
        verbose_name=_("导入批次"),
        related_name="+",
        null=True,
        blank=True,
        editable=False,
        db_constraint=False,
        db_index=False,
    )


def scheme_code() -> "models.CharField[Any, Any]":
    """The scheme a row belongs to; loans know schemes by their codes only."""
    return models.CharField(_("贴息政策"), max_length=60, help_text=_("政策代码 / scheme code"))


def at_most(name: str, field: str, most: int, least: int = 0) -> models.CheckConstraint:
    """The rule `least ≤ field ≤ most`."""
    return models.CheckConstraint(
        name=name, condition=Q(**{f"{field}__gte": least, f"{field}__lte": most})
    )


def not_before(name: str, start: str, end: str) -> models.CheckConstraint:
    """The rule `end ≥ start`, or no end."""
    return models.CheckConstraint(
        name=name,
        condition=Q(**{f"{end}__isnull": True}) | Q(**{f"{end}__gte": models.F(start)}),
    )


def one_of(
    name: str, field: str, choices: type[models.TextChoices], *, blank: bool = False
) -> models.CheckConstraint:
    """The rule that only these codes are stored (or nothing, if `blank`)."""
    codes = ["", *choices.values] if blank else choices.values
    return models.CheckConstraint(name=name, condition=Q(**{f"{field}__in": codes}))
