"""Configuration groups: made, changed and deleted; and the jobs that bring them to instances."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from chalicelib.datastores.parameters import Parameter, check_values, parameters_for
from chalicelib.errors import BadRequest, NotOffered, Unprocessable
from chalicelib.jobs.beginnings import busy, draft, take_lock
from chalicelib.models.cluster import Cluster
from chalicelib.models.configuration import Configuration
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance, page_of_attached
from chalicelib.models.record import now, transaction
from chalicelib.orders.catalog import find_datastore
from chalicelib.orders.fields import Fields
from chalicelib.orders.placing import Placed, Requester, tried

MOST_ATTACHED = 100  # instances of one group: each edit reaches all of them
LONGEST_DESCRIPTION = 1_000


def parameters_of(datastore: Datastore) -> dict[str, Parameter]:
    """Return what may be set of the version. Raises NotOffered if nothing may."""
    if parameters := parameters_for(datastore.manager, datastore.version):
        return parameters
    raise NotOffered(f"{datastore.name} has no parameters that may be set.")


def new_configuration(fields: Fields, project_id: str, default_datastore: str) -> Configuration:
    """Record a group of Trove's `{"configuration": {…}}`. Raises BadRequest, NotFound, Unprocessable."""
    of = fields.object("datastore") if "datastore" in fields else Fields({}, fields.field("datastore"))
    version = next((of.text(key) for key in ("version", "version_number") if key in of), None)
    datastore = find_datastore(of.text("type") if "type" in of else default_datastore, version)
    configuration = Configuration(
        configuration_id=str(uuid4()),
        project_id=project_id,
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
    """Change the group, and record a job for each cluster that has it. With `merged` its other values stay.

    Raises BadRequest; Unprocessable if a value cannot be, or one of the clusters is busy: then nothing is changed.
    """
    parameters = parameters_of(Datastore.of_version(configuration.datastore_version_id))
    clusters = _clusters_with(configuration)
    if held := next((each for each in clusters if each.held_by), None):
        raise busy(held)
    if "values" in fields:
        given = check_values(parameters, fields.mapping("values"))
        configuration.values = {**configuration.values, **given} if merged else given
    elif not merged:
        configuration.values = {}
    if "name" in fields:
        configuration.name = fields.name("name")
    if "description" in fields:
        configuration.description = _description(fields)
    configuration.updated_at = now()
    configuration.save()
    return [place_configuration(configuration, each, None, by) for each in clusters]


def delete_configuration(configuration: Configuration) -> None:
    """Forget it. Raises BadRequest while instances have it."""
    if page_of_attached(configuration.configuration_id, 1, None)[0]:
        raise BadRequest(f"Configuration group {configuration.configuration_id} is attached to instances: detach it.")
    configuration.delete()


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
    of: Cluster,
    instance_ids: Sequence[str] | None,
    by: Requester,
    job_id: str = "",
) -> Placed:
    """Record the job that gives instances the group (None: takes theirs away); of None, to those that have it.

    Raises Unprocessable, BadRequest.
    """
    group_id = configuration.configuration_id if configuration else None

    def place() -> Placed:
        cluster = Cluster.of_project(by.project_id, of.cluster_id)
        instances = cluster.instances()
        about = instance_ids or [each.instance_id for each in instances if each.configuration_id == group_id]
        for each in instances:
            if each.instance_id in about:
                check_attachable(configuration, each)
        job = draft("configure_instances", cluster, about, by.user, job_id)
        job.configuration_id = group_id
        with transaction() as batch:
            take_lock(batch, job, cluster, instances)
        return Placed(cluster, instances, job)

    return tried(place)


def _clusters_with(configuration: Configuration) -> list[Cluster]:
    attached, more = page_of_attached(configuration.configuration_id, MOST_ATTACHED, None)
    if more:
        raise Unprocessable(f"More than {MOST_ATTACHED} instances have this group: use several.")
    ids = list(dict.fromkeys(each.cluster_id for each in attached))
    found = [Cluster.find(each) for each in ids]
    return [each for each in found if each is not None]


def _description(fields: Fields) -> str | None:
    return fields.data("description", longest=LONGEST_DESCRIPTION) if "description" in fields else None


def shown_parameter(parameter: Parameter, version_id: str) -> Mapping[str, Any]:
    """Return a parameter as Trove shows it."""
    bounds = {"min": parameter.least, "max": parameter.most}
    return {
        "name": parameter.name,
        "datastore_version_id": version_id,
        "restart_required": parameter.restart_required,
        "type": parameter.type,
        **{key: value for key, value in bounds.items() if value is not None},
    }
