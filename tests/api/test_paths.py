"""Values in paths are decoded once: on Chalice's own server and by API Gateway's event, as it was recorded on AWS.

Of a request for `/test/test-path/api/user/test%2Balias@gmail.com/plus/test+alias@gmail.com` a REST API's event has
`path`, `pathParameters` and `requestContext.path` as they came; query values are decoded, `+` to a space.
"""

import json
import re
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest

from app import app
from chalicelib import config
from chalicelib.api.policy import POLICY
from tests.clients.serving import serving
from tests.ledger import Ledger
from tests.simulation.service import Simulation

NAMES = [("a%2541", "a%41"), ("a%2eb", "a.b"), ("a%2Fb", "a/b"), ("al%40%25", "al@%"), ("%C3%A9+%20x", "é+ x")]
PASSWORD = "correct horse battery"


class Surface(Protocol):
    def __call__(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Send it below /v1.0/p1, as it is; return (status, body)."""
        ...


def by_event(method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Call the function as API Gateway does."""
    route, values = routed(method, path)
    event = {
        "resource": f"/v1.0/{{project_id}}{route}",
        "path": f"/v1.0/p1{path}",
        "httpMethod": method,
        "headers": {"x-auth-token": "member", "content-type": "application/json", "X-Forwarded-Proto": "https"},
        "multiValueQueryStringParameters": None,
        "pathParameters": {"project_id": "p1", **values},
        "stageVariables": None,
        "requestContext": {
            "httpMethod": method,
            "path": f"/api/v1.0/p1{path}",
            "requestId": "id",
            "resourcePath": f"/v1.0/{{project_id}}{route}",
            "identity": {"sourceIp": "192.0.2.1"},
            "stage": "api",
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
    answer = app(event, None)
    return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None


def routed(method: str, path: str) -> tuple[str, dict[str, str]]:
    """Return the route that API Gateway would choose, segment by segment, and the values as they came."""
    for each in POLICY:
        known, route = each.split()
        found = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", route), path)
        if known == method and found:
            return route, found.groupdict()
    raise LookupError(path)


@pytest.fixture(params=["chalice local", "API Gateway"])
def surface(
    request: pytest.FixtureRequest, simulation: Simulation, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Surface]:
    monkeypatch.setenv("DTROVE_ANSWER_PATIENCE_SECONDS", "5")
    config.current.cache_clear()
    with serving(simulation) as url:
        netloc = urlsplit(url).netloc

        def over_http(method: str, path: str, body: object = None) -> tuple[int, Any]:
            connection = HTTPConnection(netloc, timeout=30)
            headers = {"X-Auth-Token": "member", "Content-Type": "application/json"}
            connection.request(method, f"/v1.0/p1{path}", None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            connection.close()
            return answer.status, json.loads(text) if text else None

        yield over_http if request.param == "chalice local" else by_event
    monkeypatch.undo()
    config.current.cache_clear()


@pytest.fixture
def below(surface: Surface) -> str:
    """Where an instance that serves is."""
    order = {"instance": {"name": "db1", "flavorRef": 1, "datastore": {"type": "ledger"}}}
    path = f"/instances/{surface('POST', '/instances', order)[1]['instance']['id']}"
    until = time.monotonic() + 30
    while surface("GET", path)[1]["instance"]["status"] != "ACTIVE":
        assert time.monotonic() < until
        time.sleep(0.05)
    return path


@pytest.mark.parametrize(("written", "name"), NAMES)
def test_a_database_and_a_user_are_reached_by_their_names(
    surface: Surface, below: str, ledger: Ledger, written: str, name: str
) -> None:
    login, at = name.removesuffix("@%"), f"{below}/users/{written}"  # the last @ parts a user's name from its host
    user = {"name": login, "password": PASSWORD}

    assert surface("POST", f"{below}/databases", {"databases": [{"name": name}, {"name": "other"}]})[0] == 202
    assert surface("POST", f"{below}/users", {"users": [user]})[0] == 202
    shown = {"name": login, "host": "%", "databases": []}
    assert surface("GET", at) == (200, {"user": shown})
    assert surface("PUT", f"{at}/databases", {"databases": [{"name": name}]})[0] == 202
    assert surface("GET", f"{at}/databases") == (200, {"databases": [{"name": name}]})
    assert surface("DELETE", f"{at}/databases/{written}")[0] == 202
    assert ledger.logins[login, "%"].databases == ()
    assert surface("DELETE", at)[0] == 202
    assert surface("DELETE", f"{below}/databases/{written}")[0] == 202
    assert (ledger.names, ledger.logins) == (["other"], {})


@pytest.mark.parametrize("written", ["%2e", "%2e%2e", ".", "..", "%ff", "%80abc"])
def test_what_can_be_nobody_s_name_reaches_nothing(surface: Surface, below: str, ledger: Ledger, written: str) -> None:
    surface("POST", f"{below}/databases", {"databases": [{"name": "there"}]})

    assert surface("DELETE", f"{below}/databases/{written}")[0] == 404
    assert ledger.names == ["there"]


def test_half_an_escape_is_itself(surface: Surface, below: str) -> None:
    message = {"itemNotFound": {"code": 404, "message": "Database 100% cannot be found on the instance."}}

    assert surface("DELETE", f"{below}/databases/100%") == (404, message)
