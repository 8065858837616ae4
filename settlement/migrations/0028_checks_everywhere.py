"""Sent, refused and recomputed: what two people say of plans, money and rules is kept with its reason."""

import django.db.models.deletion
from django.db import migrations, models

# Plans made before were checked as soon as they were there; the rule that answers stay lets this by.
SENT = """
ALTER TABLE settlement_plan DISABLE TRIGGER answered;
UPDATE settlement_plan SET sent_at = made_at WHERE sent_at IS NULL;
ALTER TABLE settlement_plan ENABLE TRIGGER answered;
"""

ORDERED = """scope_lo >= nullif(current_setting('app.lo', true), '')::bigint
    AND scope_hi <= nullif(current_setting('app.hi', true), '')::bigint
    AND kind IN ('plan', 'results', 'trial', 'post')"""
# Such jobs draft what another person checks, or post what another has checked.
ORDERS = f"""
CREATE POLICY kernel_run_app_money ON kernel_run FOR INSERT TO app WITH CHECK (
    {ORDERED} AND state = 'open' AND result_sha256 = '' AND finished_at IS NULL);
CREATE POLICY kernel_chunk_app_money ON kernel_chunk FOR INSERT TO app WITH CHECK (
    state = 'todo' AND EXISTS (SELECT FROM kernel_run r WHERE r.id = run_id AND r.state = 'open'
        AND r.scope_lo IS NOT NULL AND r.kind IN ('plan', 'results', 'trial', 'post')));
"""
UNORDERED = """
DROP POLICY kernel_run_app_money ON kernel_run;
DROP POLICY kernel_chunk_app_money ON kernel_chunk;
"""
GRANTED = """
SELECT kernel_protect('settlement_receiptrefusal'), kernel_protect('settlement_recomputation'),
    kernel_append_only('settlement_receiptrefusal'),
    kernel_grant('settlement_receiptrefusal', 'SELECT, INSERT', 'SELECT, INSERT'),
    kernel_grant('settlement_recomputation',
        'SELECT, INSERT, UPDATE (state, checked_by, checked_at, why)',
        'SELECT, INSERT, UPDATE (state, trial, digest, run_id, why)');
SELECT kernel_grant('settlement_plan', may, may)
FROM (VALUES ('UPDATE (sent_at, ended_by)')) AS g(may);
SELECT kernel_grant('settlement_schemeversion', may, may)
FROM (VALUES ('UPDATE (refused_by, refused_at, refused_why)')) AS g(may);
SELECT kernel_grant('settlement_settlement', may, may)
FROM (VALUES ('UPDATE (decision_refused_by, decision_refused_at, decision_refused_why)')) AS g(may);
"""
HELD = """
CREATE FUNCTION settlement_booked_or_refused() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM settlement_receipt r WHERE r.pre_allocation_id = NEW.pre_allocation_id
            AND TG_TABLE_NAME <> 'settlement_receipt')
        OR EXISTS (SELECT FROM settlement_receiptrefusal r
            WHERE r.pre_allocation_id = NEW.pre_allocation_id
            AND TG_TABLE_NAME <> 'settlement_receiptrefusal') THEN
        RAISE EXCEPTION '预拨已入账或已退回 / the pre-allocation is booked or refused already'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER either BEFORE INSERT ON settlement_receipt
    FOR EACH ROW EXECUTE FUNCTION settlement_booked_or_refused();
CREATE TRIGGER either BEFORE INSERT ON settlement_receiptrefusal
    FOR EACH ROW EXECUTE FUNCTION settlement_booked_or_refused();

CREATE TRIGGER refused BEFORE UPDATE ON settlement_schemeversion
    FOR EACH ROW WHEN (OLD.refused_by IS NOT NULL) EXECUTE FUNCTION settlement_answer_stays();

DROP TRIGGER answered ON settlement_plan;
CREATE TRIGGER answered BEFORE UPDATE ON settlement_plan
    FOR EACH ROW WHEN (OLD.checked_by IS NOT NULL)
    EXECUTE FUNCTION settlement_answer_stays('state', 'why', 'ended_by');
DROP TRIGGER answered ON settlement_settlement;
CREATE TRIGGER answered BEFORE UPDATE ON settlement_settlement
    FOR EACH ROW WHEN (OLD.checked_by IS NOT NULL)
    EXECUTE FUNCTION settlement_answer_stays('state', 'document_number', 'decided_on', 'decided_by',
        'decided_at', 'booked_by', 'booked_at', 'withdrawn_by', 'withdrawn_at', 'withdrawn_why',
        'decision_refused_by', 'decision_refused_at', 'decision_refused_why');

CREATE FUNCTION settlement_recomputation_begins() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.state <> 'trying' OR NEW.trial IS NOT NULL OR NEW.checked_by IS NOT NULL THEN
        RAISE EXCEPTION '重算先试算 / a recomputation begins with its trial'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER begins BEFORE INSERT ON settlement_recomputation
    FOR EACH ROW EXECUTE FUNCTION settlement_recomputation_begins();
CREATE TRIGGER answered BEFORE UPDATE ON settlement_recomputation
    FOR EACH ROW WHEN (OLD.checked_by IS NOT NULL)
    EXECUTE FUNCTION settlement_answer_stays('state', 'why', 'run_id');
CREATE TRIGGER over BEFORE UPDATE ON settlement_recomputation
    FOR EACH ROW WHEN (OLD.state IN ('nothing', 'posted', 'refused', 'lapsed'))
    EXECUTE FUNCTION settlement_answer_stays();
"""
UNHELD = """
DROP TRIGGER over ON settlement_recomputation;
DROP TRIGGER answered ON settlement_recomputation;
DROP TRIGGER begins ON settlement_recomputation;
DROP FUNCTION settlement_recomputation_begins();
DROP TRIGGER refused ON settlement_schemeversion;
DROP TRIGGER either ON settlement_receiptrefusal;
DROP TRIGGER either ON settlement_receipt;
DROP FUNCTION settlement_booked_or_refused();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0007_rows_done"),
        ("loans", "0006_payout_agreements"),
        ("settlement", "0027_words"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReceiptRefusal",
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
                ("why", models.CharField(max_length=500, verbose_name="退回原因")),
            ],
            options={
                "verbose_name": "预拨退回",
                "verbose_name_plural": "预拨退回",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Recomputation",
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
                ("through", models.DateField(verbose_name="收息截至")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("trying", "试算中"),
                            ("ready", "待复核"),
                            ("nothing", "无需入账"),
                            ("released", "已复核，入账中"),
                            ("posted", "已入账"),
                            ("refused", "已退回"),
                            ("lapsed", "已失效"),
                        ],
                        default="trying",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("trial", models.JSONField(blank=True, null=True, verbose_name="试算结果")),
                (
                    "digest",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=64,
                        verbose_name="事实摘要",
                    ),
                ),
                ("run_id", models.BigIntegerField(blank=True, null=True, verbose_name="入账任务")),
                (
                    "why",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=500, verbose_name="说明"
                    ),
                ),
            ],
            options={
                "verbose_name": "重算入账",
                "verbose_name_plural": "重算入账",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="MoneyJob",
            fields=[],
            options={
                "verbose_name": "资金任务",
                "verbose_name_plural": "资金任务",
                "ordering": ["-id"],
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("kernel.run",),
        ),
        migrations.AddField(
            model_name="plan",
            name="ended_by",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=150, verbose_name="处理人"
            ),
        ),
        migrations.AddField(
            model_name="plan",
            name="sent_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="送复核时间"),
        ),
        migrations.AddField(
            model_name="schemeversion",
            name="refused_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="退回时间"),
        ),
        migrations.AddField(
            model_name="schemeversion",
            name="refused_by",
            field=models.CharField(blank=True, max_length=150, null=True, verbose_name="退回人"),
        ),
        migrations.AddField(
            model_name="schemeversion",
            name="refused_why",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=500, verbose_name="退回原因"
            ),
        ),
        migrations.AddField(
            model_name="settlement",
            name="decision_refused_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="批复退回时间"),
        ),
        migrations.AddField(
            model_name="settlement",
            name="decision_refused_by",
            field=models.CharField(
                blank=True, max_length=150, null=True, verbose_name="批复退回人"
            ),
        ),
        migrations.AddField(
            model_name="settlement",
            name="decision_refused_why",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=500, verbose_name="批复退回原因"
            ),
        ),
        migrations.RunSQL(SENT, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("checked_by__isnull", True), ("sent_at__isnull", False), _connector="OR"
                ),
                name="plan_checked_once_sent",
            ),
        ),
        migrations.AddConstraint(
            model_name="schemeversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("refused_by__isnull", True), ("refused_why", "")),
                    models.Q(
                        ("checked_by__isnull", True),
                        ("refused_by__isnull", False),
                        models.Q(("refused_why", ""), _negated=True),
                        models.Q(("refused_by", models.F("made_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="scheme_version_refused_by_another_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decision_refused_by__isnull", True),
                    models.Q(("decision_refused_why", ""), _negated=True),
                    _connector="XOR",
                ),
                name="settlement_decision_refused_for_a_reason",
            ),
        ),
        migrations.AddField(
            model_name="receiptrefusal",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kernel.institution",
                verbose_name="资金机构",
            ),
        ),
        migrations.AddField(
            model_name="receiptrefusal",
            name="pre_allocation",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="refusal",
                to="loans.preallocation",
                verbose_name="预拨资金",
            ),
        ),
        migrations.AddField(
            model_name="recomputation",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kernel.institution",
                verbose_name="机构",
            ),
        ),
        migrations.AddConstraint(
            model_name="receiptrefusal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("checked_by__isnull", True),
                    models.Q(("checked_by", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="receipt_refused_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="receiptrefusal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("checked_by__isnull", False), models.Q(("why", ""), _negated=True)
                ),
                name="receipt_refused_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="recomputation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("checked_by__isnull", True),
                    models.Q(("checked_by", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="recomputation_checked_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="recomputation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("checked_by__isnull", True), ("state__in", ["trying", "ready", "nothing"])
                    ),
                    models.Q(("checked_by__isnull", False), ("state__in", ["released", "posted"])),
                    models.Q(
                        ("checked_by__isnull", False),
                        ("state", "refused"),
                        models.Q(("why", ""), _negated=True),
                    ),
                    models.Q(("state", "lapsed"), models.Q(("why", ""), _negated=True)),
                    _connector="OR",
                ),
                name="recomputation_state_has_its_people",
            ),
        ),
        migrations.AddConstraint(
            model_name="recomputation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["trying", "ready", "released"])),
                fields=("institution",),
                name="recomputation_one_open",
            ),
        ),
        migrations.RunSQL(ORDERS, UNORDERED),
        migrations.RunSQL(GRANTED, migrations.RunSQL.noop),
        migrations.RunSQL(HELD, UNHELD),
    ]
