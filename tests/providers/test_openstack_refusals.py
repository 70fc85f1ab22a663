"""What each of the cloud's refusals becomes: to come again, or to give up with its own sentence."""

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import pytest
import requests
from keystoneauth1 import exceptions as keystone
from openstack import exceptions as sdk

from chalicelib.errors import ProviderError, StepError, Transient
from chalicelib.providers.openstack.refusals import CredentialsRefused, translated


def answer(status: int, body: Any = None, **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.headers.update({"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()})
    response.raw = BytesIO(json.dumps(body).encode() if body else b"")
    response.request = requests.Request("POST", "http://cloud/v2.1/servers?secret=1").prepare()
    response.url = str(response.request.url)
    return response


def nova(message: str, kind: str = "badRequest") -> Mapping[str, Any]:
    return {kind: {"message": message}}


def neutron(kind: str, message: str) -> Mapping[str, Any]:
    return {"NeutronError": {"type": kind, "message": message, "detail": ""}}


def outcome(response: requests.Response) -> StepError:
    with pytest.raises(StepError) as raised, translated():
        sdk.raise_from_response(response)
    return raised.value


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (answer(403, nova("Quota exceeded for cores", "forbidden")), "Quota exceeded for cores"),
        (answer(413, nova("Maximum number of volumes allowed (1) exceeded"), Retry_After="0"), "volumes allowed"),
        (answer(409, neutron("OverQuota", "Quota exceeded for resources: ['port'].")), "Quota exceeded for resources"),
        (answer(409, neutron("IpAddressAlreadyAllocated", "IP address 10.0.0.9 already allocated")), "10.0.0.9"),
        (answer(400, nova("Image 7 could not be found.")), "Image 7 could not be found"),
        (answer(404, neutron("NetworkNotFound", "Network 8 could not be found.")), "Network 8 could not be found"),
    ],
)
def test_what_another_try_would_meet_again_is_final(response: requests.Response, words: str) -> None:
    error = outcome(response)

    assert isinstance(error, ProviderError)
    assert words in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (answer(409, nova("Cannot 'stop' instance 1 while it is in task_state deleting")), "busy with it"),
        (answer(429, nova("Too many"), Retry_After="30"), "come again in 30 s"),
        (answer(429, nova("Too many")), "come again: Too many"),
        (answer(413, nova("Slow down"), Retry_After="7"), "come again in 7 s"),
        (answer(408, None), "answers 408"),
        (answer(500, nova("Unexpected API Error.")), "answers 500: Unexpected API Error"),
        (answer(502, None), "answers 502"),
        (answer(503, None), "answers 503"),
        (answer(504, None), "answers 504"),
    ],
)
def test_what_passes_is_for_another_try(response: requests.Response, words: str) -> None:
    error = outcome(response)

    assert isinstance(error, Transient)
    assert words in str(error)


def test_credentials_that_are_refused_are_told_apart() -> None:
    assert isinstance(
        outcome(answer(401, nova("The request you have made requires authentication."))), CredentialsRefused
    )


@pytest.mark.parametrize(
    ("raised", "becomes"),
    [
        (keystone.ConnectFailure("no"), Transient),
        (keystone.ConnectTimeout("no"), Transient),
        (keystone.UnknownConnectionError("Connection broken", OSError()), Transient),
        (keystone.http.ServiceUnavailable("no"), Transient),
        (keystone.DiscoveryFailure("no"), Transient),
        (sdk.NotSupported("The network service exists but does not have any supported versions."), Transient),
        (sdk.ServiceDiscoveryException("no"), Transient),
        (keystone.HTTPClientError("Too many", http_status=429), Transient),
        (keystone.http.RequestTimeout("no"), Transient),
        (keystone.http.Forbidden("no"), ProviderError),
        (keystone.Unauthorized("no"), CredentialsRefused),
        (keystone.EndpointNotFound("no volumes here"), ProviderError),
        (sdk.InvalidRequest("no"), ProviderError),
    ],
)
def test_what_the_client_itself_raises(raised: Exception, becomes: type[StepError]) -> None:
    with pytest.raises(becomes), translated():
        raise raised
