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
from chalicelib.orders.access import place_access
from chalicelib.orders.catalog import find_configuration
from chalicelib.orders.configurations import place_configuration
from chalicelib.orders.fields import Fields
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
    if workflow == "create_cluster":
        by = Requester(fields.text("project_id"), CONSOLE, Attempt(job_id))
        return place_cluster(ClusterOrder.parse(order), by).job
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


def _refuse(fields: Fields, cluster: Cluster, by: Requester) -> Placed:
    raise BadRequest("Validation error: input: passwords would stay in its history: ask the API")


PLACES: dict[str, Callable[[Fields, Cluster, Requester], Placed]] = {
    "add_instance": _add,
    "configure_instances": _configure,
    "change_log": _change_log,
    "change_access": _change_access,
    "resize_volume": _resize_volume,
    "perform": _perform,
    "change_accounts": _refuse,
}


def _group(fields: Fields, cluster: Cluster) -> Configuration | None:
    if "configuration_id" not in fields:
        return None
    return find_configuration(cluster.project_id, fields.text("configuration_id"), cluster.datastore_version_id)


def _cluster(fields: Fields) -> Cluster:
    """Return the cluster named, by its own id or that of a member."""
    if "cluster_id" not in fields and "instance_id" in fields:
        instance = Instance.find(fields.text("instance_id"))
        cluster = Cluster.find(instance.cluster_id) if instance else None
    else:
        cluster = Cluster.find(fields.text("cluster_id"))
    if cluster is None:
        raise NotFound("There is no such cluster.")
    return cluster
