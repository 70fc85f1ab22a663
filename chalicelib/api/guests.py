"""What a request asks of a guest at once: through the `reads` function, which alone of the two may speak SSH."""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import aws, config, errors, journal
from chalicelib.errors import ServiceError, Unavailable
from chalicelib.jobs.beginnings import not_now
from chalicelib.models.instance import Instance
from chalicelib.models.status import Status

Ask = Callable[[dict[str, Any]], dict[str, Any]]  # a read's event → its answer


def invoke(event: dict[str, Any]) -> dict[str, Any]:
    """Invoke the function and wait for its answer, for its own time limit at most."""
    answer = aws.client("lambda", retries=0).invoke(
        FunctionName=config.current().dtrove_reads_function, Payload=json.dumps(event).encode()
    )
    if "FunctionError" in answer:
        raise Unavailable("The instance cannot be asked now; try again.")
    found: dict[str, Any] = json.load(answer["Payload"])
    return found


_ask: list[Ask] = [invoke]


def ask_through(ask: Ask) -> None:
    """Have guests asked this way; for tests."""
    _ask[:] = [ask]


def traced() -> dict[str, str]:
    """Return the id of this request, for the lines of the function that is asked."""
    return {name: id_ for name, id_ in journal.known().items() if name == "request_id"}


def read(name: str, instance: Instance, **about: Any) -> Any:
    """Return what the read of that name finds of one that serves. Raises as `ask` does."""
    if instance.status != Status.ACTIVE:
        raise not_now(f"Instance {instance.instance_id}", instance.status)
    return ask(name, instance, **about)


def ask(name: str, instance: Instance, **about: Any) -> Any:
    """Return what the read of that name finds, whatever the instance's status; `about` is what else it must know.

    Raises Unavailable, Unprocessable, NotOffered, NotFound.
    """
    if not instance.address:
        raise Unavailable(f"Instance {instance.instance_id} has no server yet that could be asked.")
    try:
        answer = _ask[0]({"read": name, "instance_id": instance.instance_id, "about": about, **traced()})
    except (BotoCoreError, ClientError) as error:
        raise Unavailable("The instance did not answer in time; try again.") from error
    if "refused" in answer:
        kind, message = answer["refused"]
        refusal: type[ServiceError] = getattr(errors, kind)
        raise refusal(message)
    return answer["found"]
