"""Clients of the REST interface, finance departments, their secrets and keys, and what they were answered."""

import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0010_door_by_the_clock"),
        ("pghistory", "0007_auto_20250421_0444"),
        ("oauth2_provider", "0022_refreshtoken_token_family_index"),
    ]

    operations = [
        migrations.CreateModel(
            name="FinanceDepartmentEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("code", models.CharField(max_length=40, verbose_name="财政部门编码")),
                ("name", models.CharField(max_length=200, verbose_name="名称")),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("central", "中央财政"),
                            ("provincial", "省级财政"),
                            ("municipal", "市级财政"),
                            ("county", "县级财政"),
                        ],
                        max_length=20,
                        verbose_name="财政层级",
                    ),
                ),
                (
                    "region_code",
                    models.CharField(
                        help_text="6 位 / 6 digits (GB/T 2260)",
                        max_length=6,
                        verbose_name="行政区划代码",
                    ),
                ),
                (
                    "scheme_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        help_text="政策编码，逗号分隔 / scheme codes, separated by commas",
                        size=None,
                        verbose_name="主管政策",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=255, verbose_name="幂等键")),
                ("fingerprint", models.CharField(max_length=64, verbose_name="请求摘要")),
                ("method", models.CharField(max_length=10, verbose_name="方法")),
                ("path", models.CharField(max_length=300, verbose_name="地址")),
                ("status", models.SmallIntegerField(verbose_name="状态码")),
                ("body", models.TextField(verbose_name="应答")),
                (
                    "location",
                    models.CharField(blank=True, default="", max_length=300, verbose_name="位置"),
                ),
                ("at", models.DateTimeField(verbose_name="时间")),
            ],
            options={
                "verbose_name": "幂等键",
                "verbose_name_plural": "幂等键",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key_id", models.SlugField(max_length=60, unique=True, verbose_name="密钥编号")),
                (
                    "algorithm",
                    models.CharField(
                        choices=[("hmac-sha256", "HMAC-SHA256"), ("ed25519", "Ed25519")],
                        max_length=20,
                        verbose_name="算法",
                    ),
                ),
                ("material", models.TextField(verbose_name="密钥")),
                ("made_by", models.CharField(max_length=150, verbose_name="生成人")),
                ("made_at", models.DateTimeField(verbose_name="生成时间")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="失效时间")),
            ],
            options={
                "verbose_name": "签名密钥",
                "verbose_name_plural": "签名密钥",
                "ordering": ["client", "-id"],
            },
        ),
        migrations.CreateModel(
            name="SigningKeyEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "key_id",
                    models.SlugField(db_index=False, max_length=60, verbose_name="密钥编号"),
                ),
                (
                    "algorithm",
                    models.CharField(
                        choices=[("hmac-sha256", "HMAC-SHA256"), ("ed25519", "Ed25519")],
                        max_length=20,
                        verbose_name="算法",
                    ),
                ),
                ("made_by", models.CharField(max_length=150, verbose_name="生成人")),
                ("made_at", models.DateTimeField(verbose_name="生成时间")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="失效时间")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="UsedNonce",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("nonce", models.CharField(max_length=128)),
                ("used_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "已用随机数",
                "verbose_name_plural": "已用随机数",
            },
        ),
        migrations.CreateModel(
            name="AnsweringInstitution",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "place",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers_to",
                        to="kernel.institution",
                        verbose_name="机构",
                    ),
                ),
            ],
            options={
                "verbose_name": "对口机构",
                "verbose_name_plural": "对口机构",
                "ordering": ["department", "place"],
            },
        ),
        migrations.CreateModel(
            name="ApiClient",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.SlugField(max_length=60, unique=True, verbose_name="客户端名称")),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        help_text="可申请的权限 / what it may ask for",
                        size=None,
                        verbose_name="权限",
                    ),
                ),
                (
                    "requires_signature",
                    models.BooleanField(
                        default=False,
                        help_text="报文签名（RFC 9421）/ message signatures on what moves money",
                        verbose_name="资金请求须签名",
                    ),
                ),
                (
                    "certificate_sha256",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="填写后只接受持此证书（SHA-256）经可信代理的请求 / then only requests with this certificate, through a trusted proxy",
                        max_length=64,
                        verbose_name="客户端证书指纹",
                    ),
                ),
                (
                    "requests_per_minute",
                    models.IntegerField(default=600, verbose_name="每分钟请求上限"),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="启用")),
                ("made_by", models.CharField(max_length=150, verbose_name="登记人")),
                ("made_at", models.DateTimeField(verbose_name="登记时间")),
                (
                    "application",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_client",
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                    ),
                ),
                (
                    "bound_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_clients",
                        to="kernel.institution",
                        verbose_name="绑定机构",
                    ),
                ),
            ],
            options={
                "verbose_name": "接口客户端",
                "verbose_name_plural": "接口客户端",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="ClientSecret",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64, verbose_name="摘要")),
                ("made_by", models.CharField(max_length=150, verbose_name="生成人")),
                ("made_at", models.DateTimeField(verbose_name="生成时间")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="失效时间")),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="secrets",
                        to="kernel.apiclient",
                        verbose_name="客户端",
                    ),
                ),
            ],
            options={
                "verbose_name": "客户端密钥",
                "verbose_name_plural": "客户端密钥",
                "ordering": ["client", "-id"],
            },
        ),
        migrations.CreateModel(
            name="ClientSecretEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("made_by", models.CharField(max_length=150, verbose_name="生成人")),
                ("made_at", models.DateTimeField(verbose_name="生成时间")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="失效时间")),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.apiclient",
                        verbose_name="客户端",
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
                        to="kernel.clientsecret",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="FinanceDepartment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=40, unique=True, verbose_name="财政部门编码")),
                ("name", models.CharField(max_length=200, verbose_name="名称")),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("central", "中央财政"),
                            ("provincial", "省级财政"),
                            ("municipal", "市级财政"),
                            ("county", "县级财政"),
                        ],
                        max_length=20,
                        verbose_name="财政层级",
                    ),
                ),
                (
                    "region_code",
                    models.CharField(
                        help_text="6 位 / 6 digits (GB/T 2260)",
                        max_length=6,
                        verbose_name="行政区划代码",
                    ),
                ),
                (
                    "scheme_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        help_text="政策编码，逗号分隔 / scheme codes, separated by commas",
                        size=None,
                        verbose_name="主管政策",
                    ),
                ),
            ],
            options={
                "verbose_name": "财政部门",
                "verbose_name_plural": "财政部门",
                "ordering": ["code"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("level__in", ["central", "provincial", "municipal", "county"])
                        ),
                        name="department_level_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("scheme_codes", []), _negated=True),
                        name="department_has_schemes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiClientEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "name",
                    models.SlugField(db_index=False, max_length=60, verbose_name="客户端名称"),
                ),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        help_text="可申请的权限 / what it may ask for",
                        size=None,
                        verbose_name="权限",
                    ),
                ),
                (
                    "requires_signature",
                    models.BooleanField(
                        default=False,
                        help_text="报文签名（RFC 9421）/ message signatures on what moves money",
                        verbose_name="资金请求须签名",
                    ),
                ),
                (
                    "certificate_sha256",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="填写后只接受持此证书（SHA-256）经可信代理的请求 / then only requests with this certificate, through a trusted proxy",
                        max_length=64,
                        verbose_name="客户端证书指纹",
                    ),
                ),
                (
                    "requests_per_minute",
                    models.IntegerField(default=600, verbose_name="每分钟请求上限"),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="启用")),
                ("made_by", models.CharField(max_length=150, verbose_name="登记人")),
                ("made_at", models.DateTimeField(verbose_name="登记时间")),
                (
                    "application",
                    models.ForeignKey(
                        db_constraint=False,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                    ),
                ),
                (
                    "bound_to",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.institution",
                        verbose_name="绑定机构",
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
                        to="kernel.apiclient",
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.financedepartment",
                        verbose_name="绑定财政部门",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="apiclient",
            name="department",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="api_clients",
                to="kernel.financedepartment",
                verbose_name="绑定财政部门",
            ),
        ),
        migrations.CreateModel(
            name="AnsweringInstitutionEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
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
                        to="kernel.answeringinstitution",
                    ),
                ),
                (
                    "place",
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
                    "department",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.financedepartment",
                        verbose_name="财政部门",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="answeringinstitution",
            name="department",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="answering",
                to="kernel.financedepartment",
                verbose_name="财政部门",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="financedepartment",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "kernel_financedepartmentevent" ("code", "id", "level", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region_code", "scheme_codes") VALUES (OLD."code", OLD."id", OLD."level", OLD."name", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."region_code", OLD."scheme_codes"); RETURN NULL;',
                    hash="ad39212d4c60f96bb38484adc4ed6d9fe81e4bb2",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_b3d29",
                    table="kernel_financedepartment",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="financedepartment",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "kernel_financedepartmentevent" ("code", "id", "level", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region_code", "scheme_codes") VALUES (OLD."code", OLD."id", OLD."level", OLD."name", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."region_code", OLD."scheme_codes"); RETURN NULL;',
                    hash="c82a812b37ab6c1e202210f33c415377e30e5cb0",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_87a0f",
                    table="kernel_financedepartment",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="financedepartment",
            trigger=pgtrigger.compiler.Trigger(
                name="added_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "kernel_financedepartmentevent" ("code", "id", "level", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region_code", "scheme_codes") VALUES (NEW."code", NEW."id", NEW."level", NEW."name", _pgh_attach_context(), NOW(), \'added\', NEW."id", NEW."region_code", NEW."scheme_codes"); RETURN NULL;',
                    hash="b5b5c419ad0a97627d1c41fa8913a408cf41ae62",
                    operation="INSERT",
                    pgid="pgtrigger_added_insert_faaf1",
                    table="kernel_financedepartment",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="financedepartmentevent",
            name="pgh_context",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="pghistory.context",
            ),
        ),
        migrations.AddField(
            model_name="financedepartmentevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="kernel.financedepartment",
            ),
        ),
        migrations.AddField(
            model_name="idempotencykey",
            name="client",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="kernel.apiclient"
            ),
        ),
        migrations.AddField(
            model_name="signingkey",
            name="client",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="signing_keys",
                to="kernel.apiclient",
                verbose_name="客户端",
            ),
        ),
        migrations.AddField(
            model_name="signingkeyevent",
            name="client",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="kernel.apiclient",
                verbose_name="客户端",
            ),
        ),
        migrations.AddField(
            model_name="signingkeyevent",
            name="pgh_context",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="pghistory.context",
            ),
        ),
        migrations.AddField(
            model_name="signingkeyevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="kernel.signingkey",
            ),
        ),
        migrations.AddField(
            model_name="usednonce",
            name="client",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="kernel.apiclient"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientsecret",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."client_id" IS DISTINCT FROM (NEW."client_id") OR OLD."ends_at" IS DISTINCT FROM (NEW."ends_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."made_at" IS DISTINCT FROM (NEW."made_at") OR OLD."made_by" IS DISTINCT FROM (NEW."made_by"))',
                    func='INSERT INTO "kernel_clientsecretevent" ("client_id", "ends_at", "id", "made_at", "made_by", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."client_id", OLD."ends_at", OLD."id", OLD."made_at", OLD."made_by", _pgh_attach_context(), NOW(), \'before_change\', OLD."id"); RETURN NULL;',
                    hash="367076ea5bebeaff5e771a4b0d03bacf7e48fc4d",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_8c8aa",
                    table="kernel_clientsecret",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientsecret",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "kernel_clientsecretevent" ("client_id", "ends_at", "id", "made_at", "made_by", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."client_id", OLD."ends_at", OLD."id", OLD."made_at", OLD."made_by", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id"); RETURN NULL;',
                    hash="27c7eaad89056c5d328235c2e7da07c81c85caeb",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_5df26",
                    table="kernel_clientsecret",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientsecret",
            trigger=pgtrigger.compiler.Trigger(
                name="added_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "kernel_clientsecretevent" ("client_id", "ends_at", "id", "made_at", "made_by", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."client_id", NEW."ends_at", NEW."id", NEW."made_at", NEW."made_by", _pgh_attach_context(), NOW(), \'added\', NEW."id"); RETURN NULL;',
                    hash="870f4f007d68a89077cdff3e9e9f91275e10d1dd",
                    operation="INSERT",
                    pgid="pgtrigger_added_insert_dfdc3",
                    table="kernel_clientsecret",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="apiclient",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("bound_to__isnull", True), ("department__isnull", False)),
                    models.Q(("bound_to__isnull", False), ("department__isnull", True)),
                    _connector="OR",
                ),
                name="client_speaks_for_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="apiclient",
            constraint=models.CheckConstraint(
                condition=models.Q(("certificate_sha256__regex", "^([0-9a-f]{64})?$")),
                name="client_certificate_is_a_digest",
            ),
        ),
        migrations.AddConstraint(
            model_name="apiclient",
            constraint=models.CheckConstraint(
                condition=models.Q(("requests_per_minute__gt", 0)), name="client_has_a_limit"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apiclient",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "kernel_apiclientevent" ("application_id", "bound_to_id", "certificate_sha256", "department_id", "id", "is_active", "made_at", "made_by", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "requests_per_minute", "requires_signature", "scopes") VALUES (OLD."application_id", OLD."bound_to_id", OLD."certificate_sha256", OLD."department_id", OLD."id", OLD."is_active", OLD."made_at", OLD."made_by", OLD."name", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."requests_per_minute", OLD."requires_signature", OLD."scopes"); RETURN NULL;',
                    hash="42333c5b0d3a76f11af8945facfd41c834682dbd",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_a02a8",
                    table="kernel_apiclient",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apiclient",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "kernel_apiclientevent" ("application_id", "bound_to_id", "certificate_sha256", "department_id", "id", "is_active", "made_at", "made_by", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "requests_per_minute", "requires_signature", "scopes") VALUES (OLD."application_id", OLD."bound_to_id", OLD."certificate_sha256", OLD."department_id", OLD."id", OLD."is_active", OLD."made_at", OLD."made_by", OLD."name", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."requests_per_minute", OLD."requires_signature", OLD."scopes"); RETURN NULL;',
                    hash="3378b453c0932e6cb59a001c5f625bd3e86a01f7",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_0281f",
                    table="kernel_apiclient",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apiclient",
            trigger=pgtrigger.compiler.Trigger(
                name="added_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "kernel_apiclientevent" ("application_id", "bound_to_id", "certificate_sha256", "department_id", "id", "is_active", "made_at", "made_by", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "requests_per_minute", "requires_signature", "scopes") VALUES (NEW."application_id", NEW."bound_to_id", NEW."certificate_sha256", NEW."department_id", NEW."id", NEW."is_active", NEW."made_at", NEW."made_by", NEW."name", _pgh_attach_context(), NOW(), \'added\', NEW."id", NEW."requests_per_minute", NEW."requires_signature", NEW."scopes"); RETURN NULL;',
                    hash="5df24aaf7769839abdd1b8a0244bc50b996075f1",
                    operation="INSERT",
                    pgid="pgtrigger_added_insert_26b9b",
                    table="kernel_apiclient",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="answeringinstitution",
            constraint=models.UniqueConstraint(fields=("department", "place"), name="answers_once"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="answeringinstitution",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "kernel_answeringinstitutionevent" ("department_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place_id") VALUES (OLD."department_id", OLD."id", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."place_id"); RETURN NULL;',
                    hash="73bd9e402c985045da11b8d645270c0d140cff8d",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_6aa80",
                    table="kernel_answeringinstitution",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="answeringinstitution",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "kernel_answeringinstitutionevent" ("department_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place_id") VALUES (OLD."department_id", OLD."id", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."place_id"); RETURN NULL;',
                    hash="721e779868a5ac66a74f83e6d6af6a96bb33e9f4",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_6e361",
                    table="kernel_answeringinstitution",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="answeringinstitution",
            trigger=pgtrigger.compiler.Trigger(
                name="added_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "kernel_answeringinstitutionevent" ("department_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place_id") VALUES (NEW."department_id", NEW."id", _pgh_attach_context(), NOW(), \'added\', NEW."id", NEW."place_id"); RETURN NULL;',
                    hash="a0505e8192e687cc4cf15a40f9d03d1d42aad284",
                    operation="INSERT",
                    pgid="pgtrigger_added_insert_b15be",
                    table="kernel_answeringinstitution",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="idempotencykey",
            index=models.Index(fields=["at"], name="idempotency_at"),
        ),
        migrations.AddConstraint(
            model_name="idempotencykey",
            constraint=models.UniqueConstraint(fields=("client", "key"), name="key_once"),
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.CheckConstraint(
                condition=models.Q(("algorithm__in", ["hmac-sha256", "ed25519"])),
                name="signing_algorithm_known",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signingkey",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."algorithm" IS DISTINCT FROM (NEW."algorithm") OR OLD."client_id" IS DISTINCT FROM (NEW."client_id") OR OLD."ends_at" IS DISTINCT FROM (NEW."ends_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."key_id" IS DISTINCT FROM (NEW."key_id") OR OLD."made_at" IS DISTINCT FROM (NEW."made_at") OR OLD."made_by" IS DISTINCT FROM (NEW."made_by"))',
                    func='INSERT INTO "kernel_signingkeyevent" ("algorithm", "client_id", "ends_at", "id", "key_id", "made_at", "made_by", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."algorithm", OLD."client_id", OLD."ends_at", OLD."id", OLD."key_id", OLD."made_at", OLD."made_by", _pgh_attach_context(), NOW(), \'before_change\', OLD."id"); RETURN NULL;',
                    hash="eeea85c431d8f0b2f8067e375c8ad23e1a432860",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_e038f",
                    table="kernel_signingkey",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signingkey",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "kernel_signingkeyevent" ("algorithm", "client_id", "ends_at", "id", "key_id", "made_at", "made_by", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."algorithm", OLD."client_id", OLD."ends_at", OLD."id", OLD."key_id", OLD."made_at", OLD."made_by", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id"); RETURN NULL;',
                    hash="cbf24c9cbfb8c2550c0176edb2f29d3e067b82fa",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_5ed7a",
                    table="kernel_signingkey",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signingkey",
            trigger=pgtrigger.compiler.Trigger(
                name="added_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "kernel_signingkeyevent" ("algorithm", "client_id", "ends_at", "id", "key_id", "made_at", "made_by", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."algorithm", NEW."client_id", NEW."ends_at", NEW."id", NEW."key_id", NEW."made_at", NEW."made_by", _pgh_attach_context(), NOW(), \'added\', NEW."id"); RETURN NULL;',
                    hash="483d9a5e07854da6395fe6e63450d7646faadb84",
                    operation="INSERT",
                    pgid="pgtrigger_added_insert_71ade",
                    table="kernel_signingkey",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="usednonce",
            constraint=models.UniqueConstraint(fields=("client", "nonce"), name="nonce_once"),
        ),
    ]
