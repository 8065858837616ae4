"""One pre-allocation taken in by itself, beside others and not beside a file of them."""

from django.db import migrations

TAKE = """
CREATE FUNCTION loans_take_pre_allocation(
    intake bigint, kinds integer, lo bigint, hi bigint, scheme text, place text, tier text, purpose text,
    received_on date, amount bigint, document text, source text, actor text, at timestamptz,
    OUT institution bigint, OUT batch bigint, OUT taken bigint
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT i.id INTO institution FROM public.kernel_institution i JOIN public.loans_schemelabel l ON l.code = scheme
    WHERE i.code = place AND i.id BETWEEN lo AND hi AND NOT EXISTS (
        SELECT 1 FROM public.loans_preallocation p WHERE p.institution_id = i.id AND p.scheme_code = scheme
            AND p.document_number = document AND p.tier = $7 AND p.purpose = $8);
    IF institution IS NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(intake);
    PERFORM pg_advisory_xact_lock_shared(kinds, hashtext('pre-allocations'));
    INSERT INTO public.loans_importbatch (kind, file_name, sha256, rows, inserted, corrected, unchanged, actor,
        at, institution_id)
    VALUES ('pre-allocations', source, '', 1, 1, 0, 0, $13, $14, nullif(lo, 0)) RETURNING id INTO batch;
    INSERT INTO public.loans_preallocation (institution_id, scheme_code, tier, purpose, received_on,
        amount_fen, document_number, batch_id)
    VALUES (institution, scheme, $7, $8, $9, amount, document, batch)
    ON CONFLICT ON CONSTRAINT pre_allocation_once_per_document DO NOTHING RETURNING id INTO taken;
END $$;
COMMENT ON FUNCTION loans_take_pre_allocation IS
    'Store one pre-allocation of a known scheme and an institution lo to hi: its institution, batch and '
    'key. Nothing at all, and nothing held, if it is stored already or they are unknown; no key if '
    'another one came first while this one waited';
REVOKE EXECUTE ON FUNCTION loans_take_pre_allocation(bigint, integer, bigint, bigint, text, text, text,
    text, date, bigint, text, text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION loans_take_pre_allocation(bigint, integer, bigint, bigint, text, text, text,
    text, date, bigint, text, text, text, timestamptz) TO app, worker;
"""
GONE = """
DROP FUNCTION loans_take_pre_allocation(bigint, integer, bigint, bigint, text, text, text, text, date,
    bigint, text, text, text, timestamptz);
"""


class Migration(migrations.Migration):
    dependencies = [("loans", "0015_files_of_machines")]

    operations = [migrations.RunSQL(TAKE, GONE)]
