"""Who says that a code is real, and why, is seen where it was said and above; that it is, by all."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

# Rows from before belong where their maker works; commands' belong to none, so to who sees everything.
WHERE_MADE = """
ALTER TABLE loans_usccconfirmation DISABLE TRIGGER USER;
ALTER TABLE loans_usccconfirmationevent DISABLE TRIGGER USER;
UPDATE loans_usccconfirmation c SET institution_id = u.institution_id
FROM kernel_user u WHERE u.username = c.made_by;
UPDATE loans_usccconfirmationevent e SET institution_id = u.institution_id
FROM kernel_user u WHERE u.username = e.made_by;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE loans_usccconfirmation ENABLE TRIGGER USER;
ALTER TABLE loans_usccconfirmationevent ENABLE TRIGGER USER;
"""

HELD = """
SELECT kernel_protect('loans_usccconfirmation'), kernel_protect('loans_usccconfirmationevent');
SELECT kernel_grant('loans_usccconfirmation', may, may) FROM (VALUES ('UPDATE (checked_at)')) AS g(may);

DROP TRIGGER said ON loans_usccconfirmation;
CREATE TRIGGER said BEFORE UPDATE ON loans_usccconfirmation
    FOR EACH ROW WHEN (OLD.refused_by IS NULL)
    EXECUTE FUNCTION kernel_answer_stays('checked_by', 'checked_at', 'refused_by', 'refused_at', 'refused_why');

CREATE FUNCTION loans_code_is_said_first() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF coalesce(nullif(current_setting('role'), 'none'), session_user) = 'app' THEN
        RAISE EXCEPTION '先登记，后由他人复核 / a code is said first and checked afterwards'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;  -- commands name both at once
END $$;
CREATE TRIGGER said_first BEFORE INSERT ON loans_usccconfirmation
    FOR EACH ROW WHEN (NEW.checked_by IS NOT NULL) EXECUTE FUNCTION loans_code_is_said_first();
CREATE TRIGGER said_anew_first BEFORE UPDATE ON loans_usccconfirmation
    FOR EACH ROW WHEN (OLD.refused_by IS NOT NULL AND NEW.checked_by IS NOT NULL)
    EXECUTE FUNCTION loans_code_is_said_first();

CREATE FUNCTION loans_confirmed_usccs() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT DISTINCT c.uscc::text FROM loans_usccconfirmation c WHERE c.checked_by IS NOT NULL;
END;
COMMENT ON FUNCTION loans_confirmed_usccs IS
    'Codes that two people let in, wherever they work: the registry is everybody''s, who and why is not';
"""
UNHELD = """
DROP FUNCTION loans_confirmed_usccs();
DROP TRIGGER said_first ON loans_usccconfirmation;
DROP TRIGGER said_anew_first ON loans_usccconfirmation;
DROP FUNCTION loans_code_is_said_first();
DROP TRIGGER said ON loans_usccconfirmation;
CREATE TRIGGER said BEFORE UPDATE ON loans_usccconfirmation
    FOR EACH ROW WHEN (OLD.refused_by IS NULL)
    EXECUTE FUNCTION kernel_answer_stays('checked_by', 'refused_by', 'refused_at', 'refused_why');
ALTER TABLE loans_usccconfirmation DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
ALTER TABLE loans_usccconfirmationevent DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0009_names_stay"),
        ("loans", "0011_answers_stay"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="usccconfirmation",
            name="before_change_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="usccconfirmation",
            name="before_delete_delete",
        ),
        migrations.AddField(
            model_name="usccconfirmation",
            name="checked_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="复核时间"),
        ),
        migrations.AddField(
            model_name="usccconfirmation",
            name="institution",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kernel.institution",
                verbose_name="机构",
            ),
        ),
        migrations.AddField(
            model_name="usccconfirmationevent",
            name="checked_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="复核时间"),
        ),
        migrations.AddField(
            model_name="usccconfirmationevent",
            name="institution",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="kernel.institution",
                verbose_name="机构",
            ),
        ),
        migrations.AlterField(
            model_name="usccconfirmation",
            name="uscc",
            field=models.CharField(max_length=18, verbose_name="统一社会信用代码"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="usccconfirmation",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "loans_usccconfirmationevent" ("at", "checked_at", "checked_by", "id", "institution_id", "made_by", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "refused_at", "refused_by", "refused_why", "uscc") VALUES (OLD."at", OLD."checked_at", OLD."checked_by", OLD."id", OLD."institution_id", OLD."made_by", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."reason", OLD."refused_at", OLD."refused_by", OLD."refused_why", OLD."uscc"); RETURN NULL;',
                    hash="895ecdc064d98d3aaa73be2beb47a9e8b983bef1",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_1f5d5",
                    table="loans_usccconfirmation",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="usccconfirmation",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_usccconfirmationevent" ("at", "checked_at", "checked_by", "id", "institution_id", "made_by", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "refused_at", "refused_by", "refused_why", "uscc") VALUES (OLD."at", OLD."checked_at", OLD."checked_by", OLD."id", OLD."institution_id", OLD."made_by", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."reason", OLD."refused_at", OLD."refused_by", OLD."refused_why", OLD."uscc"); RETURN NULL;',
                    hash="91cd2c0fc93adf9db1e8820b5b417b14ffd85fbc",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_5040d",
                    table="loans_usccconfirmation",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="usccconfirmation",
            constraint=models.UniqueConstraint(
                fields=("uscc", "institution"), name="uscc_confirmation_once", nulls_distinct=False
            ),
        ),
        migrations.RunSQL(WHERE_MADE, migrations.RunSQL.noop),
        migrations.RunSQL(HELD, UNHELD),
    ]
