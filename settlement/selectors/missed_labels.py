"""How labels that notes miss are written, all at once."""

SQL_COLUMNS = {
    "note_id": "bigint",
    "scheme_code": "text",
    "eligible_fen": "bigint",
    "subsidised_from": "date",
    "subsidised_until": "date",
}

UPSERT = f"""
    INSERT INTO settlement_missedlabel (institution_id, {", ".join(SQL_COLUMNS)}, found_at)
    SELECT n.institution_id, {", ".join(f"m.{name}" for name in SQL_COLUMNS)}, %s
    FROM missed m JOIN loans_note n ON n.id = m.note_id ORDER BY m.note_id, m.scheme_code
    ON CONFLICT (note_id, scheme_code) DO UPDATE SET eligible_fen = excluded.eligible_fen,
    subsidised_from = excluded.subsidised_from, subsidised_until = excluded.subsidised_until,
    found_at = excluded.found_at
"""
GONE = """
    DELETE FROM settlement_missedlabel t WHERE NOT EXISTS
    (SELECT FROM missed m WHERE m.note_id = t.note_id AND m.scheme_code = t.scheme_code)
"""
