"""Accounts: who may use the app and as what. For admins."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from review import deciding
from review.pages import Stores
from review.problems import documented
from review.routes.api.parts import Body, Key, Shown, Word, part
from review.security.roles import Admin
from warehouse import accounts
from warehouse.accounts import Role

router = part("/people", "people")


class Person(Shown):
    """An account, without its secrets."""

    login: str
    full_name: str
    role: Role
    language: str | None
    is_active: bool
    must_change_password: bool
    has_password: bool = Field(description="Whether it may log in without OpenID Connect")
    created_by: str
    created_at: datetime
    last_login_at: datetime | None


class People(Shown):
    """Every account, by login."""

    people: list[Person]


class NewPerson(Body):
    """An account to make."""

    login: Annotated[Word, Field(min_length=1, description="a to z, digits and . _ @ + -")]
    full_name: Word = ""
    role: Role = "steward"


class ChangedPerson(Body):
    """What to change; what is not named stays."""

    role: Role | None = None
    is_active: bool | None = Field(None, description="false: may not log in, sessions end")


class OneTime(Shown):
    """An account's one-time password; it is told only now."""

    login: str
    password: str


@router.get("")
def list_people(caller: Admin, wh: Stores) -> People:
    """Every account."""
    return People.model_validate({"people": accounts.everybody(wh)})


@router.post("", status_code=201)
def add_person(caller: Admin, wh: Stores, body: NewPerson) -> OneTime:
    """Make an account; its one-time password must be changed at the first login."""
    made, password = deciding.add_account(wh, body.login, body.full_name, body.role, caller.login)
    return OneTime(login=made.login, password=password)


@router.patch("/{login}", responses=documented(404))
def change_person(caller: Admin, wh: Stores, login: Key, body: ChangedPerson) -> Person:
    """Give an account another role, or switch it off or on."""
    name = deciding.known(wh, login).login
    if body.role is not None:
        accounts.set_role(wh, name, body.role, by=caller.login)
    if body.is_active is not None:
        accounts.set_active(wh, name, body.is_active, by=caller.login)
    return Person.model_validate(deciding.known(wh, name))


@router.post("/{login}/password", responses=documented(404))
def reset_password(caller: Admin, wh: Stores, login: Key) -> OneTime:
    """Give an account a one-time password; its sessions end."""
    password = deciding.reset_password(wh, login, caller.login)
    return OneTime(login=accounts.canonical(login), password=password)
