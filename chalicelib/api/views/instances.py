"""Instances as Trove shows them."""

from collections.abc import Sequence

from chalicelib import config
from chalicelib.api.request import Request
from chalicelib.api.views.links import View, links, when
from chalicelib.models.cluster import Cluster
from chalicelib.models.configuration import Configuration
from chalicelib.models.instance import Instance
from chalicelib.models.status import BACKUP, Status

STATUSES = {  # ours → Trove's (status, operating_status) of an instance
    Status.CREATING: ("BUILD", ""),
    Status.ACTIVE: ("ACTIVE", "HEALTHY"),
    Status.RESTARTING: ("REBOOT", ""),
    Status.RESIZING: ("RESIZE", ""),
    Status.STOPPING: ("ACTIVE", ""),
    Status.STOPPED: ("ACTIVE", "SHUTDOWN"),
    Status.STARTING: ("REBOOT", ""),
    Status.DELETING: ("SHUTDOWN", ""),
    Status.ERROR: ("ERROR", "ERROR"),
}


RESTART_REQUIRED = "RESTART_REQUIRED"


def status_of(instance: Instance) -> tuple[str, str]:
    """Return Trove's (status, operating_status)."""
    if instance.status == Status.ACTIVE and instance.backed_up_by:
        return BACKUP, "HEALTHY"
    if instance.status == Status.ACTIVE and instance.waiting_parameters:
        return RESTART_REQUIRED, RESTART_REQUIRED
    return STATUSES[Status(instance.status)]


def shape(request: Request, instance: Instance) -> View:
    """What an instance is made of. Optional keys are absent, not null: clients test for their presence."""
    shape: View = {"flavor": {"id": instance.flavor_id, "links": links(request, "flavors", instance.flavor_id)}}
    if instance.volume_gib:
        shape["volume"] = {"size": int(instance.volume_gib)}
    if instance.address:
        shape["ip"] = [instance.address]
        shape["addresses"] = addresses(instance)
    return shape


def addresses(instance: Instance) -> list[View]:
    private = {"address": instance.address, "type": "private"}
    if instance.network_id:
        private["network"] = instance.network_id
    public = {"address": instance.public_address, "type": "public"}
    return [private, public] if instance.public_address else [private]


def access_view(instance: Instance) -> View:
    """Return who may reach it, as asked for; nothing while nothing was, and it has no address."""
    cidrs = list(instance.allowed_cidrs or ())
    if not (instance.address or instance.is_public or cidrs):
        return {}
    return {"is_public": bool(instance.is_public)} | ({"allowed_cidrs": cidrs} if cidrs else {})


def instance_view(request: Request, instance: Instance) -> View:
    """Return an instance as a list shows it, without its replication: see `replication`."""
    status, operating_status = status_of(instance)
    view: View = {
        "id": instance.instance_id,
        "name": instance.name,
        "status": status,
        "operating_status": operating_status,
        "role": instance.role,
        "region": config.current().dtrove_region,
        "links": links(request, "instances", instance.instance_id),
        "datastore": {"type": instance.datastore, "version": instance.datastore_version},
        "access": access_view(instance),
        **shape(request, instance),
    }
    if not instance.standalone_in:
        view["cluster_id"] = instance.cluster_id
    if request.caller.is_admin:
        view["tenant_id"] = instance.project_id
    return view


def instance_views(request: Request, page: Sequence[Instance]) -> list[View]:
    """Return a page of instances; of replication each shows what is on the page."""
    sources = {each.cluster_id: each.instance_id for each in page if each.is_primary and each.standalone_in}
    members: dict[str, list[str]] = {}
    for each in page:
        members.setdefault(each.cluster_id, []).append(each.instance_id)
    return [
        instance_view(request, each)
        | replication(request, each, sources.get(each.cluster_id), members[each.cluster_id])
        for each in page
    ]


def replication(request: Request, instance: Instance, source_id: str | None, member_ids: Sequence[str]) -> View:
    """Return `replica_of` or `replicas`, of an instance that is no cluster's member; neither for one that is alone."""
    others = [each for each in member_ids if each != source_id]
    if not instance.standalone_in or source_id is None or not others:
        return {}
    if instance.instance_id == source_id:
        return {"replicas": [_named(request, each) for each in others]}
    return {"replica_of": _named(request, source_id)}


def _named(request: Request, instance_id: str) -> View:
    return {"id": instance_id, "links": links(request, "instances", instance_id)}


def instance_detail(
    request: Request, instance: Instance, cluster: Cluster | None = None, configuration: Configuration | None = None
) -> View:
    """Return all of an instance; with the records of its cluster and its group, what it has of those too."""
    view = instance_view(request, instance)
    view["datastore"]["version_number"] = instance.datastore_version
    view |= {
        "created": when(instance.created_at),
        "updated": when(instance.updated_at),
        "service_status_updated": when(instance.updated_at),
    }
    if cluster is not None:
        view |= replication(request, instance, cluster.primary_id, cluster.instance_ids)
    if configuration is not None:
        id_ = configuration.configuration_id
        view["configuration"] = {
            "id": id_,
            "name": configuration.name,
            "links": links(request, "configurations", id_),
        }
    if instance.locality:
        view["locality"] = instance.locality
    if instance.message:
        view["fault"] = {"message": instance.message, "created": when(instance.updated_at)}
    if request.caller.is_admin:
        admin = {"server_id": instance.server_id, "volume_id": instance.volume_id}
        view |= {key: value for key, value in admin.items() if value}
    return view
