"""What the duplicate check found, its sides, and what two people say of it."""

import django.db.models.deletion
from django.db import migrations, models

DECIDED = """
CREATE FUNCTION settlement_finding_decided() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.decision_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM settlement_findingdecision d WHERE d.id = NEW.decision_id
            AND d.finding_id = NEW.id AND d.outcome = NEW.state
            AND d.checked_by IS NOT NULL AND d.refused_why = '') THEN
        RAISE EXCEPTION '结论须由一人提出、另一人同意 / decided by a decision that another person agreed to'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decided BEFORE INSERT OR UPDATE OF state, decision_id ON settlement_finding
    FOR EACH ROW EXECUTE FUNCTION settlement_finding_decided();
"""
ANSWERED = """
CREATE TRIGGER answered BEFORE UPDATE ON settlement_findingdecision
    FOR EACH ROW WHEN (OLD.checked_by IS NOT NULL) EXECUTE FUNCTION settlement_answer_stays();
"""
UNDECIDED = """
DROP TRIGGER answered ON settlement_findingdecision;
DROP TRIGGER decided ON settlement_finding;
DROP FUNCTION settlement_finding_decided();
"""
PROTECTION = """
SELECT kernel_protect('settlement_finding'), kernel_protect('settlement_findingside'),
    kernel_protect('settlement_findingdecision');
SELECT kernel_grant('settlement_finding', 'SELECT, UPDATE (state, decision_id)',
    'SELECT, INSERT, UPDATE');
SELECT kernel_grant('settlement_findingside', 'SELECT', 'SELECT, INSERT, UPDATE, DELETE');
SELECT kernel_grant('settlement_findingdecision', may, may || ', UPDATE (institution_id)')
FROM (VALUES ('SELECT, INSERT, UPDATE (checked_by, checked_at, refused_why)')) AS g(may);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0005_analyze_by_hand"),
        ("loans", "0006_payout_agreements"),
        ("settlement", "0023_answers_stay"),
    ]

    operations = [
        migrations.CreateModel(
            name="Finding",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "rule",
                    models.CharField(
                        choices=[
                            ("P1", "P1 同一借据重复贴息"),
                            ("P2", "P2 合同或借据号重复录入"),
                            ("P3", "P3 同一企业多个名称或代码"),
                            ("P4", "P4 同一项目多家银行贴息"),
                            ("P5", "P5 发票或设备重复使用"),
                            ("P6", "P6 贴息超过已付利息"),
                            ("P7", "P7 不应贴息日仍贴息"),
                            ("P8", "P8 借新还旧"),
                            ("P9", "P9 拆分借款"),
                            ("P10", "P10 多家银行合计超上限"),
                            ("P11", "P11 与外部补贴重复"),
                            ("P12", "P12 预拨资金长期闲置"),
                        ],
                        max_length=3,
                        verbose_name="规则",
                    ),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[("violation", "违规"), ("warning", "提示")],
                        max_length=10,
                        verbose_name="程度",
                    ),
                ),
                ("blocks", models.BooleanField(default=False, verbose_name="暂停贴息")),
                ("article", models.CharField(max_length=200, verbose_name="依据条款")),
                ("identity", models.CharField(max_length=64, unique=True, verbose_name="事项标识")),
                ("evidence_digest", models.CharField(max_length=64, verbose_name="证据摘要")),
                (
                    "evidence",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="金额为分 / amounts in fen",
                        verbose_name="证据",
                    ),
                ),
                (
                    "central_fen",
                    models.BigIntegerField(
                        default=0, help_text="分 / fen", verbose_name="涉及中央贴息"
                    ),
                ),
                (
                    "provincial_fen",
                    models.BigIntegerField(
                        default=0, help_text="分 / fen", verbose_name="涉及省级贴息"
                    ),
                ),
                (
                    "municipal_fen",
                    models.BigIntegerField(
                        default=0, help_text="分 / fen", verbose_name="涉及市级贴息"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "待处理"),
                            ("confirmed", "属实"),
                            ("dismissed", "不属实"),
                        ],
                        db_default="open",
                        default="open",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("found_at", models.DateTimeField(verbose_name="发现时间")),
                ("changed_at", models.DateTimeField(verbose_name="证据变化时间")),
                (
                    "gone_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="事实已不再如此 / its facts are gone",
                        null=True,
                        verbose_name="消除时间",
                    ),
                ),
            ],
            options={
                "verbose_name": "重复贴息核查",
                "verbose_name_plural": "重复贴息核查",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="FindingDecision",
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
                    "outcome",
                    models.CharField(
                        choices=[("confirmed", "属实"), ("dismissed", "不属实")],
                        max_length=10,
                        verbose_name="结论",
                    ),
                ),
                ("why", models.CharField(max_length=500, verbose_name="原因")),
                (
                    "evidence_digest",
                    models.CharField(
                        help_text="所依据的证据 / what it was said of",
                        max_length=64,
                        verbose_name="证据摘要",
                    ),
                ),
                (
                    "refused_why",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=500,
                        verbose_name="退回原因",
                    ),
                ),
            ],
            options={
                "verbose_name": "核查结论",
                "verbose_name_plural": "核查结论",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="FindingSide",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.SmallIntegerField(verbose_name="序号")),
                (
                    "facts",
                    models.JSONField(help_text="金额为分 / amounts in fen", verbose_name="要素"),
                ),
            ],
            options={
                "verbose_name": "核查涉及方",
                "verbose_name_plural": "核查涉及方",
                "ordering": ["finding_id", "position"],
            },
        ),
        migrations.AddIndex(
            model_name="clawback",
            index=models.Index(
                condition=models.Q(("origin", "finding")),
                fields=["origin_id"],
                name="clawback_of_finding",
            ),
        ),
        migrations.AddField(
            model_name="finding",
            name="enterprise",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="loans.enterprise",
                verbose_name="应退企业",
            ),
        ),
        migrations.AddField(
            model_name="finding",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kernel.institution",
                verbose_name="所属机构",
            ),
        ),
        migrations.AddField(
            model_name="finding",
            name="note",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="loans.note",
                verbose_name="借据",
            ),
        ),
        migrations.AddField(
            model_name="finding",
            name="scheme",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="空 = 由人判断 / blank: for a person to say",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="settlement.scheme",
                verbose_name="应退政策",
            ),
        ),
        migrations.AddField(
            model_name="findingdecision",
            name="finding",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to="settlement.finding",
                verbose_name="核查事项",
            ),
        ),
        migrations.AddField(
            model_name="findingdecision",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kernel.institution",
                verbose_name="所属机构",
            ),
        ),
        migrations.AddField(
            model_name="findingdecision",
            name="note",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="loans.note",
                verbose_name="借据",
            ),
        ),
        migrations.AddField(
            model_name="finding",
            name="decision",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="settlement.findingdecision",
                verbose_name="结论",
            ),
        ),
        migrations.AddField(
            model_name="findingside",
            name="enterprise",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="loans.enterprise",
                verbose_name="企业",
            ),
        ),
        migrations.AddField(
            model_name="findingside",
            name="finding",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sides",
                to="settlement.finding",
                verbose_name="核查事项",
            ),
        ),
        migrations.AddField(
            model_name="findingside",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kernel.institution",
                verbose_name="所属机构",
            ),
        ),
        migrations.AddField(
            model_name="findingside",
            name="note",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="loans.note",
                verbose_name="借据",
            ),
        ),
        migrations.AddConstraint(
            model_name="findingdecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("checked_by__isnull", True),
                    models.Q(("checked_by", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="finding_decision_checked_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="findingdecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("why", ""), _negated=True),
                    ("outcome__in", ["confirmed", "dismissed"]),
                ),
                name="finding_decision_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="findingdecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("refused_why", ""), ("checked_by__isnull", False), _connector="OR"
                ),
                name="finding_decision_refused_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="findingdecision",
            constraint=models.UniqueConstraint(
                condition=models.Q(("checked_by__isnull", True)),
                fields=("finding",),
                name="finding_decision_one_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "rule__in",
                        ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10", "P11", "P12"],
                    ),
                    ("severity__in", ["violation", "warning"]),
                    ("state__in", ["open", "confirmed", "dismissed"]),
                ),
                name="finding_words_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "open"), ("decision__isnull", False), _connector="XOR"
                ),
                name="finding_decided_by_a_decision",
            ),
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("central_fen__gte", 0), ("municipal_fen__gte", 0), ("provincial_fen__gte", 0)
                ),
                name="finding_amounts_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=models.CheckConstraint(
                condition=models.Q(("article", ""), _negated=True), name="finding_cites_an_article"
            ),
        ),
        migrations.AddConstraint(
            model_name="findingside",
            constraint=models.UniqueConstraint(
                fields=("finding", "position"), name="finding_side_once_per_position"
            ),
        ),
        migrations.RunSQL(DECIDED + ANSWERED, UNDECIDED),
        migrations.RunSQL(PROTECTION, migrations.RunSQL.noop),
    ]
