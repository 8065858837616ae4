"""Annual settlements and liquidations."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

OVER = """
CREATE FUNCTION settlement_over() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '结算已办结 / this settlement is over: it stays as it is'
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER finished BEFORE UPDATE ON settlement_settlement
    FOR EACH ROW WHEN (OLD.state IN ('booked', 'withdrawn')) EXECUTE FUNCTION settlement_over();
"""

PROTECTED = """
SELECT kernel_protect('settlement_settlement'), kernel_protect('settlement_settlementitem');
SELECT kernel_grant('settlement_settlement', may, may)
FROM (VALUES ('SELECT, INSERT, UPDATE (state, checked_by, checked_at, document_number, decided_on,'
    ' decided_by, decided_at, booked_by, booked_at, withdrawn_by, withdrawn_at)')) AS g(may);
SELECT kernel_grant('settlement_settlementitem', may, may)
FROM (VALUES ('SELECT, INSERT, UPDATE (approved_fen, disallowed_fen)')) AS g(may);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0004_analyze"),
        ("settlement", "0006_clawbacks"),
    ]

    operations = [
        migrations.CreateModel(
            name="Settlement",
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
                        choices=[("annual", "年度结算"), ("liquidation", "清算")],
                        max_length=20,
                        verbose_name="类别",
                    ),
                ),
                (
                    "year",
                    models.SmallIntegerField(
                        blank=True,
                        help_text="清算为空 / none for a liquidation",
                        null=True,
                        verbose_name="年度",
                    ),
                ),
                (
                    "part",
                    models.SmallIntegerField(
                        help_text="同一年度从 1 起 / from 1 in its year", verbose_name="期次"
                    ),
                ),
                (
                    "is_final",
                    models.BooleanField(
                        default=False,
                        help_text="提交后年度关闭 / submitting it closes the year",
                        verbose_name="年度末次",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "草稿"),
                            ("submitted", "已提交"),
                            ("decided", "已批复"),
                            ("booked", "已入账"),
                            ("withdrawn", "已撤回"),
                        ],
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                (
                    "document_number",
                    models.CharField(
                        blank=True, default="", max_length=100, verbose_name="批复文号"
                    ),
                ),
                ("decided_on", models.DateField(blank=True, null=True, verbose_name="批复日期")),
                (
                    "decided_by",
                    models.CharField(
                        blank=True, max_length=150, null=True, verbose_name="批复录入"
                    ),
                ),
                (
                    "decided_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="批复录入时间"),
                ),
                (
                    "booked_by",
                    models.CharField(
                        blank=True, max_length=150, null=True, verbose_name="入账复核"
                    ),
                ),
                ("booked_at", models.DateTimeField(blank=True, null=True, verbose_name="入账时间")),
                (
                    "withdrawn_by",
                    models.CharField(blank=True, max_length=150, null=True, verbose_name="撤回人"),
                ),
                (
                    "withdrawn_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="撤回时间"),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="资金机构",
                    ),
                ),
                (
                    "scheme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="settlement.scheme",
                        verbose_name="贴息政策",
                    ),
                ),
            ],
            options={
                "verbose_name": "结算清算",
                "verbose_name_plural": "结算清算",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="SettlementItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "through_number",
                    models.BigIntegerField(
                        help_text="含该编号 / this entry number included", verbose_name="截至分录"
                    ),
                ),
                (
                    "opening_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="期初结余"),
                ),
                (
                    "received_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="收到预拨"),
                ),
                ("used_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="代付贴息")),
                (
                    "adjusted_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="差额调减"),
                ),
                (
                    "clawback_decided_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="决定追回"),
                ),
                (
                    "clawback_settled_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="追回已结算年度"),
                ),
                (
                    "clawed_back_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="已追回"),
                ),
                (
                    "written_off_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="追回核销"),
                ),
                (
                    "made_good_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="银行补足"),
                ),
                (
                    "returned_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="已退回结余"),
                ),
                (
                    "claimed_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="申报结算"),
                ),
                ("surplus_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="结余")),
                ("gap_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="缺口")),
                (
                    "receivable_opening_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="期初应收追回"),
                ),
                (
                    "receivable_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="期末应收追回"),
                ),
                (
                    "next_year_need_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="下年需求"),
                ),
                (
                    "approved_fen",
                    models.BigIntegerField(
                        blank=True, help_text="分 / fen", null=True, verbose_name="认可"
                    ),
                ),
                (
                    "disallowed_fen",
                    models.BigIntegerField(
                        blank=True, help_text="分 / fen", null=True, verbose_name="核减"
                    ),
                ),
                (
                    "fund",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settled",
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
                        verbose_name="资金机构",
                    ),
                ),
                (
                    "settlement",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="settlement.settlement",
                        verbose_name="结算清算",
                    ),
                ),
            ],
            options={
                "verbose_name": "结算清算明细",
                "verbose_name_plural": "结算清算明细",
                "ordering": ["-id"],
            },
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("checked_by__isnull", True),
                    models.Q(("checked_by", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="settlement_checked_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("booked_by__isnull", True),
                    models.Q(("booked_by", models.F("decided_by")), _negated=True),
                    _connector="OR",
                ),
                name="settlement_booked_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "annual"), ("year__isnull", False)),
                    models.Q(("is_final", False), ("kind", "liquidation"), ("year__isnull", True)),
                    _connector="OR",
                ),
                name="settlement_kind_has_its_year",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["draft", "withdrawn"]),
                    models.Q(("checked_by__isnull", False), ("state", "submitted")),
                    models.Q(
                        ("checked_by__isnull", False),
                        ("state__in", ["decided", "booked"]),
                        ("decided_by__isnull", False),
                        ("decided_on__isnull", False),
                        models.Q(("document_number", ""), _negated=True),
                        models.Q(
                            ("state", "decided"), ("booked_by__isnull", False), _connector="OR"
                        ),
                    ),
                    _connector="OR",
                ),
                name="settlement_state_has_its_people",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["draft", "submitted", "decided"])),
                fields=("institution", "scheme"),
                name="settlement_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "withdrawn"), _negated=True),
                fields=("institution", "scheme", "kind", "year", "part"),
                name="settlement_part_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementitem",
            constraint=models.UniqueConstraint(
                fields=("settlement", "fund"), name="settlement_item_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("gap_fen__gte", 0),
                    (
                        "surplus_fen",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                models.F("opening_fen"),
                                                "+",
                                                models.F("received_fen"),
                                            ),
                                            "-",
                                            models.F("used_fen"),
                                        ),
                                        "+",
                                        models.F("clawed_back_fen"),
                                    ),
                                    "+",
                                    models.F("made_good_fen"),
                                ),
                                "-",
                                models.F("returned_fen"),
                            ),
                            "+",
                            models.F("gap_fen"),
                        ),
                    ),
                    ("surplus_fen__gte", 0),
                ),
                name="settlement_item_money_ties",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "receivable_fen",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("receivable_opening_fen"),
                                            "-",
                                            models.F("adjusted_fen"),
                                        ),
                                        "+",
                                        models.F("clawback_decided_fen"),
                                    ),
                                    "+",
                                    models.F("clawback_settled_fen"),
                                ),
                                "-",
                                models.F("clawed_back_fen"),
                            ),
                            "-",
                            models.F("written_off_fen"),
                        ),
                    )
                ),
                name="settlement_item_receivable_ties",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "claimed_fen",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("used_fen"), "+", models.F("adjusted_fen")
                            ),
                            "-",
                            models.F("clawback_decided_fen"),
                        ),
                    )
                ),
                name="settlement_item_claim_ties",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approved_fen__isnull", True), ("disallowed_fen__isnull", True)),
                    models.Q(
                        ("approved_fen__isnull", False),
                        ("disallowed_fen__isnull", False),
                        (
                            "approved_fen",
                            django.db.models.expressions.CombinedExpression(
                                models.F("claimed_fen"), "-", models.F("disallowed_fen")
                            ),
                        ),
                        models.Q(
                            models.Q(("approved_fen__gte", 0), ("disallowed_fen__gte", 0)),
                            models.Q(("claimed_fen__lt", 0), ("disallowed_fen", 0)),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="settlement_item_decision_ties",
            ),
        ),
        migrations.RunSQL(OVER + PROTECTED, migrations.RunSQL.noop),
    ]
