"""The two system actors, and what app and worker may do with the tables of kernel and Django."""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import migrations

READ = "SELECT"
ADD = "SELECT, INSERT"
EDIT = "SELECT, INSERT, UPDATE"
LINK = "SELECT, INSERT, DELETE"

# table → (app, worker)
GRANTS = {
    "kernel_institution": (EDIT, EDIT),
    "kernel_institutionevent": (ADD, ADD),
    "kernel_user": (EDIT, EDIT),
    "kernel_user_groups": (LINK, LINK),
    "kernel_user_user_permissions": (LINK, LINK),
    "kernel_run": (READ, EDIT),
    "kernel_chunk": (READ, EDIT),
    "auth_group": (EDIT, EDIT),
    "auth_group_permissions": (LINK, LINK),
    "auth_permission": (READ, READ),
    "django_admin_log": (ADD, ADD),
    "django_content_type": (READ, READ),
    "django_migrations": (READ, READ),
    "django_session": (EDIT + ", DELETE", EDIT + ", DELETE"),
    "pghistory_context": (EDIT, EDIT),
}


def add_system_actors(apps: Any, schema_editor: Any) -> None:
    """Commands act as `system`; what they made is checked by `system-checker` where that is on."""
    users = apps.get_model("kernel", "User").objects.using(schema_editor.connection.alias)
    for username in ("system", "system-checker"):
        users.get_or_create(
            username=username, defaults={"role": "administrator", "password": make_password(None)}
        )


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0002_database_rules"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("pghistory", "0007_auto_20250421_0444"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.RunPython(add_system_actors, migrations.RunPython.noop),
        migrations.RunSQL(
            [
                ("SELECT kernel_grant(%s::regclass, %s, %s)", [table, app, worker])
                for table, (app, worker) in GRANTS.items()
            ],
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            "SELECT kernel_append_only('kernel_institutionevent')", migrations.RunSQL.noop
        ),
    ]
