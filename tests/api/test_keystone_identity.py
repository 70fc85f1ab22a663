"""Keystone as the one who knows callers: what is asked, kept, honoured and refused. The real one: tests/keystone/."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from botocore.exceptions import ClientError

from chalicelib.api.access_rules import AccessRule
from chalicelib.api.keystone import KeystoneIdentity
from chalicelib.api.keystone_session import RESPITE_SECONDS, KeystoneSession
from chalicelib.api.token_cache import REFUSED_SECONDS, TokenCache
from chalicelib.config import Config
from chalicelib.errors import ServiceError, Unauthorized, Unavailable
from tests.api.scripted_keystone import PASSWORD, Reply, Running, ScriptedKeystone, scripted_keystone, token_reply

FRESH = 60.0
EXPIRES = 2_000_000_000.0
HOSTILE = ["", "x" * 4097, "zwölf", "a\nb", "a\r\nX-Auth-Token: b", "a b", "a\x00b", "a\x7f", "\ud800"]


@dataclass
class Clock:
    now: float = EXPIRES - 3600

    def __call__(self) -> float:
        return self.now


@dataclass
class Stage:
    keystone: ScriptedKeystone
    identity: KeystoneIdentity
    clock: Clock
    stop: Callable[[], None]

    def answers(self, token: str = "t") -> str:  # noqa: S107 - its name
        """Return what the caller is told: his project, or the error's name."""
        try:
            return str(self.identity.caller_of(token).project_id)
        except ServiceError as error:
            return error.name


def identity_of(running: Running, clock: Clock, password: str = PASSWORD, url: str = "") -> KeystoneIdentity:
    settings = Config(
        os_auth_url=url or running.url, os_username="dtrove", os_password=password, os_project_name="service"
    )
    return KeystoneIdentity(KeystoneSession(settings, clock, patience=(0.5, 0.3)), TokenCache(FRESH, clock))


@pytest.fixture
def running() -> Iterator[Running]:
    with scripted_keystone() as running:
        yield running


@pytest.fixture
def stage(running: Running) -> Stage:
    clock = Clock()
    return Stage(running.keystone, identity_of(running, clock), clock, running.stop)


def test_a_caller_is_whom_keystone_says(stage: Stage) -> None:
    stage.keystone.replies["t"] = token_reply("Member", "reader")

    caller = stage.identity.caller_of("t")

    assert (caller.project_id, caller.user, caller.roles) == ("p1", "u1", {"member", "reader"})
    assert caller.access_rules is None
    assert stage.keystone.headers[0]["x-auth-token"] == "own-token-0"
    assert stage.keystone.headers[0]["openstack-identity-access-rules"] == "1.0"


@pytest.mark.parametrize("ending", ["", "/", "/v3", "/v3/"])
def test_the_url_may_have_the_version_or_not(running: Running, ending: str) -> None:
    running.keystone.replies["t"] = token_reply()
    identity = identity_of(running, Clock(), url=running.url.removesuffix("/v3") + ending)

    assert identity.caller_of("t").project_id == "p1"


def test_a_token_is_asked_about_once_while_it_is_fresh(stage: Stage) -> None:
    stage.keystone.replies["t"] = token_reply()

    for _ in range(3):
        stage.answers()
    assert (len(stage.keystone.asked), stage.identity.cache.hits, stage.identity.cache.misses) == (1, 2, 1)

    stage.clock.now += FRESH
    stage.answers()
    assert len(stage.keystone.asked) == 2


def test_a_token_does_not_outlive_its_expiry_in_the_cache(stage: Stage) -> None:
    stage.keystone.replies["t"] = [token_reply(expires_at=stage.clock.now + 10), Reply(404)]

    assert stage.answers() == "p1"
    stage.clock.now += 10
    assert stage.answers() == "unauthorized"


def test_a_token_that_ended_by_our_clock_is_refused(stage: Stage) -> None:
    stage.keystone.replies["t"] = token_reply(expires_at=stage.clock.now)

    assert stage.answers() == "unauthorized"


def test_a_refused_token_does_not_hammer_keystone(stage: Stage) -> None:
    assert [stage.answers("bad") for _ in range(5)] == ["unauthorized"] * 5
    assert len(stage.keystone.asked) == 1

    stage.clock.now += REFUSED_SECONDS
    stage.keystone.replies["bad"] = token_reply()  # its user was enabled again
    assert stage.answers("bad") == "p1"


def test_a_revoked_token_is_refused_once_it_is_no_longer_fresh_and_for_good(stage: Stage) -> None:
    stage.keystone.replies["t"] = [token_reply(), Reply(404)]
    assert stage.answers() == "p1"

    stage.clock.now += FRESH - 1
    assert stage.answers() == "p1"
    stage.clock.now += 1
    assert stage.answers() == "unauthorized"

    stage.stop()
    stage.clock.now += REFUSED_SECONDS
    assert stage.answers() == "serviceUnavailable"  # not honoured as one that was known before


@pytest.mark.parametrize("token", HOSTILE)
def test_what_can_be_no_token_is_refused_without_asking(stage: Stage, token: str) -> None:
    with pytest.raises(Unauthorized):
        stage.identity.caller_of(token)

    assert (stage.keystone.asked, stage.keystone.own_tokens) == ([], [])


def test_the_services_own_token_is_renewed_when_keystone_refuses_it(stage: Stage) -> None:
    stage.keystone.replies |= {"t": token_reply(), "u": token_reply()}
    stage.answers("t")
    stage.keystone.forget_own_token()

    assert stage.answers("u") == "p1"
    assert len(stage.keystone.own_tokens) == 3


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_failing_keystone_is_asked_once_more(stage: Stage, status: int) -> None:
    stage.keystone.replies["t"] = [Reply(status), token_reply()]
    assert (stage.answers(), len(stage.keystone.asked)) == ("p1", 2)

    stage.keystone.replies["u"] = Reply(status)
    assert (stage.answers("u"), len(stage.keystone.asked)) == ("serviceUnavailable", 4)


ODD = [
    Reply(400),
    Reply(403),  # the service's user has not the role for it
    Reply(429),
    Reply(204),
    Reply(body=b"<html>"),
    Reply(body=b"\xff"),
    Reply(body=b""),
    Reply(body=b"[]"),
    Reply(body=b"{}"),
    Reply(body=b'{"token": null}'),
    Reply(body=b'{"token": []}'),
    Reply(body=b'{"token": {}}'),
    token_reply(user={"name": "no id"}),
    token_reply(project="p1", roles=["member"]),
    token_reply(expires_at=None, application_credential={"access_rules": [{"path": "**"}]}),
    Reply(body=token_reply().body.replace(b"2100-01-01", b"one fine day")),
]


@pytest.mark.parametrize("reply", ODD, ids=lambda reply: f"{reply.status} {reply.body[:60]!r}")
def test_an_answer_that_is_no_verdict_closes_and_honours_what_was_known(stage: Stage, reply: Reply) -> None:
    stage.keystone.replies |= {"new": reply, "known": [token_reply(), reply]}
    stage.answers("known")
    stage.clock.now += FRESH

    assert (stage.answers("new"), stage.answers("known")) == ("serviceUnavailable", "p1")


@pytest.mark.parametrize(
    "reply", [Reply(401), Reply(403), Reply(500), Reply(201, b"<"), Reply(201), token_reply(), Reply(201, b"[1]")]
)
def test_a_service_that_gets_no_token_of_its_own_closes(stage: Stage, reply: Reply) -> None:
    stage.keystone.own_reply = reply

    assert (stage.answers(), stage.keystone.asked) == ("serviceUnavailable", [])


def test_a_wrong_password_of_our_own_is_nobody_elses_fault_and_is_not_tried_at_each_request(running: Running) -> None:
    clock = Clock()
    stage = Stage(running.keystone, identity_of(running, clock, password="wrong"), clock, running.stop)
    assert stage.answers() == "serviceUnavailable"

    running.keystone.own_reply = token_reply()  # would be seen if it were asked
    running.keystone.own_tokens.clear()
    assert (stage.answers(), running.keystone.own_tokens) == ("serviceUnavailable", [])


def test_a_redirect_is_not_followed_with_tokens(stage: Stage, running: Running) -> None:
    with scripted_keystone() as elsewhere:
        running.keystone.replies["t"] = Reply(302, headers={"Location": f"{elsewhere.url}/auth/tokens"})

        assert (stage.answers(), elsewhere.keystone.asked) == ("serviceUnavailable", [])


def test_a_silent_keystone_is_not_waited_for_by_each_request(stage: Stage) -> None:
    stage.keystone.replies |= {"t": token_reply(), "u": token_reply()}
    stage.answers("t")
    stage.keystone.silent = True
    stage.clock.now += FRESH

    began = time.monotonic()
    assert stage.answers("u") == "serviceUnavailable"
    assert time.monotonic() - began < 2  # twice 0.3 s, and not for ever
    assert len(stage.keystone.asked) == 3
    assert [stage.answers(each) for each in "tutu"] == ["p1", "serviceUnavailable"] * 2
    assert len(stage.keystone.asked) == 3

    stage.keystone.silent = False
    stage.clock.now += RESPITE_SECONDS
    assert stage.answers("u") == "p1"


def test_while_keystone_is_gone_an_accepted_token_is_honoured_until_it_ends(stage: Stage) -> None:
    stage.keystone.replies["t"] = token_reply(expires_at=EXPIRES)
    stage.answers()
    stage.stop()

    for now, answer in ((EXPIRES - 1, "p1"), (EXPIRES, "serviceUnavailable")):
        stage.clock.now = now
        assert stage.answers() == answer
    assert stage.answers("unknown") == "serviceUnavailable"


def test_a_token_without_a_project_has_none(stage: Stage) -> None:
    stage.keystone.replies["t"] = token_reply("admin", project=None, domain={"id": "default"})

    assert stage.identity.caller_of("t").project_id is None


def test_access_rules_come_with_the_caller(stage: Stage) -> None:
    rule = {"id": "1", "service": "database", "method": "GET", "path": "/v1.0/**"}
    stage.keystone.replies |= {
        "some": token_reply("member", application_credential={"id": "a", "access_rules": [rule]}),
        "none": token_reply("member", application_credential={"id": "a", "access_rules": []}),
        "any": token_reply("member", application_credential={"id": "a", "restricted": True}),
    }

    some, none, anything = (stage.identity.caller_of(each) for each in ("some", "none", "any"))

    assert some.access_rules == (AccessRule("database", "GET", "/v1.0/**"),)
    assert [each.may_send("GET", "/v1.0/p1/flavors") for each in (some, none, anything)] == [True, False, True]
    assert [each.may_send("POST", "/v1.0/p1/clusters") for each in (some, none, anything)] == [False, False, True]


def test_no_log_has_a_token_or_a_password(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stage.keystone.replies |= {
        "customers-token": token_reply(),
        "worse-token": Reply(500),
        "odd-token": Reply(body=b"["),
    }
    for token in (*stage.keystone.replies, "bad-token", "evil\ntoken"):
        stage.answers(token)
    stage.keystone.forget_own_token()
    stage.stop()
    stage.clock.now += FRESH
    with pytest.raises(Unavailable) as refusal:
        stage.identity.caller_of("late-token")

    assert stage.answers("customers-token") == "p1"

    said = caplog.text + str(refusal.value) + repr(refusal.value.__cause__)
    assert "a token is honoured" in said
    assert "Keystone cannot be asked: ConnectFailure" in said
    assert "-token" not in said.replace("x-auth-token", "").replace("x-subject-token", "")
    assert PASSWORD not in said


def with_secret(running: Running, read_secret: Callable[[str], str]) -> KeystoneIdentity:
    settings = Config(os_auth_url=running.url, os_project_name="service", dtrove_cloud_secret="dtrove/openstack")
    session = KeystoneSession(settings, Clock(), (0.5, 0.3), read_secret)
    return KeystoneIdentity(session, TokenCache(0, Clock()))


SECRETS = [
    {"username": "dtrove", "password": PASSWORD},
    {"application_credential_id": "c1", "application_credential_secret": PASSWORD},
]


@pytest.mark.parametrize("secret", SECRETS, ids=["password", "application credential"])
def test_who_we_are_may_be_in_a_secret_that_is_read_once(running: Running, secret: dict[str, str]) -> None:
    running.keystone.replies["t"] = token_reply()
    read: list[str] = []

    def read_secret(name: str) -> str:
        read.append(name)
        return json.dumps(secret)

    identity = with_secret(running, read_secret)
    identity.caller_of("t")
    identity.caller_of("t")

    assert read == ["dtrove/openstack"]


def test_a_secret_that_was_changed_is_read_again_when_the_old_one_is_refused(running: Running) -> None:
    running.keystone.replies["t"] = token_reply()
    identity = with_secret(running, lambda _: json.dumps({"username": "dtrove", "password": running.keystone.password}))
    identity.caller_of("t")

    running.keystone.password = "another"
    running.keystone.forget_own_token()

    assert identity.caller_of("t").project_id == "p1"


def lost(name: str) -> str:
    raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetSecretValue")


def wrong(name: str) -> str:
    return json.dumps({"username": "dtrove", "password": "wrong"})


@pytest.mark.parametrize("read_secret", [lost, wrong, lambda _: "no JSON", lambda _: '["a list"]'])
def test_without_a_secret_that_serves_nobody_is_known(running: Running, read_secret: Callable[[str], str]) -> None:
    running.keystone.replies["t"] = token_reply()

    with pytest.raises(Unavailable):
        with_secret(running, read_secret).caller_of("t")
