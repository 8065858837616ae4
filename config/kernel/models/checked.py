"""Made by one, checked by another: a property of the row that PostgreSQL holds (contract §7)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Checked(models.Model):
    """Who made the row and who checked it; add `checked_by_another` to the model's constraints."""

    made_by = models.CharField(_("经办"), max_length=150)
    made_at = models.DateTimeField(_("经办时间"))
    checked_by = models.CharField(_("复核"), max_length=150, null=True, blank=True)
    checked_at = models.DateTimeField(_("复核时间"), null=True, blank=True)

    class Meta:
        abstract = True


def checked_by_another(name: str) -> models.CheckConstraint:
    """The rule that whoever made a row cannot be who checked it."""
    return models.CheckConstraint(
        name=name, condition=Q(checked_by__isnull=True) | ~Q(checked_by=F("made_by"))
    )
