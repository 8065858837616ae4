import datetime

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("kernel", "0001_initial"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="Enterprise",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "uscc",
                    models.CharField(max_length=18, unique=True, verbose_name="统一社会信用代码"),
                ),
                (
                    "facts_version",
                    models.BigIntegerField(default=1, editable=False, verbose_name="事实版本"),
                ),
            ],
            options={
                "verbose_name": "企业",
                "verbose_name_plural": "企业",
                "ordering": ["uscc"],
            },
        ),
        migrations.CreateModel(
            name="SchemeLabel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=60, unique=True, verbose_name="政策代码")),
                ("name", models.CharField(max_length=200, verbose_name="政策名称")),
            ],
            options={
                "verbose_name": "贴息政策标签",
                "verbose_name_plural": "贴息政策标签",
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="EnterpriseRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "valid_from",
                    models.DateField(default=datetime.date(1, 1, 1), verbose_name="生效日期"),
                ),
                ("name", models.CharField(max_length=200, verbose_name="企业名称")),
                ("region_code", models.CharField(max_length=6, verbose_name="登记地行政区划代码")),
                (
                    "industry_code",
                    models.CharField(
                        help_text="GB/T 4754-2017，如 C3512",
                        max_length=6,
                        verbose_name="国民经济行业代码",
                    ),
                ),
                (
                    "size",
                    models.CharField(
                        choices=[
                            ("micro", "微型"),
                            ("small", "小型"),
                            ("medium", "中型"),
                            ("large", "大型"),
                        ],
                        max_length=10,
                        verbose_name="企业规模",
                    ),
                ),
                (
                    "ownership",
                    models.CharField(
                        choices=[
                            ("private", "民营"),
                            ("state", "国有"),
                            ("collective", "集体"),
                            ("foreign", "外资"),
                        ],
                        max_length=10,
                        verbose_name="所有制",
                    ),
                ),
                (
                    "environment_rating",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("green", "绿"),
                            ("blue", "蓝"),
                            ("yellow", "黄"),
                            ("red", "红"),
                            ("black", "黑"),
                        ],
                        default="",
                        max_length=10,
                        verbose_name="环保信用评价",
                    ),
                ),
                (
                    "tax_rating",
                    models.CharField(
                        blank=True,
                        choices=[("A", "A"), ("B", "B"), ("M", "M"), ("C", "C"), ("D", "D")],
                        default="",
                        max_length=1,
                        verbose_name="纳税信用等级",
                    ),
                ),
                ("dishonest", models.BooleanField(default=False, verbose_name="失信被执行人")),
                (
                    "enterprise",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="records",
                        to="loans.enterprise",
                        verbose_name="企业",
                    ),
                ),
            ],
            options={
                "verbose_name": "企业信息",
                "verbose_name_plural": "企业信息",
                "ordering": ["enterprise", "valid_from"],
            },
        ),
        migrations.CreateModel(
            name="EnterpriseTitle",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "title",
                    models.CharField(
                        choices=[
                            ("little_giant", "专精特新“小巨人”企业"),
                            ("specialized", "专精特新中小企业"),
                        ],
                        max_length=20,
                        verbose_name="称号",
                    ),
                ),
                ("valid_from", models.DateField(verbose_name="有效期起")),
                (
                    "valid_to",
                    models.DateField(help_text="含当日 / last valid day", verbose_name="有效期止"),
                ),
                (
                    "enterprise",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="titles",
                        to="loans.enterprise",
                        verbose_name="企业",
                    ),
                ),
            ],
            options={
                "verbose_name": "企业称号",
                "verbose_name_plural": "企业称号",
                "ordering": ["enterprise", "title", "valid_from"],
            },
        ),
        migrations.CreateModel(
            name="ImportBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=40, verbose_name="数据类别")),
                ("file_name", models.CharField(max_length=255, verbose_name="文件名")),
                ("sha256", models.CharField(max_length=64, verbose_name="文件摘要")),
                ("rows", models.IntegerField(verbose_name="行数")),
                ("inserted", models.IntegerField(verbose_name="新增")),
                ("corrected", models.IntegerField(verbose_name="更正")),
                ("unchanged", models.IntegerField(verbose_name="未变")),
                ("actor", models.CharField(max_length=150, verbose_name="导入人")),
                ("at", models.DateTimeField(verbose_name="导入时间")),
                (
                    "institution",
                    models.ForeignKey(
                        blank=True,
                        help_text="空 = 全部机构 / blank = all institutions",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="导入机构",
                    ),
                ),
            ],
            options={
                "verbose_name": "导入批次",
                "verbose_name_plural": "导入批次",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Guarantee",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("guarantee_number", models.CharField(max_length=100, verbose_name="担保合同号")),
                ("guarantor", models.CharField(max_length=200, verbose_name="担保机构")),
                (
                    "principal_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="担保本金"),
                ),
                ("starts_on", models.DateField(verbose_name="起始日")),
                ("ends_on", models.DateField(verbose_name="结束日")),
                (
                    "fee_rate_ppm",
                    models.BigIntegerField(
                        help_text="百万分之一，3.00% = 30000 / parts per million",
                        verbose_name="担保费率",
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
                    "origin",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="原机构",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
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
            ],
            options={
                "verbose_name": "担保",
                "verbose_name_plural": "担保",
                "ordering": ["origin", "guarantee_number"],
            },
        ),
        migrations.CreateModel(
            name="ExternalSubsidy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=100, verbose_name="来源")),
                ("reference", models.CharField(max_length=100, verbose_name="流水号")),
                (
                    "uscc",
                    models.CharField(db_index=True, max_length=18, verbose_name="统一社会信用代码"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("loan_interest", "贷款贴息"),
                            ("leasing_interest", "融资租赁贴息"),
                            ("grant", "奖补"),
                        ],
                        max_length=20,
                        verbose_name="类别",
                    ),
                ),
                ("scheme_name", models.CharField(max_length=200, verbose_name="政策名称")),
                (
                    "note_number",
                    models.CharField(blank=True, default="", max_length=100, verbose_name="借据号"),
                ),
                (
                    "project_code",
                    models.CharField(
                        blank=True, default="", max_length=100, verbose_name="项目代码"
                    ),
                ),
                (
                    "invoice_number",
                    models.CharField(
                        blank=True, default="", max_length=100, verbose_name="发票号码"
                    ),
                ),
                ("year", models.SmallIntegerField(verbose_name="年度")),
                ("amount_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="金额")),
                (
                    "institution",
                    models.ForeignKey(
                        blank=True,
                        help_text="空 = 不属于任何机构 / blank: of no institution; follows the note",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="机构",
                    ),
                ),
                (
                    "origin",
                    models.ForeignKey(
                        blank=True,
                        help_text="借据号所属机构 / the institution in the note's key",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="原机构",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
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
            ],
            options={
                "verbose_name": "外部贴息",
                "verbose_name_plural": "外部贴息",
                "ordering": ["source", "reference"],
            },
        ),
        migrations.CreateModel(
            name="EquipmentInvoice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("invoice_number", models.CharField(max_length=100, verbose_name="发票号码")),
                ("issued_on", models.DateField(verbose_name="开票日期")),
                ("amount_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="金额")),
                (
                    "serial_number",
                    models.CharField(
                        blank=True, default="", max_length=100, verbose_name="设备编号"
                    ),
                ),
                (
                    "supplier",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="供应商"),
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
                    "batch",
                    models.ForeignKey(
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
            ],
            options={
                "verbose_name": "设备发票",
                "verbose_name_plural": "设备发票",
                "ordering": ["note", "invoice_number"],
            },
        ),
        migrations.CreateModel(
            name="EnterpriseTitleEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "title",
                    models.CharField(
                        choices=[
                            ("little_giant", "专精特新“小巨人”企业"),
                            ("specialized", "专精特新中小企业"),
                        ],
                        max_length=20,
                        verbose_name="称号",
                    ),
                ),
                ("valid_from", models.DateField(verbose_name="有效期起")),
                (
                    "valid_to",
                    models.DateField(help_text="含当日 / last valid day", verbose_name="有效期止"),
                ),
                (
                    "enterprise",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.enterprise",
                        verbose_name="企业",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="loans.enterprisetitle",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="enterprisetitle",
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
        migrations.CreateModel(
            name="EnterpriseRecordEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "valid_from",
                    models.DateField(default=datetime.date(1, 1, 1), verbose_name="生效日期"),
                ),
                ("name", models.CharField(max_length=200, verbose_name="企业名称")),
                ("region_code", models.CharField(max_length=6, verbose_name="登记地行政区划代码")),
                (
                    "industry_code",
                    models.CharField(
                        help_text="GB/T 4754-2017，如 C3512",
                        max_length=6,
                        verbose_name="国民经济行业代码",
                    ),
                ),
                (
                    "size",
                    models.CharField(
                        choices=[
                            ("micro", "微型"),
                            ("small", "小型"),
                            ("medium", "中型"),
                            ("large", "大型"),
                        ],
                        max_length=10,
                        verbose_name="企业规模",
                    ),
                ),
                (
                    "ownership",
                    models.CharField(
                        choices=[
                            ("private", "民营"),
                            ("state", "国有"),
                            ("collective", "集体"),
                            ("foreign", "外资"),
                        ],
                        max_length=10,
                        verbose_name="所有制",
                    ),
                ),
                (
                    "environment_rating",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("green", "绿"),
                            ("blue", "蓝"),
                            ("yellow", "黄"),
                            ("red", "红"),
                            ("black", "黑"),
                        ],
                        default="",
                        max_length=10,
                        verbose_name="环保信用评价",
                    ),
                ),
                (
                    "tax_rating",
                    models.CharField(
                        blank=True,
                        choices=[("A", "A"), ("B", "B"), ("M", "M"), ("C", "C"), ("D", "D")],
                        default="",
                        max_length=1,
                        verbose_name="纳税信用等级",
                    ),
                ),
                ("dishonest", models.BooleanField(default=False, verbose_name="失信被执行人")),
                (
                    "enterprise",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.enterprise",
                        verbose_name="企业",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="loans.enterpriserecord",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="enterpriserecord",
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
        migrations.CreateModel(
            name="Contract",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("contract_number", models.CharField(max_length=100, verbose_name="合同号")),
                ("signed_on", models.DateField(verbose_name="签订日期")),
                (
                    "loan_type",
                    models.CharField(
                        choices=[
                            ("fixed_asset", "固定资产贷款"),
                            ("project", "项目贷款"),
                            ("working_capital", "流动资金贷款"),
                            ("policy_instrument", "新型政策性金融工具"),
                            ("tech_innovation", "科技创新类贷款"),
                        ],
                        max_length=20,
                        verbose_name="贷款类型",
                    ),
                ),
                (
                    "amount_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="合同金额"),
                ),
                ("currency", models.CharField(default="CNY", max_length=3, verbose_name="币种")),
                ("purpose_field", models.CharField(max_length=100, verbose_name="投向领域")),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="机构",
                    ),
                ),
                (
                    "enterprise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contracts",
                        to="loans.enterprise",
                        verbose_name="企业",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
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
            ],
            options={
                "verbose_name": "合同",
                "verbose_name_plural": "合同",
                "ordering": ["institution", "contract_number"],
            },
        ),
        migrations.CreateModel(
            name="BankStatement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "scheme_code",
                    models.CharField(
                        help_text="政策代码 / scheme code", max_length=60, verbose_name="贴息政策"
                    ),
                ),
                (
                    "tier",
                    models.CharField(
                        choices=[
                            ("central", "中央"),
                            ("provincial", "省级"),
                            ("municipal", "市级"),
                        ],
                        max_length=20,
                        verbose_name="资金层级",
                    ),
                ),
                ("moved_on", models.DateField(verbose_name="记账日期")),
                ("amount_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="发生额")),
                ("balance_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="余额")),
                ("reference", models.CharField(max_length=100, verbose_name="流水号")),
                (
                    "summary",
                    models.CharField(blank=True, default="", max_length=500, verbose_name="摘要"),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="机构",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
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
            ],
            options={
                "verbose_name": "专户流水",
                "verbose_name_plural": "专户流水",
                "ordering": ["scheme_code", "institution", "tier", "moved_on", "id"],
            },
        ),
        migrations.CreateModel(
            name="Lpr",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("published_on", models.DateField(unique=True, verbose_name="公布日")),
                (
                    "one_year_ppm",
                    models.BigIntegerField(
                        help_text="百万分之一，3.00% = 30000 / parts per million",
                        verbose_name="1年期LPR",
                    ),
                ),
                (
                    "five_year_ppm",
                    models.BigIntegerField(
                        help_text="百万分之一，3.00% = 30000 / parts per million",
                        verbose_name="5年期LPR",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
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
            ],
            options={
                "verbose_name": "贷款市场报价利率",
                "verbose_name_plural": "贷款市场报价利率",
                "ordering": ["-published_on"],
            },
        ),
        migrations.CreateModel(
            name="LprEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("published_on", models.DateField(verbose_name="公布日")),
                (
                    "one_year_ppm",
                    models.BigIntegerField(
                        help_text="百万分之一，3.00% = 30000 / parts per million",
                        verbose_name="1年期LPR",
                    ),
                ),
                (
                    "five_year_ppm",
                    models.BigIntegerField(
                        help_text="百万分之一，3.00% = 30000 / parts per million",
                        verbose_name="5年期LPR",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="loans.lpr",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("note_number", models.CharField(max_length=100, verbose_name="借据号")),
                ("drawn_on", models.DateField(verbose_name="放款日期")),
                ("matures_on", models.DateField(verbose_name="到期日期")),
                (
                    "principal_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="放款金额"),
                ),
                (
                    "equipment_fen",
                    models.BigIntegerField(
                        default=0, help_text="分 / fen", verbose_name="设备购置金额"
                    ),
                ),
                (
                    "rate_ppm",
                    models.BigIntegerField(
                        help_text="百万分之一，3.00% = 30000 / parts per million",
                        verbose_name="年利率",
                    ),
                ),
                (
                    "exchange_rate_e8",
                    models.BigIntegerField(
                        default=100000000,
                        help_text="亿分之一，1 = 100000000 / CNY per unit × 10⁸",
                        verbose_name="折算汇率",
                    ),
                ),
                (
                    "scheme_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        blank=True,
                        default=list,
                        help_text="按认定顺序 / in the order they are judged",
                        size=None,
                        verbose_name="贴息政策",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
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
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="loans.contract",
                        verbose_name="合同",
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
                    "origin",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="原机构",
                    ),
                ),
            ],
            options={
                "verbose_name": "借据",
                "verbose_name_plural": "借据",
                "ordering": ["origin", "note_number"],
            },
        ),
        migrations.CreateModel(
            name="GuaranteeEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("guarantee_number", models.CharField(max_length=100, verbose_name="担保合同号")),
                ("guarantor", models.CharField(max_length=200, verbose_name="担保机构")),
                (
                    "principal_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="担保本金"),
                ),
                ("starts_on", models.DateField(verbose_name="起始日")),
                ("ends_on", models.DateField(verbose_name="结束日")),
                (
                    "fee_rate_ppm",
                    models.BigIntegerField(
                        help_text="百万分之一，3.00% = 30000 / parts per million",
                        verbose_name="担保费率",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.institution",
                        verbose_name="所属机构",
                    ),
                ),
                (
                    "origin",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.institution",
                        verbose_name="原机构",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="loans.guarantee",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="guarantee",
            name="note",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="guarantees",
                to="loans.note",
                verbose_name="借据",
            ),
        ),
        migrations.CreateModel(
            name="EquipmentInvoiceEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("invoice_number", models.CharField(max_length=100, verbose_name="发票号码")),
                ("issued_on", models.DateField(verbose_name="开票日期")),
                ("amount_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="金额")),
                (
                    "serial_number",
                    models.CharField(
                        blank=True, default="", max_length=100, verbose_name="设备编号"
                    ),
                ),
                (
                    "supplier",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="供应商"),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.institution",
                        verbose_name="所属机构",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="loans.equipmentinvoice",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="equipmentinvoice",
            name="note",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invoices",
                to="loans.note",
                verbose_name="借据",
            ),
        ),
        migrations.CreateModel(
            name="NoteEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("note_number", models.CharField(max_length=100, verbose_name="借据号")),
                ("drawn_on", models.DateField(verbose_name="放款日期")),
                ("matures_on", models.DateField(verbose_name="到期日期")),
                (
                    "principal_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="放款金额"),
                ),
                (
                    "equipment_fen",
                    models.BigIntegerField(
                        default=0, help_text="分 / fen", verbose_name="设备购置金额"
                    ),
                ),
                (
                    "rate_ppm",
                    models.BigIntegerField(
                        help_text="百万分之一，3.00% = 30000 / parts per million",
                        verbose_name="年利率",
                    ),
                ),
                (
                    "exchange_rate_e8",
                    models.BigIntegerField(
                        default=100000000,
                        help_text="亿分之一，1 = 100000000 / CNY per unit × 10⁸",
                        verbose_name="折算汇率",
                    ),
                ),
                (
                    "scheme_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        blank=True,
                        default=list,
                        help_text="按认定顺序 / in the order they are judged",
                        size=None,
                        verbose_name="贴息政策",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.contract",
                        verbose_name="合同",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.institution",
                        verbose_name="所属机构",
                    ),
                ),
                (
                    "origin",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.institution",
                        verbose_name="原机构",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="loans.note",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="NoteStatus",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("overdue", "逾期"),
                            ("extended", "展期"),
                            ("non_performing", "不良"),
                        ],
                        max_length=20,
                        verbose_name="状态",
                    ),
                ),
                ("starts_on", models.DateField(verbose_name="起始日")),
                (
                    "ends_on",
                    models.DateField(
                        blank=True,
                        help_text="不含当日；空 = 持续 / exclusive; blank = still",
                        null=True,
                        verbose_name="结束日",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
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
                        related_name="statuses",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
            ],
            options={
                "verbose_name": "借据状态",
                "verbose_name_plural": "借据状态",
                "ordering": ["note", "starts_on"],
            },
        ),
        migrations.CreateModel(
            name="NoteStatusEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("overdue", "逾期"),
                            ("extended", "展期"),
                            ("non_performing", "不良"),
                        ],
                        max_length=20,
                        verbose_name="状态",
                    ),
                ),
                ("starts_on", models.DateField(verbose_name="起始日")),
                (
                    "ends_on",
                    models.DateField(
                        blank=True,
                        help_text="不含当日；空 = 持续 / exclusive; blank = still",
                        null=True,
                        verbose_name="结束日",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.institution",
                        verbose_name="所属机构",
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="loans.notestatus",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="NoteTransfer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("moved_on", models.DateField(verbose_name="划转日期")),
                (
                    "batch",
                    models.ForeignKey(
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
                    "new_institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="转入机构",
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfers",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
            ],
            options={
                "verbose_name": "借据划转",
                "verbose_name_plural": "借据划转",
                "ordering": ["note", "moved_on"],
            },
        ),
        migrations.CreateModel(
            name="NoteTransferEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("moved_on", models.DateField(verbose_name="划转日期")),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.institution",
                        verbose_name="所属机构",
                    ),
                ),
                (
                    "new_institution",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.institution",
                        verbose_name="转入机构",
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="loans.notetransfer",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="OpeningPosition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "scheme_code",
                    models.CharField(
                        help_text="政策代码 / scheme code", max_length=60, verbose_name="贴息政策"
                    ),
                ),
                (
                    "tier",
                    models.CharField(
                        choices=[
                            ("central", "中央"),
                            ("provincial", "省级"),
                            ("municipal", "市级"),
                        ],
                        max_length=20,
                        verbose_name="资金层级",
                    ),
                ),
                ("year", models.SmallIntegerField(verbose_name="年度")),
                (
                    "amount_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="已贴息金额"),
                ),
                (
                    "interest_paid_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="已收利息"),
                ),
                (
                    "paid_through",
                    models.DateField(help_text="不含当日 / exclusive", verbose_name="已贴息至"),
                ),
                (
                    "batch",
                    models.ForeignKey(
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
                        related_name="opening_positions",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
            ],
            options={
                "verbose_name": "期初数",
                "verbose_name_plural": "期初数",
                "ordering": ["note", "scheme_code", "tier", "year"],
            },
        ),
        migrations.CreateModel(
            name="OpeningPositionEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "scheme_code",
                    models.CharField(
                        help_text="政策代码 / scheme code", max_length=60, verbose_name="贴息政策"
                    ),
                ),
                (
                    "tier",
                    models.CharField(
                        choices=[
                            ("central", "中央"),
                            ("provincial", "省级"),
                            ("municipal", "市级"),
                        ],
                        max_length=20,
                        verbose_name="资金层级",
                    ),
                ),
                ("year", models.SmallIntegerField(verbose_name="年度")),
                (
                    "amount_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="已贴息金额"),
                ),
                (
                    "interest_paid_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="已收利息"),
                ),
                (
                    "paid_through",
                    models.DateField(help_text="不含当日 / exclusive", verbose_name="已贴息至"),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.institution",
                        verbose_name="所属机构",
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="loans.openingposition",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Participation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "scheme_code",
                    models.CharField(
                        help_text="政策代码 / scheme code", max_length=60, verbose_name="贴息政策"
                    ),
                ),
                ("valid_from", models.DateField(verbose_name="合作起始日")),
                (
                    "valid_to",
                    models.DateField(
                        blank=True,
                        help_text="含当日；空 = 长期 / last valid day",
                        null=True,
                        verbose_name="合作终止日",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
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
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="合作机构",
                    ),
                ),
            ],
            options={
                "verbose_name": "合作银行",
                "verbose_name_plural": "合作银行",
                "ordering": ["scheme_code", "institution", "valid_from"],
            },
        ),
        migrations.CreateModel(
            name="ParticipationEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "scheme_code",
                    models.CharField(
                        help_text="政策代码 / scheme code", max_length=60, verbose_name="贴息政策"
                    ),
                ),
                ("valid_from", models.DateField(verbose_name="合作起始日")),
                (
                    "valid_to",
                    models.DateField(
                        blank=True,
                        help_text="含当日；空 = 长期 / last valid day",
                        null=True,
                        verbose_name="合作终止日",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.institution",
                        verbose_name="合作机构",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="loans.participation",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="PreAllocation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "scheme_code",
                    models.CharField(
                        help_text="政策代码 / scheme code", max_length=60, verbose_name="贴息政策"
                    ),
                ),
                (
                    "tier",
                    models.CharField(
                        choices=[
                            ("central", "中央"),
                            ("provincial", "省级"),
                            ("municipal", "市级"),
                        ],
                        max_length=20,
                        verbose_name="资金层级",
                    ),
                ),
                ("received_on", models.DateField(verbose_name="到账日期")),
                ("amount_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="金额")),
                ("document_number", models.CharField(max_length=100, verbose_name="文号")),
                (
                    "batch",
                    models.ForeignKey(
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
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="资金机构",
                    ),
                ),
            ],
            options={
                "verbose_name": "预拨资金",
                "verbose_name_plural": "预拨资金",
                "ordering": ["scheme_code", "institution", "tier", "received_on"],
            },
        ),
        migrations.CreateModel(
            name="Project",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "project_code",
                    models.CharField(max_length=100, unique=True, verbose_name="项目代码"),
                ),
                ("name", models.CharField(max_length=200, verbose_name="项目名称")),
                ("region_code", models.CharField(max_length=6, verbose_name="项目归属地")),
                (
                    "batch",
                    models.ForeignKey(
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
                (
                    "enterprise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="projects",
                        to="loans.enterprise",
                        verbose_name="企业",
                    ),
                ),
            ],
            options={
                "verbose_name": "项目",
                "verbose_name_plural": "项目",
                "ordering": ["project_code"],
            },
        ),
        migrations.CreateModel(
            name="ContractEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("contract_number", models.CharField(max_length=100, verbose_name="合同号")),
                ("signed_on", models.DateField(verbose_name="签订日期")),
                (
                    "loan_type",
                    models.CharField(
                        choices=[
                            ("fixed_asset", "固定资产贷款"),
                            ("project", "项目贷款"),
                            ("working_capital", "流动资金贷款"),
                            ("policy_instrument", "新型政策性金融工具"),
                            ("tech_innovation", "科技创新类贷款"),
                        ],
                        max_length=20,
                        verbose_name="贷款类型",
                    ),
                ),
                (
                    "amount_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="合同金额"),
                ),
                ("currency", models.CharField(default="CNY", max_length=3, verbose_name="币种")),
                ("purpose_field", models.CharField(max_length=100, verbose_name="投向领域")),
                (
                    "institution",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.institution",
                        verbose_name="机构",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="loans.contract",
                    ),
                ),
                (
                    "enterprise",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.enterprise",
                        verbose_name="企业",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.project",
                        verbose_name="项目",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="contract",
            name="project",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contracts",
                to="loans.project",
                verbose_name="项目",
            ),
        ),
        migrations.CreateModel(
            name="ProjectEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("project_code", models.CharField(max_length=100, verbose_name="项目代码")),
                ("name", models.CharField(max_length=200, verbose_name="项目名称")),
                ("region_code", models.CharField(max_length=6, verbose_name="项目归属地")),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
                (
                    "enterprise",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.enterprise",
                        verbose_name="企业",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="loans.project",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Repayment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("repaid_on", models.DateField(verbose_name="还本日期")),
                (
                    "amount_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="还本金额"),
                ),
                ("reference", models.CharField(max_length=100, verbose_name="流水号")),
                (
                    "batch",
                    models.ForeignKey(
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
                        related_name="repayments",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
                (
                    "origin",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="原机构",
                    ),
                ),
            ],
            options={
                "verbose_name": "还本",
                "verbose_name_plural": "还本",
                "ordering": ["note", "repaid_on", "id"],
            },
        ),
        migrations.CreateModel(
            name="ReviewResult",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "scheme_code",
                    models.CharField(
                        help_text="政策代码 / scheme code", max_length=60, verbose_name="贴息政策"
                    ),
                ),
                (
                    "month",
                    models.DateField(
                        help_text="当月第一日 / first day of the month", verbose_name="月份"
                    ),
                ),
                (
                    "result",
                    models.CharField(
                        choices=[
                            ("approved", "通过"),
                            ("rejected", "不予贴息"),
                            ("disallowed", "核减"),
                        ],
                        max_length=20,
                        verbose_name="审核结果",
                    ),
                ),
                (
                    "amount_fen",
                    models.BigIntegerField(
                        blank=True, help_text="分 / fen", null=True, verbose_name="核减金额"
                    ),
                ),
                (
                    "reason",
                    models.CharField(blank=True, default="", max_length=500, verbose_name="原因"),
                ),
                ("document_number", models.CharField(max_length=100, verbose_name="文号")),
                (
                    "batch",
                    models.ForeignKey(
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
                        related_name="review_results",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
            ],
            options={
                "verbose_name": "审核结果",
                "verbose_name_plural": "审核结果",
                "ordering": ["note", "month"],
            },
        ),
        migrations.CreateModel(
            name="SchemeFund",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "scheme_code",
                    models.CharField(
                        help_text="政策代码 / scheme code", max_length=60, verbose_name="贴息政策"
                    ),
                ),
                ("year", models.SmallIntegerField(verbose_name="年度")),
                (
                    "amount_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="年度资金"),
                ),
                (
                    "batch",
                    models.ForeignKey(
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
            ],
            options={
                "verbose_name": "政策年度资金",
                "verbose_name_plural": "政策年度资金",
                "ordering": ["scheme_code", "year"],
            },
        ),
        migrations.CreateModel(
            name="SchemeFundEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "scheme_code",
                    models.CharField(
                        help_text="政策代码 / scheme code", max_length=60, verbose_name="贴息政策"
                    ),
                ),
                ("year", models.SmallIntegerField(verbose_name="年度")),
                (
                    "amount_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="年度资金"),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="loans.schemefund",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SyndicateShare",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "share_ppm",
                    models.BigIntegerField(
                        help_text="百万分之一，3.00% = 30000 / parts per million",
                        verbose_name="承贷份额",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
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
                (
                    "contract",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="syndicate_shares",
                        to="loans.contract",
                        verbose_name="合同",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="牵头行",
                    ),
                ),
                (
                    "participant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="参贷行",
                    ),
                ),
            ],
            options={
                "verbose_name": "银团份额",
                "verbose_name_plural": "银团份额",
                "ordering": ["contract", "participant"],
            },
        ),
        migrations.CreateModel(
            name="SyndicateShareEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "share_ppm",
                    models.BigIntegerField(
                        help_text="百万分之一，3.00% = 30000 / parts per million",
                        verbose_name="承贷份额",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.contract",
                        verbose_name="合同",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.institution",
                        verbose_name="牵头行",
                    ),
                ),
                (
                    "participant",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.institution",
                        verbose_name="参贷行",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="loans.syndicateshare",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="UsccConfirmation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "uscc",
                    models.CharField(max_length=18, unique=True, verbose_name="统一社会信用代码"),
                ),
                ("reason", models.CharField(max_length=500, verbose_name="原因")),
                ("made_by", models.CharField(max_length=150, verbose_name="经办")),
                (
                    "checked_by",
                    models.CharField(blank=True, max_length=150, null=True, verbose_name="复核"),
                ),
                ("at", models.DateTimeField(verbose_name="时间")),
            ],
            options={
                "verbose_name": "信用代码确认",
                "verbose_name_plural": "信用代码确认",
                "ordering": ["uscc"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("checked_by__isnull", True),
                            models.Q(("checked_by", models.F("made_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="uscc_confirmation_checked_by_another",
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="importbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "rows",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("inserted"), "+", models.F("corrected")
                            ),
                            "+",
                            models.F("unchanged"),
                        ),
                    )
                ),
                name="import_batch_counts_add_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="externalsubsidy",
            constraint=models.UniqueConstraint(
                fields=("source", "reference"), name="external_subsidy_once_per_source"
            ),
        ),
        migrations.AddConstraint(
            model_name="externalsubsidy",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["loan_interest", "leasing_interest", "grant"])),
                name="external_subsidy_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="externalsubsidy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_fen__gte", -10000000000000), ("amount_fen__lte", 10000000000000)
                ),
                name="external_subsidy_amount_bounded",
            ),
        ),
        migrations.AddConstraint(
            model_name="enterprisetitle",
            constraint=models.UniqueConstraint(
                fields=("enterprise", "title", "valid_from"), name="enterprise_title_once_per_start"
            ),
        ),
        migrations.AddConstraint(
            model_name="enterprisetitle",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_to__isnull", True),
                    ("valid_to__gte", models.F("valid_from")),
                    _connector="OR",
                ),
                name="enterprise_title_ends_after_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="enterprisetitle",
            constraint=models.CheckConstraint(
                condition=models.Q(("title__in", ["little_giant", "specialized"])),
                name="enterprise_title_known",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="enterprisetitle",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "loans_enterprisetitleevent" ("batch_id", "enterprise_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "title", "valid_from", "valid_to") VALUES (OLD."batch_id", OLD."enterprise_id", OLD."id", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."title", OLD."valid_from", OLD."valid_to"); RETURN NULL;',
                    hash="79b757ddaaa2bdcb4f68e9f2f05123f7727e44d6",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_21b18",
                    table="loans_enterprisetitle",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="enterprisetitle",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_enterprisetitleevent" ("batch_id", "enterprise_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "title", "valid_from", "valid_to") VALUES (OLD."batch_id", OLD."enterprise_id", OLD."id", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."title", OLD."valid_from", OLD."valid_to"); RETURN NULL;',
                    hash="74b18fafe5a4d59ed7c001b86b0d680b72c78d58",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_683d2",
                    table="loans_enterprisetitle",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="enterpriserecord",
            constraint=models.UniqueConstraint(
                fields=("enterprise", "valid_from"), name="enterprise_record_once_per_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="enterpriserecord",
            constraint=models.CheckConstraint(
                condition=models.Q(("size__in", ["micro", "small", "medium", "large"])),
                name="enterprise_record_size_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="enterpriserecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ownership__in", ["private", "state", "collective", "foreign"])
                ),
                name="enterprise_record_ownership_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="enterpriserecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("environment_rating__in", ["", "green", "blue", "yellow", "red", "black"])
                ),
                name="enterprise_record_environment_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="enterpriserecord",
            constraint=models.CheckConstraint(
                condition=models.Q(("tax_rating__in", ["", "A", "B", "M", "C", "D"])),
                name="enterprise_record_tax_known",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="enterpriserecord",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "loans_enterpriserecordevent" ("batch_id", "dishonest", "enterprise_id", "environment_rating", "id", "industry_code", "name", "ownership", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region_code", "size", "tax_rating", "valid_from") VALUES (OLD."batch_id", OLD."dishonest", OLD."enterprise_id", OLD."environment_rating", OLD."id", OLD."industry_code", OLD."name", OLD."ownership", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."region_code", OLD."size", OLD."tax_rating", OLD."valid_from"); RETURN NULL;',
                    hash="74b3ef26acc582e9d28c382350383d31460b1e90",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_a856f",
                    table="loans_enterpriserecord",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="enterpriserecord",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_enterpriserecordevent" ("batch_id", "dishonest", "enterprise_id", "environment_rating", "id", "industry_code", "name", "ownership", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region_code", "size", "tax_rating", "valid_from") VALUES (OLD."batch_id", OLD."dishonest", OLD."enterprise_id", OLD."environment_rating", OLD."id", OLD."industry_code", OLD."name", OLD."ownership", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."region_code", OLD."size", OLD."tax_rating", OLD."valid_from"); RETURN NULL;',
                    hash="7b0b4b9d072c23a3e92e0593dbb48b4d5228e2a1",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_cf611",
                    table="loans_enterpriserecord",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="bankstatement",
            constraint=models.UniqueConstraint(
                fields=("institution", "scheme_code", "tier", "reference"),
                name="bank_statement_reference_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankstatement",
            constraint=models.CheckConstraint(
                condition=models.Q(("tier__in", ["central", "provincial", "municipal"])),
                name="bank_statement_tier_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankstatement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_fen__gte", -10000000000000), ("amount_fen__lte", 10000000000000)
                ),
                name="bank_statement_amount_bounded",
            ),
        ),
        migrations.AddConstraint(
            model_name="lpr",
            constraint=models.CheckConstraint(
                condition=models.Q(("one_year_ppm__gte", 0), ("one_year_ppm__lte", 360000)),
                name="lpr_one_year_at_most_36_percent",
            ),
        ),
        migrations.AddConstraint(
            model_name="lpr",
            constraint=models.CheckConstraint(
                condition=models.Q(("five_year_ppm__gte", 0), ("five_year_ppm__lte", 360000)),
                name="lpr_five_year_at_most_36_percent",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lpr",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "loans_lprevent" ("batch_id", "five_year_ppm", "id", "one_year_ppm", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_on") VALUES (OLD."batch_id", OLD."five_year_ppm", OLD."id", OLD."one_year_ppm", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."published_on"); RETURN NULL;',
                    hash="540132c52a2eec7cd19a7597fd74f132f94d20b1",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_6c926",
                    table="loans_lpr",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lpr",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_lprevent" ("batch_id", "five_year_ppm", "id", "one_year_ppm", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_on") VALUES (OLD."batch_id", OLD."five_year_ppm", OLD."id", OLD."one_year_ppm", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."published_on"); RETURN NULL;',
                    hash="2d3f4a1ca52489acf9d38e29930dc2ee20e6ab0d",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_d06d3",
                    table="loans_lpr",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.UniqueConstraint(
                fields=("origin", "note_number"), name="note_number_once_per_institution"
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(("matures_on__gt", models.F("drawn_on"))),
                name="note_matures_after_drawdown",
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("equipment_fen__gte", 0), ("equipment_fen__lte", models.F("principal_fen"))
                ),
                name="note_equipment_within_principal",
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("principal_fen__gte", 1), ("principal_fen__lte", 10000000000000)
                ),
                name="note_principal_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(("rate_ppm__gte", 0), ("rate_ppm__lte", 360000)),
                name="note_rate_at_most_36_percent",
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(("exchange_rate_e8__gt", 0)), name="note_exchange_rate_positive"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="note",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."batch_id" IS DISTINCT FROM (NEW."batch_id") OR OLD."contract_id" IS DISTINCT FROM (NEW."contract_id") OR OLD."drawn_on" IS DISTINCT FROM (NEW."drawn_on") OR OLD."equipment_fen" IS DISTINCT FROM (NEW."equipment_fen") OR OLD."exchange_rate_e8" IS DISTINCT FROM (NEW."exchange_rate_e8") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."matures_on" IS DISTINCT FROM (NEW."matures_on") OR OLD."note_number" IS DISTINCT FROM (NEW."note_number") OR OLD."origin_id" IS DISTINCT FROM (NEW."origin_id") OR OLD."principal_fen" IS DISTINCT FROM (NEW."principal_fen") OR OLD."rate_ppm" IS DISTINCT FROM (NEW."rate_ppm") OR OLD."scheme_codes" IS DISTINCT FROM (NEW."scheme_codes"))',
                    func='INSERT INTO "loans_noteevent" ("batch_id", "contract_id", "drawn_on", "equipment_fen", "exchange_rate_e8", "id", "institution_id", "matures_on", "note_number", "origin_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "principal_fen", "rate_ppm", "scheme_codes") VALUES (OLD."batch_id", OLD."contract_id", OLD."drawn_on", OLD."equipment_fen", OLD."exchange_rate_e8", OLD."id", OLD."institution_id", OLD."matures_on", OLD."note_number", OLD."origin_id", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."principal_fen", OLD."rate_ppm", OLD."scheme_codes"); RETURN NULL;',
                    hash="dd944d83e7904930956c7133c0d63ce16f0089b5",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_a9557",
                    table="loans_note",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="note",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_noteevent" ("batch_id", "contract_id", "drawn_on", "equipment_fen", "exchange_rate_e8", "id", "institution_id", "matures_on", "note_number", "origin_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "principal_fen", "rate_ppm", "scheme_codes") VALUES (OLD."batch_id", OLD."contract_id", OLD."drawn_on", OLD."equipment_fen", OLD."exchange_rate_e8", OLD."id", OLD."institution_id", OLD."matures_on", OLD."note_number", OLD."origin_id", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."principal_fen", OLD."rate_ppm", OLD."scheme_codes"); RETURN NULL;',
                    hash="b327fdb02ed27afee71b31b5bd985ef5a64eb8f1",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_bf2f5",
                    table="loans_note",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="guarantee",
            constraint=models.UniqueConstraint(
                fields=("origin", "guarantee_number"), name="guarantee_number_once_per_institution"
            ),
        ),
        migrations.AddConstraint(
            model_name="guarantee",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_on__isnull", True),
                    ("ends_on__gte", models.F("starts_on")),
                    _connector="OR",
                ),
                name="guarantee_ends_after_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="guarantee",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("principal_fen__gte", 0), ("principal_fen__lte", 10000000000000)
                ),
                name="guarantee_principal_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="guarantee",
            constraint=models.CheckConstraint(
                condition=models.Q(("fee_rate_ppm__gte", 0), ("fee_rate_ppm__lte", 360000)),
                name="guarantee_fee_at_most_36_percent",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="guarantee",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."batch_id" IS DISTINCT FROM (NEW."batch_id") OR OLD."ends_on" IS DISTINCT FROM (NEW."ends_on") OR OLD."fee_rate_ppm" IS DISTINCT FROM (NEW."fee_rate_ppm") OR OLD."guarantee_number" IS DISTINCT FROM (NEW."guarantee_number") OR OLD."guarantor" IS DISTINCT FROM (NEW."guarantor") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."note_id" IS DISTINCT FROM (NEW."note_id") OR OLD."origin_id" IS DISTINCT FROM (NEW."origin_id") OR OLD."principal_fen" IS DISTINCT FROM (NEW."principal_fen") OR OLD."starts_on" IS DISTINCT FROM (NEW."starts_on"))',
                    func='INSERT INTO "loans_guaranteeevent" ("batch_id", "ends_on", "fee_rate_ppm", "guarantee_number", "guarantor", "id", "institution_id", "note_id", "origin_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "principal_fen", "starts_on") VALUES (OLD."batch_id", OLD."ends_on", OLD."fee_rate_ppm", OLD."guarantee_number", OLD."guarantor", OLD."id", OLD."institution_id", OLD."note_id", OLD."origin_id", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."principal_fen", OLD."starts_on"); RETURN NULL;',
                    hash="bf515d2e3f3ac32cf4cc18074645d20517d698eb",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_61fa8",
                    table="loans_guarantee",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="guarantee",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_guaranteeevent" ("batch_id", "ends_on", "fee_rate_ppm", "guarantee_number", "guarantor", "id", "institution_id", "note_id", "origin_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "principal_fen", "starts_on") VALUES (OLD."batch_id", OLD."ends_on", OLD."fee_rate_ppm", OLD."guarantee_number", OLD."guarantor", OLD."id", OLD."institution_id", OLD."note_id", OLD."origin_id", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."principal_fen", OLD."starts_on"); RETURN NULL;',
                    hash="475b6d2c564bf3ab2654e65acaf3b1f249283441",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_3c296",
                    table="loans_guarantee",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="equipmentinvoice",
            constraint=models.UniqueConstraint(
                fields=("note", "invoice_number", "serial_number"),
                name="equipment_invoice_once_per_serial",
            ),
        ),
        migrations.AddConstraint(
            model_name="equipmentinvoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_fen__gte", -10000000000000), ("amount_fen__lte", 10000000000000)
                ),
                name="equipment_invoice_amount_bounded",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="equipmentinvoice",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."amount_fen" IS DISTINCT FROM (NEW."amount_fen") OR OLD."batch_id" IS DISTINCT FROM (NEW."batch_id") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."invoice_number" IS DISTINCT FROM (NEW."invoice_number") OR OLD."issued_on" IS DISTINCT FROM (NEW."issued_on") OR OLD."note_id" IS DISTINCT FROM (NEW."note_id") OR OLD."serial_number" IS DISTINCT FROM (NEW."serial_number") OR OLD."supplier" IS DISTINCT FROM (NEW."supplier"))',
                    func='INSERT INTO "loans_equipmentinvoiceevent" ("amount_fen", "batch_id", "id", "institution_id", "invoice_number", "issued_on", "note_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "serial_number", "supplier") VALUES (OLD."amount_fen", OLD."batch_id", OLD."id", OLD."institution_id", OLD."invoice_number", OLD."issued_on", OLD."note_id", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."serial_number", OLD."supplier"); RETURN NULL;',
                    hash="23b73e6e3c038fd51caff70168f928134f1caa66",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_65c9b",
                    table="loans_equipmentinvoice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="equipmentinvoice",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_equipmentinvoiceevent" ("amount_fen", "batch_id", "id", "institution_id", "invoice_number", "issued_on", "note_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "serial_number", "supplier") VALUES (OLD."amount_fen", OLD."batch_id", OLD."id", OLD."institution_id", OLD."invoice_number", OLD."issued_on", OLD."note_id", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."serial_number", OLD."supplier"); RETURN NULL;',
                    hash="6399e666e9ce272061c0430c20dc26e30c140631",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_9abc9",
                    table="loans_equipmentinvoice",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="notestatus",
            constraint=models.UniqueConstraint(
                fields=("note", "status", "starts_on"), name="note_status_once_per_start"
            ),
        ),
        migrations.AddConstraint(
            model_name="notestatus",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_on__isnull", True),
                    ("ends_on__gte", models.F("starts_on")),
                    _connector="OR",
                ),
                name="note_status_ends_after_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="notestatus",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["overdue", "extended", "non_performing"])),
                name="note_status_known",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="notestatus",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."batch_id" IS DISTINCT FROM (NEW."batch_id") OR OLD."ends_on" IS DISTINCT FROM (NEW."ends_on") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."note_id" IS DISTINCT FROM (NEW."note_id") OR OLD."starts_on" IS DISTINCT FROM (NEW."starts_on") OR OLD."status" IS DISTINCT FROM (NEW."status"))',
                    func='INSERT INTO "loans_notestatusevent" ("batch_id", "ends_on", "id", "institution_id", "note_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_on", "status") VALUES (OLD."batch_id", OLD."ends_on", OLD."id", OLD."institution_id", OLD."note_id", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."starts_on", OLD."status"); RETURN NULL;',
                    hash="22ec581875ee5cfc6cd7576d024418938cae3e71",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_60e34",
                    table="loans_notestatus",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="notestatus",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_notestatusevent" ("batch_id", "ends_on", "id", "institution_id", "note_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_on", "status") VALUES (OLD."batch_id", OLD."ends_on", OLD."id", OLD."institution_id", OLD."note_id", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."starts_on", OLD."status"); RETURN NULL;',
                    hash="3d2d751093d6d42847b4e5211333bc0a92fc032a",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_132e6",
                    table="loans_notestatus",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="notetransfer",
            constraint=models.UniqueConstraint(
                fields=("note", "moved_on"), name="note_transfer_once_per_day"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="notetransfer",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."batch_id" IS DISTINCT FROM (NEW."batch_id") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."moved_on" IS DISTINCT FROM (NEW."moved_on") OR OLD."new_institution_id" IS DISTINCT FROM (NEW."new_institution_id") OR OLD."note_id" IS DISTINCT FROM (NEW."note_id"))',
                    func='INSERT INTO "loans_notetransferevent" ("batch_id", "id", "institution_id", "moved_on", "new_institution_id", "note_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."batch_id", OLD."id", OLD."institution_id", OLD."moved_on", OLD."new_institution_id", OLD."note_id", _pgh_attach_context(), NOW(), \'before_change\', OLD."id"); RETURN NULL;',
                    hash="bdefc97cbe0b7e63e308773aed2034787eec609d",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_10fcf",
                    table="loans_notetransfer",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="notetransfer",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_notetransferevent" ("batch_id", "id", "institution_id", "moved_on", "new_institution_id", "note_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."batch_id", OLD."id", OLD."institution_id", OLD."moved_on", OLD."new_institution_id", OLD."note_id", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id"); RETURN NULL;',
                    hash="e16a89873ab87196aa79cbd233b3683f866bc433",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_4c31e",
                    table="loans_notetransfer",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="openingposition",
            constraint=models.UniqueConstraint(
                fields=("note", "scheme_code", "tier", "year"),
                name="opening_position_once_per_year",
            ),
        ),
        migrations.AddConstraint(
            model_name="openingposition",
            constraint=models.CheckConstraint(
                condition=models.Q(("tier__in", ["central", "provincial", "municipal"])),
                name="opening_position_tier_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="openingposition",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_fen__gte", 0), ("amount_fen__lte", 10000000000000)),
                name="opening_position_amount_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="openingposition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("interest_paid_fen__gte", 0), ("interest_paid_fen__lte", 10000000000000)
                ),
                name="opening_position_interest_not_negative",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="openingposition",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."amount_fen" IS DISTINCT FROM (NEW."amount_fen") OR OLD."batch_id" IS DISTINCT FROM (NEW."batch_id") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."interest_paid_fen" IS DISTINCT FROM (NEW."interest_paid_fen") OR OLD."note_id" IS DISTINCT FROM (NEW."note_id") OR OLD."paid_through" IS DISTINCT FROM (NEW."paid_through") OR OLD."scheme_code" IS DISTINCT FROM (NEW."scheme_code") OR OLD."tier" IS DISTINCT FROM (NEW."tier") OR OLD."year" IS DISTINCT FROM (NEW."year"))',
                    func='INSERT INTO "loans_openingpositionevent" ("amount_fen", "batch_id", "id", "institution_id", "interest_paid_fen", "note_id", "paid_through", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "scheme_code", "tier", "year") VALUES (OLD."amount_fen", OLD."batch_id", OLD."id", OLD."institution_id", OLD."interest_paid_fen", OLD."note_id", OLD."paid_through", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."scheme_code", OLD."tier", OLD."year"); RETURN NULL;',
                    hash="b3e0982d04912642a8de659c78e77792a888d4a9",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_d6395",
                    table="loans_openingposition",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="openingposition",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_openingpositionevent" ("amount_fen", "batch_id", "id", "institution_id", "interest_paid_fen", "note_id", "paid_through", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "scheme_code", "tier", "year") VALUES (OLD."amount_fen", OLD."batch_id", OLD."id", OLD."institution_id", OLD."interest_paid_fen", OLD."note_id", OLD."paid_through", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."scheme_code", OLD."tier", OLD."year"); RETURN NULL;',
                    hash="f0dc7ed72aad74ff6c260f012fa2344032e94962",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_03d58",
                    table="loans_openingposition",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="participation",
            constraint=models.UniqueConstraint(
                fields=("institution", "scheme_code", "valid_from"),
                name="participation_once_per_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="participation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_to__isnull", True),
                    ("valid_to__gte", models.F("valid_from")),
                    _connector="OR",
                ),
                name="participation_ends_after_start",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="participation",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "loans_participationevent" ("batch_id", "id", "institution_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "scheme_code", "valid_from", "valid_to") VALUES (OLD."batch_id", OLD."id", OLD."institution_id", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."scheme_code", OLD."valid_from", OLD."valid_to"); RETURN NULL;',
                    hash="a9d9b4aa7e641d8f4036c1c2e3c5746408d3b73d",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_29821",
                    table="loans_participation",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="participation",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_participationevent" ("batch_id", "id", "institution_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "scheme_code", "valid_from", "valid_to") VALUES (OLD."batch_id", OLD."id", OLD."institution_id", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."scheme_code", OLD."valid_from", OLD."valid_to"); RETURN NULL;',
                    hash="e0ad364cb38afc763c366487b027b5054941ffab",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_ce8ad",
                    table="loans_participation",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="preallocation",
            constraint=models.UniqueConstraint(
                fields=("institution", "scheme_code", "document_number", "tier"),
                name="pre_allocation_once_per_document",
            ),
        ),
        migrations.AddConstraint(
            model_name="preallocation",
            constraint=models.CheckConstraint(
                condition=models.Q(("tier__in", ["central", "provincial", "municipal"])),
                name="pre_allocation_tier_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="preallocation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_fen__gte", -10000000000000), ("amount_fen__lte", 10000000000000)
                ),
                name="pre_allocation_amount_bounded",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="project",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "loans_projectevent" ("batch_id", "enterprise_id", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "project_code", "region_code") VALUES (OLD."batch_id", OLD."enterprise_id", OLD."id", OLD."name", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."project_code", OLD."region_code"); RETURN NULL;',
                    hash="db54242bdcdc6c4d96fbf815a8c73eb551a94d44",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_f90be",
                    table="loans_project",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="project",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_projectevent" ("batch_id", "enterprise_id", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "project_code", "region_code") VALUES (OLD."batch_id", OLD."enterprise_id", OLD."id", OLD."name", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."project_code", OLD."region_code"); RETURN NULL;',
                    hash="3a4774881c35b9015f152957178787448ff93a8f",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_5e019",
                    table="loans_project",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.UniqueConstraint(
                fields=("institution", "contract_number"),
                name="contract_number_once_per_institution",
            ),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "loan_type__in",
                        [
                            "fixed_asset",
                            "project",
                            "working_capital",
                            "policy_instrument",
                            "tech_innovation",
                        ],
                    )
                ),
                name="contract_loan_type_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_fen__gte", 0), ("amount_fen__lte", 10000000000000)),
                name="contract_amount_not_negative",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="contract",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "loans_contractevent" ("amount_fen", "batch_id", "contract_number", "currency", "enterprise_id", "id", "institution_id", "loan_type", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "project_id", "purpose_field", "signed_on") VALUES (OLD."amount_fen", OLD."batch_id", OLD."contract_number", OLD."currency", OLD."enterprise_id", OLD."id", OLD."institution_id", OLD."loan_type", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."project_id", OLD."purpose_field", OLD."signed_on"); RETURN NULL;',
                    hash="56e604ab3855dd124d9bf9014f17cde47ae8669e",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_70148",
                    table="loans_contract",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="contract",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_contractevent" ("amount_fen", "batch_id", "contract_number", "currency", "enterprise_id", "id", "institution_id", "loan_type", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "project_id", "purpose_field", "signed_on") VALUES (OLD."amount_fen", OLD."batch_id", OLD."contract_number", OLD."currency", OLD."enterprise_id", OLD."id", OLD."institution_id", OLD."loan_type", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."project_id", OLD."purpose_field", OLD."signed_on"); RETURN NULL;',
                    hash="98f664cbb80f2c7358b9dba5b7c4b9e64e339952",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_8ebf7",
                    table="loans_contract",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="repayment",
            constraint=models.UniqueConstraint(
                fields=("origin", "reference"), name="repayment_reference_once_per_institution"
            ),
        ),
        migrations.AddConstraint(
            model_name="repayment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_fen__gte", -10000000000000), ("amount_fen__lte", 10000000000000)
                ),
                name="repayment_amount_bounded",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewresult",
            constraint=models.UniqueConstraint(
                fields=("note", "scheme_code", "month", "document_number"),
                name="review_result_once_per_document",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewresult",
            constraint=models.CheckConstraint(
                condition=models.Q(("result__in", ["approved", "rejected", "disallowed"])),
                name="review_result_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewresult",
            constraint=models.CheckConstraint(
                condition=models.Q(("month__day", 1)), name="review_result_month_is_a_first_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewresult",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_fen__isnull", True),
                    models.Q(("amount_fen__gte", 0), ("amount_fen__lte", 10000000000000)),
                    _connector="OR",
                ),
                name="review_result_amount_bounded",
            ),
        ),
        migrations.AddConstraint(
            model_name="schemefund",
            constraint=models.UniqueConstraint(
                fields=("scheme_code", "year"), name="scheme_fund_once_per_year"
            ),
        ),
        migrations.AddConstraint(
            model_name="schemefund",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_fen__gte", 0), ("amount_fen__lte", 10000000000000)),
                name="scheme_fund_not_negative",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemefund",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "loans_schemefundevent" ("amount_fen", "batch_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "scheme_code", "year") VALUES (OLD."amount_fen", OLD."batch_id", OLD."id", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."scheme_code", OLD."year"); RETURN NULL;',
                    hash="abaab6bcb69258751249f68dd85c2318da37c6b1",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_1a133",
                    table="loans_schemefund",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemefund",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_schemefundevent" ("amount_fen", "batch_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "scheme_code", "year") VALUES (OLD."amount_fen", OLD."batch_id", OLD."id", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."scheme_code", OLD."year"); RETURN NULL;',
                    hash="8587a906108d981e7bc0d102984c993a9c8c2404",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_addd8",
                    table="loans_schemefund",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="syndicateshare",
            constraint=models.UniqueConstraint(
                fields=("contract", "participant"), name="syndicate_share_once_per_participant"
            ),
        ),
        migrations.AddConstraint(
            model_name="syndicateshare",
            constraint=models.CheckConstraint(
                condition=models.Q(("share_ppm__gte", 0), ("share_ppm__lte", 1000000)),
                name="syndicate_share_at_most_whole",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="syndicateshare",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "loans_syndicateshareevent" ("batch_id", "contract_id", "id", "institution_id", "participant_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "share_ppm") VALUES (OLD."batch_id", OLD."contract_id", OLD."id", OLD."institution_id", OLD."participant_id", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."share_ppm"); RETURN NULL;',
                    hash="2c531e17d2254c661b3ae1d85daa7bcb9d31c39d",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_35b97",
                    table="loans_syndicateshare",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="syndicateshare",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_syndicateshareevent" ("batch_id", "contract_id", "id", "institution_id", "participant_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "share_ppm") VALUES (OLD."batch_id", OLD."contract_id", OLD."id", OLD."institution_id", OLD."participant_id", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."share_ppm"); RETURN NULL;',
                    hash="211d21678b913068ae742453262576f5ea97d4a1",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_c8280",
                    table="loans_syndicateshare",
                    when="AFTER",
                ),
            ),
        ),
    ]
