"""What is on offer, in Trove's shapes."""

import json

import pytest
from chalice.test import Client

from app import app
from chalicelib.models.datastore import version_id_of
from tests.api.client import ApiCaller

pytestmark = pytest.mark.usefixtures("catalog")
member = ApiCaller()
MYSQL = version_id_of("mysql", "10.11")


@pytest.mark.parametrize(("path", "key"), [("/", "versions"), ("/v1.0", "version"), ("/v1.0/p1", "version")])
def test_versions_need_no_token_and_link_to_what_was_served(path: str, key: str) -> None:
    with Client(app) as client:
        answer = client.http.get(path, headers={"Host": "db.example"})

    body = json.loads(answer.body)[key]
    version = body[0] if key == "versions" else body
    assert (answer.status_code, version["id"], version["status"]) == (200, "v1.0", "CURRENT")
    assert answer.headers["x-openstack-request-id"].startswith("req-")
    assert version["links"] == [{"rel": "self", "href": "https://db.example/v1.0/"}]


def test_datastores_have_their_versions() -> None:
    mysql, redis = member.get("/datastores").body["datastores"]

    assert (mysql["name"], redis["name"]) == ("mysql", "redis")
    assert mysql["default_version"] == MYSQL
    assert [(each["name"], "datastore" in each) for each in mysql["versions"]] == [("10.11", False)]


def test_a_datastore_is_found_by_id_and_by_name() -> None:
    by_name = member.get("/datastores/mysql").body["datastore"]

    assert member.get(f"/datastores/{by_name['id']}").body["datastore"] == by_name


@pytest.mark.parametrize("path", ["/datastores/mysql/versions/10.11", f"/datastores/mysql/versions/{MYSQL}"])
def test_a_version_is_found_by_id_and_by_name(path: str) -> None:
    assert member.get(path).body["version"]["id"] == MYSQL


def test_a_version_is_found_without_its_datastore() -> None:
    assert member.get(f"/datastores/versions/{MYSQL}").body["version"]["name"] == "10.11"


def test_only_admins_see_what_a_version_is_made_of() -> None:
    admin = ApiCaller("admin", "admin")

    assert "packages" not in member.get("/datastores/mysql/versions").body["versions"][0]
    assert admin.get("/datastores/mysql/versions").body["versions"][0]["packages"] == ["mysql-server"]


@pytest.mark.parametrize(
    "path",
    ["/datastores/oracle", "/datastores/mysql/versions/9", "/datastores/versions/none", "/flavors/99", "/jobs/none"],
)
def test_what_is_not_there_is_a_404(path: str) -> None:
    assert member.get(path).body["itemNotFound"]["code"] == 404


def test_flavors_have_trove_s_two_ids() -> None:
    flavors = member.get("/flavors").body["flavors"]

    assert [(each["id"], each["str_id"], each["ram"]) for each in flavors] == [(1, "1", 512), (2, "2", 1024)]
    assert member.get("/flavors/2").body["flavor"] == flavors[1]
    assert member.get("/datastores/mysql/versions/10.11/flavors").body["flavors"] == flavors


def test_the_first_limit_is_absolute() -> None:
    assert member.get("/limits").body["limits"][0]["verb"] == "ABSOLUTE"


def test_path_values_are_decoded_once() -> None:
    answer = member.get("/datastores/a%2541")

    assert answer.body["itemNotFound"]["message"] == "Datastore 'a%41' cannot be found."


@pytest.mark.parametrize("path", ["/datastores/..", "/datastores/%2e%2e", "/datastores/mysql/", "/datastores/%ff"])
def test_what_can_be_nothing_s_name_is_a_404(path: str) -> None:
    """Clients fold dots: what is left of `…/databases/..` must not be taken for a call on the instance."""
    assert member.get(path).status == 404


@pytest.mark.parametrize(
    ("resource", "served", "base"),
    [
        ("/", "/", ""),
        ("/", "/api/", "/api"),
        ("/v1.0", "/api/v1.0", "/api"),
        ("/v1.0", "/api/v1.0/", "/api"),
        ("/v1.0", "/v1.0/", ""),
        ("/v1.0/{project_id}", "/api/v1.0/p1", "/api"),
        ("/v1.0/{project_id}", "/api/v1.0/p1/", "/api"),
    ],
)
def test_versions_below_a_stage_or_a_domain_of_its_own(resource: str, served: str, base: str) -> None:
    """API Gateway routes with and without a slash at the end; a domain name of one's own hides the stage."""
    event = {
        "headers": {"Host": "db.example", "X-Forwarded-Proto": "https"},
        "multiValueQueryStringParameters": None,
        "pathParameters": {"project_id": "p1"} if "project_id" in resource else None,
        "stageVariables": None,
        "requestContext": {"httpMethod": "GET", "resourcePath": resource, "path": served, "identity": {"sourceIp": ""}},
        "body": None,
    }

    answer = app(event, None)

    document = json.loads(answer["body"])
    version = document["versions"][0] if resource == "/" else document["version"]
    assert (answer["statusCode"], version["links"][0]["href"]) == (200, f"https://db.example{base}/v1.0/")
