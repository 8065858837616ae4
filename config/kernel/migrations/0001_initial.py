import django.contrib.auth.models
import django.contrib.auth.validators
import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.core.management.base import CommandError
from django.db import migrations, models


def require_roles(apps, schema_editor):
    """The roles belong to the database server, so a migration of one database cannot make them."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname IN ('app', 'worker')")
        missing = {"app", "worker"} - {name for (name,) in cursor.fetchall()}
    if missing:
        raise CommandError(
            f"缺少数据库角色，请先运行 manage.py create_roles"
            f" / database roles missing, run manage.py create_roles first: {', '.join(sorted(missing))}"
        )


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.RunPython(require_roles, migrations.RunPython.noop),
        migrations.CreateModel(
            name="Institution",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        help_text="树形编号 / number in the tree, never changes",
                        primary_key=True,
                        serialize=False,
                        verbose_name="机构序号",
                    ),
                ),
                (
                    "last_id",
                    models.BigIntegerField(
                        help_text="下级机构可用的最大序号 / highest number below this one, inclusive",
                        verbose_name="末级序号",
                    ),
                ),
                ("code", models.CharField(max_length=40, unique=True, verbose_name="机构编码")),
                ("name", models.CharField(max_length=200, verbose_name="机构名称")),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("headquarters", "总行"),
                            ("provincial", "一级分行"),
                            ("branch", "分支机构"),
                        ],
                        max_length=20,
                        verbose_name="机构层级",
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
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="kernel.institution",
                        verbose_name="上级机构",
                    ),
                ),
            ],
            options={
                "verbose_name": "机构",
                "verbose_name_plural": "机构",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
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
                        unique=True,
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
                        default=django.utils.timezone.now, verbose_name="date joined"
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
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        blank=True,
                        help_text="可见本机构及下级；系统管理员留空 = 全部 / sees it and all below; administrators blank = all",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="users",
                        to="kernel.institution",
                        verbose_name="所属机构",
                    ),
                ),
            ],
            options={
                "verbose_name": "用户",
                "verbose_name_plural": "用户",
                "abstract": False,
            },
            managers=[
                ("objects", django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="InstitutionEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "id",
                    models.BigIntegerField(
                        help_text="树形编号 / number in the tree, never changes",
                        serialize=False,
                        verbose_name="机构序号",
                    ),
                ),
                (
                    "last_id",
                    models.BigIntegerField(
                        help_text="下级机构可用的最大序号 / highest number below this one, inclusive",
                        verbose_name="末级序号",
                    ),
                ),
                ("code", models.CharField(max_length=40, verbose_name="机构编码")),
                ("name", models.CharField(max_length=200, verbose_name="机构名称")),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("headquarters", "总行"),
                            ("provincial", "一级分行"),
                            ("branch", "分支机构"),
                        ],
                        max_length=20,
                        verbose_name="机构层级",
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
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.institution",
                        verbose_name="上级机构",
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
                        to="kernel.institution",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Run",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=40, verbose_name="任务类型")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "进行中"), ("done", "已完成"), ("failed", "失败")],
                        default="open",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("params", models.JSONField(default=dict, verbose_name="参数")),
                ("actor", models.CharField(max_length=150, verbose_name="发起人")),
                ("created_at", models.DateTimeField(verbose_name="发起时间")),
                (
                    "finished_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="完成时间"),
                ),
                ("stats", models.JSONField(blank=True, null=True, verbose_name="统计")),
            ],
            options={
                "verbose_name": "任务",
                "verbose_name_plural": "任务",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "done", "failed"])),
                        name="run_state_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Chunk",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("ordinal", models.IntegerField(verbose_name="序号")),
                ("payload", models.JSONField(default=dict, verbose_name="内容")),
                (
                    "state",
                    models.CharField(
                        choices=[("todo", "待处理"), ("done", "已完成"), ("failed", "失败")],
                        default="todo",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("attempts", models.IntegerField(default=0, verbose_name="尝试次数")),
                (
                    "lease_owner",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="处理者"),
                ),
                (
                    "lease_until",
                    models.DateTimeField(blank=True, null=True, verbose_name="处理期限"),
                ),
                ("stats", models.JSONField(blank=True, null=True, verbose_name="统计")),
                ("error", models.TextField(blank=True, default="", verbose_name="错误")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chunks",
                        to="kernel.run",
                        verbose_name="任务",
                    ),
                ),
            ],
            options={
                "verbose_name": "任务分段",
                "verbose_name_plural": "任务分段",
                "ordering": ["run", "ordinal"],
            },
        ),
        migrations.AddConstraint(
            model_name="institution",
            constraint=models.CheckConstraint(
                condition=models.Q(("level__in", ["headquarters", "provincial", "branch"])),
                name="institution_level_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="institution",
            constraint=models.CheckConstraint(
                condition=models.Q(("id__gt", 0), ("last_id__gte", models.F("id"))),
                name="institution_range_holds_itself",
            ),
        ),
        migrations.AddConstraint(
            model_name="institution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("parent__isnull", True), ("parent__lt", models.F("id")), _connector="OR"
                ),
                name="institution_parent_numbered_first",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="institution",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "kernel_institutionevent" ("code", "id", "last_id", "level", "name", "parent_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region_code") VALUES (OLD."code", OLD."id", OLD."last_id", OLD."level", OLD."name", OLD."parent_id", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."region_code"); RETURN NULL;',
                    hash="4b3c98de85bff132b44cc459757f69587b623e1e",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_7441e",
                    table="kernel_institution",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="institution",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "kernel_institutionevent" ("code", "id", "last_id", "level", "name", "parent_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region_code") VALUES (OLD."code", OLD."id", OLD."last_id", OLD."level", OLD."name", OLD."parent_id", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."region_code"); RETURN NULL;',
                    hash="03bfb0c46249903d81c214395576bebbd7485178",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_66935",
                    table="kernel_institution",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        [
                            "maker",
                            "checker",
                            "manager",
                            "finance_viewer",
                            "auditor",
                            "administrator",
                        ],
                    )
                ),
                name="user_role_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="chunk",
            constraint=models.UniqueConstraint(
                fields=("run", "ordinal"), name="chunk_once_per_run"
            ),
        ),
        migrations.AddConstraint(
            model_name="chunk",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["todo", "done", "failed"])),
                name="chunk_state_known",
            ),
        ),
    ]
