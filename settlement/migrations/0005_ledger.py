"""The fund ledger: balanced, sealed, chained and append-only because PostgreSQL says so.

Only the functions below write; `app` and `worker` may read the tables and call the functions, `app`
within its scope. The functions belong to the owner, so they check the caller's scope themselves.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

ACCOUNTS = (
    ("special_account", "贴息专户"),
    ("treasury_advance", "预拨资金"),
    ("subsidy_applied", "已代付贴息"),
    ("bank_advance", "银行垫付"),
    ("clawback_receivable", "应收追回"),
    ("disallowed", "核减"),
)
EVENTS = (
    ("pre_allocation", "预拨到账"),
    ("advance_repaid", "归还银行垫付"),
    ("deduction", "代付贴息"),
    ("negative_difference", "负差额"),
    ("clawback_decided", "决定追回"),
    ("clawback_received", "追回到账"),
    ("clawback_written_off", "追回核销"),
    ("made_good", "银行补足"),
    ("use_approved", "结算认可"),
    ("use_disallowed", "结算核减"),
    ("surplus_returned", "结余退回"),
)
PURPOSES = (("interest", "贷款贴息"), ("guarantee_fee", "担保费补贴"))

SCOPE = """
CREATE FUNCTION settlement_require_scope(place bigint) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
    caller text := current_setting('role');
BEGIN
    IF caller = 'none' THEN
        caller := session_user;
    END IF;
    IF caller = 'app' AND NOT coalesce(
        place BETWEEN nullif(current_setting('app.lo', true), '')::bigint
            AND nullif(current_setting('app.hi', true), '')::bigint, false) THEN
        RAISE EXCEPTION '机构不在范围内 / outside the scope: institution %', place
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;
COMMENT ON FUNCTION settlement_require_scope IS
    'What row-level security says of tables, for functions that run as the owner';
"""

FUNDS = """
CREATE FUNCTION settlement_open_fund(place bigint, scheme smallint, tier text, purpose text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found_id bigint;
BEGIN
    PERFORM settlement_require_scope(place);
    SELECT f.id INTO found_id FROM settlement_fund f WHERE f.institution_id = place
        AND f.scheme_id = $2 AND f.tier = $3 AND f.purpose = $4;
    IF found_id IS NULL THEN
        INSERT INTO settlement_fund (institution_id, scheme_id, tier, purpose)
        VALUES (place, $2, $3, $4)
        ON CONFLICT ON CONSTRAINT fund_once DO UPDATE SET tier = excluded.tier
        RETURNING id INTO found_id;
    END IF;
    RETURN found_id;
END $$;
COMMENT ON FUNCTION settlement_open_fund IS 'The fund of an institution, scheme, tier and purpose';

CREATE FUNCTION settlement_lock_funds(ids bigint[]) RETURNS SETOF settlement_fund
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM settlement_require_scope(f.institution_id) FROM settlement_fund f WHERE f.id = ANY(ids);
    RETURN QUERY SELECT * FROM settlement_fund f WHERE f.id = ANY(ids) ORDER BY f.id FOR UPDATE;
END $$;
COMMENT ON FUNCTION settlement_lock_funds IS 'Lock funds in the order of their keys, until commit';

CREATE FUNCTION settlement_reserve(fund bigint, amount bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM settlement_require_scope(f.institution_id) FROM settlement_fund f WHERE f.id = fund;
    UPDATE settlement_fund f SET reserved_fen = f.reserved_fen + amount
    WHERE f.id = fund AND f.special_account_fen - f.reserved_fen >= amount;
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION settlement_reserve IS
    'Reserve of what is available (negative: release); false, and nothing done, if it does not suffice';

CREATE FUNCTION settlement_close_year(fund bigint, closed smallint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM settlement_require_scope(f.institution_id) FROM settlement_fund f WHERE f.id = fund;
    UPDATE settlement_fund f SET closed_through = greatest(f.closed_through, closed)
    WHERE f.id = fund;
END $$;
COMMENT ON FUNCTION settlement_close_year IS 'Later differences of this year go to the open one';
"""

POST = """
CREATE FUNCTION settlement_post_entry(
    fund bigint, event text, posted_on date, month date, year smallint, source text,
    source_id bigint, actor text, accounts text[], debits bigint[], credits bigint[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    f settlement_fund;
    written text;
    link bytea;
    entry bigint;
BEGIN
    SELECT * INTO STRICT f FROM settlement_fund t WHERE t.id = fund FOR UPDATE;
    PERFORM settlement_require_scope(f.institution_id);
    SELECT string_agg(l.account || ':' || l.debit || ':' || l.credit, ';' ORDER BY l.place)
    INTO written
    FROM unnest(accounts, debits, credits) WITH ORDINALITY AS l(account, debit, credit, place);
    link := sha256(convert_to(concat_ws('|', encode(f.chain, 'hex'), fund, f.entries + 1, event,
        posted_on, coalesce(month::text, ''), year, source, source_id, actor, written), 'UTF8'));
    INSERT INTO settlement_ledgerentry
        (institution_id, fund_id, number, event, posted_on, month, year, source, source_id, actor, chain)
    VALUES (f.institution_id, fund, f.entries + 1, event, posted_on, month, year, source, source_id,
        actor, link)
    RETURNING id INTO entry;
    INSERT INTO settlement_ledgerline (institution_id, entry_id, account, debit_fen, credit_fen)
    SELECT f.institution_id, entry, l.account, l.debit, l.credit
    FROM unnest(accounts, debits, credits) WITH ORDINALITY AS l(account, debit, credit, place)
    ORDER BY l.place;
    UPDATE settlement_fund t SET entries = f.entries + 1, chain = link,
        special_account_fen = t.special_account_fen + m.special_account,
        treasury_advance_fen = t.treasury_advance_fen + m.treasury_advance,
        subsidy_applied_fen = t.subsidy_applied_fen + m.subsidy_applied,
        bank_advance_fen = t.bank_advance_fen + m.bank_advance,
        clawback_receivable_fen = t.clawback_receivable_fen + m.clawback_receivable,
        disallowed_fen = t.disallowed_fen + m.disallowed
    FROM (SELECT
        coalesce(sum(l.debit - l.credit) FILTER (WHERE l.account = 'special_account'), 0)
            AS special_account,
        coalesce(sum(l.debit - l.credit) FILTER (WHERE l.account = 'treasury_advance'), 0)
            AS treasury_advance,
        coalesce(sum(l.debit - l.credit) FILTER (WHERE l.account = 'subsidy_applied'), 0)
            AS subsidy_applied,
        coalesce(sum(l.debit - l.credit) FILTER (WHERE l.account = 'bank_advance'), 0)
            AS bank_advance,
        coalesce(sum(l.debit - l.credit) FILTER (WHERE l.account = 'clawback_receivable'), 0)
            AS clawback_receivable,
        coalesce(sum(l.debit - l.credit) FILTER (WHERE l.account = 'disallowed'), 0) AS disallowed
        FROM unnest(accounts, debits, credits) AS l(account, debit, credit)) m
    WHERE t.id = fund;
    RETURN entry;
END $$;
COMMENT ON FUNCTION settlement_post_entry IS
    'The only way into the ledger: number, chain and balances move with the entry';
"""

RULES = """
ALTER TABLE settlement_ledgerentry
    ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();

CREATE FUNCTION settlement_entry_balances() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    sides record;
BEGIN
    SELECT count(*) AS lines, coalesce(sum(debit_fen), 0) AS debit,
        coalesce(sum(credit_fen), 0) AS credit
    INTO sides FROM settlement_ledgerline WHERE entry_id = NEW.id;
    IF sides.lines < 2 OR sides.debit <> sides.credit THEN
        RAISE EXCEPTION '分录不平 / entry % does not balance: % lines, debit % credit %',
            NEW.id, sides.lines, sides.debit, sides.credit USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER balances AFTER INSERT ON settlement_ledgerentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION settlement_entry_balances();

CREATE FUNCTION settlement_entry_sealed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM added a LEFT JOIN settlement_ledgerentry e
            ON e.id = a.entry_id AND e.institution_id = a.institution_id
        WHERE e.xid IS DISTINCT FROM pg_current_xact_id()
    ) THEN
        RAISE EXCEPTION '分录已封存 / entries are sealed: lines come with their entry only'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER sealed AFTER INSERT ON settlement_ledgerline
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION settlement_entry_sealed();

SELECT kernel_append_only('settlement_ledgerentry'), kernel_append_only('settlement_ledgerline');
SELECT kernel_protect('settlement_fund'), kernel_protect('settlement_ledgerentry'),
    kernel_protect('settlement_ledgerline');
SELECT kernel_grant('settlement_fund', 'SELECT', 'SELECT'),
    kernel_grant('settlement_ledgerentry', 'SELECT', 'SELECT'),
    kernel_grant('settlement_ledgerline', 'SELECT', 'SELECT');
"""

CALLED = (
    "settlement_open_fund(bigint, smallint, text, text), settlement_lock_funds(bigint[]), "
    "settlement_reserve(bigint, bigint), settlement_close_year(bigint, smallint), "
    "settlement_post_entry(bigint, text, date, date, smallint, text, bigint, text, text[], bigint[], "
    "bigint[])"
)
MAY_CALL = f"""
REVOKE EXECUTE ON FUNCTION {CALLED} FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {CALLED} TO app, worker;
"""


def balance(name: str) -> models.BigIntegerField:
    return models.BigIntegerField(
        default=0, db_default=0, help_text="分，借 − 贷 / fen, debit − credit", verbose_name=name
    )


def institution() -> models.ForeignKey:
    return models.ForeignKey(
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="kernel.institution",
        verbose_name="资金机构",
    )


def key() -> models.BigAutoField:
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("settlement", "0004_assessment"),
        ("kernel", "0004_analyze"),
    ]

    operations = [
        migrations.CreateModel(
            name="Fund",
            fields=[
                ("id", key()),
                ("tier", models.CharField(max_length=20, verbose_name="资金层级")),
                (
                    "purpose",
                    models.CharField(
                        choices=PURPOSES, default="interest", max_length=20, verbose_name="用途"
                    ),
                ),
                *[(f"{account}_fen", balance(name)) for account, name in ACCOUNTS],
                (
                    "reserved_fen",
                    models.BigIntegerField(
                        default=0,
                        db_default=0,
                        help_text="分，计划中的代付 / fen, planned deductions",
                        verbose_name="已预留",
                    ),
                ),
                (
                    "closed_through",
                    models.SmallIntegerField(
                        default=0,
                        db_default=0,
                        help_text="含；0 = 无 / last settled year, 0 = none",
                        verbose_name="已结算年度",
                    ),
                ),
                (
                    "entries",
                    models.BigIntegerField(default=0, db_default=0, verbose_name="分录数"),
                ),
                (
                    "chain",
                    models.BinaryField(
                        default=b"", db_default=b"", help_text="sha256", verbose_name="链头"
                    ),
                ),
                ("institution", institution()),
                (
                    "scheme",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="funds",
                        to="settlement.scheme",
                        verbose_name="贴息政策",
                    ),
                ),
            ],
            options={
                "verbose_name": "资金",
                "verbose_name_plural": "资金",
                "ordering": ["scheme", "institution", "tier", "purpose"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("institution", "scheme", "tier", "purpose"), name="fund_once"
                    ),
                    models.CheckConstraint(
                        condition=Q(purpose__in=[code for code, _ in PURPOSES]),
                        name="fund_purpose_known",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            special_account_fen=-F("treasury_advance_fen")
                            - F("subsidy_applied_fen")
                            - F("bank_advance_fen")
                            - F("clawback_receivable_fen")
                            - F("disallowed_fen")
                        ),
                        name="fund_balances_add_up_to_zero",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            reserved_fen__gte=0, special_account_fen__gte=F("reserved_fen")
                        ),
                        name="fund_reserved_within_balance",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            bank_advance_fen__lte=0,
                            clawback_receivable_fen__gte=0,
                            disallowed_fen__gte=0,
                        ),
                        name="fund_sides_of_accounts",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                ("id", key()),
                (
                    "number",
                    models.BigIntegerField(
                        help_text="本资金内从 1 起 / from 1 in its fund", verbose_name="编号"
                    ),
                ),
                (
                    "event",
                    models.CharField(choices=EVENTS, max_length=30, verbose_name="事项"),
                ),
                ("posted_on", models.DateField(verbose_name="入账日")),
                (
                    "month",
                    models.DateField(
                        blank=True,
                        help_text="当月第一日 / first day of the month",
                        null=True,
                        verbose_name="收息月份",
                    ),
                ),
                (
                    "year",
                    models.SmallIntegerField(
                        help_text="在此年度结算 / settled with it", verbose_name="所属年度"
                    ),
                ),
                ("source", models.CharField(max_length=200, verbose_name="来源")),
                ("source_id", models.BigIntegerField(verbose_name="来源序号")),
                ("actor", models.CharField(max_length=150, verbose_name="经办")),
                ("chain", models.BinaryField(help_text="sha256", verbose_name="链值")),
                (
                    "fund",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ledger",
                        to="settlement.fund",
                        verbose_name="资金",
                    ),
                ),
                ("institution", institution()),
            ],
            options={
                "verbose_name": "分录",
                "verbose_name_plural": "分录",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("fund", "number"), name="ledger_entry_number_once"
                    ),
                    models.UniqueConstraint(
                        fields=("fund", "event", "source_id", "month"),
                        name="ledger_entry_once_per_source",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=Q(event__in=[code for code, _ in EVENTS]),
                        name="ledger_entry_event_known",
                    ),
                    models.CheckConstraint(
                        condition=Q(month__isnull=True) | Q(month__day=1),
                        name="ledger_entry_month_is_a_first_day",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerLine",
            fields=[
                ("id", key()),
                (
                    "account",
                    models.CharField(choices=ACCOUNTS, max_length=20, verbose_name="科目"),
                ),
                ("debit_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="借方")),
                ("credit_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="贷方")),
                (
                    "entry",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="lines",
                        to="settlement.ledgerentry",
                        verbose_name="分录",
                    ),
                ),
                ("institution", institution()),
            ],
            options={
                "verbose_name": "分录行",
                "verbose_name_plural": "分录行",
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(account__in=[code for code, _ in ACCOUNTS]),
                        name="ledger_line_account_known",
                    ),
                    models.CheckConstraint(
                        condition=Q(debit_fen__gt=0, credit_fen=0)
                        | Q(debit_fen=0, credit_fen__gt=0),
                        name="ledger_line_one_side",
                    ),
                ],
            },
        ),
        migrations.RunSQL(SCOPE + FUNDS + POST + RULES + MAY_CALL, migrations.RunSQL.noop),
    ]
