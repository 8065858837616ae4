"""What keeps answers as given is one function, the kernel's; settlement's own copy goes."""

from django.db import migrations

# Triggers cannot be told to call another function: each is made again as it was, calling that one.
REWIRED = """
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT tgname, tgrelid::regclass AS of, pg_get_triggerdef(oid) AS made
        FROM pg_trigger WHERE tgfoid = '{old}()'::regprocedure AND NOT tgisinternal
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', t.tgname, t.of);
        EXECUTE replace(t.made, '{old}', '{new}');
    END LOOP;
END $$;
"""
OWN, KERNELS = "settlement_answer_stays", "kernel_answer_stays"
# Only settlement's triggers go back.
BACK = REWIRED.format(old=KERNELS, new=OWN).replace(
    "AND NOT tgisinternal", "AND tgrelid::regclass::text LIKE 'settlement\\_%'"
)
OWN_AGAIN = f"""
CREATE FUNCTION {OWN}() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    may_move text[] := array_append(coalesce(TG_ARGV, '{{}}'), 'institution_id');
BEGIN
    IF to_jsonb(NEW) - may_move IS DISTINCT FROM to_jsonb(OLD) - may_move THEN
        RAISE EXCEPTION '% 已复核，不再变动 / % is answered and stays: enter another one instead',
            TG_TABLE_NAME, TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0009_names_stay"),
        ("settlement", "0034_history_of_refusals"),
    ]

    operations = [
        migrations.RunSQL(
            REWIRED.format(old=OWN, new=KERNELS) + f"DROP FUNCTION {OWN}();", OWN_AGAIN + BACK
        )
    ]
