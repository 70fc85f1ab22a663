"""What administrators see of instances beside the rest. What nobody knows is absent, and never invented."""

from chalicelib.api.views.instances import status_of
from chalicelib.api.views.links import View, when
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance


def managed_view(instance: Instance) -> View:
    """Return what is in a list."""
    server = {"id": instance.server_id, "name": instance.name, "tenant_id": instance.project_id}
    return {
        "server": {**server, "status": instance.server_status, "host": instance.compute_host}
        if instance.server_id
        else None,
        "service_status": instance.status,
        "task_description": instance.step or "No tasks for the instance.",
        "deleted": False,
        "deleted_at": None,
    }


def managed_detail(instance: Instance, cluster: Cluster | None) -> View:
    """Return what is shown of a single one: its volume, its datastore's state, who let root in."""
    view = managed_view(instance)
    view["guest_status"] = {"state_description": (status_of(instance)[1] or instance.status).lower()}
    view["volume"] = _volume(instance)
    if cluster is not None and cluster.root_enabled_at:
        view |= {"root_enabled": when(cluster.root_enabled_at), "root_enabled_by": cluster.root_enabled_by}
    return view


def _volume(instance: Instance) -> View | None:
    if not instance.volume_gib:
        return None
    volume: View = {"size": int(instance.volume_gib)}
    if instance.volume_id:
        attached = {"server_id": instance.server_id, "device": instance.volume_device}
        volume |= {"id": instance.volume_id, "attachments": [attached] if instance.volume_device else []}
    return volume
