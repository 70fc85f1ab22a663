"""What API Gateway answers by itself, and what it hands on."""

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.api import Api
from local.service import Service
from tests.e2e.clusters import Ordered

pytestmark = pytest.mark.guests


def ask(
    api: Api, method: str, path: str, headers: dict[str, str] | None = None, body: object = None
) -> tuple[int, Any]:
    """Ask with the path exactly as given."""
    url = urlsplit(api.url)
    connection = HTTPConnection(url.netloc, timeout=30)
    headers = {"X-Auth-Token": api.token, **(headers or {})}
    connection.request(method, url.path + path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text)


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("PATCH", "/clusters"), ("DELETE", "/flavors")])
def test_an_unknown_route_or_method_is_not_found(api: Api, method: str, path: str) -> None:
    message = {"itemNotFound": {"code": 404, "message": "The resource could not be found."}}

    assert ask(api, method, path) == (404, message)


@pytest.mark.parametrize(
    ("written", "read"), [("a%2541", "a%41"), ("a%2Fb", "a/b"), ("al%40%25", "al@%"), ("a%2eb", "a.b")]
)
def test_path_values_are_decoded_once(api: Api, written: str, read: str) -> None:
    message = {"itemNotFound": {"code": 404, "message": f"Datastore '{read}' cannot be found."}}

    assert ask(api, "GET", f"/datastores/{written}") == (404, message)


def test_links_lead_back_to_where_they_came_from(running: Service, api: Api) -> None:
    (first, *_) = api.get("/datastores")["datastores"]
    self_link = next(each["href"] for each in first["links"] if each["rel"] == "self")

    assert self_link == f"{api.url}/datastores/{first['id']}"
    assert Api(self_link, api.token).get("")["datastore"]["id"] == first["id"]


def test_the_document_names_the_url_that_serves_it(running: Service) -> None:
    document = Api(running.api_url, "").get("/v1.0/openapi.json")

    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": running.api_url}]
    assert "/v1.0/{project_id}/clusters" in document["paths"]


def test_the_version_document_links_to_itself(running: Service) -> None:
    anonymous = Api(running.api_url, "")

    href = anonymous.get("/v1.0")["version"]["links"][0]["href"]

    assert href == f"{running.api_url}/v1.0/"


def test_asked_twice_under_one_key_there_is_one_cluster_and_one_password(api: Api) -> None:
    """Through the gateway, with the API's own role: it opens what it kept, sealed by KMS."""
    order = {"name": "once", "datastore": {"type": "redis"}, "size": 1, "flavorRef": "1"}

    first, second = (
        ask(
            api,
            "POST",
            "/clusters",
            {"Idempotency-Key": "once", "Content-Type": "application/json"},
            {"cluster": order},
        )
        for _ in range(2)
    )

    assert first == second
    assert first[0] == 200
    cluster = Ordered(api, first[1]["cluster"]["id"], "redis", first[1]["cluster"]["password"])
    cluster.ends(first[1]["cluster"]["job_id"])
    assert [each["name"] for each in api.get("/clusters")["clusters"]].count("once") == 1
    cluster.prove()
    cluster.delete()
