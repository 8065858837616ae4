"""No note is subsidised under two schemes that exclude each other: the database holds it."""

import tomllib

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# Deferred, since one statement may take one label of a note down and put another up.
HELD = """
ALTER TABLE settlement_enrolment ADD CONSTRAINT enrolment_one_of_a_group
    EXCLUDE USING btree (note_id WITH =, exclusive_group WITH =)
    WHERE (status = 'eligible' AND exclusive_group <> '') DEFERRABLE INITIALLY DEFERRED
"""
FREE = "ALTER TABLE settlement_enrolment DROP CONSTRAINT enrolment_one_of_a_group"


def name_groups(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """Write the group of each version's text to what was judged by it."""
    enrolments = apps.get_model("settlement", "Enrolment").objects
    for version in apps.get_model("settlement", "SchemeVersion").objects.all():
        group = tomllib.loads(version.text).get("exclusive_group", "")
        text = group["value"] if isinstance(group, dict) else group
        enrolments.filter(version_id=version.pk).exclude(exclusive_group=text).update(
            exclusive_group=text
        )
    twice = (
        enrolments.filter(status="eligible")
        .exclude(exclusive_group="")
        .values("note_id", "exclusive_group")
        .annotate(labels=models.Count("id"))
        .filter(labels__gt=1)
    )
    if twice.exists():
        some = ", ".join(str(row["note_id"]) for row in twice.order_by("note_id")[:5])
        raise RuntimeError(
            "有借据在同一互斥组内被认定两次：先用升级前的版本运行 assess，再升级"
            " / notes are judged eligible twice in one exclusive group: run `assess` with the version before,"
            f" then migrate; note ids {some}"
        )


class Migration(migrations.Migration):
    dependencies = [
        ("settlement", "0062_duplicates_since"),
    ]

    operations = [
        migrations.AddField(
            model_name="enrolment",
            name="exclusive_group",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="同组政策一笔借据只享受一项 / of a group one loan has one scheme",
                max_length=60,
                verbose_name="互斥组",
            ),
        ),
        migrations.RunSQL(HELD, FREE),
        migrations.RunPython(name_groups, migrations.RunPython.noop),
    ]
