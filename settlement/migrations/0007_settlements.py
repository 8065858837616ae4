"""Annual settlements and liquidations."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("settlement", "0006_clawbacks")]

    operations: list[object] = []
