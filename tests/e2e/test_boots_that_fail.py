"""A server that does not come up: whoever looks at its job sees why on its console."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.api import Api
from local.service import Service
from tests.e2e.conftest import SITE

pytestmark = pytest.mark.guests

INIT = "#!/bin/sh\necho 'mounting the root disk'\necho 'no such device'\nexit 1\n"
OFFER = {"name": "broken", "datastore_name": "redis", "datastore_manager": "redis", "active": True}


@pytest.fixture
def broken_image() -> Iterator[str]:
    """An image whose init ends as soon as it is started."""
    folder = Path(SITE["DTROVE_NSPAWN_IMAGES"]) / "e2e-broken"
    init = folder / "tree/usr/lib/systemd/systemd"
    init.parent.mkdir(parents=True, exist_ok=True)
    init.write_text(INIT)
    init.chmod(0o755)
    (folder / "layers").write_text("debian-12")
    try:
        yield folder.name
    finally:
        shutil.rmtree(folder)


def test_the_job_of_a_server_that_does_not_boot_has_its_console_for_administrators(
    running: Service, api: Api, broken_image: str
) -> None:
    admin = Api(api.url, running.tokens["DTROVE_ADMIN_TOKEN"])
    running.api("DTROVE_ADMIN_TOKEN").post("/mgmt/datastore-versions", {"version": OFFER | {"image": broken_image}})
    order = {"name": "dead", "datastore": {"type": "redis", "version": "broken"}, "size": 1, "flavorRef": "1"}

    made = api.post("/clusters", {"cluster": order})["cluster"]
    job = api.await_job(made["job_id"])

    member = made["instances"][0]["id"]
    assert (job["status"], job["instances"][0]["step"]) == ("FAILED", "create_server")
    assert "ended with status 1" in job["message"]
    (console,) = admin.get(f"/jobs/{job['id']}")["job"]["consoles"]
    assert (console["id"], console["name"]) == (member, "dead-member-1")
    assert {"mounting the root disk", "no such device"} < set(console["text"].splitlines())  # the rest is nspawn's
    assert "consoles" not in job
    api.delete(f"/clusters/{made['id']}")
    assert api.await_job(api.newest_job(made["id"])["id"])["status"] == "SUCCEEDED"
    (version,) = [each for each in api.get("/datastores/redis/versions")["versions"] if each["name"] == "broken"]
    admin.delete(f"/mgmt/datastore-versions/{version['id']}")
