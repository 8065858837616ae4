"""What targets are made of: look-ups, set-based checks, and whose subsidies a change may move.

Everything here is SQL over two temporary tables: `stage` (the file's typed rows, alias `s`) and
`resolved` (the same rows in the target's own columns, alias `r`, with the stored row's id).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Join:
    """A look-up a row depends on: unless `found` is known, the row is refused, blaming `column`."""

    sql: str
    column: str
    found: str
    message: str
    when: str = "true"  # only rows of the stage for which this holds need it
    own: bool = False  # what is found lies within the scope of whoever brings the row


@dataclass(frozen=True)
class Check:
    """A set-based rule: its SQL gives (row, column, value, message) for each row that breaks it."""

    sql: str


@dataclass(frozen=True)
class Target:
    """How rows of one kind become rows of one table."""

    table: str
    columns: dict[str, str]  # table column → expression over s and the joins
    key: tuple[str, ...]  # table columns of the natural key
    joins: tuple[Join, ...] = ()
    extras: dict[str, str] = field(default_factory=dict)  # further columns of `resolved`
    scope: str | None = None  # column of `resolved`: the institution whose staff may write the row
    match: str = ""  # the stored row's condition over t and r, where the key alone does not say it
    bank_match: str = ""  # the same for a bank, which corrects nothing in a registry all banks read
    scope_columns: tuple[str, ...] = ("institution_id",)  # follow moves, so they are no content
    checks: tuple[Check, ...] = ()
    touches: tuple[str, ...] = ()  # enterprises whose subsidies may change (before the write)
    shared: bool = False  # a registry all banks read; only administrators change what is stored
    administrators_only: bool = False
    is_signed: bool = False  # rows say who brought them and when: made_by, made_at
    undo: tuple[str, str] = ("请冲正后重新录入", "reverse and re-enter")  # of evidence that differs
    also_writes: tuple[str, ...] = ()  # further tables that grow with this kind
    blame: dict[str, str] = field(
        default_factory=dict
    )  # table column → file column, where named apart


INSTITUTION = Join(
    "LEFT JOIN kernel_institution i ON i.code = s.institution_code",
    "institution_code",
    "i.id",
    "未登记的机构编码，请先导入机构 / unknown institution: import institutions first",
)
ENTERPRISE = Join(
    "LEFT JOIN loans_enterprise e ON e.uscc = s.uscc",
    "uscc",
    "e.id",
    "未登记的企业，请先导入企业 / unknown enterprise: import enterprises first",
)
CONTRACT = Join(
    "LEFT JOIN loans_contract c ON c.institution_id = i.id AND c.contract_number = s.contract_number",
    "contract_number",
    "c.id",
    "该机构没有此合同号，请先导入合同 / unknown contract of this institution: import contracts first",
)
NOTE = Join(
    "LEFT JOIN loans_note n ON n.origin_id = i.id AND n.note_number = s.note_number "
    "LEFT JOIN loans_contract nc ON nc.id = n.contract_id",
    "note_number",
    "n.id",
    "该机构没有此借据号，请先导入借据 / unknown note of this institution: import notes first",
)
GUARANTEE = Join(
    "LEFT JOIN loans_guarantee g ON g.origin_id = i.id AND g.guarantee_number = s.guarantee_number",
    "guarantee_number",
    "g.id",
    "该机构没有此担保合同号，请先导入担保 / unknown guarantee of this institution: import guarantees first",
)
PROJECT = Join(
    "LEFT JOIN loans_project p ON p.project_code = s.project_code",
    "project_code",
    "p.id",
    "未登记的项目代码，请先导入项目 / unknown project: import projects first",
    when="s.project_code <> ''",
)
SCHEME = Join(
    "LEFT JOIN loans_schemelabel l ON l.code = s.scheme_code",
    "scheme_code",
    "l.code",
    "未登记的贴息政策代码，请先装载政策 / unknown scheme: run load_schemes first",
)
OPTIONAL_SCHEME = Join(
    SCHEME.sql,
    "scheme_code",
    "l.code",
    SCHEME.message,
    when="s.scheme_code <> ''",
)
PARTICIPANT = Join(
    "LEFT JOIN kernel_institution pi ON pi.code = s.participant_code",
    "participant_code",
    "pi.id",
    "未登记的参贷行机构编码 / unknown participant institution",
)
NEW_INSTITUTION = Join(
    "LEFT JOIN kernel_institution ni ON ni.code = s.new_institution_code",
    "new_institution_code",
    "ni.id",
    "未登记的转入机构编码 / unknown receiving institution",
    own=True,
)
OPTIONAL_INSTITUTION = Join(
    INSTITUTION.sql,
    "institution_code",
    "i.id",
    INSTITUTION.message,
    when="s.institution_code <> ''",
)

OPTIONAL_NOTE = Join(
    NOTE.sql,
    NOTE.column,
    NOTE.found,
    NOTE.message,
    when="s.note_number <> ''",
)
NOTE_IF_KNOWN = Join(  # an outside record may name a note this bank does not hold (yet)
    "LEFT JOIN loans_note n ON n.origin_id = i.id AND n.note_number = s.note_number",
    "note_number",
    "true",
    "",
)

OF_NOTE = {"institution_id": "n.institution_id", "note_id": "n.id"}
OF_KEYED_NOTE = {
    "institution_id": "n.institution_id",
    "origin_id": "n.origin_id",
    "note_id": "n.id",
}
NOTE_ENTERPRISE = {"enterprise_id": "nc.enterprise_id"}
TOUCH_ROWS = "SELECT r.enterprise_id FROM resolved r WHERE r.fresh OR r.changed"

# The record that says what an enterprise was on a day: before the first, the first one (L6).
RECORD_IN_FORCE = """
    t.id = (
        SELECT x.id FROM loans_enterpriserecord x WHERE x.enterprise_id = r.enterprise_id
        ORDER BY x.valid_from <= r.valid_from DESC, abs(x.valid_from - r.valid_from) LIMIT 1)
"""

# A paper that was withdrawn may be entered again; an institution's own papers have no note.
LIVE_PAPER = """
    t.archive_number = r.archive_number AND t.kind = r.kind AND t.scheme_code = r.scheme_code
    AND t.note_id IS NOT DISTINCT FROM r.note_id
    AND (r.note_id IS NOT NULL OR t.institution_id = r.institution_id)
    AND NOT EXISTS (SELECT FROM loans_paperwithdrawal w WHERE w.paper_id = t.id)
"""

ABOVE_PRINCIPAL = Check(
    """
    WITH notes AS (SELECT DISTINCT note_id FROM resolved WHERE fresh),
    repaid AS (
        SELECT x.note_id, sum(x.amount_fen) AS fen FROM (
            SELECT note_id, amount_fen FROM resolved WHERE fresh
            UNION ALL
            SELECT t.note_id, t.amount_fen FROM loans_repayment t JOIN notes USING (note_id)
        ) x GROUP BY x.note_id
    )
    SELECT r.row, 'amount', (r.amount_fen * 0.01)::text,
           '还本合计超过放款金额 ' || (n.principal_fen * 0.01)::text
           || '，请核对或先冲正 / repayments above the principal: check, or reverse first'
    FROM resolved r JOIN repaid ON repaid.note_id = r.note_id JOIN loans_note n ON n.id = r.note_id
    WHERE r.fresh AND r.amount_fen > 0 AND repaid.fen > n.principal_fen
    """
)
PRINCIPAL_BELOW_REPAID = Check(
    """
    SELECT r.row, 'principal', (r.principal_fen * 0.01)::text,
           '放款金额低于已还本金 ' || (x.fen * 0.01)::text
           || ' / principal below what has been repaid'
    FROM resolved r
    JOIN LATERAL (SELECT sum(amount_fen) AS fen FROM loans_repayment WHERE note_id = r.stored_id) x
      ON x.fen > r.principal_fen
    WHERE r.changed
    """
)
WITHIN_GUARANTEE = Check(
    """
    WITH known AS (SELECT DISTINCT guarantee_id FROM resolved WHERE fresh),
    paid AS (
        SELECT x.guarantee_id, sum(x.fen) AS fen FROM (
            SELECT guarantee_id, unpaid_principal_fen AS fen FROM resolved WHERE fresh
            UNION ALL
            SELECT t.guarantee_id, t.unpaid_principal_fen FROM loans_compensation t
            JOIN known USING (guarantee_id)
        ) x GROUP BY x.guarantee_id
    )
    SELECT r.row, 'unpaid_principal', (r.unpaid_principal_fen * 0.01)::text,
           '该担保的代偿本金合计须在 0 与担保本金 ' || (g.principal_fen * 0.01)::text
           || ' 之间，请核对或先冲正 / compensated principal of the guarantee must lie between 0 and its '
           || 'principal: check, or reverse first'
    FROM resolved r JOIN paid ON paid.guarantee_id = r.guarantee_id
    JOIN loans_guarantee g ON g.id = r.guarantee_id
    WHERE r.fresh AND paid.fen NOT BETWEEN 0 AND g.principal_fen
    """
)
GUARANTEE_BELOW_COMPENSATED = Check(
    """
    SELECT r.row, 'principal', (r.principal_fen * 0.01)::text,
           '担保本金低于已代偿本金 ' || (x.fen * 0.01)::text
           || ' / principal below what has been compensated'
    FROM resolved r
    JOIN LATERAL (SELECT sum(unpaid_principal_fen) AS fen FROM loans_compensation
        WHERE guarantee_id = r.stored_id) x ON x.fen > r.principal_fen
    WHERE r.changed
    """
)
# How past interest was collected, in full or net, does not change afterwards; the account may.
AGREED_BEFORE_COLLECTION = Check(
    """
    WITH collected AS (
        SELECT x.note_id, max(x.collected_on) AS last FROM loans_interestcollection x
        WHERE x.interest_paid_fen IS NOT NULL AND x.note_id IN (SELECT note_id FROM resolved)
        GROUP BY x.note_id)
    SELECT r.row, 'valid_from', r.valid_from::text,
           '该借据已收息至 ' || c.last || '，约定须自其后生效'
           || ' / interest has been collected up to then: start after that day'
    FROM resolved r JOIN collected c ON c.note_id = r.note_id AND c.last >= r.valid_from
    WHERE r.fresh
    UNION ALL
    SELECT r.row, 'valid_to', coalesce(r.valid_to::text, ''),
           '该借据已收息至 ' || c.last || '，终止日期不能早于该日，也不能延长此前已终止的约定'
           || ' / interest has been collected up to then: neither end before that day nor revive what ended'
    FROM resolved r JOIN loans_payoutagreement t ON t.id = r.stored_id
    JOIN collected c ON c.note_id = r.note_id
        AND c.last > least(coalesce(t.valid_to, 'infinity'), coalesce(r.valid_to, 'infinity'))
    WHERE r.changed AND t.valid_to IS DISTINCT FROM r.valid_to
    """
)
KNOWN_SCHEMES = Check(
    """
    SELECT r.row, 'scheme_codes', x.label,
           '未登记的贴息政策代码，请先装载政策 / unknown scheme: run load_schemes first'
    FROM resolved r CROSS JOIN LATERAL unnest(r.scheme_codes) AS x(label)
    WHERE NOT EXISTS (SELECT 1 FROM loans_schemelabel l WHERE l.code = x.label)
    """
)
SHARES_WITHIN_WHOLE = Check(
    """
    WITH shares AS (
        SELECT x.contract_id, sum(x.share_ppm) AS ppm FROM (
            SELECT contract_id, share_ppm FROM resolved
            UNION ALL
            SELECT t.contract_id, t.share_ppm FROM loans_syndicateshare t
            WHERE t.contract_id IN (SELECT contract_id FROM resolved)
              AND t.id NOT IN (SELECT stored_id FROM resolved WHERE stored_id IS NOT NULL)
        ) x GROUP BY x.contract_id HAVING sum(x.share_ppm) > 1000000
    )
    SELECT r.row, 'share', (r.share_ppm * 0.0001)::text,
           '该合同各参贷行份额合计超过 100% / shares of this contract exceed 100 percent'
    FROM resolved r JOIN shares USING (contract_id)
    """
)
# A paid row completes its plan: same note, period and due. One in the same file is seen to by the reader.
PLAN_DIFFERS = Check(
    """
    SELECT r.row, 'reference', r.reference,
           '与同流水号计划行（已存编号 ' || t.id || '）的借据、计息期或应收利息不同，只可补实收利息和收息日'
           || ' / differs from its planned row: only interest_paid and collected_on may'
    FROM resolved r JOIN loans_interestcollection t
      ON t.origin_id = r.origin_id AND t.reference = r.reference AND t.interest_paid_fen IS NULL
    WHERE r.fresh AND r.interest_paid_fen IS NOT NULL
      AND (t.note_id, t.period_start, t.period_end, t.interest_due_fen)
          IS DISTINCT FROM (r.note_id, r.period_start, r.period_end, r.interest_due_fen)
    """
)
PLAN_AFTER_COLLECTION = Check(
    """
    SELECT r.row, 'reference', r.reference,
           '此流水号已收息（已存编号 ' || t.id || '），不能再补计划 / already collected: no plan after it'
    FROM resolved r JOIN loans_interestcollection t
      ON t.origin_id = r.origin_id AND t.reference = r.reference AND t.interest_paid_fen IS NOT NULL
    WHERE r.fresh AND r.interest_paid_fen IS NULL
    """
)

CONTRACT_TOUCHES = (
    "SELECT r.enterprise_id FROM resolved r WHERE r.changed",
    "SELECT t.enterprise_id FROM loans_contract t JOIN resolved r ON r.stored_id = t.id WHERE r.changed",
    """
    SELECT c.enterprise_id FROM loans_contract c WHERE c.project_id IN (
        SELECT r.project_id FROM resolved r WHERE r.changed
        UNION SELECT t.project_id FROM loans_contract t JOIN resolved r ON r.stored_id = t.id
        WHERE r.changed)
    """,
)
NOTE_TOUCHES = (
    TOUCH_ROWS,
    """
    SELECT c.enterprise_id FROM resolved r JOIN loans_note t ON t.id = r.stored_id
    JOIN loans_contract c ON c.id = t.contract_id WHERE r.changed
    """,
)
EXTERNAL_TOUCHES = (
    "SELECT e.id FROM resolved r JOIN loans_enterprise e ON e.uscc = r.uscc WHERE r.fresh",
    """
    SELECT c.enterprise_id FROM resolved r
    JOIN loans_note n ON n.origin_id = r.origin_id AND n.note_number = r.note_number
    JOIN loans_contract c ON c.id = n.contract_id WHERE r.fresh
    """,
)
