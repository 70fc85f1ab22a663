"""Offers: which datastore versions there are, as administrators set them over the API."""

from typing import Any

from chalicelib import config, dotted
from chalicelib.errors import BadRequest, NotFound
from chalicelib.models.datastore import Datastore, datastore_id_of, version_id_of
from chalicelib.models.record import transaction
from chalicelib.orders.account_order import has_any
from chalicelib.orders.fields import Fields
from chalicelib.orders.placing import tried
from chalicelib.orders.requester import Attempt

MOST_PACKAGES = 20
TEXTS = {"datastore_manager": "manager", "image": "image", "version": "number"}  # Trove's → ours


def offer_version(fields: Fields, attempt: Attempt) -> None:
    """Add a version, and its datastore with it; one that was withdrawn comes back. Raises BadRequest."""
    fields.only("name", "datastore_name", "registry_ext", "repl_strategy", *CHANGEABLE)
    fields.refuse("image_tags", "registry_ext", "repl_strategy")
    datastore, version = fields.text("datastore_name"), fields.text("name")
    values = {"manager": fields.value("datastore_manager"), "image": fields.value("image")} | _values(fields)
    version_id = version_id_of(datastore, version)

    def offer() -> None:
        there = next((each for each in Datastore.every() if each.version_id == version_id), None)
        if there is not None and not there.is_withdrawn:
            if attempt.is_repeated:
                return
            raise BadRequest(f"Validation error: version['name']: {there.name} exists already")
        record = there or Datastore(
            version_id=version_id, datastore_id=datastore_id_of(datastore), datastore=datastore, version=version
        )
        record.is_withdrawn = False
        _save(record, values)

    tried(offer)


def change_version(record: Datastore, fields: Fields) -> None:
    """Change what is given. Raises BadRequest."""
    fields.refuse("image_tags", "registry_ext", "repl_strategy", "name")  # a new name is a new version
    fields.only(*CHANGEABLE)
    values = _values(fields)
    tried(lambda: _save(Datastore.of_version(record.version_id), values))


def withdraw_version(record: Datastore) -> None:
    """Show it no more. What runs it keeps it: it is how such clusters are managed."""
    tried(lambda: _save(Datastore.of_version(record.version_id), {"is_withdrawn": True, "is_active": False}))


def forget_datastore(wanted: str) -> None:
    """Refuse while it has versions: it is there as long as one of them is, and gone with the last.

    Raises BadRequest; NotFound if there never was such a datastore.
    """
    versions = [each for each in Datastore.every() if wanted in {each.datastore, each.datastore_id}]
    if not versions:
        raise NotFound(f"Datastore '{wanted}' cannot be found.")
    if left := [each.version for each in versions if not each.is_withdrawn]:
        raise BadRequest(f"Datastore '{wanted}' has versions: {', '.join(left)}. Delete those first.")


CHANGEABLE = (*TEXTS, "packages", "active", "default", "image_tags")


def _values(fields: Fields) -> dict[str, Any]:
    values: dict[str, Any] = {ours: fields.text(theirs) for theirs, ours in TEXTS.items() if theirs in fields}
    if "datastore_manager" in fields:
        _check_manager(fields, values["manager"])
    if has_any(fields, "packages"):
        values["packages"] = fields.texts("packages", longest=255, most=MOST_PACKAGES)
    values |= {
        ours: fields.is_true(theirs)
        for theirs, ours in {"active": "is_active", "default": "is_default"}.items()
        if theirs in fields
    }
    return values


def _check_manager(fields: Fields, manager: str) -> None:
    managers = {name for _, name in config.current().dtrove_datastore_managers}
    if manager not in managers and not (dotted.is_path(manager) and dotted.is_module(manager.rpartition(".")[0])):
        raise fields.wrong("datastore_manager", f"must be one of {', '.join(sorted(managers))}, or a dotted path")


def _save(record: Datastore, values: dict[str, Any]) -> None:
    """Save it; a datastore has one default version at most. Raises Stale."""
    for name, value in values.items():
        setattr(record, name, value)
    others = [each for each in Datastore.every() if each.datastore == record.datastore and each.is_default]
    with transaction() as batch:
        batch.save(record)
        for each in others if record.is_default else ():
            if each.version_id != record.version_id:
                each.is_default = False
                batch.save(each)
