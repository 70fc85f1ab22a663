"""Reads: what the API must ask a guest for at the moment of a request. Nothing is changed, here or there."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from typing import Any

from chalicelib.datastores.accounts import Accounts
from chalicelib.datastores.base import BaseManager
from chalicelib.datastores.diagnostics import diagnose, hardware
from chalicelib.errors import NotFound, NotOffered, ServiceError, StepError, Unavailable
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import Guest
from chalicelib.steps.log_reads import tell_last_lines, tell_logs, tell_parts
from chalicelib.steps.world import guest_of, manager_for


def read(event: dict[str, Any]) -> dict[str, Any]:
    """Answer `{"read": name, "instance_id": …, "about": what else it must know}` with `{"found": …}`.

    Or with `{"refused": [error's name, message]}`.
    """
    try:
        return {"found": READS[event["read"]](*_opened(event["instance_id"]), **event.get("about", {}))}
    except ServiceError as error:
        return {"refused": [type(error).__name__, str(error)]}
    except StepError as error:
        return {"refused": [Unavailable.__name__, f"The instance cannot be asked now: {error}"]}


def _opened(instance_id: str) -> tuple[BaseManager, Instance]:
    instance = Instance.find(instance_id)
    cluster = Cluster.find(instance.cluster_id) if instance else None
    if instance is None or cluster is None:
        raise NotFound(f"Resource {instance_id} cannot be found.")
    return manager_for(cluster), instance


def list_accounts(manager: BaseManager, instance: Instance) -> dict[str, Any]:
    accounts = manager.accounts
    with closing(guest_of(instance)) as guest:
        users = [asdict(each) for each in accounts.users(guest)]
        return {"databases": [each.name for each in _databases(accounts, guest)], "users": users}


def _databases(accounts: Accounts, guest: Guest) -> Any:
    try:
        return accounts.databases(guest)
    except NotOffered:  # it has users, and no databases
        return []


def tell_root(manager: BaseManager, instance: Instance) -> bool:
    accounts = manager.accounts
    with closing(guest_of(instance)) as guest:
        return accounts.is_root_enabled(guest)


def tell_parameters(manager: BaseManager, instance: Instance) -> dict[str, Any]:
    with closing(guest_of(instance)) as guest:
        return manager.actual_parameters(guest, sorted(manager.parameters))


def tell_hardware(manager: BaseManager, instance: Instance) -> dict[str, int]:
    with closing(guest_of(instance)) as guest:
        return hardware(guest)


def tell_diagnostics(manager: BaseManager, instance: Instance) -> dict[str, str | int]:
    with closing(guest_of(instance)) as guest:
        return diagnose(guest, manager.service_name, manager.service_user, manager.pid_path)


def ping(manager: BaseManager, instance: Instance) -> bool:
    guest_of(instance).close()
    return True


READS: dict[str, Callable[..., Any]] = {  # of the manager, the instance and what is `about`
    "accounts": list_accounts,
    "root": tell_root,
    "parameters": tell_parameters,
    "hardware": tell_hardware,
    "diagnostics": tell_diagnostics,
    "ping": ping,
    "logs": tell_logs,
    "last_lines": tell_last_lines,
    "parts": tell_parts,
}
