"""The API behind a real Keystone: whose token may do what, and for how long."""

import time
from dataclasses import dataclass

import pytest
from keystoneauth1.identity.v3 import Auth, PasswordMethod
from keystoneauth1.session import Session

from chalicelib.api.keystone import KeystoneIdentity
from chalicelib.api.keystone_session import RESPITE_SECONDS
from chalicelib.models.cluster import Cluster
from tests.api.client import ApiCaller
from tests.keystone.cloud import Cloud, User
from tests.keystone.conftest import Serve, service_settings
from tests.keystone.real_keystone import twin

ORDER = {
    "cluster": {
        **{"name": "c1", "size": 1, "flavorRef": "1", "volume": {"size": 1}},
        "datastore": {"type": "redis", "version": "7.0"},
    }
}
SERVICE = {"service": "database"}


@dataclass(frozen=True)
class People:
    member: User
    reader: User
    admin: User
    other: User  # a member of another project


@pytest.fixture(scope="session")
def people(cloud: Cloud) -> People:
    project_id = cloud.project()
    member, reader, admin = (cloud.user(project_id, role) for role in ("member", "reader", "admin"))
    return People(member, reader, admin, other=cloud.user(cloud.project(), "member"))


def caller(user: User, token: str | None = None) -> ApiCaller:
    return ApiCaller(token or user.token(), user.project_id)


def status(user: User, token: str | None = None) -> int:
    return caller(user, token).get("/flavors").status


@pytest.mark.usefixtures("api")
def test_each_role_may_what_it_may(people: People) -> None:
    member, reader, admin = (caller(each) for each in (people.member, people.reader, people.admin))

    assert [each.get("/flavors").status for each in (member, reader, admin)] == [200] * 3
    refused, made = reader.post("/clusters", ORDER), member.post("/clusters", ORDER)
    assert (refused.status, list(refused.body), made.status) == (403, ["forbidden"], 200)
    cluster = Cluster.get(made.body["cluster"]["id"])
    assert cluster.project_id == people.member.project_id
    action = f"/mgmt/instances/{cluster.instance_ids[0]}/action"
    assert (member.post(action, {}).status, admin.post(action, {}).status) == (401, 400)


@pytest.mark.usefixtures("api")
def test_another_project_is_not_there_but_for_an_admin(people: People) -> None:
    project_id = people.other.project_id

    answers = [ApiCaller(each.token(), project_id).get("/clusters") for each in (people.member, people.admin)]
    assert [each.status for each in answers] == [404, 200]


@pytest.mark.usefixtures("api")
def test_a_user_without_a_role_that_we_know_may_nothing(cloud: Cloud) -> None:
    name = f"auditor-{time.monotonic_ns()}"
    cloud.roles[name] = cloud.ask("POST", "/roles", role={"name": name})["id"]

    assert status(cloud.user(cloud.project(), name)) == 403


def test_a_token_is_validated_once(api: KeystoneIdentity, people: People) -> None:
    member = caller(people.member)

    assert [member.get("/flavors").status for _ in range(5)] == [200] * 5
    assert (api.cache.hits, api.cache.misses) == (4, 1)


@pytest.mark.usefixtures("api")
def test_a_token_of_no_project_may_nothing_whatever_its_roles(cloud: Cloud, people: People) -> None:
    admin = people.admin
    cloud.ask("PUT", f"/domains/default/users/{admin.user_id}/roles/{cloud.roles['admin']}")
    cloud.ask("PUT", f"/system/users/{admin.user_id}/roles/{cloud.roles['admin']}")

    tokens = [
        admin.unscoped_token(),
        admin.token({"domain": {"id": "default"}}),
        admin.token({"system": {"all": True}}),
    ]
    assert [status(admin, each) for each in tokens] == [403] * 3
    assert ApiCaller(tokens[1], "default").get("/flavors").status == 403


@pytest.mark.usefixtures("api")
def test_an_unknown_token_is_unauthorized(people: People) -> None:
    good = people.member.token()

    assert [status(people.member, each) for each in ("unknown", good[:-1], good + "A", "x" * 4096)] == [401] * 4


def test_a_revoked_token_counts_no_longer_than_the_cache_holds(serve: Serve, catalog: None, people: People) -> None:
    token = people.member.token()
    cache = serve(DTROVE_TOKEN_CACHE_SECONDS="600").cache
    assert status(people.member, token) == 200

    people.member.cloud.keystone.send("DELETE", "/auth/tokens", token=token, subject=token)
    assert (status(people.member, token), cache.hits) == (200, 1)

    serve(DTROVE_TOKEN_CACHE_SECONDS="0")
    assert status(people.member, token) == 401


def test_whom_keystone_disables_is_refused_at_the_next_validation(serve: Serve, catalog: None, cloud: Cloud) -> None:
    serve(DTROVE_TOKEN_CACHE_SECONDS="0")
    kept, dismissed = (cloud.user(cloud.project(), "member") for _ in range(2))
    closed = cloud.user(cloud.project(), "member")
    stripped = cloud.user(cloud.project(), "member")
    tokens = {each: each.token() for each in (kept, dismissed, closed, stripped)}
    assert [status(*each) for each in tokens.items()] == [200] * 4

    cloud.ask("PATCH", f"/users/{dismissed.user_id}", user={"enabled": False})
    cloud.ask("PATCH", f"/projects/{closed.project_id}", project={"enabled": False})
    role = cloud.roles["member"]
    cloud.ask("DELETE", f"/projects/{stripped.project_id}/users/{stripped.user_id}/roles/{role}")

    assert [status(*each) for each in tokens.items()] == [200, 401, 401, 401]


@pytest.mark.usefixtures("api")
def test_an_application_credential_may_what_its_roles_may(people: People) -> None:
    whole = caller(people.member, people.member.application_token())
    lesser = caller(people.member, people.member.application_token(roles=[{"name": "reader"}]))

    assert [each.get("/flavors").status for each in (whole, lesser)] == [200, 200]
    assert [each.post("/clusters", ORDER).status for each in (whole, lesser)] == [200, 403]


@pytest.mark.usefixtures("api")
def test_an_application_credentials_access_rules_are_kept(people: People) -> None:
    rules = [
        {**SERVICE, "method": "GET", "path": "/v1.0/{project_id}/flavors"},
        {**SERVICE, "method": "GET", "path": "/v1.0/*/datastores/*"},
        {**SERVICE, "method": "GET", "path": "/v1.0/*/instances**"},
        {"service": "compute", "method": "GET", "path": "/v1.0/*/clusters"},
        {**SERVICE, "method": "DELETE", "path": "/v1.0/*/clusters"},
    ]
    limited = caller(people.member, people.member.application_token(access_rules=rules))

    allowed = ("/flavors", "/datastores/redis", "/instances", "/instances/detail")
    assert [limited.get(path).status for path in allowed] == [200] * 4
    barred = ("/flavors/1", "/datastores", "/datastores/redis/versions", "/clusters", "/limits")
    answers = [limited.get(path) for path in barred] + [limited.post("/clusters", ORDER)]
    assert [each.status for each in answers] == [401] * 6
    assert "access rules" in answers[0].body["unauthorized"]["message"]


@pytest.mark.usefixtures("catalog")
def test_a_token_ends_when_it_says_even_if_the_cache_would_hold_it(serve: Serve, people: People) -> None:
    serve(DTROVE_TOKEN_CACHE_SECONDS="600")
    with twin(people.member.cloud.keystone, token_seconds=5) as short:
        token = people.member.token(keystone=short)
        ends = time.monotonic() + 5
        assert status(people.member, token) == 200

    time.sleep(max(0.0, ends - time.monotonic()))
    assert status(people.member, token) == 401


@pytest.mark.usefixtures("catalog")
def test_while_keystone_is_stopped_only_tokens_it_accepted_are_honoured(serve: Serve, people: People) -> None:
    with twin(people.member.cloud.keystone, token_seconds=3600) as doomed:
        serve(OS_AUTH_URL=doomed.url, DTROVE_TOKEN_CACHE_SECONDS="0")
        known = people.member.token()
        assert status(people.member, known) == 200

    unknown = caller(people.reader).get("/flavors")
    assert (unknown.status, list(unknown.body)) == (503, ["serviceUnavailable"])
    assert status(people.member, known) == 200


def test_the_services_own_token_is_renewed_once_it_can_be(
    serve: Serve, catalog: None, cloud: Cloud, people: People
) -> None:
    own = cloud.user(cloud.project(), "service")
    serve(**service_settings(own), DTROVE_TOKEN_CACHE_SECONDS="0")
    member, reader = caller(people.member), caller(people.reader)
    assert member.get("/flavors").status == 200

    cloud.ask("PATCH", f"/users/{own.user_id}", user={"enabled": False})  # revokes its tokens
    assert [each.get("/flavors").status for each in (member, reader)] == [200, 503]
    cloud.ask("PATCH", f"/users/{own.user_id}", user={"enabled": True})
    time.sleep(RESPITE_SECONDS)
    assert reader.get("/flavors").status == 200


@pytest.mark.usefixtures("catalog")
def test_a_service_user_who_may_not_validate_closes_the_api(serve: Serve, people: People) -> None:
    serve(**service_settings(people.member))

    assert status(people.other) == 503


@pytest.mark.usefixtures("api")
def test_the_catalog_leads_a_client_to_its_own_project(people: People) -> None:
    member = people.member
    password = PasswordMethod(username=member.name, password=member.name, user_domain_id="default")
    session = Session(Auth(member.cloud.keystone.url, [password], project_id=member.project_id))

    endpoint = str(session.get_endpoint(service_type="database", interface="public"))
    assert endpoint == f"http://db.example/v1.0/{member.project_id}"
    assert ApiCaller(str(session.get_token()), endpoint.rpartition("/")[2]).get("/flavors").status == 200
