"""What a report's tables hold, and which policies it speaks of: shown to its checker, counted for deadlines.

And days off come in through the web as well; who may bring them is the service's to say, as with rates.
"""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0003_history_of_days"),
    ]

    operations = [
        migrations.AddField(
            model_name="report",
            name="schemes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=60),
                default=list,
                help_text="报表写明的各项政策 / the policies it speaks of",
                size=None,
                verbose_name="所含政策",
            ),
        ),
        migrations.AddField(
            model_name="report",
            name="tables",
            field=models.JSONField(
                default=list,
                help_text="表名、各列和行数 / titles, columns and row counts",
                verbose_name="各表",
            ),
        ),
        migrations.RunSQL(
            "GRANT INSERT, UPDATE ON reports_workingdayexception TO app",
            "REVOKE INSERT, UPDATE ON reports_workingdayexception FROM app",
        ),
    ]
