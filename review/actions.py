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
    "view_audit": N_("looked at the audit log"),
}
"""Every action by name."""
