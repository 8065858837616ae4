"""Guarantee compensations, and what pre-allocated money is for."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0004_analyze"),
        ("loans", "0004_longer_texts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Compensation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("paid_on", models.DateField(verbose_name="代偿日期")),
                (
                    "unpaid_principal_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="未清偿本金"),
                ),
                ("reference", models.CharField(max_length=100, verbose_name="流水号")),
            ],
            options={
                "verbose_name": "代偿",
                "verbose_name_plural": "代偿",
                "ordering": ["guarantee", "paid_on", "id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="preallocation",
            name="pre_allocation_once_per_document",
        ),
        migrations.AddField(
            model_name="preallocation",
            name="purpose",
            field=models.CharField(
                choices=[("interest", "贷款贴息"), ("guarantee_fee", "担保费补贴")],
                db_default="interest",
                default="interest",
                max_length=20,
                verbose_name="用途",
            ),
        ),
        migrations.AddConstraint(
            model_name="preallocation",
            constraint=models.UniqueConstraint(
                fields=("institution", "scheme_code", "document_number", "tier", "purpose"),
                name="pre_allocation_once_per_document",
            ),
        ),
        migrations.AddConstraint(
            model_name="preallocation",
            constraint=models.CheckConstraint(
                condition=models.Q(("purpose__in", ["interest", "guarantee_fee"])),
                name="pre_allocation_purpose_known",
            ),
        ),
        migrations.AddField(
            model_name="compensation",
            name="batch",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="loans.importbatch",
                verbose_name="导入批次",
            ),
        ),
        migrations.AddField(
            model_name="compensation",
            name="guarantee",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="compensations",
                to="loans.guarantee",
                verbose_name="担保",
            ),
        ),
        migrations.AddField(
            model_name="compensation",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kernel.institution",
                verbose_name="所属机构",
            ),
        ),
        migrations.AddField(
            model_name="compensation",
            name="note",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="loans.note",
                verbose_name="借据",
            ),
        ),
        migrations.AddField(
            model_name="compensation",
            name="origin",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kernel.institution",
                verbose_name="原机构",
            ),
        ),
        migrations.AddConstraint(
            model_name="compensation",
            constraint=models.UniqueConstraint(
                fields=("origin", "reference"), name="compensation_reference_once_per_institution"
            ),
        ),
        migrations.AddConstraint(
            model_name="compensation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("unpaid_principal_fen__gte", -10000000000000),
                    ("unpaid_principal_fen__lte", 10000000000000),
                ),
                name="compensation_amount_bounded",
            ),
        ),
        migrations.RunSQL(
            """
            SELECT kernel_append_only('loans_compensation'), kernel_protect('loans_compensation'),
                kernel_grant('loans_compensation', 'SELECT, INSERT', 'SELECT, INSERT');
            """,
            migrations.RunSQL.noop,
        ),
    ]
