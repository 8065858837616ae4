"""Free text of files has at most 200 characters, wherever it goes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("loans", "0003_protection"),
    ]

    operations = [
        migrations.AlterField(
            model_name="contract",
            name="purpose_field",
            field=models.CharField(max_length=200, verbose_name="投向领域"),
        ),
        migrations.AlterField(
            model_name="contractevent",
            name="purpose_field",
            field=models.CharField(max_length=200, verbose_name="投向领域"),
        ),
        migrations.AlterField(
            model_name="externalsubsidy",
            name="source",
            field=models.CharField(max_length=200, verbose_name="来源"),
        ),
    ]
