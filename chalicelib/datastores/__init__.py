"""Datastores: one folder each, with its manager and the templates of what lands on guests."""

from importlib import import_module
from typing import TYPE_CHECKING

from chalicelib import config
from chalicelib.errors import Permanent
from chalicelib.models.datastore import Datastore

if TYPE_CHECKING:
    from chalicelib.datastores.base import BaseManager


def manager_of(datastore: Datastore) -> "BaseManager":
    """Return the manager of this version. Raises Permanent, naming those there are, if it has none."""
    paths = {name: path for path, name in config.current().dtrove_datastore_managers}
    path = paths.get(datastore.manager, datastore.manager)
    module, _, class_name = path.rpartition(".")
    try:
        manager: type[BaseManager] = getattr(import_module(module), class_name)
    except (ImportError, AttributeError, ValueError) as error:  # ValueError: no dot in it
        offered = ", ".join(sorted(paths))
        raise Permanent(
            f"{datastore.name}: no manager {datastore.manager!r} ({error}); there are {offered}."
        ) from error
    return manager(datastore)
