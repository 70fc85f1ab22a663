"""The service on this machine: `up` brings it up, `down` removes every trace of it.

python -m local.service up | down | left [nspawn | openstack]
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from chalicelib.models.datastore import Datastore, datastore_id_of, version_id_of
from local import aws, background, machine
from local.api import Api
from local.callers import embedded_settings, tokens_in, url_of, write_env
from local.deploy import deploy
from local.grounds import Ground, ground_of
from local.target import Target

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".local"
PORT = 4566
STACK = "dtrove"
NSPAWN = "nspawn"
STORE, STORE_PORT = "local.store", 4580
FUNCTIONS = ("Records", "Cloud", "Guest")  # as CloudFormation knows them
WORKERS = 3  # of each function: the branches of a Map over a three-instance cluster run at once
OFFERED = (  # datastore, version, packages
    ("mysql", "10.11", ["mariadb-server", "mariadb-backup"]),
    ("postgresql", "15", ["postgresql-15"]),
    ("redis", "7.0", ["redis-server"]),
)


@dataclass(frozen=True)
class Service:
    aws: aws.EmbeddedAws
    api_url: str
    tokens: dict[str, str]  # by the names of CALLERS; none if a Keystone knows the callers

    def api(self, caller: str = "DTROVE_TOKEN") -> Api:
        return Api(url_of(caller, self.api_url), self.tokens[caller])


def up(
    folder: Path = FOLDER, *, port: int = PORT, auth: bool = False, provider: str = NSPAWN, **chosen: str
) -> Service:
    """Start the service, deployed anew, and write `env` and `clouds.yaml` into the folder.

    `auth` denies by IAM policy what no policy allows; `provider` says where servers are: nspawn or openstack; `chosen`
    are settings beside or instead of the usual ones.

    Raises:
        machine.Unfit: this machine cannot run guests.
    """
    ground = ground_of(provider, chosen)
    tokens = {} if chosen.get("DTROVE_IDENTITY") == "keystone" else tokens_in(folder)
    embedded = aws.running(folder / "aws")
    ground.claim(folder, is_up=embedded is not None)
    ground.prepare(folder)
    settings = embedded_settings(tokens) | dict(ground.settings) | {"DTROVE_STORE_URL": store_url(ground)} | chosen
    embedded = embedded or aws.start(folder / "aws", port=port, auth=auth)
    outputs = deploy(Target.embedded(embedded.endpoint), stack=STACK, settings=settings)
    open_store(folder, embedded, ground, outputs["ObjectsBucket"])
    service = Service(embedded, outputs["ApiUrl"], tokens)
    offer(embedded, ground.image)
    warm(service)
    write_env(folder, outputs["ApiUrl"], tokens, ground.network(), embedded.environment())
    return service


def down(folder: Path = FOLDER, *, provider: str = NSPAWN, **chosen: str) -> list[str]:
    """Stop the service and remove all it made; return what is left nevertheless."""
    background.stop(folder, STORE)
    aws.stop(folder / "aws")
    for name in ("env", "clouds.yaml", "tokens.json"):
        (folder / name).unlink(missing_ok=True)
    return ground_of(provider, chosen).remove(folder)


def open_store(folder: Path, embedded: aws.EmbeddedAws, ground: Ground, bucket: str) -> None:
    """Give the guests a way to the object store: they reach this host on their network, not its loopback."""
    background.start(folder, STORE, ground.host_address(), str(STORE_PORT), embedded.endpoint, bucket)


def store_url(ground: Ground) -> str:
    return f"http://{ground.host_address()}:{STORE_PORT}"


def offer(embedded: aws.EmbeddedAws, image: str) -> None:
    """Record the datastore versions on offer, as an operator would."""
    dynamodb = embedded.client("dynamodb")
    for datastore, version, packages in OFFERED:
        record = Datastore(
            version_id=version_id_of(datastore, version),
            datastore_id=datastore_id_of(datastore),
            datastore=datastore,
            version=version,
            manager=datastore,
            image=image,
            packages=packages,
            is_active=True,
            is_default=True,
        )
        dynamodb.put_item(TableName=f"{STACK}-datastores", Item=record.serialize())


def warm(service: Service) -> None:
    """Start the functions' workers and copy the flavors, so that the first cluster does not wait for either."""
    functions = service.aws.client("lambda")
    stack = service.aws.client("cloudformation")

    def call(name: str) -> None:
        resource = stack.describe_stack_resource(StackName=STACK, LogicalResourceId=name)["StackResourceDetail"]
        answer = functions.invoke(FunctionName=resource["PhysicalResourceId"], Payload=b'{"warm": true}')
        if "FunctionError" in answer:
            raise RuntimeError(f"{name}: {answer['Payload'].read().decode()}")

    def ask() -> None:
        if service.tokens:
            service.api().get("/limits")
        else:  # whoever may ask more is known to a Keystone
            Api(service.api_url, "").get("/v1.0")

    with ThreadPoolExecutor(WORKERS * len(FUNCTIONS) + 2) as pool:
        calls = [pool.submit(call, name) for name in ("SweepCloud", "Reads", *FUNCTIONS * WORKERS)]
        calls.append(pool.submit(ask))
        for each in calls:
            each.result()


def main(arguments: list[str]) -> int:
    command, provider = [*arguments, NSPAWN, NSPAWN][:2]
    match command:
        case "up":
            service = up(provider=provider)
            print(f"DTrove is up at {service.api_url}; its address and tokens are in .local/env.")
            return 0
        case "down":
            left = down(provider=provider)
        case "left":
            left = ground_of(provider, {}).left()
        case _:
            print(__doc__)
            return 2
    print("\n".join([f"left: {each}" for each in left]) or "Nothing is left.")
    return 1 if left else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except machine.Unfit as reason:
        sys.exit(str(reason))
