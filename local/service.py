"""The service on this machine: `up` brings it up, `down` removes every trace of it.

python -m local.service up | down | left
"""

import json
import os
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from local import aws, images, machine
from local.api import Api
from local.deploy import Target, deploy

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".local"
PORT = 4566
STACK = "dtrove"
FUNCTIONS = ("Records", "Cloud", "Guest")  # as CloudFormation knows them
WORKERS = 3  # of each function: the branches of a Map over a three-instance cluster run at once
CALLERS = {  # variable → project, user, roles
    "DTROVE_TOKEN": ("demo", "demo", ["member"]),
    "DTROVE_READER_TOKEN": ("demo", "reader", ["reader"]),
    "DTROVE_ADMIN_TOKEN": ("admin", "admin", ["admin"]),
    "DTROVE_OTHER_TOKEN": ("other", "other", ["member"]),
}
OFFERED = (  # datastore, version, packages
    ("mysql", "10.11", ["mariadb-server", "mariadb-backup"]),
    ("postgresql", "15", ["postgresql-15"]),
    ("redis", "7.0", ["redis-server"]),
)


@dataclass(frozen=True)
class Service:
    aws: aws.EmbeddedAws
    api_url: str
    tokens: dict[str, str]  # by the names of CALLERS

    def api(self, caller: str = "DTROVE_TOKEN") -> Api:
        return Api(f"{self.api_url}/v1.0/{CALLERS[caller][0]}", self.tokens[caller])


def up(*, folder: Path = FOLDER, port: int = PORT, image: str = images.GOLDEN, **settings: str) -> Service:
    """Start the service, deployed anew, and write `env` and `clouds.yaml` into the folder.

    Raises:
        machine.Unfit: this machine cannot run guests.
    """
    machine.check()
    machine.settle(settings)
    images.build(machine.nspawn_root())
    tokens = _tokens(folder)
    embedded = aws.running(folder / "aws") or aws.start(folder / "aws", port=port)
    chosen = {**embedded_settings(tokens), **settings}
    outputs = deploy(Target.embedded(embedded.endpoint), stack=STACK, settings=chosen)
    service = Service(embedded, outputs["ApiUrl"], tokens)
    offer(embedded, image)
    warm(service)
    write_env(service, folder)
    return service


def down(folder: Path = FOLDER) -> list[str]:
    """Stop the service and remove all it made; return what is left nevertheless."""
    aws.stop(folder / "aws")
    for name in ("env", "clouds.yaml", "tokens.json"):
        (folder / name).unlink(missing_ok=True)
    return machine.remove_everything()


def embedded_settings(tokens: dict[str, str]) -> dict[str, str]:
    callers = {
        sha256(tokens[variable].encode()).hexdigest(): {"project_id": project_id, "user": user, "roles": roles}
        for variable, (project_id, user, roles) in CALLERS.items()
    }
    return {"DTROVE_PROVIDER": "nspawn", "DTROVE_PREFIX": "", "DTROVE_TOKENS": json.dumps(callers)}


def _tokens(folder: Path) -> dict[str, str]:
    """Return the callers' tokens: drawn once, then kept for as long as the service is up."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tokens.json"
    if not path.exists():
        drawn = {variable: secrets.token_urlsafe(24) for variable in CALLERS}
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            json.dump(drawn, file)
    tokens: dict[str, str] = json.loads(path.read_text())
    return tokens


def offer(embedded: aws.EmbeddedAws, image: str) -> None:
    """Record the datastore versions on offer, as an operator would."""
    os.environ.update(embedded.environment() | {"DTROVE_TABLE_PREFIX": f"{STACK}-"})
    from chalicelib.models.datastore import SHELF, Datastore, datastore_id_of, version_id_of  # noqa: PLC0415

    for datastore, version, packages in OFFERED:
        record = Datastore(shelf=SHELF, version_id=version_id_of(datastore, version))
        actions = [
            Datastore.datastore_id.set(datastore_id_of(datastore)),
            Datastore.datastore.set(datastore),
            Datastore.version.set(version),
            Datastore.manager.set(datastore),
            Datastore.image.set(image),
            Datastore.packages.set(packages),
            Datastore.is_active.set(True),
            Datastore.is_default.set(True),
        ]
        record.update(actions=actions, add_version_condition=False)


def warm(service: Service) -> None:
    """Start the functions' workers and copy the flavors, so that the first cluster does not wait for either."""
    functions = service.aws.client("lambda")
    stack = service.aws.client("cloudformation")

    def call(name: str) -> None:
        resource = stack.describe_stack_resource(StackName=STACK, LogicalResourceId=name)["StackResourceDetail"]
        answer = functions.invoke(FunctionName=resource["PhysicalResourceId"], Payload=b'{"warm": true}')
        if "FunctionError" in answer:
            raise RuntimeError(f"{name}: {answer['Payload'].read().decode()}")

    with ThreadPoolExecutor(WORKERS * len(FUNCTIONS) + 2) as pool:
        calls = [pool.submit(call, name) for name in ("SweepCloud", *FUNCTIONS * WORKERS)]
        calls.append(pool.submit(service.api().get, "/limits"))
        for each in calls:
            each.result()


def write_env(service: Service, folder: Path) -> None:
    variables = {
        "DTROVE_URL": f"{service.api_url}/v1.0/{CALLERS['DTROVE_TOKEN'][0]}",
        "DTROVE_PROJECT": CALLERS["DTROVE_TOKEN"][0],
        "DTROVE_OTHER_PROJECT": CALLERS["DTROVE_OTHER_TOKEN"][0],
        **service.tokens,
        **service.aws.environment(),
    }
    lines = "".join(f"export {name}={value}\n" for name, value in variables.items())
    _private(folder / "env", lines)
    _private(folder / "clouds.yaml", json.dumps(clouds(service), indent=2) + "\n")  # JSON is YAML


def clouds(service: Service) -> dict[str, Any]:
    """Return a clouds.yaml by which the stock clients reach the service without a Keystone."""
    return {
        "clouds": {
            "dtrove": {
                "auth_type": "admin_token",
                "auth": {
                    "endpoint": f"{service.api_url}/v1.0/{CALLERS['DTROVE_TOKEN'][0]}",
                    "token": service.tokens["DTROVE_TOKEN"],
                },
            }
        }
    }


def _private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)


def main(arguments: list[str]) -> int:
    match arguments:
        case ["up"]:
            service = up()
            print(f"DTrove is up at {service.api_url}; its address and tokens are in .local/env.")
            return 0
        case ["down"]:
            left = down()
        case ["left"]:
            left = machine.everything_left()
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
