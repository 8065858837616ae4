"""The ledger's words become domains, and its sum is written without negations.

PostgreSQL reads the CHECK constraints of a table from their stored text for every statement that writes
to it, a domain's once a session: server time of a posting 90 → 72 µs (4,000 postings, synchronous_commit
off, least of five rounds).
"""

import django.db.models.expressions
import django.db.models.lookups
from django.db import migrations, models

import settlement.models.ledger

DOMAINS = {
    "settlement_purpose": ("varchar(20)", ("interest", "guarantee_fee")),
    "settlement_event": (
        "varchar(30)",
        (
            "pre_allocation", "advance_repaid", "taken_over", "deduction", "negative_difference",
            "clawback_decided", "clawback_lapsed", "clawback_received", "clawback_written_off",
            "made_good", "use_approved", "use_disallowed", "surplus_returned",
        ),
    ),
    "settlement_account": (
        "varchar(20)",
        (
            "special_account", "treasury_advance", "subsidy_applied", "bank_advance",
            "clawback_receivable", "disallowed",
        ),
    ),
}  # fmt: skip


def _made(name: str, kind: str, words: tuple[str, ...]) -> migrations.RunSQL:
    listed = ", ".join(f"'{word}'" for word in words)
    return migrations.RunSQL(
        f"CREATE DOMAIN {name} AS {kind} CONSTRAINT {name}_known CHECK (VALUE IN ({listed}))",
        f"DROP DOMAIN {name}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0007_rows_done"),
        ("settlement", "0026_entries_of_their_fund"),
    ]

    operations = [
        *(_made(name, *spec) for name, spec in DOMAINS.items()),
        migrations.RemoveConstraint(
            model_name="fund",
            name="fund_purpose_known",
        ),
        migrations.RemoveConstraint(
            model_name="fund",
            name="fund_balances_add_up_to_zero",
        ),
        migrations.RemoveConstraint(
            model_name="ledgerentry",
            name="ledger_entry_event_known",
        ),
        migrations.RemoveConstraint(
            model_name="ledgerline",
            name="ledger_line_account_known",
        ),
        migrations.AlterField(
            model_name="fund",
            name="purpose",
            field=settlement.models.ledger.WordField(
                choices=[("interest", "贷款贴息"), ("guarantee_fee", "担保费补贴")],
                default="interest",
                domain="settlement_purpose",
                max_length=20,
                verbose_name="用途",
            ),
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="event",
            field=settlement.models.ledger.WordField(
                choices=[
                    ("pre_allocation", "预拨到账"),
                    ("advance_repaid", "归还银行垫付"),
                    ("taken_over", "期初已贴息"),
                    ("deduction", "代付贴息"),
                    ("negative_difference", "负差额"),
                    ("clawback_decided", "决定追回"),
                    ("clawback_lapsed", "追回并入差额"),
                    ("clawback_received", "追回到账"),
                    ("clawback_written_off", "追回核销"),
                    ("made_good", "银行补足"),
                    ("use_approved", "结算认可"),
                    ("use_disallowed", "结算核减"),
                    ("surplus_returned", "结余退回"),
                ],
                domain="settlement_event",
                max_length=30,
                verbose_name="事项",
            ),
        ),
        migrations.AlterField(
            model_name="ledgerline",
            name="account",
            field=settlement.models.ledger.WordField(
                choices=[
                    ("special_account", "贴息专户"),
                    ("treasury_advance", "预拨资金"),
                    ("subsidy_applied", "已代付贴息"),
                    ("bank_advance", "银行垫付"),
                    ("clawback_receivable", "应收追回"),
                    ("disallowed", "核减"),
                ],
                domain="settlement_account",
                max_length=20,
                verbose_name="科目",
            ),
        ),
        migrations.AddConstraint(
            model_name="fund",
            constraint=models.CheckConstraint(
                condition=django.db.models.lookups.Exact(
                    django.db.models.expressions.CombinedExpression(
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("special_account_fen"),
                                        "+",
                                        models.F("treasury_advance_fen"),
                                    ),
                                    "+",
                                    models.F("subsidy_applied_fen"),
                                ),
                                "+",
                                models.F("bank_advance_fen"),
                            ),
                            "+",
                            models.F("clawback_receivable_fen"),
                        ),
                        "+",
                        models.F("disallowed_fen"),
                    ),
                    0,
                ),
                name="fund_balances_add_up_to_zero",
            ),
        ),
    ]
