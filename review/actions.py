"""Names of audited actions: what the audit page and ``onefold audit show`` may say.

One name per thing that people do; ``view_*`` for looks at customers' data. The
text beside it is English and translated by the catalogs.
"""

from review.language import N_

ACTIONS = {
    "login": N_("logged in"),
    "login_openid": N_("logged in through OpenID Connect"),
    "login_refused": N_("was refused at the login"),
    "logout": N_("logged out"),
    "add_account": N_("made an account"),
    "set_role": N_("gave an account another role"),
    "activate_account": N_("switched an account on"),
    "deactivate_account": N_("switched an account off"),
    "change_password": N_("changed the own password"),
    "reset_password": N_("reset a password"),
    "view_case": N_("looked at a case"),
    "view_judgement": N_("looked at a decision"),
    "view_customer": N_("looked at a customer"),
    "search_customers": N_("searched for customers"),
    "view_rejected": N_("looked at rejected values"),
    "judge": N_("judged a case"),
    "undo": N_("undid a judgement"),
    "approve": N_("approved a judgement"),
    "refuse": N_("refused a judgement"),
    "unmerge": N_("took a customer apart"),
    "override": N_("set a value of a customer"),
    "withdraw": N_("unpinned a value"),
    "mark_open": N_("took a case up again"),
    "mark_skipped": N_("skipped a case"),
    "mark_unsure": N_("was not sure about a case"),
    "assign": N_("assigned a case"),
    "comment": N_("commented on a case"),
    "start_batch": N_("started a batch"),
    "apply_batch": N_("applied a batch"),
    "undo_batch": N_("undid a batch"),
    "drop_batch": N_("dropped a batch"),
    "second_review": N_("gave a second look"),
    "repair_value": N_("mended a rejected value"),
    "accept_finding": N_("accepted a value as it is"),
    "accept_findings": N_("accepted values as they are"),
    "undo_repair": N_("undid a repair"),
    "view_quarantine": N_("looked at the quarantine"),
    "view_finding": N_("looked at a rejected value or record"),
    "view_repairs": N_("looked at what was mended and accepted"),
    "fetch_to_mend": N_("fetched what to mend at a source"),
    "erase": N_("erased a customer"),
    "export_subject": N_("wrote everything held on a person to a file"),
    "lift_erasure": N_("let an erased person in again"),
    "view_audit": N_("looked at the audit log"),
}
"""Every action by name."""
