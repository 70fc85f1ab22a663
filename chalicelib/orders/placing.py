"""Placing orders: records, lock, quota and job in one transaction, so an order is whole or was never placed."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import uuid4

from chalicelib import config
from chalicelib.checks import MAP_LIMIT
from chalicelib.datastores import manager_of
from chalicelib.datastores.wishes import Wish
from chalicelib.errors import BadRequest, NotFound, Unprocessable
from chalicelib.jobs.backing_up import RESTORE, hold
from chalicelib.jobs.beginnings import busy, check, draft, take_lock
from chalicelib.jobs.quota import add, check_quota
from chalicelib.jobs.workflows import WORKFLOWS
from chalicelib.models.cluster import Cluster, primary_of
from chalicelib.models.configuration import Configuration
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.record import Stale, transaction
from chalicelib.models.status import Role
from chalicelib.orders import secrets
from chalicelib.orders.account_order import check_born
from chalicelib.orders.catalog import check_volume_types, find_configuration, find_flavors
from chalicelib.orders.members import id_from, new_cluster, new_instances
from chalicelib.orders.order import Change, ClusterOrder, InstanceOrder
from chalicelib.orders.requester import Attempt, Requester
from chalicelib.orders.restoring import find_chain, version_of

Made = TypeVar("Made")
NEED_SERVICE = frozenset({"restart_cluster", "start_cluster", "stop_cluster", "reboot_instance"})  # as it once was
TRIES = 4  # of a transaction that lost a race against another request


@dataclass(frozen=True)
class Placed:
    cluster: Cluster
    instances: list[Instance]  # all members
    job: Job
    root_password: str | None = None  # of a new cluster: told this once


def place_cluster(order: ClusterOrder, by: Requester) -> Placed:
    """Record a new cluster and the job that makes it. Raises NotFound, BadRequest, OverLimit.

    All ids follow from the job's.
    """
    passwords = secrets.draw_passwords(by.attempt.draw)
    if (before := placed_before(by)) is not None:  # whatever is no longer on offer since
        return replace(before, root_password=passwords["root"])
    chain = find_chain(order, by.project_id)
    datastore = version_of(order, chain)
    check_size(datastore, len(order.instances))
    if order.databases or order.users:
        check_born(manager_of(datastore).accounts, order.databases, order.users)
    if order.configuration_id:
        find_configuration(by.project_id, order.configuration_id, datastore.version_id)
    flavors = find_flavors({each.flavor_id for each in order.instances})
    check_volume_types({each.volume_type for each in order.instances})
    job_id = by.attempt.job_id or str(uuid4())
    cluster_id = id_from(job_id, "cluster")
    key = secrets.new_key(cluster_id, id_from(job_id, "key"))
    sealed = secrets.sealed(cluster_id, passwords)
    first = Wish("create", order.databases, order.users) if order.databases or order.users else None
    first_accounts = secrets.sealed(cluster_id, first.packed()) if first else None

    def place() -> Placed:
        cluster = new_cluster(order, by.project_id, datastore, cluster_id)
        cluster.key_ids, cluster.passwords = [key.key_id], sealed
        cluster.first_accounts = first_accounts
        cluster.root_enabled_at, cluster.root_enabled_by = cluster.created_at, by.user
        instances = new_instances(cluster, order.instances, flavors, job_id, order.configuration_id)
        instances[0].role, cluster.primary_id = Role.PRIMARY, instances[0].instance_id
        job = draft(RESTORE if chain else "create_cluster", cluster, cluster.instance_ids, by.user, job_id)
        job.backup_id, job.backup_ids = order.backup_id, [each.backup_id for each in chain] or None
        limits = check_quota(by.project_id, instances)
        with transaction() as batch:
            take_lock(batch, job, cluster, instances)
            batch.save(key)
            if order.configuration_id:  # not deleted meanwhile
                exists = Configuration.configuration_id.exists()
                batch.condition_check(Configuration, order.configuration_id, condition=exists)
            add(batch, by.project_id, instances, limits)
            hold(batch, job, job.backup_ids or ())
        return Placed(cluster, instances, job)

    return replace(tried(place), root_password=passwords["root"])


def place_instances(
    cluster_id: str, orders: Sequence[InstanceOrder], by: Requester, known: Cluster | None = None
) -> Placed:
    """Record new instances of a cluster and the job that makes them. Raises Unprocessable, BadRequest, OverLimit.

    What an order leaves unsaid of parameters, network and access is the primary's.
    """
    if (before := placed_before(by)) is not None:
        return before
    job_id, read = by.attempt.job_id or str(uuid4()), reads(by, cluster_id, known)
    flavors = find_flavors({each.flavor_id for each in orders})
    check_volume_types({each.volume_type for each in orders})

    def place() -> Placed:
        cluster = read()
        check(WORKFLOWS["add_instance"], cluster)
        check_size(Datastore.of_version(cluster.datastore_version_id), len(cluster.members) + len(orders))
        members = cluster.instances()
        check_waits_for_nothing(cluster, members)
        if (primary := primary_of(members)) is None:  # it is being deleted at this moment
            raise busy(cluster)
        beside = [each.beside(primary) for each in orders]
        added = new_instances(cluster, beside, flavors, job_id, primary.configuration_id)
        job = draft("add_instance", cluster, [each.instance_id for each in added], by.user, job_id)
        limits = check_quota(by.project_id, added)
        with transaction() as batch:
            take_lock(batch, job, cluster, [*members, *added])
            add(batch, by.project_id, added, limits)
        return Placed(cluster, [*members, *added], job)

    return tried(place)


def place_change(change: Change, by: Requester, known: Cluster | None = None) -> Placed:
    """Record a job on a cluster that is there. Raises Unprocessable, NotFound, BadRequest, Forbidden."""
    read = reads(by, change.cluster_id, known)

    def place() -> Placed:
        cluster = read()
        change.check(cluster)
        instances = cluster.instances()
        about = change.instance_ids or [each.instance_id for each in instances if _takes_part(change, each)]
        _check_members(change.workflow, instances, about)
        job = draft(change.workflow, cluster, about, by.user, by.attempt.job_id)
        job.title, job.commands = change.title, change.commands
        with transaction() as batch:
            take_lock(batch, job, cluster, instances)
        return Placed(cluster, instances, job)

    return once(by, place)


def check_waits_for_nothing(cluster: Cluster, members: Sequence[Instance]) -> None:
    """Raise Unprocessable if the primary is not yet what its parameters say: a copy of it would be it at once."""
    for each in members:
        if each.instance_id == cluster.primary_id and each.waiting_parameters:
            raise Unprocessable(f"Instance {each.instance_id} waits for a restart that puts its parameters in force.")


def reads(by: Requester, cluster_id: str, known: Cluster | None) -> Callable[[], Cluster]:
    """Return what reads the project's cluster: first the record that the request has read already, then anew."""
    at_hand = [known] if known is not None and known.project_id == by.project_id else []
    return lambda: at_hand.pop() if at_hand else Cluster.of_project(by.project_id, cluster_id)


def once(by: Requester, place: Callable[[], Placed]) -> Placed:
    """Place it, unless it was placed by an attempt before this one: then return what there is of it now."""
    return placed_before(by) or tried(place)


def placed_before(by: Requester) -> Placed | None:
    """Return what there is now of what an attempt before this one placed. Raises NotFound if that is gone."""
    if (job := job_before(by.attempt)) is None:
        return None
    cluster = Cluster.of_project(job.project_id, job.cluster_id)
    return Placed(cluster, cluster.instances(), job)


def job_before(attempt: Attempt) -> Job | None:
    """Return the job that an attempt before this one recorded."""
    return Job.find(attempt.job_id) if attempt.is_repeated else None


def tried(place: Callable[[], Made]) -> Made:
    """Place from fresh reads again while others get in between, a few times: most lost races are no conflict."""
    for _ in range(TRIES):
        with suppress(Stale):
            return place()
    raise Unprocessable("Others are changing this at the same time; try again.")


def check_size(datastore: Datastore, size: int) -> None:
    """Raise BadRequest if a cluster of this datastore may not have as many instances."""
    most = int(min(config.current().dtrove_max_cluster_size, datastore.most_instances or MAP_LIMIT))
    if size > most:
        raise BadRequest(f"Validation error: size: a cluster of {datastore.name} has at most {most} instances.")


def _takes_part(change: Change, instance: Instance) -> bool:
    """What never served has nothing to restart; but deleted it is with the rest."""
    return bool(instance.joined_at) or change.workflow == "delete_cluster"


def _check_members(workflow: str, instances: Sequence[Instance], about: Sequence[str]) -> None:
    members = {each.instance_id: each for each in instances}
    for instance_id in about:
        if instance_id not in members:
            raise NotFound(f"Resource {instance_id} cannot be found.")
        if workflow in NEED_SERVICE and members[instance_id].joined_at is None:
            raise Unprocessable(f"Instance {instance_id} never served: it can only be deleted.")
        if workflow == "remove_instance" and members[instance_id].is_primary:
            raise BadRequest(f"Instance {instance_id} is the primary: it cannot be removed.")
