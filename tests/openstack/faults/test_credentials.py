"""Tokens and passwords that stop counting in the middle of a job."""

import json
from typing import Any

import pytest

from chalicelib.models.status import Status
from chalicelib.providers.openstack.cloud import Cloud
from tests.openstack.faults.operators import user
from tests.openstack.faults.outages import of
from tests.openstack.faults.proxy import Answer, PassOn, Request
from tests.openstack.faults.stage import Stage, outcome

pytestmark = pytest.mark.openstack
SERVER = of("nova", "POST", "/servers")
TOKEN = "/auth/tokens"


def test_a_token_that_is_revoked_is_replaced(stage: Stage, admin: Any) -> None:
    """Cinder is asked after that for the first time, so that it has no memory of the token being good."""

    def revoking(request: Request, pass_on: PassOn) -> Answer | None:
        if SERVER(request):
            token = {"X-Subject-Token": request.headers["X-Auth-Token"]}
            admin.identity.delete(TOKEN, headers=token)
        return pass_on()

    with stage.proxy.failing(revoking):
        cluster = stage.created()

    assert outcome(cluster) == (Status.ACTIVE, None)
    assert stage.proxy.count(401, "cinder")
    assert stage.proxy.count(201, "keystone") == 2
    stage.delete_all_of(cluster)


def test_a_password_that_is_changed_is_read_again(stage: Stage, admin: Any) -> None:
    with user(admin) as (somebody, password):
        secret = {"username": somebody.name, "password": password}
        read: list[str] = []

        def tell(name: str) -> str:
            read.append(name)
            return json.dumps(secret)

        def changing(request: Request, pass_on: PassOn) -> Answer | None:
            if SERVER(request) and secret["password"] == password:
                secret["password"] = password[::-1]
                admin.identity.update_user(somebody, password=secret["password"])
            return pass_on()

        stage.be(os_username=None, os_password=None, dtrove_cloud_secret="cloud")
        stage.behind = Cloud(stage.settings, tell)
        with stage.proxy.failing(changing):
            cluster = stage.created()

        assert outcome(cluster) == (Status.ACTIVE, None)
        assert read == ["cloud", "cloud"]
        assert stage.proxy.count(401, "keystone")
        stage.delete_all_of(cluster)


def test_a_password_that_nobody_told_us_is_said_to_be_refused(stage: Stage, admin: Any) -> None:
    with user(admin) as (somebody, password):
        stage.be(os_username=somebody.name, os_password=f"no {password}")
        cluster = stage.created()

        status, message = outcome(cluster)
        assert (status, "The cloud refuses our credentials" in str(message)) == (Status.ERROR, True), message
        assert somebody.name not in str(message)
        assert password not in str(message)
        stage.be(os_password=password)
        stage.delete_all_of(cluster)
