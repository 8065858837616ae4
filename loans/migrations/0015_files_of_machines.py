"""What belongs to no institution is brought in by a client of finance, who sees its own such files."""

from django.db import migrations

# The name a finance department's client acts under, of the client that asks now; null for all others.
OWN = """institution_id IS NULL AND kind = 'external-subsidies' AND made_by = (
    SELECT 'api:' || c.name FROM kernel_apiclient c
    WHERE c.id = nullif(current_setting('app.client', true), '')::bigint
        AND c.department_id IS NOT NULL)"""
POLICY = f"""
CREATE POLICY loans_fileimport_client ON loans_fileimport FOR ALL TO app
    USING ({OWN}) WITH CHECK ({OWN});
"""
UNDO = "DROP POLICY loans_fileimport_client ON loans_fileimport;"


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0012_clients_protected"),
        ("loans", "0014_enterprise_contacts"),
    ]

    operations = [migrations.RunSQL(POLICY, UNDO)]
