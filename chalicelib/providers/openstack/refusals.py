"""What the cloud's refusals amount to: Transient, or ProviderError with the cloud's own reason."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keystoneauth1 import exceptions as keystone
from openstack import exceptions as sdk

from chalicelib.errors import ProviderError, Transient

UNAUTHORIZED, TIMED_OUT, CONFLICT, TOO_LARGE, TOO_MANY, SERVER_ERROR = 401, 408, 409, 413, 429, 500
NO_ANSWER = (
    keystone.ConnectFailure,
    keystone.HttpServerError,
    keystone.RetriableConnectionFailure,
    keystone.UnknownConnectionError,  # half of it came
)
FINAL_CONFLICTS = {  # of Neutron's 409s those that another try meets again
    "AddressPairMatchesPortFixedIPAndMac",
    "FloatingIPPortAlreadyAssociated",
    "IpAddressAlreadyAllocated",
    "IpAddressGenerationFailure",
    "IpAddressInUse",
    "ExternalIpAddressExhausted",
    "OverQuota",
}


class CredentialsRefused(ProviderError):
    """The cloud does not know us, or no longer."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise Transient, ProviderError or CredentialsRefused for whatever the SDK raises."""
    try:
        yield
    except sdk.HttpException as error:
        raise _of_answer(error) from error
    except keystone.Unauthorized as error:
        raise CredentialsRefused(f"The cloud refuses our credentials: {error.message}") from error
    except keystone.HTTPClientError as error:  # of Keystone itself, asked for a token
        if error.http_status in {TIMED_OUT, TOO_MANY}:
            raise Transient(f"The cloud asks to come again: {error.message}") from error
        raise ProviderError(f"The cloud: {error.message}") from error
    except NO_ANSWER as error:
        raise Transient(f"The cloud does not answer: {type(error).__name__}") from error
    except keystone.DiscoveryFailure as error:  # also what a proxy's error page makes of a version's document
        raise Transient(f"The cloud does not say what it offers: {type(error).__name__}") from error
    except (sdk.NotSupported, sdk.ServiceDiscoveryException) as error:  # the same, in the SDK's words
        raise Transient(f"The cloud does not say what it offers: {error}") from error
    except (keystone.ClientException, sdk.SDKException) as error:
        raise ProviderError(f"The cloud: {error}") from error


def _of_answer(error: sdk.HttpException) -> Transient | ProviderError:
    status, reason = error.status_code or SERVER_ERROR, reason_of(error)
    if status == UNAUTHORIZED:
        return CredentialsRefused(f"The cloud refuses our credentials: {reason}")
    again_seconds = retry_after_seconds(error)
    if status == TOO_MANY or (status == TOO_LARGE and again_seconds):  # Cinder's 413 for a quota has Retry-After: 0
        when = f" in {again_seconds} s" if again_seconds else ""
        return Transient(f"The cloud asks to come again{when}: {reason}")
    if status == CONFLICT and neutrons_type(error) not in FINAL_CONFLICTS:
        return Transient(f"The cloud is busy with it: {reason}")
    if status == TIMED_OUT or status >= SERVER_ERROR:
        return Transient(f"The cloud answers {status}: {reason}")
    return ProviderError(f"The cloud refuses: {reason}")


def reason_of(error: sdk.HttpException) -> str:
    """Return the cloud's own sentence, without its URLs."""
    return str(error.details or error.message).strip()


def retry_after_seconds(error: sdk.HttpException) -> int:
    text = error.response.headers.get("Retry-After", "") if error.response is not None else ""
    return int(text) if text.isdecimal() else 0


def neutrons_type(error: sdk.HttpException) -> str | None:
    """Return what Neutron calls the error, if it is Neutron's."""
    try:
        body: Any = error.response.json() if error.response is not None else None
    except ValueError:
        return None
    told = body.get("NeutronError") if isinstance(body, dict) else None
    return str(told["type"]) if isinstance(told, dict) and "type" in told else None
