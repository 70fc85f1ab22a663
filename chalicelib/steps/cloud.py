"""Steps that look at the whole cloud: flavors and volume types to copy, resources that belong to nobody."""

import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta

from chalicelib import config, journal
from chalicelib.metrics import ORPHANS, ORPHANS_LEFT, counted
from chalicelib.models.cluster import Cluster
from chalicelib.models.flavor import SHELF, Flavor
from chalicelib.models.instance import Instance
from chalicelib.models.record import now
from chalicelib.models.volume_type import VolumeType
from chalicelib.providers.base import BaseProvider, FlavorOffer, OwnedResource, VolumeTypeOffer

OLD_ENOUGH = timedelta(hours=1)  # younger ones may belong to a step that is at work right now
KEPT = frozenset({"snapshot"})  # outlive their instance on purpose


def refresh_flavors(provider: BaseProvider) -> int:
    """Make the records equal to the provider's list; return how many there are."""
    offered = {each.flavor_id: each for each in provider.flavors()}
    for flavor in Flavor.all():
        if flavor.flavor_id not in offered:
            flavor.delete(add_version_condition=False)
        elif _as_offer(flavor) == offered[flavor.flavor_id]:
            del offered[flavor.flavor_id]
    for offer in offered.values():
        record = Flavor(shelf=SHELF, flavor_id=offer.flavor_id)
        record.update(
            actions=[
                Flavor.name.set(offer.name),
                Flavor.memory_mib.set(offer.memory_mib),
                Flavor.vcpus.set(offer.vcpus),
                Flavor.disk_gib.set(offer.disk_gib),
            ],
            add_version_condition=False,
        )
    return len(offered)


def refresh_volume_types(provider: BaseProvider) -> int:
    """Make the records equal to the provider's list; return how many there are."""
    offered = {each.volume_type_id: each for each in provider.volume_types()}
    known = {each.volume_type_id: each for each in VolumeType.all()}
    for record in known.values():
        if record.volume_type_id not in offered:
            record.delete(add_version_condition=False)
    for offer in offered.values():
        if (known_type := known.get(offer.volume_type_id)) is None or _as_type_offer(known_type) != offer:
            _record_type(offer)
    return len(offered)


def _record_type(offer: VolumeTypeOffer) -> None:
    VolumeType(volume_type_id=offer.volume_type_id).update(
        actions=[
            VolumeType.name.set(offer.name),
            VolumeType.description.set(offer.description) if offer.description else VolumeType.description.remove(),
            VolumeType.is_public.set(offer.is_public),
        ],
        add_version_condition=False,
    )


def _as_type_offer(record: VolumeType) -> VolumeTypeOffer:
    return VolumeTypeOffer(record.volume_type_id, record.name, record.description, record.is_public)


def _as_offer(flavor: Flavor) -> FlavorOffer:
    return FlavorOffer(flavor.flavor_id, flavor.name, int(flavor.memory_mib), int(flavor.vcpus), int(flavor.disk_gib))


def sweep_cloud(provider: BaseProvider) -> list[str]:
    """Report what carries our ids and has no record, and remove what is old of it. Return a line for each.

    More old ones than the limit look like lost records, not like lost resources: then none is removed.
    """
    found = list(orphans(provider.owned()))
    old = [each for each in found if each.kind not in KEPT and now() - each.created_at > OLD_ENOUGH]
    doomed = old if len(old) <= config.current().dtrove_sweep_limit else []
    for each in doomed:
        provider.remove(each)
    lines = [f"{_named(each)}: {'removed' if each in doomed else 'belongs to nobody'}" for each in found]
    for each, line in zip(found, lines, strict=True):
        ids = {"instance_id": each.instance_id or None, "cluster_id": each.cluster_id}
        journal.tell("orphan", logging.WARNING, resource=line, **ids)
    if found:
        values = {ORPHANS: len(found)} | ({} if doomed == old else {ORPHANS_LEFT: len(old)})
        journal.tell("orphans", logging.WARNING, **counted(values))
    return lines


def _named(resource: OwnedResource) -> str:
    return f"{resource.kind} {resource.resource_id} of {resource.instance_id or resource.cluster_id}"


def orphans(owned: Sequence[OwnedResource]) -> Iterator[OwnedResource]:
    """Yield this deployment's resources whose instance, or whose cluster if they have none, has no record.

    Among them are those of an instance that has another server or volume: of a try that came second and was cut.
    The cloud was read first: a record made since then is there.
    """
    ours = [each for each in owned if each.deployment == config.current().dtrove_deployment]
    instance_ids = sorted({each.instance_id for each in ours if each.instance_id})
    cluster_ids = sorted({each.cluster_id for each in ours if not each.instance_id})
    instances = {each.instance_id: each for each in Instance.batch_get(instance_ids, consistent_read=True)}
    clusters = {each.cluster_id for each in Cluster.batch_get(cluster_ids, consistent_read=True)}
    for each in ours:
        instance = instances.get(each.instance_id) if each.instance_id else None
        is_known = instance is not None if each.instance_id else each.cluster_id in clusters
        if not is_known or (instance is not None and _came_second(each, instance)):
            yield each


def _came_second(resource: OwnedResource, instance: Instance) -> bool:
    held = {"server": instance.server_id, "volume": instance.volume_id}.get(resource.kind)
    return (held is not None and held != resource.resource_id) or (resource.is_idle and instance.server_id is not None)
