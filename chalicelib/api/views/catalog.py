"""Datastores, their versions, and flavors as Trove shows them."""

from collections.abc import Sequence

from chalicelib.api.request import Request
from chalicelib.api.views.links import View, links
from chalicelib.models.datastore import Datastore
from chalicelib.models.flavor import Flavor
from chalicelib.models.volume_type import VolumeType


def version_view(request: Request, datastore: Datastore) -> View:
    view: View = {
        "id": datastore.version_id,
        "name": datastore.version,
        "version": datastore.number or datastore.version,
        "datastore": datastore.datastore_id,
        "links": links(request, f"datastores/{datastore.datastore_id}/versions", datastore.version_id),
    }
    if request.caller.is_admin:
        view |= {
            "active": datastore.is_active,
            "packages": list(datastore.packages),
            "image": datastore.image,
            "image_tags": [],
            "registry_ext": "",
            "repl_strategy": "",
        }
    return view


def managed_version_view(datastore: Datastore) -> View:
    """Return a version as administrators see it at /mgmt."""
    return {
        "id": datastore.version_id,
        "name": datastore.version,
        "version": datastore.number or datastore.version,
        "datastore_id": datastore.datastore_id,
        "datastore_name": datastore.datastore,
        "datastore_manager": datastore.manager,
        "image": datastore.image,
        "image_tags": [],
        "packages": list(datastore.packages),
        "active": datastore.is_active,
        "default": datastore.is_default,
        "registry_ext": "",
        "repl_strategy": "",
    }


def datastore_view(request: Request, versions: Sequence[Datastore]) -> View:
    """Return a datastore with its versions; at least one is given."""
    first = versions[0]
    default = next((each for each in versions if each.is_default), versions[-1])
    return {
        "id": first.datastore_id,
        "name": first.datastore,
        "links": links(request, "datastores", first.datastore_id),
        "default_version": default.version_id,
        "versions": [
            {key: value for key, value in version_view(request, each).items() if key != "datastore"}
            for each in versions
        ],
    }


def volume_type_view(volume_type: VolumeType) -> View:
    return {
        "id": volume_type.volume_type_id,
        "name": volume_type.name,
        "description": volume_type.description,
        "is_public": volume_type.is_public,
    }


def flavor_view(request: Request, flavor: Flavor) -> View:
    return {
        "id": int(flavor.flavor_id) if flavor.flavor_id.isdecimal() else None,
        "str_id": flavor.flavor_id,
        "name": flavor.name,
        "ram": int(flavor.memory_mib),
        "vcpus": int(flavor.vcpus),
        "disk": int(flavor.disk_gib),
        "ephemeral": 0,
        "links": links(request, "flavors", flavor.flavor_id),
    }
