"""The door: audit of sign-ins, former passwords, lockouts and second factors; people's history."""

import django.contrib.auth.validators
import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

GRANTS = """
SELECT kernel_grant('kernel_signin', 'SELECT, INSERT', 'SELECT, INSERT'),
    kernel_grant('kernel_formerpassword', 'SELECT, INSERT', 'SELECT, INSERT'),
    kernel_grant('kernel_userevent', 'SELECT, INSERT', 'SELECT, INSERT'),
    kernel_append_only('kernel_signin'), kernel_append_only('kernel_formerpassword'),
    kernel_append_only('kernel_userevent'), kernel_protect('kernel_userevent');
SELECT kernel_grant(t::regclass, 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, INSERT, UPDATE, DELETE')
FROM unnest(ARRAY['axes_accessattempt', 'axes_accessattemptexpiration', 'otp_totp_totpdevice',
    'otp_static_staticdevice', 'otp_static_statictoken']) t;
"""
# Who changed something is written once and by this function alone: app and worker could otherwise put
# another name under an old change. Without its exception block it costs bulk corrections no savepoints.
CONTEXT = """
CREATE OR REPLACE FUNCTION _pgh_attach_context() RETURNS pghistory_context.id%TYPE
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    known uuid := nullif(current_setting('pghistory.context_id', true), '')::uuid;
    told jsonb := nullif(current_setting('pghistory.context_metadata', true), '')::jsonb;
BEGIN
    IF known IS NULL OR told IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO pghistory_context (id, metadata, created_at, updated_at)
        VALUES (known, told, now(), now()) ON CONFLICT (id) DO NOTHING;
    RETURN known;
END $$;
REVOKE INSERT, UPDATE ON pghistory_context FROM app, worker;
SELECT kernel_append_only('pghistory_context');
"""
UNDO = """
DROP TRIGGER append_only ON pghistory_context;
DROP TRIGGER append_only_truncate ON pghistory_context;
GRANT INSERT, UPDATE ON pghistory_context TO app, worker;
ALTER FUNCTION _pgh_attach_context() SECURITY INVOKER;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0007_rows_done"),
        ("axes", "0010_accessattemptexpiration"),
        ("otp_static", "0003_add_timestamps"),
        ("otp_totp", "0003_add_timestamps"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="FormerPassword",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="密码摘要")),
                ("set_at", models.DateTimeField(auto_now_add=True, verbose_name="设置时间")),
            ],
            options={
                "verbose_name": "历史密码",
                "verbose_name_plural": "历史密码",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="SignIn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="时间")),
                (
                    "event",
                    models.CharField(
                        choices=[
                            ("signed_in", "登录"),
                            ("code_awaited", "密码正确，待验证码"),
                            ("refused", "登录失败"),
                            ("code_refused", "验证码错误"),
                            ("locked", "锁定"),
                            ("unlocked", "解除锁定"),
                            ("signed_out", "退出"),
                            ("expired", "会话超时"),
                            ("sessions_ended", "全部会话终止"),
                            ("factor_enrolled", "绑定双重验证"),
                            ("factor_reset", "重置双重验证"),
                            ("recovery_codes_made", "生成恢复码"),
                            ("password_changed", "更改密码"),
                        ],
                        max_length=20,
                        verbose_name="事件",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        help_text="未登记的用户名只存摘要 / a name nobody has is kept as a digest",
                        max_length=150,
                        verbose_name="用户名",
                    ),
                ),
                (
                    "actor",
                    models.CharField(blank=True, default="", max_length=150, verbose_name="操作人"),
                ),
                (
                    "address",
                    models.GenericIPAddressField(blank=True, null=True, verbose_name="地址"),
                ),
                (
                    "browser",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="浏览器"),
                ),
                (
                    "method",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("password", "密码"),
                            ("code", "密码与验证码"),
                            ("recovery", "密码与恢复码"),
                            ("sso", "单点登录"),
                            ("sso_code", "单点登录与验证码"),
                            ("sso_recovery", "单点登录与恢复码"),
                        ],
                        default="",
                        max_length=20,
                        verbose_name="方式",
                    ),
                ),
                (
                    "detail",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="说明"),
                ),
            ],
            options={
                "verbose_name": "登录记录",
                "verbose_name_plural": "登录记录",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="UserEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                (
                    "first_name",
                    models.CharField(blank=True, max_length=150, verbose_name="first name"),
                ),
                (
                    "last_name",
                    models.CharField(blank=True, max_length=150, verbose_name="last name"),
                ),
                (
                    "email",
                    models.EmailField(blank=True, max_length=254, verbose_name="email address"),
                ),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                (
                    "date_joined",
                    models.DateTimeField(
                        default=django.utils.timezone.now,  # noqa: TID251
                        verbose_name="date joined",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("maker", "经办"),
                            ("checker", "复核"),
                            ("manager", "机构管理员"),
                            ("finance_viewer", "财政只读"),
                            ("auditor", "审计"),
                            ("administrator", "系统管理员"),
                        ],
                        default="maker",
                        max_length=20,
                        verbose_name="角色",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="user",
            name="must_change_password",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="密码由他人设置 / somebody else set the password",
                verbose_name="须更改密码",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="session_epoch",
            field=models.IntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="加一即终止全部会话 / one more ends every session",
                verbose_name="会话批次",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."date_joined" IS DISTINCT FROM (NEW."date_joined") OR OLD."email" IS DISTINCT FROM (NEW."email") OR OLD."first_name" IS DISTINCT FROM (NEW."first_name") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."institution_id" IS DISTINCT FROM (NEW."institution_id") OR OLD."is_active" IS DISTINCT FROM (NEW."is_active") OR OLD."is_staff" IS DISTINCT FROM (NEW."is_staff") OR OLD."is_superuser" IS DISTINCT FROM (NEW."is_superuser") OR OLD."last_name" IS DISTINCT FROM (NEW."last_name") OR OLD."role" IS DISTINCT FROM (NEW."role") OR OLD."username" IS DISTINCT FROM (NEW."username"))',
                    func='INSERT INTO "kernel_userevent" ("date_joined", "email", "first_name", "id", "institution_id", "is_active", "is_staff", "is_superuser", "last_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "username") VALUES (OLD."date_joined", OLD."email", OLD."first_name", OLD."id", OLD."institution_id", OLD."is_active", OLD."is_staff", OLD."is_superuser", OLD."last_name", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."role", OLD."username"); RETURN NULL;',
                    hash="986c9e3b4193811b964b96f90e698b1eacaa3d06",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_0a40d",
                    table="kernel_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "kernel_userevent" ("date_joined", "email", "first_name", "id", "institution_id", "is_active", "is_staff", "is_superuser", "last_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "username") VALUES (OLD."date_joined", OLD."email", OLD."first_name", OLD."id", OLD."institution_id", OLD."is_active", OLD."is_staff", OLD."is_superuser", OLD."last_name", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."role", OLD."username"); RETURN NULL;',
                    hash="aed8a0a27e0644587661555416f3a57f4cd06a07",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_5d083",
                    table="kernel_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="added_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "kernel_userevent" ("date_joined", "email", "first_name", "id", "institution_id", "is_active", "is_staff", "is_superuser", "last_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "username") VALUES (NEW."date_joined", NEW."email", NEW."first_name", NEW."id", NEW."institution_id", NEW."is_active", NEW."is_staff", NEW."is_superuser", NEW."last_name", _pgh_attach_context(), NOW(), \'added\', NEW."id", NEW."role", NEW."username"); RETURN NULL;',
                    hash="46b55ed3231904efdb3bd979b8022fd9b2ee70f0",
                    operation="INSERT",
                    pgid="pgtrigger_added_insert_f53b9",
                    table="kernel_user",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="formerpassword",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="former_passwords",
                to=settings.AUTH_USER_MODEL,
                verbose_name="用户",
            ),
        ),
        migrations.AddField(
            model_name="signin",
            name="user",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sign_ins",
                to=settings.AUTH_USER_MODEL,
                verbose_name="用户",
            ),
        ),
        migrations.AddField(
            model_name="userevent",
            name="institution",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                help_text="可见本机构及下级；系统管理员留空 = 全部 / sees it and all below; administrators blank = all",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="kernel.institution",
                verbose_name="所属机构",
            ),
        ),
        migrations.AddField(
            model_name="userevent",
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
            model_name="userevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="signin",
            index=models.Index(fields=["user", "-id"], name="sign_in_of_user"),
        ),
        migrations.AddIndex(
            model_name="signin",
            index=models.Index(fields=["username", "-id"], name="sign_in_of_name"),
        ),
        migrations.AddIndex(
            model_name="signin",
            index=models.Index(fields=["address", "-id"], name="sign_in_from"),
        ),
        migrations.RunSQL(GRANTS, migrations.RunSQL.noop),
        migrations.RunSQL(CONTEXT, UNDO),
    ]
