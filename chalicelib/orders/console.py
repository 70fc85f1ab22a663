"""Orders from the AWS console: the input of an execution started by hand."""

from collections.abc import Callable
from typing import Any

from chalicelib.datastores import manager_of
from chalicelib.datastores.logs import log_named
from chalicelib.errors import BadRequest, NotFound
from chalicelib.models.cluster import Cluster
from chalicelib.models.configuration import Configuration
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.schedule import Schedule
from chalicelib.orders.access import place_access
from chalicelib.orders.backups import BackupOrder, place_backup
from chalicelib.orders.catalog import find_configuration
from chalicelib.orders.configurations import place_configuration
from chalicelib.orders.expiry import place_expiry
from chalicelib.orders.fields import Fields
from chalicelib.orders.instance_order import parse_instance
from chalicelib.orders.logs import place_log_change, read_words
from chalicelib.orders.order import Change, ClusterOrder, InstanceOrder, parse_commands
from chalicelib.orders.placing import Placed, place_change, place_cluster, place_instances
from chalicelib.orders.requester import Attempt, Requester
from chalicelib.orders.volumes import place_new_size, read_new_size
from chalicelib.orders.whereabouts import read_new_access

CONSOLE = "console"


def place_console_order(workflow: str, order: dict[str, Any], job_id: str) -> Job:
    """Record the job that the input asks for. All ids follow from `job_id`: a second try finds them taken."""
    fields = Fields(order, "input")
    if workflow in NEW:
        by = Requester(fields.text("project_id"), CONSOLE, Attempt(job_id))
        return place_cluster(NEW[workflow](order), by).job
    cluster = _cluster(fields)
    by = Requester(cluster.project_id, CONSOLE, Attempt(job_id))
    if place := PLACES.get(workflow):
        return place(fields, cluster, by).job
    instance_ids = [fields.text("instance_id")] if "instance_id" in fields else None
    if instance_ids is None and workflow in {"remove_instance", "reboot_instance"}:
        raise BadRequest("Validation error: input['instance_id'] is a required property")
    return place_change(Change(workflow, cluster.cluster_id, instance_ids), by).job


def _add(fields: Fields, cluster: Cluster, by: Requester) -> Placed:
    """Place `count` more instances like the cluster's first."""
    count = fields.whole("count", least=1, most=1_000) if "count" in fields else 1
    return place_instances(cluster.cluster_id, [InstanceOrder.like(cluster.instances()[0])] * count, by)


def _configure(fields: Fields, cluster: Cluster, by: Requester) -> Placed:
    group = _group(fields, cluster)
    about = [fields.text("instance_id")] if "instance_id" in fields else cluster.instance_ids
    return place_configuration(group, cluster.cluster_id, about, by)


def _change_log(fields: Fields, cluster: Cluster, by: Requester) -> Placed:
    instance = Instance.of_project(cluster.project_id, fields.text("instance_id"))
    log = log_named(manager_of(Datastore.of_version(cluster.datastore_version_id)).logs, fields.text("log"))
    return place_log_change(instance, log, read_words(fields, "do"), by)


def _change_access(fields: Fields, cluster: Cluster, by: Requester) -> Placed:
    return place_access(cluster.cluster_id, fields.text("instance_id"), read_new_access(fields), by)


def _resize_volume(fields: Fields, cluster: Cluster, by: Requester) -> Placed:
    return place_new_size(cluster.cluster_id, fields.text("instance_id"), read_new_size(fields), by)


def _perform(fields: Fields, cluster: Cluster, by: Requester) -> Placed:
    return place_change(parse_commands(fields, cluster.cluster_id, fields.text("instance_id")), by)


def _take_backup(fields: Fields, cluster: Cluster, by: Requester) -> Placed:
    order = BackupOrder(fields.name("name"), fields.text("instance_id"), is_incremental=fields.is_true("incremental"))
    return place_backup(order, Instance.of_project(cluster.project_id, order.instance_id), by)[1]


def _expire(fields: Fields, cluster: Cluster, by: Requester) -> Placed:
    return place_expiry(Schedule.of_project(cluster.project_id, fields.text("schedule_id")), by)


def _restored(order: dict[str, Any]) -> ClusterOrder:
    parsed = parse_instance(order)
    if not isinstance(parsed, ClusterOrder) or not parsed.backup_id:
        raise BadRequest("Validation error: instance['restorePoint'] is a required property")
    return parsed


def _refuse(fields: Fields, cluster: Cluster, by: Requester) -> Placed:
    raise BadRequest("Validation error: input: passwords would stay in its history: ask the API")


NEW: dict[str, Callable[[dict[str, Any]], ClusterOrder]] = {
    "create_cluster": ClusterOrder.parse,
    "restore_backup": _restored,
}
PLACES: dict[str, Callable[[Fields, Cluster, Requester], Placed]] = {
    "add_instance": _add,
    "configure_instances": _configure,
    "change_log": _change_log,
    "change_access": _change_access,
    "resize_volume": _resize_volume,
    "create_backup": _take_backup,
    "expire_backups": _expire,
    "perform": _perform,
    "change_accounts": _refuse,
}


def _group(fields: Fields, cluster: Cluster) -> Configuration | None:
    if "configuration_id" not in fields:
        return None
    return find_configuration(cluster.project_id, fields.text("configuration_id"), cluster.datastore_version_id)


def _cluster(fields: Fields) -> Cluster:
    """Return the cluster named, by its own id or that of a member or of a schedule."""
    if "schedule_id" in fields:
        schedule = Schedule.find(fields.text("schedule_id"))
        cluster = Cluster.find(schedule.cluster_id) if schedule else None
    elif "cluster_id" not in fields and "instance_id" in fields:
        instance = Instance.find(fields.text("instance_id"))
        cluster = Cluster.find(instance.cluster_id) if instance else None
    else:
        cluster = Cluster.find(fields.text("cluster_id"))
    if cluster is None:
        raise NotFound("There is no such cluster.")
    return cluster
