"""Steps on guests: what the datastore's manager does there. Each makes sure, and is not ready until it is so."""

from contextlib import closing

from chalicelib.datastores.wishes import Wish, carry_out
from chalicelib.errors import NotReady, Permanent, Transient
from chalicelib.models.cluster import Cluster, primary_of
from chalicelib.models.instance import Instance
from chalicelib.sealing import unseal
from chalicelib.ssh.guest import Guest
from chalicelib.steps.parameters import values_of
from chalicelib.steps.step import guest_step, instance_step
from chalicelib.steps.world import guest_of, manager_for, passwords_of


@instance_step("guest")
def await_ssh(cluster: Cluster, instance: Instance) -> None:
    try:
        guest_of(instance).close()
    except Transient as error:  # a server that boots refuses connections: nothing is wrong with it
        raise NotReady(str(error)) from error


@guest_step
def prepare_datastore(cluster: Cluster, instance: Instance, guest: Guest) -> None:
    manager = manager_for(cluster)
    manager.mount_volume(instance, guest)
    manager.prepare(instance, guest, passwords_of(cluster), values_of(instance.configuration_id))


@guest_step
def start_primary(cluster: Cluster, instance: Instance, guest: Guest) -> None:
    manager = manager_for(cluster)
    if instance.restored_from:  # a try of the restore that came late may have laid its files again
        manager.end_restore(guest, instance.instance_id)
    manager.start_primary(instance, guest, passwords_of(cluster))
    if cluster.first_accounts is not None:
        carry_out(Wish.unpacked(unseal(cluster.cluster_id, cluster.first_accounts)), manager.accounts, guest)


@guest_step
def join_replica(cluster: Cluster, instance: Instance, guest: Guest) -> None:
    manager, source = manager_for(cluster), primary(cluster)
    with closing(guest_of(source)) as source_guest:
        manager.seed_replica(instance, guest, source, source_guest, passwords_of(cluster))
    manager.await_replica(instance, guest)


@instance_step("guest")
def drop_replica(cluster: Cluster, instance: Instance) -> None:
    """Tell the primary; the replica itself may be long gone."""
    with closing(guest_of(primary(cluster))) as primary_guest:
        manager_for(cluster).drop_replica(primary_guest, instance)


@guest_step
def restart_datastore(cluster: Cluster, instance: Instance, guest: Guest) -> None:
    manager_for(cluster).restart(instance, guest, str(instance.held_by))
    instance.waiting_parameters = None


@guest_step
def stop_datastore(cluster: Cluster, instance: Instance, guest: Guest) -> None:
    manager_for(cluster).stop(instance, guest, str(instance.held_by))


@guest_step
def start_datastore(cluster: Cluster, instance: Instance, guest: Guest) -> None:
    manager = manager_for(cluster)
    manager.start(instance, guest, str(instance.held_by))
    if not manager.has_waiting_parameters(guest):
        instance.waiting_parameters = None


def primary(cluster: Cluster) -> Instance:
    if (found := primary_of(cluster.instances())) is None:
        raise Permanent(f"Cluster {cluster.name} has no primary.")
    return found
