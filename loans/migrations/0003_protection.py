"""Who sees and changes which rows: grants, row-level security, append-only, moving a note."""

from django.db import migrations

READ = "SELECT"
ADD = "SELECT, INSERT"
EDIT = "SELECT, INSERT, UPDATE"
CHECK = "SELECT, INSERT, UPDATE (checked_by)"

# table → (app, worker)
GRANTS = {
    "loans_schemelabel": (READ, EDIT),
    "loans_participation": (EDIT, EDIT),
    "loans_lpr": (EDIT, EDIT),
    "loans_schemefund": (EDIT, EDIT),
    "loans_enterprise": (EDIT, EDIT),
    "loans_enterpriserecord": (EDIT, EDIT),
    "loans_enterprisetitle": (EDIT, EDIT),
    "loans_usccconfirmation": (CHECK, CHECK),
    "loans_project": (EDIT, EDIT),
    "loans_contract": (EDIT, EDIT),
    "loans_syndicateshare": (EDIT, EDIT),
    "loans_note": (EDIT, EDIT),
    "loans_notestatus": (EDIT, EDIT),
    "loans_equipmentinvoice": (EDIT, EDIT),
    "loans_guarantee": (EDIT, EDIT),
    "loans_notetransfer": (EDIT, EDIT),
    "loans_openingposition": (EDIT, EDIT),
}
SCOPED = (
    "loans_participation",
    "loans_contract",
    "loans_syndicateshare",
    "loans_note",
    "loans_notestatus",
    "loans_equipmentinvoice",
    "loans_guarantee",
    "loans_notetransfer",
    "loans_openingposition",
    "loans_participationevent",
    "loans_contractevent",
    "loans_syndicateshareevent",
    "loans_noteevent",
    "loans_notestatusevent",
    "loans_equipmentinvoiceevent",
    "loans_guaranteeevent",
    "loans_notetransferevent",
    "loans_openingpositionevent",
)
EVIDENCE = (
    "loans_importbatch",
    "loans_repayment",
    "loans_interestcollection",
    "loans_externalsubsidy",
    "loans_preallocation",
    "loans_reviewresult",
    "loans_bankstatement",
)
EVENTS = (
    "loans_participationevent",
    "loans_lprevent",
    "loans_schemefundevent",
    "loans_enterpriserecordevent",
    "loans_enterprisetitleevent",
    "loans_projectevent",
    "loans_contractevent",
    "loans_syndicateshareevent",
    "loans_noteevent",
    "loans_notestatusevent",
    "loans_equipmentinvoiceevent",
    "loans_guaranteeevent",
    "loans_notetransferevent",
    "loans_openingpositionevent",
)

# A moved note keeps its contract, which stays with the institution that signed it: whoever sees a
# note may read its contract.
CONTRACT_OF_NOTE = """
CREATE POLICY loans_contract_of_note ON loans_contract FOR SELECT TO app
USING (EXISTS (SELECT FROM loans_note n WHERE n.contract_id = loans_contract.id));
"""

# Every table with both note_id and institution_id is a note's; settlement's are found the same way.
MOVE_NOTE = """
CREATE FUNCTION loans_move_note(note_id bigint, new_institution bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    scoped regclass;
BEGIN
    IF NOT EXISTS (SELECT FROM kernel_institution WHERE id = $2) THEN
        RAISE EXCEPTION '未登记的转入机构 / unknown receiving institution: %', $2
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    PERFORM set_config('kernel.scope_move', 'on', true);
    UPDATE loans_note SET institution_id = $2 WHERE id = $1 AND institution_id <> $2;
    UPDATE loans_noteevent SET institution_id = $2 WHERE pgh_obj_id = $1 AND institution_id <> $2;
    UPDATE loans_externalsubsidy x SET institution_id = $2
    FROM loans_note n
    WHERE n.id = $1 AND x.origin_id = n.origin_id AND x.note_number = n.note_number
        AND x.institution_id IS DISTINCT FROM $2;
    FOR scoped IN
        SELECT c.oid FROM pg_class c
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND c.relnamespace = 'public'::regnamespace
            AND 2 = (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid
                AND NOT a.attisdropped AND a.attname IN ('note_id', 'institution_id'))
        ORDER BY c.relname
    LOOP
        EXECUTE format('UPDATE %s SET institution_id = $2 WHERE note_id = $1'
            ' AND institution_id <> $2', scoped) USING $1, $2;
    END LOOP;
    PERFORM set_config('kernel.scope_move', '', true);
END $$;
COMMENT ON FUNCTION loans_move_note IS
    'Let the scope of a note and of all its rows be another institution; nothing else changes';
REVOKE EXECUTE ON FUNCTION loans_move_note(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION loans_move_note(bigint, bigint) TO worker;
"""


def grants() -> list[tuple[str, list[str]]]:
    """Statements that give app and worker their privileges."""
    every = GRANTS | dict.fromkeys(EVIDENCE + EVENTS, (ADD, ADD))
    return [
        ("SELECT kernel_grant(%s::regclass, %s, %s)", [table, app, worker])
        for table, (app, worker) in every.items()
    ]


def protections() -> list[tuple[str, list[str]]]:
    """Statements that turn on row-level security and the append-only triggers."""
    scoped = [("SELECT kernel_protect(%s::regclass)", [table]) for table in SCOPED + EVIDENCE]
    fixed = [("SELECT kernel_append_only(%s::regclass)", [table]) for table in EVIDENCE + EVENTS]
    return scoped + fixed


class Migration(migrations.Migration):
    dependencies = [
        ("loans", "0002_interest_collections"),
        ("kernel", "0003_people_and_grants"),
    ]

    operations = [
        migrations.RunSQL(grants(), migrations.RunSQL.noop),
        migrations.RunSQL(protections(), migrations.RunSQL.noop),
        migrations.RunSQL(CONTRACT_OF_NOTE, "DROP POLICY loans_contract_of_note ON loans_contract"),
        migrations.RunSQL(MOVE_NOTE, "DROP FUNCTION loans_move_note"),
    ]
