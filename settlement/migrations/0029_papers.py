"""Papers that schemes ask for, the notes that lack some, and plans that say so."""

import django.db.models.deletion
from django.db import migrations, models

# The latest checked text of each scheme asks; a note without equipment is not asked for its invoices.
# Asking and having are compared as bits, one comparison per label.
GAPS = """
CREATE VIEW settlement_papergap WITH (security_invoker = true) AS
WITH in_force AS (
    SELECT DISTINCT ON (v.scheme_id) v.id, s.code FROM settlement_schemeversion v
    JOIN settlement_scheme s ON s.id = v.scheme_id
    WHERE v.checked_by IS NOT NULL ORDER BY v.scheme_id, v.version DESC),
asked AS (
    SELECT f.code, q.buys, bit_or(loans_paper_bit(r.kind)) AS kinds
    FROM in_force f JOIN settlement_paperrule r ON r.version_id = f.id AND r.per = 'note'
    CROSS JOIN (VALUES (true), (false)) q(buys)
    WHERE q.buys OR NOT r.with_equipment GROUP BY f.code, q.buys)
SELECT e.id, e.institution_id, e.note_id, e.scheme_code, a.kinds AS needed,
    coalesce(h.held, 0) AS held, a.kinds & ~coalesce(h.held, 0) AS lacking
FROM settlement_enrolment e
JOIN loans_note n ON n.id = e.note_id
JOIN asked a ON a.code = e.scheme_code AND a.buys = (n.equipment_fen > 0)
LEFT JOIN loans_papershelf h ON h.note_id = e.note_id
WHERE e.status = 'eligible' AND a.kinds & ~coalesce(h.held, 0) <> 0;
"""
PROTECT = """
SELECT kernel_grant('settlement_paperrule', 'SELECT', 'SELECT, INSERT');
GRANT SELECT ON settlement_papergap TO app, worker;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0007_rows_done"),
        ("loans", "0008_papers"),
        ("settlement", "0028_checks_everywhere"),
    ]

    operations = [
        migrations.CreateModel(
            name="PaperGap",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("scheme_code", models.CharField(max_length=60, verbose_name="贴息政策")),
                ("needed", models.IntegerField(verbose_name="应有资料")),
                ("held", models.IntegerField(verbose_name="已有资料")),
                ("lacking", models.IntegerField(verbose_name="缺少的资料")),
            ],
            options={
                "verbose_name": "缺资料借据",
                "verbose_name_plural": "缺资料借据",
                "db_table": "settlement_papergap",
                "ordering": ["id"],
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="PaperRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.SmallIntegerField(verbose_name="次序")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("borrower_undertaking", "企业信用承诺书"),
                            ("supplementary_agreement", "贴息补充协议"),
                            ("invoice", "购置发票"),
                            ("payment_proof", "付款凭证"),
                            ("use_of_funds", "资金用途跟踪记录"),
                            ("commitment_letter", "合作银行承诺书"),
                            ("eligibility_proof", "企业资格证明"),
                            ("other", "其他资料"),
                        ],
                        max_length=40,
                        verbose_name="资料种类",
                    ),
                ),
                (
                    "per",
                    models.CharField(
                        choices=[("note", "每笔借据"), ("institution", "机构")],
                        max_length=12,
                        verbose_name="由谁提供",
                    ),
                ),
                ("with_equipment", models.BooleanField(verbose_name="仅设备贷款")),
                ("blocks", models.BooleanField(verbose_name="缺少时计划不得复核")),
                ("say_zh", models.CharField(max_length=500, verbose_name="要求")),
                ("say_en", models.CharField(max_length=500, verbose_name="要求（英文）")),
                ("article", models.CharField(blank=True, max_length=200, verbose_name="条款")),
                (
                    "assumed_because",
                    models.CharField(blank=True, max_length=500, verbose_name="假定理由"),
                ),
            ],
            options={
                "verbose_name": "资料要求",
                "verbose_name_plural": "资料要求",
                "ordering": ["version", "position"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="planexception",
            name="plan_exception_reason_known",
        ),
        migrations.AlterField(
            model_name="planexception",
            name="reason",
            field=models.CharField(
                choices=[
                    ("waiting", "认定待定（缺 LPR）"),
                    ("ineligible", "不符合条件"),
                    ("nothing", "本期无贴息"),
                    ("instalment", "本期已收过部分利息"),
                    ("papers", "资料不全（照常代付）"),
                ],
                max_length=20,
                verbose_name="原因",
            ),
        ),
        migrations.AddConstraint(
            model_name="planexception",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reason__in", ["waiting", "ineligible", "nothing", "instalment", "papers"])
                ),
                name="plan_exception_reason_known",
            ),
        ),
        migrations.AddField(
            model_name="paperrule",
            name="version",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="paper_rules",
                to="settlement.schemeversion",
                verbose_name="政策版本",
            ),
        ),
        migrations.AddConstraint(
            model_name="paperrule",
            constraint=models.UniqueConstraint(
                fields=("version", "kind"), name="paper_rule_once_per_text"
            ),
        ),
        migrations.AddConstraint(
            model_name="paperrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("per__in", ["note", "institution"])),
                name="paper_rule_per_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="paperrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("article", ""), _negated=True),
                    models.Q(("assumed_because", ""), _negated=True),
                    _connector="OR",
                ),
                name="paper_rule_has_a_source",
            ),
        ),
        migrations.RunSQL(GAPS, "DROP VIEW settlement_papergap"),
        migrations.RunSQL(PROTECT, migrations.RunSQL.noop),
    ]
