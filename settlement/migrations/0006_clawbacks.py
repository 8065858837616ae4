"""What is taken back, and whose ledger bore each deduction."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0004_analyze"),
        ("loans", "0004_longer_texts"),
        ("settlement", "0005_ledger"),
    ]

    operations = [
        migrations.AddField(
            model_name="deduction",
            name="fund_institution_id",
            field=models.BigIntegerField(
                db_default=0,
                default=0,
                help_text="其资金账承担本笔，借据划转后不变 / whose ledger bore it; stays when the note moves",
                verbose_name="资金机构",
            ),
        ),
        migrations.CreateModel(
            name="Clawback",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("made_by", models.CharField(max_length=150, verbose_name="经办")),
                ("made_at", models.DateTimeField(verbose_name="经办时间")),
                (
                    "checked_by",
                    models.CharField(blank=True, max_length=150, null=True, verbose_name="复核"),
                ),
                (
                    "checked_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="复核时间"),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("difference", "重算差额"),
                            ("review", "财政审核"),
                            ("order", "财政追回令"),
                            ("finding", "核查发现"),
                            ("staff", "经办提出"),
                        ],
                        max_length=20,
                        verbose_name="起因",
                    ),
                ),
                (
                    "origin_id",
                    models.BigIntegerField(
                        help_text="任务分块、审核结果等的序号 / key of the chunk, review, finding …",
                        verbose_name="起因序号",
                    ),
                ),
                (
                    "year",
                    models.SmallIntegerField(
                        help_text="收息年度 / year of collection", verbose_name="所属年度"
                    ),
                ),
                ("amount_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="应追回")),
                (
                    "received_fen",
                    models.BigIntegerField(
                        db_default=0, default=0, help_text="分 / fen", verbose_name="已到账"
                    ),
                ),
                (
                    "offset_fen",
                    models.BigIntegerField(
                        db_default=0, default=0, help_text="分 / fen", verbose_name="已抵扣"
                    ),
                ),
                (
                    "written_off_fen",
                    models.BigIntegerField(
                        db_default=0, default=0, help_text="分 / fen", verbose_name="已核销"
                    ),
                ),
                (
                    "is_offset",
                    models.BooleanField(
                        default=True,
                        help_text="D20 / offset against the next deduction",
                        verbose_name="从下次贴息抵扣",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "待复核"),
                            ("decided", "已决定"),
                            ("dismissed", "不予追回"),
                        ],
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("why", models.CharField(max_length=500, verbose_name="事由")),
                (
                    "document_number",
                    models.CharField(blank=True, default="", max_length=100, verbose_name="文号"),
                ),
                (
                    "enterprise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loans.enterprise",
                        verbose_name="企业",
                    ),
                ),
                (
                    "fund",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clawbacks",
                        to="settlement.fund",
                        verbose_name="资金",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="所属机构",
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
            ],
            options={
                "verbose_name": "追回",
                "verbose_name_plural": "追回",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ClawbackMovement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("made_by", models.CharField(max_length=150, verbose_name="经办")),
                ("made_at", models.DateTimeField(verbose_name="经办时间")),
                (
                    "checked_by",
                    models.CharField(blank=True, max_length=150, null=True, verbose_name="复核"),
                ),
                (
                    "checked_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="复核时间"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("received", "到账"), ("offset", "抵扣"), ("written_off", "核销")],
                        max_length=20,
                        verbose_name="类别",
                    ),
                ),
                ("moved_on", models.DateField(verbose_name="日期")),
                ("amount_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="金额")),
                (
                    "reference",
                    models.CharField(blank=True, default="", max_length=100, verbose_name="流水号"),
                ),
                (
                    "why",
                    models.CharField(blank=True, default="", max_length=500, verbose_name="说明"),
                ),
                (
                    "chunk",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="抵扣所在的入账 / the chunk of the deduction it was offset against",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.chunk",
                        verbose_name="任务分块",
                    ),
                ),
                (
                    "clawback",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="movements",
                        to="settlement.clawback",
                        verbose_name="追回",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="所属机构",
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
            ],
            options={
                "verbose_name": "追回变动",
                "verbose_name_plural": "追回变动",
                "ordering": ["-id"],
            },
        ),
        migrations.AddIndex(
            model_name="clawback",
            index=models.Index(
                condition=models.Q(
                    ("is_offset", True),
                    ("state", "decided"),
                    (
                        "amount_fen__gt",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("received_fen"), "+", models.F("offset_fen")
                            ),
                            "+",
                            models.F("written_off_fen"),
                        ),
                    ),
                ),
                fields=["enterprise", "fund"],
                name="clawback_to_offset",
            ),
        ),
        migrations.AddConstraint(
            model_name="clawback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("checked_by__isnull", True),
                    models.Q(("checked_by", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="clawback_checked_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="clawback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("origin", "difference"),
                    ("state", "proposed"),
                    ("checked_by__isnull", False),
                    _connector="OR",
                ),
                name="clawback_decided_by_two",
            ),
        ),
        migrations.AddConstraint(
            model_name="clawback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("origin__in", ["difference", "review", "order", "finding", "staff"]),
                    ("state__in", ["proposed", "decided", "dismissed"]),
                ),
                name="clawback_words_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="clawback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_fen__gt", 0),
                    (
                        "amount_fen__gte",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("received_fen"), "+", models.F("offset_fen")
                            ),
                            "+",
                            models.F("written_off_fen"),
                        ),
                    ),
                    ("offset_fen__gte", 0),
                    ("received_fen__gte", 0),
                    ("written_off_fen__gte", 0),
                ),
                name="clawback_never_beyond_its_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="clawback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "decided"),
                    models.Q(("offset_fen", 0), ("received_fen", 0), ("written_off_fen", 0)),
                    _connector="OR",
                ),
                name="clawback_moves_once_decided",
            ),
        ),
        migrations.AddConstraint(
            model_name="clawbackmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("checked_by__isnull", True),
                    models.Q(("checked_by", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="clawback_movement_checked_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="clawbackmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_fen__gt", 0), ("kind__in", ["received", "offset", "written_off"])
                ),
                name="clawback_movement_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="clawbackmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("chunk__isnull", False), ("kind", "offset")),
                    models.Q(models.Q(("kind", "offset"), _negated=True), ("chunk__isnull", True)),
                    _connector="OR",
                ),
                name="clawback_movement_offset_in_a_run",
            ),
        ),
        migrations.AddConstraint(
            model_name="clawbackmovement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reference", ""), _negated=True),
                fields=("clawback", "reference"),
                name="clawback_received_once_per_reference",
            ),
        ),
        migrations.RunSQL(
            """
            SELECT kernel_protect('settlement_clawback'),
                kernel_protect('settlement_clawbackmovement');
            SELECT kernel_grant('settlement_clawback', may, may)
            FROM (VALUES ('SELECT, INSERT, UPDATE (state, is_offset, checked_by, checked_at, why,'
                ' received_fen, offset_fen, written_off_fen)')) AS g(may);
            SELECT kernel_grant('settlement_clawbackmovement', may, may)
            FROM (VALUES ('SELECT, INSERT, UPDATE (checked_by, checked_at)')) AS g(may);
            """,
            migrations.RunSQL.noop,
        ),
    ]
