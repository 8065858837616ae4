import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("kernel", "0001_initial"),
        ("loans", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="EnterprisePosting",
            fields=[
                (
                    "enterprise",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="posting",
                        serialize=False,
                        to="loans.enterprise",
                        verbose_name="企业",
                    ),
                ),
                ("facts_version", models.BigIntegerField(verbose_name="事实版本")),
                ("through", models.DateField(verbose_name="截至收息日")),
                ("terms_key", models.TextField(verbose_name="条款标识")),
            ],
            options={
                "verbose_name": "企业入账进度",
                "verbose_name_plural": "企业入账进度",
            },
        ),
        migrations.CreateModel(
            name="Scheme",
            fields=[
                (
                    "id",
                    models.SmallAutoField(primary_key=True, serialize=False, verbose_name="序号"),
                ),
                ("code", models.CharField(max_length=60, unique=True, verbose_name="政策代码")),
                ("name", models.CharField(max_length=200, verbose_name="政策名称")),
            ],
            options={
                "verbose_name": "贴息政策",
                "verbose_name_plural": "贴息政策",
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="SchemeVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "version",
                    models.IntegerField(help_text="从 1 起 / counted from 1", verbose_name="版本"),
                ),
                ("text", models.TextField(help_text="TOML", verbose_name="条款")),
                ("sha256", models.CharField(max_length=64, verbose_name="条款摘要")),
                ("made_by", models.CharField(max_length=150, verbose_name="经办")),
                (
                    "checked_by",
                    models.CharField(blank=True, max_length=150, null=True, verbose_name="复核"),
                ),
                ("loaded_at", models.DateTimeField(verbose_name="载入时间")),
                (
                    "checked_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="复核时间"),
                ),
                (
                    "scheme",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="settlement.scheme",
                        verbose_name="贴息政策",
                    ),
                ),
            ],
            options={
                "verbose_name": "政策版本",
                "verbose_name_plural": "政策版本",
                "ordering": ["scheme", "id"],
            },
        ),
        migrations.CreateModel(
            name="Enrolment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("scheme_code", models.CharField(max_length=60, verbose_name="贴息政策")),
                (
                    "position",
                    models.SmallIntegerField(
                        help_text="从 0 起 / place of the label on the note, from 0",
                        verbose_name="标签顺序",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("eligible", "符合"),
                            ("ineligible", "不符合"),
                            ("waiting", "待定"),
                        ],
                        max_length=10,
                        verbose_name="结论",
                    ),
                ),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="原因",
                    ),
                ),
                (
                    "eligible_fen",
                    models.BigIntegerField(
                        help_text="人民币分，封顶后 / fen of CNY after the principal cap",
                        verbose_name="贴息本金",
                    ),
                ),
                (
                    "principal_capped",
                    models.BooleanField(default=False, verbose_name="已按上限核减"),
                ),
                (
                    "commitment_fen",
                    models.BigIntegerField(
                        blank=True, help_text="分 / fen", null=True, verbose_name="占用年度资金"
                    ),
                ),
                (
                    "subsidised_from",
                    models.DateField(blank=True, null=True, verbose_name="贴息起日"),
                ),
                (
                    "subsidised_until",
                    models.DateField(
                        blank=True,
                        help_text="不含当日 / exclusive",
                        null=True,
                        verbose_name="贴息止日",
                    ),
                ),
                (
                    "tiers_off",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="不贴息层级",
                    ),
                ),
                (
                    "lpr_ppm",
                    models.BigIntegerField(
                        blank=True,
                        help_text="百万分之一 / parts per million",
                        null=True,
                        verbose_name="适用LPR",
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="enrolments",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="settlement.schemeversion",
                        verbose_name="政策版本",
                    ),
                ),
            ],
            options={
                "verbose_name": "贴息认定",
                "verbose_name_plural": "贴息认定",
                "ordering": ["note", "position"],
            },
        ),
        migrations.CreateModel(
            name="GuaranteeSubsidy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("scheme_code", models.CharField(max_length=60, verbose_name="贴息政策")),
                ("months", models.SmallIntegerField(verbose_name="担保月数")),
                (
                    "subsidy_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="担保费补贴"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("eligible", "符合"),
                            ("ineligible", "不符合"),
                            ("waiting", "待定"),
                        ],
                        max_length=10,
                        verbose_name="结论",
                    ),
                ),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="原因",
                    ),
                ),
                (
                    "guarantee",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subsidies",
                        to="loans.guarantee",
                        verbose_name="担保",
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
                        related_name="guarantee_subsidies",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
            ],
            options={
                "verbose_name": "担保费补贴",
                "verbose_name_plural": "担保费补贴",
                "ordering": ["note", "guarantee"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("guarantee", "scheme_code"),
                        name="guarantee_subsidy_once_per_scheme",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["eligible", "ineligible", "waiting"])),
                        name="guarantee_subsidy_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("months__gte", 0), ("subsidy_fen__gte", 0)),
                        name="guarantee_subsidy_not_negative",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="schemeversion",
            constraint=models.UniqueConstraint(
                fields=("scheme", "version"), name="scheme_version_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="schemeversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("checked_by__isnull", True),
                    models.Q(("checked_by", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="scheme_version_checked_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrolment",
            constraint=models.UniqueConstraint(
                fields=("note", "scheme_code"), name="enrolment_once_per_label"
            ),
        ),
        migrations.AddConstraint(
            model_name="enrolment",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["eligible", "ineligible", "waiting"])),
                name="enrolment_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrolment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "eligible"), _negated=True),
                    ("reasons", []),
                    _connector="OR",
                ),
                name="enrolment_eligible_without_reasons",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrolment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("eligible_fen__gte", 0), ("status", "eligible")),
                    ("eligible_fen", 0),
                    _connector="OR",
                ),
                name="enrolment_amount_only_if_eligible",
            ),
        ),
    ]
