"""A plan says what of a deduction will be offset against what its enterprise owes back (D20).

That much more interest is to be collected, and no money is set aside for it.
"""

from django.db import migrations, models
from django.db.models import F, Q

TIERS = (("central", "中央抵扣"), ("provincial", "省级抵扣"), ("municipal", "市级抵扣"))
RESERVED = Q(
    central_reserved_fen__gte=0,
    provincial_reserved_fen__gte=0,
    municipal_reserved_fen__gte=0,
    central_reserved_fen__lte=F("central_fen") - F("central_offset_fen"),
    provincial_reserved_fen__lte=F("provincial_fen") - F("provincial_offset_fen"),
    municipal_reserved_fen__lte=F("municipal_fen") - F("municipal_offset_fen"),
)
WITHIN = Q(
    central_offset_fen__gte=0,
    provincial_offset_fen__gte=0,
    municipal_offset_fen__gte=0,
    central_offset_fen__lte=F("central_fen"),
    provincial_offset_fen__lte=F("provincial_fen"),
    municipal_offset_fen__lte=F("municipal_fen"),
)


class Migration(migrations.Migration):
    dependencies = [("settlement", "0021_stated_needs")]

    operations = [
        migrations.RemoveConstraint("planneddeduction", "planned_reserved_within_planned"),
        *[
            migrations.AddField(
                "planneddeduction",
                f"{tier}_offset_fen",
                models.BigIntegerField(
                    default=0, db_default=0, help_text="分 / fen", verbose_name=name
                ),
            )
            for tier, name in TIERS
        ],
        migrations.AddConstraint(
            "planneddeduction",
            models.CheckConstraint(condition=RESERVED, name="planned_reserved_within_planned"),
        ),
        migrations.AddConstraint(
            "planneddeduction",
            models.CheckConstraint(condition=WITHIN, name="planned_offset_within_planned"),
        ),
        migrations.RunSQL(
            "SELECT kernel_grant('settlement_planneddeduction', may, may) FROM (VALUES"
            " ('UPDATE (central_offset_fen, provincial_offset_fen, municipal_offset_fen)')) AS g(may)",
            migrations.RunSQL.noop,
        ),
    ]
