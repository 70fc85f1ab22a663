"""Configuration groups, and what may be set, as Trove shows them."""

from chalicelib.api.views.links import View, when
from chalicelib.datastores.parameters import Parameter
from chalicelib.models.configuration import Configuration


def configuration_view(configuration: Configuration) -> View:
    return {
        "id": configuration.configuration_id,
        "name": configuration.name,
        "description": configuration.description,
        "created": when(configuration.created_at),
        "updated": when(configuration.updated_at),
        "datastore_name": configuration.datastore,
        "datastore_version_id": configuration.datastore_version_id,
        "datastore_version_name": configuration.datastore_version,
    }


def configuration_detail(configuration: Configuration, attached: int) -> View:
    return configuration_view(configuration) | {
        "values": dict(configuration.values),
        "instance_count": attached,
        "datastore_version_number": configuration.datastore_version,
    }


def parameter_view(parameter: Parameter, version_id: str) -> View:
    bounds = {"min": parameter.least, "max": parameter.most}
    return {
        "name": parameter.name,
        "datastore_version_id": version_id,
        "restart_required": parameter.restart_required,
        "type": parameter.type,
        **{key: value for key, value in bounds.items() if value is not None},
    }


def managed_parameter_view(parameter: Parameter, version_id: str) -> View:
    """Return a parameter as administrators see it: Trove has other names for its bounds there."""
    view = parameter_view(parameter, version_id)
    names = {"min": "min_size", "max": "max_size"}
    return {names.get(key, key): value for key, value in view.items()}
