"""Configuration groups: made, changed and deleted; and the jobs that bring them to instances."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

from chalicelib.datastores.parameters import Parameter, check_values, parameters_for
from chalicelib.errors import BadRequest, NotFound, NotOffered, Unprocessable
from chalicelib.jobs.beginnings import busy, draft, in_the_way, take_lock
from chalicelib.jobs.bringing import take_along
from chalicelib.jobs.workflows import WORKFLOWS
from chalicelib.models.cluster import Cluster
from chalicelib.models.configuration import Configuration
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance, page_of_attached
from chalicelib.models.record import now, transaction
from chalicelib.models.status import Status
from chalicelib.orders.catalog import find_datastore, named_datastore
from chalicelib.orders.fields import Fields
from chalicelib.orders.members import id_from
from chalicelib.orders.placing import Placed, once, reads
from chalicelib.orders.requester import Requester

MOST_ATTACHED = 100  # instances of one group: each edit reaches all of them
LONGEST_DESCRIPTION = 1_000


def parameters_of(datastore: Datastore) -> dict[str, Parameter]:
    """Return what may be set of the version. Raises NotOffered if nothing may."""
    if parameters := parameters_for(datastore.manager, datastore.version):
        return parameters
    raise NotOffered(f"{datastore.name} has no parameters that may be set.")


def new_configuration(fields: Fields, by: Requester) -> Configuration:
    """Record a group of Trove's `{"configuration": {…}}`. Raises BadRequest, NotFound, Unprocessable."""
    configuration_id = id_from(by.attempt.job_id, "configuration") if by.attempt.job_id else str(uuid4())
    if by.attempt.is_repeated and (there := Configuration.find(configuration_id)):
        return there
    datastore = find_datastore(*named_datastore(fields))
    configuration = Configuration(
        configuration_id=configuration_id,
        project_id=by.project_id,
        name=fields.name("name"),
        description=_description(fields),
        datastore=datastore.datastore,
        datastore_version=datastore.version,
        datastore_version_id=datastore.version_id,
        values=check_values(parameters_of(datastore), fields.mapping("values")),
    )
    configuration.add()
    return configuration


def change_configuration(configuration: Configuration, fields: Fields, by: Requester, *, merged: bool) -> list[Placed]:
    """Change the group; if its values change, record a job for each cluster that has it. `merged` keeps other values.

    What is stopped or in ERROR keeps what it had until it is given the group again.

    Raises BadRequest; Unprocessable if a value cannot be, or one of the clusters is busy: then nothing is changed.
    """
    values = _new_values(configuration, fields, merged=merged)
    clusters = _clusters_with(configuration) if values != configuration.values else []
    if held := next((each for each in clusters if in_the_way(WORKFLOWS["configure_instances"], each)), None):
        raise busy(held)
    if configuration.brought_by and values != configuration.values:  # they may have read the former values
        raise Unprocessable(f"Configuration group {configuration.configuration_id} is being given to instances.")
    configuration.values = values
    if "name" in fields:
        configuration.name = fields.name("name")
    if "description" in fields:
        configuration.description = _description(fields)
    configuration.updated_at = now()
    configuration.save_if(Configuration.configuration_id.exists())
    return [placed for each in clusters if (placed := _placed_if_it_serves(configuration, each, by))]


def _new_values(configuration: Configuration, fields: Fields, *, merged: bool) -> dict[str, Any]:
    if "values" not in fields:
        return dict(configuration.values) if merged else {}
    parameters = parameters_of(Datastore.of_version(configuration.datastore_version_id))
    given = check_values(parameters, fields.mapping("values"))
    return {**configuration.values, **given} if merged else given


def _placed_if_it_serves(configuration: Configuration, cluster: Cluster, by: Requester) -> Placed | None:
    """Another job may have begun since it was looked at: then the cluster has what it had, which is shown as drift."""
    with suppress(Unprocessable):
        return place_configuration(configuration, cluster.cluster_id, None, by)
    return None


def delete_configuration(configuration: Configuration) -> None:
    """Forget it. Raises BadRequest while instances have it or are being given it; Stale if one is at this moment."""
    group = f"Configuration group {configuration.configuration_id}"
    if configuration.brought_by:
        raise BadRequest(f"{group} is being attached to instances: detach it then.")
    if page_of_attached(configuration.configuration_id, 1, None)[0]:
        raise BadRequest(f"{group} is attached to instances: detach it.")
    with transaction() as batch:
        batch.delete(configuration)


def check_attachable(configuration: Configuration | None, instance: Instance) -> None:
    """Raise BadRequest if the instance cannot have it (None: have none)."""
    if configuration is None:
        return
    if instance.configuration_id not in {None, configuration.configuration_id}:
        raise BadRequest(
            f"Instance {instance.instance_id} has configuration group {instance.configuration_id}: detach it."
        )
    if configuration.datastore_version_id != instance.datastore_version_id:
        raise BadRequest(
            f"Configuration group {configuration.configuration_id} is of "
            f"{configuration.datastore}-{configuration.datastore_version}, and the instance is not."
        )


def place_configuration(
    configuration: Configuration | None,
    cluster_id: str,
    instance_ids: Sequence[str] | None,
    by: Requester,
    known: Cluster | None = None,
) -> Placed:
    """Record the job that gives instances the group (None: takes theirs away); of None, to those that have it.

    Raises Unprocessable, BadRequest.
    """
    group_id = configuration.configuration_id if configuration else None
    read = reads(by, cluster_id, known)

    def place() -> Placed:
        group = Configuration.of_project(by.project_id, group_id) if group_id else None  # an administrator sees others
        cluster = read()
        instances = cluster.instances()
        if strangers := set(instance_ids or ()) - set(cluster.instance_ids):
            raise NotFound(f"Resource {sorted(strangers)[0]} cannot be found.")
        wanted = instance_ids or [each.instance_id for each in instances if each.configuration_id == group_id]
        serving = [each for each in instances if each.instance_id in wanted and each.status == Status.ACTIVE]
        for each in serving:
            check_attachable(group, each)
        if not (about := [each.instance_id for each in serving]):
            raise Unprocessable(f"No instance of cluster {cluster.cluster_id} that is meant serves now.")
        job = draft("configure_instances", cluster, about, by.user, by.attempt.job_id)
        job.configuration_id = group_id
        with transaction() as batch:
            take_lock(batch, job, cluster, instances)
            if group is not None:
                take_along(batch, job, group)
        return Placed(cluster, instances, job)

    return once(by, place)


def _clusters_with(configuration: Configuration) -> list[Cluster]:
    attached, more = page_of_attached(configuration.configuration_id, MOST_ATTACHED, None)
    if more:
        raise Unprocessable(f"More than {MOST_ATTACHED} instances have this group: use several.")
    ids = list(dict.fromkeys(each.cluster_id for each in attached))
    found = [Cluster.find(each) for each in ids]
    return [each for each in found if each is not None]


def _description(fields: Fields) -> str | None:
    """Return what is given; empty is none."""
    if "description" not in fields or fields.value("description") == "":
        return None
    return fields.storable("description", longest=LONGEST_DESCRIPTION)
