"""Planned deductions, reservations and pay-outs."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("settlement", "0007_settlements")]

    operations: list[object] = []
