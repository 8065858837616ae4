"""What findings block, and of it what the last run left out."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

PROTECTION = """
SELECT kernel_protect('settlement_blockedsubsidy'),
    kernel_grant('settlement_blockedsubsidy', 'SELECT', 'SELECT, INSERT, DELETE');
"""

UNKNOWN = """
DELETE FROM settlement_planexception WHERE reason = 'blocked';
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0015_answered"),
        ("loans", "0016_one_pre_allocation"),
        ("settlement", "0063_one_of_a_group"),
    ]

    operations = [
        migrations.CreateModel(
            name="BlockedSubsidy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("collections", models.IntegerField(verbose_name="收息笔数")),
                (
                    "central_fen",
                    models.BigIntegerField(
                        help_text="分 / fen",
                        verbose_name="中央贴息",
                    ),
                ),
                (
                    "provincial_fen",
                    models.BigIntegerField(
                        help_text="分 / fen",
                        verbose_name="省级贴息",
                    ),
                ),
                (
                    "municipal_fen",
                    models.BigIntegerField(
                        help_text="分 / fen",
                        verbose_name="市级贴息",
                    ),
                ),
            ],
            options={
                "verbose_name": "暂停的贴息",
                "verbose_name_plural": "暂停的贴息",
                "ordering": ["note", "scheme"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="planexception",
            name="plan_exception_reason_known",
        ),
        migrations.RemoveField(
            model_name="finding",
            name="blocks",
        ),
        migrations.AddField(
            model_name="finding",
            name="blocked_schemes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=60),
                blank=True,
                default=list,
                help_text="未判定不属实前，应退方在这些政策下不再入账 / nothing more is paid of the side that gives way, unless it is dismissed",
                size=None,
                verbose_name="暂停贴息的政策",
            ),
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
                    ("blocked", "因核查事项暂停"),
                ],
                max_length=20,
                verbose_name="原因",
            ),
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("blocked_schemes", []), ("severity", "violation"), _connector="OR"
                ),
                name="finding_only_violations_block",
            ),
        ),
        migrations.AddConstraint(
            model_name="planexception",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "reason__in",
                        ["waiting", "ineligible", "nothing", "instalment", "papers", "blocked"],
                    )
                ),
                name="plan_exception_reason_known",
            ),
        ),
        migrations.AddField(
            model_name="blockedsubsidy",
            name="enterprise",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="loans.enterprise",
                verbose_name="企业",
            ),
        ),
        migrations.AddField(
            model_name="blockedsubsidy",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kernel.institution",
                verbose_name="所属机构",
            ),
        ),
        migrations.AddField(
            model_name="blockedsubsidy",
            name="note",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="loans.note",
                verbose_name="借据",
            ),
        ),
        migrations.AddField(
            model_name="blockedsubsidy",
            name="scheme",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="settlement.scheme",
                verbose_name="贴息政策",
            ),
        ),
        migrations.AddConstraint(
            model_name="blockedsubsidy",
            constraint=models.UniqueConstraint(
                fields=("note", "scheme"), name="blocked_once_per_scheme"
            ),
        ),
        migrations.RunSQL(PROTECTION, UNKNOWN),
    ]
