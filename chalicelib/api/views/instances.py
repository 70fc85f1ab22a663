"""Instances as Trove shows them."""

from chalicelib.api.request import Request
from chalicelib.api.views.links import View, links, when
from chalicelib.models.instance import Instance
from chalicelib.models.status import Status

STATUSES = {  # ours → Trove's (status, operating_status) of an instance
    Status.CREATING: ("BUILD", ""),
    Status.ACTIVE: ("ACTIVE", "HEALTHY"),
    Status.RESTARTING: ("REBOOT", ""),
    Status.STOPPING: ("ACTIVE", ""),
    Status.STOPPED: ("ACTIVE", "SHUTDOWN"),
    Status.STARTING: ("REBOOT", ""),
    Status.DELETING: ("SHUTDOWN", ""),
    Status.ERROR: ("ERROR", "ERROR"),
}


def shape(request: Request, instance: Instance) -> View:
    """What an instance is made of. Optional keys are absent, not null: clients test for their presence."""
    shape: View = {"flavor": {"id": instance.flavor_id, "links": links(request, "flavors", instance.flavor_id)}}
    if instance.volume_gib:
        shape["volume"] = {"size": int(instance.volume_gib)}
    if instance.address:
        shape["ip"] = [instance.address]
        shape["addresses"] = [{"address": instance.address, "type": "private"}]
    return shape


def instance_view(request: Request, instance: Instance) -> View:
    """Return an instance as a list shows it."""
    status, operating_status = STATUSES[Status(instance.status)]
    view: View = {
        "id": instance.instance_id,
        "name": instance.name,
        "status": status,
        "operating_status": operating_status,
        "role": instance.role,
        "region": "RegionOne",
        "links": links(request, "instances", instance.instance_id),
        "datastore": {"type": instance.datastore, "version": instance.datastore_version},
        "access": {"is_public": False} if instance.address else {},
        **shape(request, instance),
    }
    if not instance.standalone_in:
        view["cluster_id"] = instance.cluster_id
    return view


def instance_detail(request: Request, instance: Instance) -> View:
    view = instance_view(request, instance)
    view["datastore"]["version_number"] = instance.datastore_version
    view |= {
        "created": when(instance.created_at),
        "updated": when(instance.updated_at),
        "service_status_updated": when(instance.updated_at),
    }
    if instance.message:
        view["fault"] = {"message": instance.message, "created": when(instance.updated_at)}
    if request.caller.is_admin:
        admin = {"tenant_id": instance.project_id, "server_id": instance.server_id, "volume_id": instance.volume_id}
        view |= {key: value for key, value in admin.items() if value}
    return view
