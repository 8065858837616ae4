"""Planned deductions and the money reserved for them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0004_analyze"),
        ("loans", "0004_longer_texts"),
        ("settlement", "0007_settlements"),
    ]

    operations = [
        migrations.CreateModel(
            name="Plan",
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
                ("collected_on", models.DateField(verbose_name="结息日")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "待复核"),
                            ("checked", "已复核并预留"),
                            ("closed", "已结束"),
                            ("dropped", "已撤销"),
                        ],
                        default="draft",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                (
                    "planned_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="计划代付"),
                ),
                (
                    "why",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=500, verbose_name="说明"
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
            ],
            options={
                "verbose_name": "代付计划",
                "verbose_name_plural": "代付计划",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="PlanException",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "scheme_code",
                    models.CharField(help_text="政策代码", max_length=60, verbose_name="贴息政策"),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("waiting", "认定待定（缺 LPR）"),
                            ("ineligible", "不符合条件"),
                            ("nothing", "本期无贴息"),
                            ("instalment", "本期已收过部分利息"),
                        ],
                        max_length=20,
                        verbose_name="原因",
                    ),
                ),
                (
                    "detail",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=500, verbose_name="详情"
                    ),
                ),
                (
                    "collection",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="loans.interestcollection",
                        verbose_name="计划收息",
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
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exceptions",
                        to="settlement.plan",
                        verbose_name="代付计划",
                    ),
                ),
            ],
            options={
                "verbose_name": "计划例外",
                "verbose_name_plural": "计划例外",
                "ordering": ["-plan", "id"],
            },
        ),
        migrations.CreateModel(
            name="PlannedDeduction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("fund_institution_id", models.BigIntegerField(verbose_name="资金机构")),
                (
                    "place",
                    models.IntegerField(
                        help_text="计划内的先后 / order of service (D9)", verbose_name="次序"
                    ),
                ),
                (
                    "interest_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="待收利息"),
                ),
                (
                    "central_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="中央贴息"),
                ),
                (
                    "provincial_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="省级贴息"),
                ),
                (
                    "municipal_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="市级贴息"),
                ),
                (
                    "central_reserved_fen",
                    models.BigIntegerField(
                        db_default=0, default=0, help_text="分 / fen", verbose_name="中央预留"
                    ),
                ),
                (
                    "provincial_reserved_fen",
                    models.BigIntegerField(
                        db_default=0, default=0, help_text="分 / fen", verbose_name="省级预留"
                    ),
                ),
                (
                    "municipal_reserved_fen",
                    models.BigIntegerField(
                        db_default=0, default=0, help_text="分 / fen", verbose_name="市级预留"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "待预留"),
                            ("reserved", "已预留"),
                            ("held", "资金不足，暂缓"),
                            ("posted", "已入账"),
                            ("released", "已释放"),
                            ("void", "已作废"),
                        ],
                        default="planned",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                (
                    "ended_by",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=150, verbose_name="处理人"
                    ),
                ),
                (
                    "why",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=500, verbose_name="说明"
                    ),
                ),
                (
                    "collection",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="loans.interestcollection",
                        verbose_name="计划收息",
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
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deductions",
                        to="settlement.plan",
                        verbose_name="代付计划",
                    ),
                ),
                (
                    "scheme",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="settlement.scheme",
                        verbose_name="贴息政策",
                    ),
                ),
            ],
            options={
                "verbose_name": "计划代付",
                "verbose_name_plural": "计划代付",
                "ordering": ["-plan", "place"],
            },
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("checked_by__isnull", True),
                    models.Q(("checked_by", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="plan_checked_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["draft", "checked", "closed", "dropped"])),
                name="plan_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["checked", "closed"]), _negated=True),
                    ("checked_by__isnull", False),
                    _connector="OR",
                ),
                name="plan_reserves_once_checked",
            ),
        ),
        migrations.AddConstraint(
            model_name="planexception",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reason__in", ["waiting", "ineligible", "nothing", "instalment"])
                ),
                name="plan_exception_reason_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="planexception",
            constraint=models.UniqueConstraint(
                fields=("plan", "collection", "scheme_code", "reason"), name="plan_exception_once"
            ),
        ),
        migrations.AddIndex(
            model_name="planneddeduction",
            index=models.Index(
                condition=models.Q(("state__in", ["planned", "reserved"])),
                fields=["note"],
                name="planned_live_of_note",
            ),
        ),
        migrations.AddConstraint(
            model_name="planneddeduction",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["planned", "reserved"])),
                fields=("collection", "scheme"),
                name="planned_once_per_collection",
            ),
        ),
        migrations.AddConstraint(
            model_name="planneddeduction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["planned", "reserved", "held", "posted", "released", "void"])
                ),
                name="planned_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="planneddeduction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("central_reserved_fen__gte", 0),
                    ("central_reserved_fen__lte", models.F("central_fen")),
                    ("municipal_reserved_fen__gte", 0),
                    ("municipal_reserved_fen__lte", models.F("municipal_fen")),
                    ("provincial_reserved_fen__gte", 0),
                    ("provincial_reserved_fen__lte", models.F("provincial_fen")),
                ),
                name="planned_reserved_within_planned",
            ),
        ),
        migrations.AddConstraint(
            model_name="planneddeduction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "reserved"),
                    models.Q(
                        ("central_reserved_fen", 0),
                        ("municipal_reserved_fen", 0),
                        ("provincial_reserved_fen", 0),
                    ),
                    _connector="OR",
                ),
                name="planned_holds_money_while_reserved",
            ),
        ),
        migrations.AddConstraint(
            model_name="planneddeduction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "void"), _negated=True),
                    models.Q(("why", ""), _negated=True),
                    _connector="OR",
                ),
                name="planned_void_with_reason",
            ),
        ),
        migrations.RunSQL(
            """
            SELECT kernel_protect('settlement_plan'), kernel_protect('settlement_planneddeduction'),
                kernel_protect('settlement_planexception');
            SELECT kernel_grant('settlement_plan', may, may)
            FROM (VALUES ('SELECT, INSERT, UPDATE (state, checked_by, checked_at, why)')) AS g(may);
            SELECT kernel_grant('settlement_planneddeduction', may, may)
            FROM (VALUES ('SELECT, INSERT, UPDATE (state, ended_by, why, central_reserved_fen,'
                ' provincial_reserved_fen, municipal_reserved_fen)')) AS g(may);
            SELECT kernel_grant('settlement_planexception', 'SELECT, INSERT', 'SELECT, INSERT');
            """,
            migrations.RunSQL.noop,
        ),
    ]
