"""Titles, sidebar and colours of the admin."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def _page(title: Any, icon: str, model: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model}_changelist"),
        "permission": lambda request: _may_open(request, model),
    }


def _may_open(request: HttpRequest, model: str) -> bool:
    from config.kernel.admin import access  # models are not there yet when settings are read

    return access.may_open(request, model)


def _group(title: Any, *items: dict[str, Any], closed: bool = False) -> dict[str, Any]:
    return {"title": title, "items": list(items), "separator": True, "collapsible": closed}


NAVIGATION = [
    _group(
        _("数据导入"),
        _page(_("文件导入"), "upload_file", "loans_fileimport"),
        _page(_("导入批次"), "inventory", "loans_importbatch"),
        _page(_("导入撤销"), "undo", "loans_importundo"),
    ),
    _group(
        _("贴息核算"),
        _page(_("代付贴息"), "payments", "settlement_deduction"),
        _page(_("各月贴息"), "bar_chart", "settlement_monthlysubsidy"),
        _page(_("贴息认定"), "fact_check", "settlement_enrolment"),
        _page(_("缺资料借据"), "assignment_late", "settlement_papergap"),
        _page(_("担保费补贴"), "verified_user", "settlement_guaranteesubsidy"),
        _page(_("担保费补贴入账"), "receipt_long", "settlement_guaranteeposting"),
        _page(_("重复贴息核查"), "content_copy", "settlement_finding"),
        _page(_("核查涉及方"), "compare_arrows", "settlement_findingside"),
        _page(_("核查结论"), "rule", "settlement_findingdecision"),
        _page(_("暂停的贴息"), "pause_circle", "settlement_blockedsubsidy"),
        _page(_("跨行查询"), "travel_explore", "settlement_probe"),
        _page(_("交换文件"), "swap_horiz", "settlement_exchangefile"),
        _page(_("政策版本"), "gavel", "settlement_schemeversion"),
        _page(_("贴息政策"), "policy", "settlement_scheme"),
        _page(_("资料要求"), "checklist", "settlement_paperrule"),
        _page(_("企业入账进度"), "pending_actions", "settlement_enterpriseposting"),
        _page(_("资格认定批次"), "history_edu", "settlement_assessment"),
    ),
    _group(
        _("资金往来"),
        _page(_("代付计划"), "event_available", "settlement_plan"),
        _page(_("计划代付"), "playlist_add_check", "settlement_planneddeduction"),
        _page(_("计划例外"), "report", "settlement_planexception"),
        _page(_("重算入账"), "calculate", "settlement_recomputation"),
        _page(_("资金任务"), "hourglass_top", "settlement_moneyjob"),
        _page(_("资金"), "account_balance_wallet", "settlement_fund"),
        _page(_("分录"), "menu_book", "settlement_ledgerentry"),
        _page(_("分录行"), "format_list_bulleted", "settlement_ledgerline"),
        _page(_("对账差异"), "difference", "settlement_reconciliationdifference"),
        _page(_("差异说明"), "edit_note", "settlement_differenceexplanation"),
        _page(_("直接拨付"), "send_money", "settlement_payout"),
        _page(_("拨付批次"), "outgoing_mail", "settlement_payoutbatch"),
        _page(_("拨付记录"), "list_alt", "settlement_payoutattempt"),
        _page(_("拨付结果"), "task_alt", "settlement_payoutresult"),
        _page(_("期初入账"), "flag", "settlement_takenover"),
        _page(_("企业告知"), "sms", "settlement_notice"),
        _page(_("告知发送"), "schedule_send", "settlement_noticedelivery"),
        _page(_("告知记录"), "mark_email_read", "settlement_noticerecord"),
        _page(_("预拨资金"), "input", "loans_preallocation"),
        _page(_("预拨入账"), "fact_check", "settlement_receipt"),
        _page(_("预拨退回"), "undo", "settlement_receiptrefusal"),
        _page(_("结算清算"), "balance", "settlement_settlement"),
        _page(_("追回"), "keyboard_return", "settlement_clawback"),
        _page(_("追回变动"), "swap_vert", "settlement_clawbackmovement"),
        _page(_("追回并入差额"), "call_merge", "settlement_clawbacklapse"),
        _page(_("银行补足"), "volunteer_activism", "settlement_madegood"),
    ),
    _group(
        _("报表报送"),
        _page(_("报送日历"), "calendar_month", "reports_obligation"),
        _page(_("报表"), "summarize", "reports_report"),
        _page(_("报表文件"), "draft", "reports_reportfile"),
        _page(_("报表与导出任务"), "pending", "reports_job"),
        _page(_("提醒"), "notifications", "reports_reminder"),
        _page(_("节假日与调休"), "event_busy", "reports_workingdayexception"),
    ),
    _group(
        _("贷款"),
        _page(_("借据"), "receipt_long", "loans_note"),
        _page(_("应享未享"), "new_label", "settlement_missedlabel"),
        _page(_("合同"), "contract", "loans_contract"),
        _page(_("收息"), "savings", "loans_interestcollection"),
        _page(_("还本"), "undo", "loans_repayment"),
        _page(_("借据状态"), "warning", "loans_notestatus"),
        _page(_("设备发票"), "receipt", "loans_equipmentinvoice"),
        _page(_("资料"), "folder_open", "loans_paper"),
        _page(_("资料撤回"), "folder_off", "loans_paperwithdrawal"),
        _page(_("借据资料概况"), "folder_shared", "loans_papershelf"),
        _page(_("直接拨付约定"), "send_money", "loans_payoutagreement"),
        _page(_("担保"), "shield", "loans_guarantee"),
        _page(_("代偿"), "credit_score", "loans_compensation"),
        _page(_("银团份额"), "pie_chart", "loans_syndicateshare"),
        _page(_("借据划转"), "move_up", "loans_notetransfer"),
        _page(_("期初数"), "flag", "loans_openingposition"),
        closed=True,
    ),
    _group(
        _("企业与项目"),
        _page(_("企业"), "domain", "loans_enterprise"),
        _page(_("企业信息"), "badge", "loans_enterpriserecord"),
        _page(_("企业称号"), "military_tech", "loans_enterprisetitle"),
        _page(_("企业联系方式"), "contact_phone", "loans_enterprisecontact"),
        _page(_("项目"), "foundation", "loans_project"),
        _page(_("信用代码确认"), "how_to_reg", "loans_usccconfirmation"),
        closed=True,
    ),
    _group(
        _("政策与资金"),
        _page(_("合作银行"), "handshake", "loans_participation"),
        _page(_("政策年度资金"), "account_balance_wallet", "loans_schemefund"),
        _page(_("贷款市场报价利率"), "percent", "loans_lpr"),
        _page(_("贴息政策标签"), "label", "loans_schemelabel"),
        _page(_("审核结果"), "rule", "loans_reviewresult"),
        _page(_("专户流水"), "account_balance", "loans_bankstatement"),
        _page(_("外部贴息"), "link", "loans_externalsubsidy"),
        closed=True,
    ),
    _group(
        _("历史记录"),
        _page(_("借据"), "history", "loans_noteevent"),
        _page(_("合同"), "history", "loans_contractevent"),
        _page(_("借据状态"), "history", "loans_notestatusevent"),
        _page(_("设备发票"), "history", "loans_equipmentinvoiceevent"),
        _page(_("直接拨付约定"), "history", "loans_payoutagreementevent"),
        _page(_("担保"), "history", "loans_guaranteeevent"),
        _page(_("银团份额"), "history", "loans_syndicateshareevent"),
        _page(_("借据划转"), "history", "loans_notetransferevent"),
        _page(_("期初数"), "history", "loans_openingpositionevent"),
        _page(_("企业信息"), "history", "loans_enterpriserecordevent"),
        _page(_("企业称号"), "history", "loans_enterprisetitleevent"),
        _page(_("企业联系方式"), "history", "loans_enterprisecontactevent"),
        _page(_("项目"), "history", "loans_projectevent"),
        _page(_("合作银行"), "history", "loans_participationevent"),
        _page(_("政策年度资金"), "history", "loans_schemefundevent"),
        _page(_("贷款市场报价利率"), "history", "loans_lprevent"),
        _page(_("贴息政策标签"), "history", "loans_schemelabelevent"),
        _page(_("信用代码确认"), "history", "loans_usccconfirmationevent"),
        _page(_("贴息政策"), "history", "settlement_schemeevent"),
        _page(_("政策版本"), "history", "settlement_schemeversionevent"),
        _page(_("节假日与调休"), "history", "reports_workingdayexceptionevent"),
        _page(_("机构"), "history", "kernel_institutionevent"),
        _page(_("用户"), "history", "kernel_userevent"),
        _page(_("财政部门"), "history", "kernel_financedepartmentevent"),
        _page(_("对口机构"), "history", "kernel_answeringinstitutionevent"),
        _page(_("接口客户端"), "history", "kernel_apiclientevent"),
        _page(_("客户端密钥"), "history", "kernel_clientsecretevent"),
        _page(_("签名密钥"), "history", "kernel_signingkeyevent"),
        _page(_("事件推送地址"), "history", "kernel_webhookendpointevent"),
        _page(_("推送签名密钥"), "history", "kernel_webhooksecretevent"),
        _page(_("省级贴息系统"), "history", "settlement_provincesystemevent"),
        closed=True,
    ),
    _group(
        _("接口"),
        _page(_("接口客户端"), "api", "kernel_apiclient"),
        _page(_("财政部门"), "account_balance", "kernel_financedepartment"),
        _page(_("客户端密钥"), "key", "kernel_clientsecret"),
        _page(_("签名密钥"), "signature", "kernel_signingkey"),
        closed=True,
    ),
    _group(
        _("事件推送"),
        _page(_("送达记录"), "outbox", "kernel_outboxdelivery"),
        _page(_("事件"), "campaign", "kernel_outboxevent"),
        _page(_("送达处理"), "replay", "kernel_deliverystep"),
        _page(_("事件推送地址"), "webhook", "kernel_webhookendpoint"),
        _page(_("推送签名密钥"), "key", "kernel_webhooksecret"),
        closed=True,
    ),
    _group(
        _("数据直连"),
        _page(_("省级贴息系统"), "hub", "settlement_provincesystem"),
        _page(_("系统回传"), "cloud_download", "settlement_provinceanswer"),
        _page(_("回传进度"), "sync", "settlement_provincecursor"),
        closed=True,
    ),
    _group(
        _("系统"),
        _page(_("任务"), "play_circle", "kernel_run"),
        _page(_("任务分段"), "view_timeline", "kernel_chunk"),
        _page(_("机构"), "account_tree", "kernel_institution"),
        _page(_("用户"), "group", "kernel_user"),
        _page(_("登录记录"), "login", "kernel_signin"),
        closed=True,
    ),
]

PRIMARY = {
    "50": "oklch(97% .014 254.6)",
    "100": "oklch(93.2% .032 255.6)",
    "200": "oklch(88.2% .059 254.1)",
    "300": "oklch(80.9% .105 251.8)",
    "400": "oklch(74% .14 253.5)",
    "500": "oklch(68% .17 256)",
    "600": "oklch(54.6% .215 262.9)",
    "700": "oklch(48.8% .21 264.4)",
    "800": "oklch(42.4% .17 265.6)",
    "900": "oklch(37.9% .146 265.5)",
    "950": "oklch(28.2% .091 267.9)",
}

UNFOLD = {
    "SITE_TITLE": _("贴息管理系统"),
    "SITE_HEADER": _("贴息管理系统"),
    "SITE_SUBHEADER": _("财政贴息 预拨与结算"),
    "SITE_SYMBOL": "account_balance",
    "SITE_URL": None,
    "SHOW_LANGUAGES": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("kernel/icon.svg")}
    ],
    "ACCOUNT": {"navigation": "config.kernel.admin.account.links"},
    # Blue that reads on white and, one step lighter, on the dark theme's ground (WCAG AA).
    "COLORS": {"primary": PRIMARY},
    "STYLES": [lambda _request: static("kernel/admin.css")],
    "DASHBOARD_CALLBACK": "reports.admin.home.dashboard",
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": NAVIGATION},
}
