"""Datastores: one folder each, with its manager and the templates of what lands on guests."""

from typing import TYPE_CHECKING

from chalicelib import config
from chalicelib.dotted import class_of
from chalicelib.errors import ConfigError, Permanent
from chalicelib.models.datastore import Datastore

if TYPE_CHECKING:
    from chalicelib.datastores.base import BaseManager


def manager_of(datastore: Datastore) -> "BaseManager":
    """Return the manager of this version. Raises Permanent, naming those there are, if it has none."""
    from chalicelib.datastores.base import BaseManager  # noqa: PLC0415 - the API can do without templates

    paths = {name: path for path, name in config.current().dtrove_datastore_managers}
    path = paths.get(datastore.manager, datastore.manager)
    try:
        manager: type[BaseManager] = class_of(path, BaseManager)
    except ValueError as error:
        offered = ", ".join(sorted(paths))
        raise Permanent(
            f"{datastore.name}: no manager {datastore.manager!r} ({error}); there are {offered}."
        ) from error
    return manager(datastore)


def check_managers() -> None:
    """Raise ConfigError for each manager of the settings that is none."""
    from chalicelib.datastores.base import BaseManager  # noqa: PLC0415

    wrong = []
    for path, _ in config.current().dtrove_datastore_managers:
        try:
            class_of(path, BaseManager)
        except ValueError as error:
            wrong.append(f"DTROVE_DATASTORE_MANAGERS: {error}")
    if wrong:
        raise ConfigError("; ".join(wrong))
