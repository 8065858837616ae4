"""What enterprises are told of what is posted from now on, and how it reached them (SME-14, EQ-11)."""

import django.db.models.deletion
from django.db import migrations, models

PROTECT = """
SELECT kernel_append_only('settlement_notice'), kernel_append_only('settlement_noticerecord'),
    kernel_protect('settlement_notice'), kernel_protect('settlement_noticedelivery'),
    kernel_protect('settlement_noticerecord'),
    kernel_grant('settlement_notice', 'SELECT', 'SELECT, INSERT'),
    kernel_grant('settlement_noticerecord', 'SELECT, INSERT', 'SELECT, INSERT');
SELECT kernel_grant('settlement_noticedelivery', may, may)
FROM (VALUES ('SELECT, INSERT, UPDATE (state, round, attempts, next_at, leased_until)')) AS g(may);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0007_rows_done"),
        ("loans", "0014_enterprise_contacts"),
        ("settlement", "0036_ends"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "deduction",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="notice",
                        serialize=False,
                        to="settlement.deduction",
                        verbose_name="代付贴息",
                    ),
                ),
                ("is_correction", models.BooleanField(verbose_name="更正告知")),
                (
                    "before_central_fen",
                    models.BigIntegerField(
                        blank=True,
                        help_text="分，该计息期更正前 / fen, of the period so far",
                        null=True,
                        verbose_name="更正前中央贴息",
                    ),
                ),
                (
                    "before_provincial_fen",
                    models.BigIntegerField(
                        blank=True,
                        help_text="分，该计息期更正前 / fen, of the period so far",
                        null=True,
                        verbose_name="更正前省级贴息",
                    ),
                ),
                (
                    "before_municipal_fen",
                    models.BigIntegerField(
                        blank=True,
                        help_text="分，该计息期更正前 / fen, of the period so far",
                        null=True,
                        verbose_name="更正前市级贴息",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="所属机构",
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
                (
                    "scheme",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="settlement.scheme",
                        verbose_name="贴息政策",
                    ),
                ),
            ],
            options={
                "verbose_name": "企业告知",
                "verbose_name_plural": "企业告知",
            },
        ),
        migrations.CreateModel(
            name="NoticeRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("sent", "已发送"),
                            ("delivered", "已送达"),
                            ("unreached", "未发出，稍后重试"),
                            ("failed", "发送失败"),
                            ("no_contact", "无联系方式"),
                            ("asked", "人工重发"),
                        ],
                        max_length=10,
                        verbose_name="结果",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="时间")),
                ("actor", models.CharField(max_length=150, verbose_name="经办")),
                (
                    "reference",
                    models.CharField(
                        help_text="重试不变，网关据此去重 / the same on every retry",
                        max_length=40,
                        verbose_name="告知编号",
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=10, verbose_name="渠道"
                    ),
                ),
                (
                    "gateway",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=100, verbose_name="网关"
                    ),
                ),
                (
                    "address",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=200,
                        verbose_name="地址（掩码）",
                    ),
                ),
                (
                    "message_id",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=200,
                        verbose_name="网关消息号",
                    ),
                ),
                (
                    "detail",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=500, verbose_name="说明"
                    ),
                ),
                (
                    "sha256",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=64,
                        verbose_name="内容摘要",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loans.enterprisecontact",
                        verbose_name="企业联系方式",
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
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="records",
                        to="settlement.notice",
                        verbose_name="企业告知",
                    ),
                ),
            ],
            options={
                "verbose_name": "告知记录",
                "verbose_name_plural": "告知记录",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="NoticeDelivery",
            fields=[
                (
                    "notice",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="delivery",
                        serialize=False,
                        to="settlement.notice",
                        verbose_name="企业告知",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("no_gateway", "未开通"),
                            ("waiting", "待发送"),
                            ("sent", "已发送"),
                            ("delivered", "已送达"),
                            ("failed", "发送失败"),
                            ("no_contact", "无联系方式"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("round", models.SmallIntegerField(db_default=1, default=1, verbose_name="轮次")),
                (
                    "attempts",
                    models.SmallIntegerField(db_default=0, default=0, verbose_name="尝试次数"),
                ),
                ("next_at", models.DateTimeField(verbose_name="下次发送")),
                (
                    "leased_until",
                    models.DateTimeField(blank=True, null=True, verbose_name="占用至"),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="所属机构",
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
            ],
            options={
                "verbose_name": "告知发送",
                "verbose_name_plural": "告知发送",
            },
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["note"], name="notice_note"),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["institution"], name="notice_institution"),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("before_central_fen__isnull", True),
                        ("before_municipal_fen__isnull", True),
                        ("before_provincial_fen__isnull", True),
                        ("is_correction", False),
                    ),
                    models.Q(
                        ("before_central_fen__isnull", False),
                        ("before_municipal_fen__isnull", False),
                        ("before_provincial_fen__isnull", False),
                        ("is_correction", True),
                    ),
                    _connector="OR",
                ),
                name="notice_correction_knows_what_was",
            ),
        ),
        migrations.AddConstraint(
            model_name="noticerecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "outcome__in",
                        ["sent", "delivered", "unreached", "failed", "no_contact", "asked"],
                    )
                ),
                name="notice_record_outcome_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="noticerecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome__in", ["sent", "delivered"]), _negated=True),
                    models.Q(("contact__isnull", False), ("sha256__regex", "^[0-9a-f]{64}$")),
                    _connector="OR",
                ),
                name="notice_record_sent_with_proof",
            ),
        ),
        migrations.AddConstraint(
            model_name="noticerecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome", "asked"), _negated=True),
                    models.Q(("detail", ""), _negated=True),
                    _connector="OR",
                ),
                name="notice_record_asked_for_a_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="noticedelivery",
            index=models.Index(fields=["note"], name="notice_delivery_note"),
        ),
        migrations.AddIndex(
            model_name="noticedelivery",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["next_at", "notice"],
                name="notice_delivery_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="noticedelivery",
            index=models.Index(
                condition=models.Q(("state__in", ["failed", "no_contact"])),
                fields=["state", "notice"],
                name="notice_delivery_wanting",
            ),
        ),
        migrations.AddConstraint(
            model_name="noticedelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["waiting", "sent", "delivered", "failed", "no_contact"])
                ),
                name="notice_delivery_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="noticedelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("attempts__gte", 0), ("round__gte", 1)),
                name="notice_delivery_counts",
            ),
        ),
        migrations.RunSQL(PROTECT, migrations.RunSQL.noop),
    ]
