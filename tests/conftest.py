"""Tables in moto, settings of a test deployment, callers with tokens."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.ledger import Ledger
    from tests.simulation.service import Simulation

REPO = Path(__file__).parents[1]
ACCOUNT, REGION = "123456789012", "us-east-1"
PROJECT, OTHER_PROJECT = "p1", "p2"
TOKENS = {
    "member": (PROJECT, ["member"]),
    "reader": (PROJECT, ["reader"]),
    "admin": ("admin", ["admin"]),
    "other": (OTHER_PROJECT, ["member"]),
}
SETTINGS = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "DTROVE_TABLE_PREFIX": "test-",
    "DTROVE_MACHINE_PREFIX": "arn:aws:states:us-east-1:123456789012:stateMachine:test-",
    "DTROVE_DATA_KEY": "alias/test",
    "DTROVE_BUCKET": "test-objects",
    "DTROVE_PROVIDER": "memory",
    "DTROVE_PREFIX": "",
    "DTROVE_ANSWER_PATIENCE_SECONDS": "0",
    "DTROVE_READS_PER_MINUTE": "-1",
    "DTROVE_WRITES_PER_MINUTE": "-1",
    "DTROVE_MAX_INSTANCES": "20",
    "DTROVE_MAX_VOLUMES_GIB": "100",
    "DTROVE_TOKENS": json.dumps(
        {
            sha256(name.encode()).hexdigest(): {"project_id": project_id, "user": name, "roles": roles}
            for name, (project_id, roles) in TOKENS.items()
        }
    ),
}
for variable in [each for each in os.environ if each.startswith(("DTROVE_", "AWS_", "OS_"))]:
    del os.environ[variable]
os.environ.update(SETTINGS)  # before the models are imported: their tables' names depend on it


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests counted (`record_property("counted", line)`), those in other processes among them."""
    for report in terminalreporter.getreports("passed"):
        for name, line in report.user_properties:
            if name == "counted":
                terminalreporter.write_line(str(line))


@pytest.fixture(scope="session")
def account() -> Iterator[None]:
    """Made once, since that takes seconds."""
    with account_in_moto():
        yield


@contextmanager
def account_in_moto() -> Iterator[None]:
    """An account with our tables, key and state machines."""
    import boto3
    from moto import mock_aws

    from tests.tables import MODELS

    with mock_aws():
        for model in MODELS:
            model.create_table(billing_mode="PAY_PER_REQUEST", wait=False)
        kms = boto3.client("kms")
        kms.create_alias(AliasName="alias/test", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
        boto3.client("s3").create_bucket(Bucket=SETTINGS["DTROVE_BUCKET"])
        states = boto3.client("stepfunctions")
        stay = {"StartAt": "Stay", "States": {"Stay": {"Type": "Wait", "Seconds": 900, "End": True}}}
        for path in sorted((REPO / "statemachines").glob("*.asl.json")):
            states.create_state_machine(
                name=f"test-{path.name.removesuffix('.asl.json')}",
                definition=json.dumps(stay),
                roleArn="arn:aws:iam::123456789012:role/test",
            )
        yield


@pytest.fixture
def aws(account: None) -> None:
    """The account with empty tables, an empty bucket and no execution."""
    empty()


def empty() -> None:
    from moto.dynamodb.models import dynamodb_backends
    from moto.s3.models import s3_backends
    from moto.stepfunctions.models import stepfunctions_backends

    for table in dynamodb_backends[ACCOUNT][REGION].tables.values():
        table.items.clear()
    for machine in stepfunctions_backends[ACCOUNT][REGION].state_machines:
        machine.executions.clear()
    s3_backends[ACCOUNT]["aws"].buckets[SETTINGS["DTROVE_BUCKET"]].keys.clear()


@pytest.fixture
def catalog(aws: None) -> None:
    offer()


def offer() -> None:
    """Have two datastores and two flavors on offer."""
    from chalicelib.models.datastore import Datastore, datastore_id_of, version_id_of
    from chalicelib.models.flavor import Flavor

    for datastore, version in (("mysql", "10.11"), ("redis", "7.0")):
        Datastore(
            version_id=version_id_of(datastore, version),
            datastore_id=datastore_id_of(datastore),
            datastore=datastore,
            version=version,
            manager=datastore,
            image="debian-12",
            packages=[f"{datastore}-server"],
            is_default=True,
        ).add()
    for flavor_id, name, memory_mib in (("1", "db.tiny", 512), ("2", "db.small", 1024)):
        Flavor(flavor_id=flavor_id, name=name, memory_mib=memory_mib, vcpus=1).add()


@pytest.fixture
def simulation() -> "Iterator[Simulation]":
    """All of the service but HTTP in this process, on an invented cloud with scripted guests."""
    from tests.simulation.service import Simulation

    simulation = Simulation()
    simulation.install()
    yield simulation
    simulation.uninstall()


@pytest.fixture
def ledger(catalog: None) -> "Iterator[Ledger]":
    """An empty ledger, on offer as `ledger` 1, whose reads are answered in this process."""
    from app import reads
    from chalicelib.api import guests
    from tests.ledger import THE_LEDGER, Ledger

    offer_ledger()
    THE_LEDGER.__dict__.update(vars(Ledger()))
    guests.ask_through(lambda event: reads(event, None))
    yield THE_LEDGER
    guests.ask_through(guests.invoke)


def offer_ledger() -> None:
    from chalicelib.models.datastore import Datastore, version_id_of

    Datastore(
        version_id=version_id_of("ledger", "1"),
        datastore_id="ledger",
        datastore="ledger",
        version="1",
        manager="tests.ledger.LedgerManager",
        image="debian-12",
        packages=["redis-server"],
        is_default=True,
    ).add()


@pytest.fixture(scope="session")
def cloud() -> Iterator[None]:
    """An OpenStack on this machine, left as it was found."""
    from local.openstack import __main__ as openstack

    with openstack.running():
        yield
