"""No name can be anything but a name: what is quoted is read again as the servers and their clients read it."""

import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.datastores import manager_of
from chalicelib.datastores.accounts import Accounts, Database, User
from chalicelib.datastores.mysql import quoting as mysql
from chalicelib.datastores.postgresql import quoting as postgresql
from chalicelib.datastores.redis import quoting as redis
from tests.datastores.on_offer import PACKAGES, version_of
from tests.datastores.told import refusal_of

CAREFULLY = settings(deadline=None, database=None, max_examples=300)
ANY = st.text(st.characters(exclude_categories=[]), max_size=64)  # halves of surrogate pairs too
SPECIAL = st.text("`'\"\\%_.@$;:\n\r\0\t {}()/#-абя\u202e\u200b🙂\ud800", max_size=64)
TEXTS = ANY | SPECIAL
ENCODABLE = TEXTS.filter(lambda text: not any("\ud800" <= each <= "\udfff" for each in text))


@given(name=ENCODABLE)
@CAREFULLY
def test_mysql_reads_an_identifier_as_one(name: str) -> None:
    """Its lexer: between backquotes, two are one, and nothing else means anything."""
    quoted = mysql.identifier(name)

    assert re.fullmatch(r"`(?:[^`]|``)*`", quoted, re.DOTALL)
    assert quoted[1:-1].replace("``", "`") == name


@given(text=ENCODABLE)
@CAREFULLY
def test_mysql_reads_a_text_and_a_statement_as_digits(text: str) -> None:
    (digits,) = re.fullmatch(r"_utf8mb4 X'([0-9a-f]*)'", mysql.literal(text)).groups()  # type: ignore[union-attr]

    assert bytes.fromhex(digits).decode() == text
    assert mysql.literal(text) in mysql.prepared(text)
    assert len(mysql.prepared(text).splitlines()) == 3


@given(name=ENCODABLE)
@CAREFULLY
def test_a_grants_pattern_stands_for_its_database_alone(name: str) -> None:
    assert mysql.database_of(mysql.pattern(name)) == name
    assert re.fullmatch(r"(?:[^\\%_]|\\[\\%_])*", mysql.pattern(name), re.DOTALL)


@pytest.mark.parametrize("pattern", ["a_b", "%", "a\\\\%", "a%"])
def test_a_pattern_that_stands_for_several_databases_is_none_of_them(pattern: str) -> None:
    assert mysql.database_of(pattern) is None


@given(text=ENCODABLE)
@CAREFULLY
def test_psql_reads_texts_and_databases_as_digits(text: str) -> None:
    (digits,) = re.fullmatch(  # type: ignore[union-attr]
        r"convert_from\(decode\('([0-9a-f]*)', 'hex'\), 'UTF8'\)", postgresql.literal(text)
    ).groups()
    uri = postgresql.uri_of(text)

    assert bytes.fromhex(digits).decode() == text
    assert re.fullmatch(r"postgresql:///(?:%[0-9a-f]{2})*", uri)
    assert unquote_to_bytes(uri.removeprefix("postgresql:///")).decode() == text


@given(words=st.lists(ENCODABLE, max_size=4))
@CAREFULLY
def test_redis_cli_reads_one_line_and_each_word_of_it(words: list[str]) -> None:
    line = redis.command(*words)

    assert re.fullmatch(r'(?:"(?:\\x[0-9a-f]{2})*" ?)*\n', line)
    read = [bytes.fromhex(each.replace("\\x", "")).decode() for each in re.findall(r'"([^"]*)"', line)]
    assert read == words


@pytest.fixture(params=PACKAGES, scope="module")
def accounts(request: pytest.FixtureRequest) -> Accounts:
    return manager_of(version_of(request.param)).accounts


@given(text=TEXTS)
@CAREFULLY
def test_every_text_is_taken_as_a_name_or_refused_by_a_rule_that_names_it(accounts: Accounts, text: str) -> None:
    """What is taken holds nothing that no client could type; that the servers take it too is proven on real ones."""
    made: list[User | Database] = [User(text), *([Database(text)] if accounts.is_replicated else [])]
    for what in made:
        refusal = refusal_of(accounts, what)
        if refusal is None:
            assert text == text.strip() != ""
            assert not re.search(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", text)
        else:
            assert refusal.startswith("Validation error: ")
            assert repr(text) in refusal


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_that_no_path_can_hold_is_refused(accounts: Accounts, name: str) -> None:
    made: list[User | Database] = [User(name), *([Database(name)] if accounts.is_replicated else [])]
    assert [refusal_of(accounts, each) is None for each in made] == [False] * len(made)


@given(text=TEXTS)
@CAREFULLY
def test_every_text_is_taken_as_a_password_or_refused_without_telling_it(accounts: Accounts, text: str) -> None:
    refusal = refusal_of(accounts, User("ann", password=text))

    assert refusal is None or refusal.startswith("Validation error: the password of user 'ann' ")
    assert refusal is None or repr(text)[1:-1] not in refusal.partition("'ann'")[2] or len(text) < 8
    assert repr(User("ann", password=f"secret{text}")) == repr(User("ann"))


@pytest.mark.parametrize("password", ["", "a\nb", "\ud800", "x" * 256, "д" * 128])
def test_a_password_that_no_client_could_send_is_refused(accounts: Accounts, password: str) -> None:
    assert "the password of user 'ann'" in (refusal_of(accounts, User("ann", password=password)) or "")


@pytest.mark.parametrize("password", ["x", "x" * 255, "pä'ss\"`\\ wörd 🙂 %s $(reboot)"])
def test_a_password_that_clients_can_send_is_taken(accounts: Accounts, password: str) -> None:
    assert refusal_of(accounts, User("ann", password=password)) is None
