"""What the API asks of an instance's logs at once: how each is, its last lines, and what was published."""

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from chalicelib import config
from chalicelib.datastores.base import BaseManager
from chalicelib.datastores.logs import Log, LogFile, files_of, last_lines, log_named
from chalicelib.models.instance import Instance
from chalicelib.steps import shelf
from chalicelib.steps.publishing import pending_bytes, stretches_of
from chalicelib.steps.shelf import Part
from chalicelib.steps.world import guest_of


def tell_logs(manager: BaseManager, instance: Instance) -> list[dict[str, Any]]:
    """The files are looked at first: to be asked which logs are on may be a line in one."""
    with closing(guest_of(instance)) as guest:
        files = files_of(guest, manager.logs)
        on = manager.switched_on(guest)
    parts = shelf.parts_of(instance.instance_id)
    return [
        described(instance.instance_id, each, files[each.name], [one for one in parts if one.log == each.name])
        | {"is_on": on[each.name]}
        for each in manager.logs
    ]


def described(instance_id: str, log: Log, files: Sequence[LogFile], parts: Sequence[Part]) -> dict[str, Any]:
    """Return what is known of a log but for whether it is on. Sizes are in bytes."""
    stretches = stretches_of(files, parts)
    lives = {part.key.split("/")[3] for part in parts}
    return {
        "name": log.name,
        "type": log.type,
        "is_there": bool(files),
        "is_turned": bool(parts) and bool(files) and stretches[-1].life not in lives,
        "published": sum(each.size for each in parts),
        "pending": pending_bytes(stretches),
        "container": config.current().dtrove_bucket,
        "prefix": shelf.prefix_of(instance_id, log.name),
    }


def tell_last_lines(manager: BaseManager, instance: Instance, log: str, lines: int) -> list[str]:
    with closing(guest_of(instance)) as guest:
        return last_lines(guest, manager.service_user, log_named(manager.logs, log), lines)


def tell_parts(
    manager: BaseManager, instance: Instance, log: str, limit: int, marker: str | None
) -> tuple[list[dict[str, Any]], bool]:
    """Return at most `limit` parts whose keys are behind the marker, and whether there are more."""
    parts = shelf.parts_of(instance.instance_id, log_named(manager.logs, log).name)
    left = [each for each in parts if marker is None or each.key > marker]
    found = [
        {
            "key": each.key,
            "bytes": each.size,
            "published": f"{each.published_at:%Y-%m-%dT%H:%M:%S}",
            "url": shelf.url_of(each),
        }
        for each in left[:limit]
    ]
    return found, len(left) > limit
