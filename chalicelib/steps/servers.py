"""Steps on servers: what the cloud does for us."""

from chalicelib import config
from chalicelib.errors import NotReady, Permanent
from chalicelib.models.cluster import Cluster
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.models.key import Key
from chalicelib.providers.base import BaseProvider, Birth, ServerStatus
from chalicelib.ssh.keys import draw_key
from chalicelib.steps.access import access_to
from chalicelib.steps.step import cloud_step


@cloud_step
def create_server(cluster: Cluster, instance: Instance, provider: BaseProvider) -> None:
    """Have a server for the instance. Its host key is pinned before its birth, and never stored in private.

    The provider keeps the public part in the server's metadata: of two tries at once, the one that came too late
    learns there which key the server was really born with.
    """
    status, progress = ServerStatus.DELETED, 0
    if instance.server_id:  # known to an earlier round: it is asked for by its id, and nothing else is
        status, progress = provider.update_status(instance)
    if status is ServerStatus.DELETED:
        _have_server(cluster, instance, provider)
        status, progress = provider.update_status(instance)
    if status is ServerStatus.ERROR:
        reason = instance.message or "it gives no reason."
        raise Permanent(f"The cloud could not build the server of {instance.name}: {reason}")
    if not status.is_up:
        raise NotReady(f"The server of {instance.name} is {status}, {progress} %.")


def _have_server(cluster: Cluster, instance: Instance, provider: BaseProvider) -> None:
    private = ""
    if not provider.has_server(instance):
        host_key = draw_key()
        private, instance.host_key = host_key.private, host_key.public
        instance.save_held()
    provider.create(instance, birth_of(cluster, instance, private))


def birth_of(cluster: Cluster, instance: Instance, host_key_private: str) -> Birth:
    return Birth(
        image=Datastore.of_version(cluster.datastore_version_id).image,
        user=config.current().dtrove_ssh_user,
        authorized_key=Key.get(instance.key_id, consistent_read=True).public,
        host_key_private=host_key_private,
        host_key_public=str(instance.host_key),
        access=access_to(cluster, instance),
    )


@cloud_step
def start_server(cluster: Cluster, instance: Instance, provider: BaseProvider) -> None:
    """Have the server run, whether it was stopped, lost its power or its host was started anew."""
    status, _ = provider.update_status(instance)
    if status in {ServerStatus.SHUTOFF, ServerStatus.ERROR}:
        provider.start(instance)
        status, _ = provider.update_status(instance)
    if status is ServerStatus.DELETED:
        raise Permanent(f"The server of {instance.name} is gone.")
    if not status.is_up:
        raise NotReady(f"The server of {instance.name} is {status}.")


@cloud_step
def reboot_server(cluster: Cluster, instance: Instance, provider: BaseProvider) -> None:
    """Have the server start anew, once a job unless it is cut in between; what was off is started."""
    status, _ = provider.update_status(instance)
    if status is ServerStatus.DELETED:
        raise Permanent(f"The server of {instance.name} is gone.")
    if status in {ServerStatus.SHUTOFF, ServerStatus.ERROR}:
        provider.start(instance)
        instance.rebooted_by = instance.held_by
    elif status.is_up and instance.rebooted_by != instance.held_by:
        provider.reboot(instance)
        instance.rebooted_by = instance.held_by
    status, _ = provider.update_status(instance)
    if not status.is_up:
        raise NotReady(f"The server of {instance.name} is {status}.")


@cloud_step
def attach_volume(cluster: Cluster, instance: Instance, provider: BaseProvider) -> None:
    if instance.volume_gib and not provider.attach_volume(instance):
        raise NotReady(f"The volume of {instance.name} is being attached.")


@cloud_step
def delete_server(cluster: Cluster, instance: Instance, provider: BaseProvider) -> None:
    if not provider.destroy(instance):
        raise NotReady(f"The server of {instance.name} is being deleted.")
