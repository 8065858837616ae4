"""When all labels were last judged."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("settlement", "0003_protection"),
    ]

    operations = [
        migrations.CreateModel(
            name="Assessment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("facts_position", models.BigIntegerField(verbose_name="事实位置")),
                ("terms_key", models.CharField(max_length=200, verbose_name="条款标识")),
                ("engine", models.IntegerField(verbose_name="算法版本")),
                ("labels", models.IntegerField(verbose_name="标签数")),
                ("changed", models.IntegerField(verbose_name="变化数")),
                ("at", models.DateTimeField(verbose_name="认定时间")),
            ],
            options={
                "verbose_name": "资格认定批次",
                "verbose_name_plural": "资格认定批次",
                "ordering": ["-id"],
            },
        ),
        migrations.RunSQL(
            "SELECT kernel_grant('settlement_assessment', 'SELECT', 'SELECT, INSERT')",
            migrations.RunSQL.noop,
        ),
    ]
