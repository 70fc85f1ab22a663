"""What an order names: finds the datastore version, the flavor, the configuration group."""

from chalicelib import config
from chalicelib.errors import BadRequest, NotFound
from chalicelib.models.configuration import Configuration
from chalicelib.models.datastore import Datastore
from chalicelib.models.flavor import Flavor
from chalicelib.models.volume_type import VolumeType
from chalicelib.orders.fields import Fields


def named_datastore(fields: Fields) -> tuple[str, str | None]:
    """Return (datastore, version) as `"datastore": {…}` names them; each may be left to its default."""
    if "datastore" not in fields:
        return config.current().dtrove_default_datastore, None
    named = fields.object("datastore")
    datastore = named.text("type") if "type" in named else config.current().dtrove_default_datastore
    versions = [named.text(key) for key in ("version", "version_number") if key in named]
    return datastore, versions[0] if versions else None


def find_datastore(datastore: str, version: str | None) -> Datastore:
    """Return the version on offer; without `version` the datastore's default. One request.

    Raises NotFound for an unknown datastore and BadRequest for an unknown version, as Trove does.
    """
    offered = [each for each in Datastore.all() if each.is_active and datastore in {each.datastore, each.datastore_id}]
    if not offered:
        raise NotFound(f"Datastore '{datastore}' cannot be found.")
    if version is None:
        return next((each for each in offered if each.is_default), offered[-1])
    for each in offered:
        if version in {each.version, each.version_id, each.number, each.name}:
            return each
    raise BadRequest(f"Datastore version '{version}' cannot be found.")


def find_flavors(flavor_ids: set[str]) -> dict[str, Flavor]:
    """Return the flavors by id. One request. Raises BadRequest naming an unknown one, as Trove does."""
    offered = {each.flavor_id: each for each in Flavor.all()}
    for flavor_id in sorted(flavor_ids - offered.keys()):
        raise BadRequest(f"Validation error: flavorRef: Resource {flavor_id} cannot be found.")
    return offered


def check_volume_types(volume_types: set[str | None]) -> None:
    """Raise BadRequest for a type that the cloud does not have. No request if none is named."""
    named = {each for each in volume_types if each}
    offered = [each for each in VolumeType.all() if each.is_public] if named else []
    for volume_type in sorted(named - {name for each in offered for name in (each.volume_type_id, each.name)}):
        raise BadRequest(f"Validation error: volume['type']: Resource {volume_type} cannot be found.")


def find_configuration(project_id: str, configuration_id: str, version_id: str) -> Configuration:
    """Return the group that a new instance of the version shall have. Raises NotFound, BadRequest."""
    configuration = Configuration.find(configuration_id)
    if configuration is None or configuration.project_id != project_id:
        raise NotFound(f"Resource {configuration_id} cannot be found.")
    if configuration.datastore_version_id != version_id:
        raise BadRequest(f"Configuration group {configuration_id} is of another datastore version.")
    return configuration
