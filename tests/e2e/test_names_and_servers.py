"""Names through the gateway to a real server, and what administrators ask of that server and do to it."""

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.api import Api, ApiError
from local.service import Service
from tests.e2e.clusters import Ordered

pytestmark = pytest.mark.guests

NAMES = [("a%2541", "a%41"), ("a%2eb", "a.b"), ("a%2Fb", "a/b"), ("al%40%25", "al@%")]
PASSWORD = "correct-horse-battery"


def raw(api: Api, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Send the path exactly as given."""
    url = urlsplit(api.url)
    connection = HTTPConnection(url.netloc, timeout=60)
    headers = {"X-Auth-Token": api.token, "Content-Type": "application/json"}
    connection.request(method, url.path + path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text else None


def test_each_name_reaches_the_server_and_comes_back(running: Service, api: Api) -> None:
    cluster = Ordered.by(api, "mysql", 1, volume_gib=None)
    below = f"/instances/{cluster.instances()[0]['id']}"
    logins = [name.removesuffix("@%") for _, name in NAMES]
    databases = {"databases": [{"name": name} for _, name in NAMES]}
    users = {"users": [{"name": login, "password": PASSWORD} for login in logins]}

    assert raw(api, "POST", f"{below}/databases", databases)[0] == 202
    assert raw(api, "POST", f"{below}/users", users)[0] == 202
    listed = [each["name"] for each in api.get(f"{below}/databases")["databases"]]
    assert listed == sorted(name for _, name in NAMES)
    for written, name in NAMES:
        at = f"{below}/users/{written}"
        shown = raw(api, "GET", at)[1]["user"]
        assert (shown["name"], shown["host"]) == (name.removesuffix("@%"), "%")
        assert raw(api, "PUT", f"{at}/databases", {"databases": [{"name": name}]})[0] == 202
        assert raw(api, "GET", f"{at}/databases") == (200, {"databases": [{"name": name}]})
        assert raw(api, "DELETE", f"{at}/databases/{written}")[0] == 202
        assert raw(api, "DELETE", at)[0] == 202
        assert raw(api, "DELETE", f"{below}/databases/{written}")[0] == 202
    assert (api.get(f"{below}/databases"), api.get(f"{below}/users")) == ({"databases": []}, {"users": []})
    assert raw(api, "DELETE", f"{below}/databases/%2e")[0] == 404
    cluster.delete()


def test_a_server_is_asked_and_rebooted(running: Service, api: Api) -> None:
    cluster = Ordered.by(api, "postgresql", 2)
    admin = Api(api.url, running.tokens["DTROVE_ADMIN_TOKEN"])
    (replica,) = cluster.instances("replica")
    path = f"/mgmt/instances/{replica['id']}"

    def boot() -> str:
        look = {"perform": {"name": "boot", "commands": ["cat /proc/sys/kernel/random/boot_id"]}}
        job_id = admin.post(f"{path}/action", look)["job"]["id"]
        cluster.ends(job_id)
        return str(admin.get(f"/jobs/{job_id}")["job"]["output"].splitlines()[1])

    before = boot()
    assert admin.get(f"{path}/hwinfo")["hwinfo"]["num_cpus"] >= 1
    assert admin.get(f"{path}/diagnostics")["diagnostics"]["version"].startswith("15.")
    assert admin.get(f"{path}/root")["root_history"]["user"] == "demo"
    assert raw(admin, "GET", f"{path}/rpc_ping") == (204, None)
    with pytest.raises(ApiError, match="401"):
        api.get(f"{path}/hwinfo")

    admin.post(f"{path}/action", {"reboot": {}})
    job = cluster.ends(admin.get(f"/jobs?limit=1&instance_id={replica['id']}")["jobs"][0]["id"])

    assert (job["workflow"], boot() != before) == ("reboot_instance", True)
    cluster.prove()
    cluster.delete()
