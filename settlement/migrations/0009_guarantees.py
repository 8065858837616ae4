"""Guarantee-fee subsidies posted, compensations and syndicate shares."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("settlement", "0008_plans")]

    operations: list[object] = []
