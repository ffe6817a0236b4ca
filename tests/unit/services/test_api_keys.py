from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from understudy.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from understudy.ids import new_id
from understudy.resources import Resources
from understudy.services.api_keys import Caller, authenticate, create_api_key, revoke_api_key


def test_api_key_determines_project_and_scopes(resources: Resources, caller: Caller) -> None:
    key, secret = create_api_key(resources, caller.project_id, "ci", ["read"])

    authenticated = authenticate(resources, secret)

    assert authenticated == Caller(caller.project_id, key.id, frozenset({"read"}))
    authenticated.require("read")
    with pytest.raises(Forbidden):
        authenticated.require("write")


def test_database_does_not_contain_the_secret(resources: Resources, caller: Caller) -> None:
    _, secret = create_api_key(resources, caller.project_id, "ci")

    with resources.sessions() as session:
        row = str(session.execute(text("select * from api_keys")).one())
    assert secret[-43:] not in row


def test_all_invalid_keys_are_rejected_with_the_same_error(resources: Resources, caller: Caller) -> None:
    _, secret = create_api_key(resources, caller.project_id, "ci")
    other_id = "sk_" + "0" * 26 + secret[29:]
    wrong_secret = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    impossible_id = "sk_" + "z" * 26 + secret[29:]

    for text_ in ("", "sk_", secret[:-1], secret + "A", other_id, wrong_secret, impossible_id, f" {secret}"):
        with pytest.raises(Unauthenticated):
            authenticate(resources, text_)


def test_key_of_another_installation_is_rejected(resources: Resources, caller: Caller) -> None:
    _, secret = create_api_key(resources, caller.project_id, "ci")

    with pytest.raises(Unauthenticated):
        authenticate(replace(resources, secret_key=b"another secret key of 32 letters"), secret)


def test_revoked_key_is_rejected_at_the_next_request(resources: Resources, caller: Caller) -> None:
    key, secret = create_api_key(resources, caller.project_id, "ci")
    authenticate(resources, secret)

    revoke_api_key(resources, caller.project_id, key.id)

    with pytest.raises(Unauthenticated):
        authenticate(resources, secret)
    with pytest.raises(NotFound):
        revoke_api_key(resources, caller.project_id, key.id)


def test_expired_key_is_rejected(resources: Resources, caller: Caller) -> None:
    _, secret = create_api_key(resources, caller.project_id, "ci")
    with resources.sessions.begin() as session:
        session.execute(text("update api_keys set expires_at = clock_timestamp()"))

    with pytest.raises(Unauthenticated):
        authenticate(resources, secret)


def test_key_with_an_unknown_scope_or_project_is_not_created(resources: Resources, caller: Caller) -> None:
    with pytest.raises(InvalidInput):
        create_api_key(resources, caller.project_id, "ci", ["everything"])
    with pytest.raises(NotFound):
        create_api_key(resources, new_id(), "ci")
