"""The whole service, with IAM enforcement on, walled off from its guests' sshds: only a jump host reaches them."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from chalicelib.config import Config
from chalicelib.models.instance import Instance
from chalicelib.providers.base import Birth
from chalicelib.ssh.keys import KeyPair, draw_key
from local import images, machine, service
from local.service import Service
from tests.datastores.real_cluster import guests_of
from tests.e2e.clusters import Ordered

pytestmark = pytest.mark.guests

SITE = {
    "DTROVE_NSPAWN_ROOT": "/var/lib/dtrove/jump",
    "DTROVE_NSPAWN_IMAGES": f"{Config.dtrove_nspawn_root}/images",
    "DTROVE_NSPAWN_BRIDGE": "dtrovejump",
    "DTROVE_NSPAWN_NETWORK": "10.79.84.0/24",
}
NETWORK_OF_JUMP_HOST = "10.79.85.0/24"
SECRET = f"{service.STACK}/ssh/jump"
WALL = f"""
table inet dtrovejump {{
    chain output {{
        type filter hook output priority filter
        ip daddr {SITE["DTROVE_NSPAWN_NETWORK"]} tcp dport 22 counter reject
    }}
}}
"""


@dataclass
class Walled:
    running: Service
    log: Path
    key: KeyPair

    def packets(self) -> int:
        """Say how many ran against the wall."""
        table = json.loads(run("nft", "--json", "list", "table", "inet", "dtrovejump"))
        (rule,) = (each["rule"] for each in table["nftables"] if "rule" in each)
        return next(int(each["counter"]["packets"]) for each in rule["expr"] if "counter" in each)


def run(*command: str, stdin: str = "") -> str:
    return subprocess.run(command, input=stdin, text=True, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def walled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walled]:
    folder, key = tmp_path_factory.mktemp("service"), draw_key()
    machine.remove_everything(Config.from_environment(SITE), folder)
    images.build(Path(Config.dtrove_nspawn_root))
    with jump_host(tmp_path_factory.mktemp("nspawn"), key) as settings, wall():
        try:
            running = service.up(folder, port=0, auth=True, **SITE, **settings)
            secret = json.dumps({"private_key": key.private, "passphrase": ""})
            running.aws.client("secretsmanager").create_secret(Name=SECRET, SecretString=secret)
            yield Walled(running, folder / "aws" / "aws.log", key)
        finally:
            left = service.down(folder, **SITE)
    assert left == []


@contextmanager
def jump_host(root: Path, key: KeyPair) -> Iterator[dict[str, str]]:
    host_key = draw_key()
    instance = Instance(instance_id="jump", cluster_id="jump", flavor_id="1", memory_mib=512)
    with guests_of(root, "dtrovejumphost", NETWORK_OF_JUMP_HOST) as provider:
        provider.create(instance, Birth(images.BASE, "dtrove", key.public, host_key.public, host_key.private))
        yield {
            "DTROVE_JUMP_HOST": str(instance.address),
            "DTROVE_JUMP_HOST_KEY": host_key.public,
            "DTROVE_JUMP_SECRET": SECRET,
        }


@contextmanager
def wall() -> Iterator[None]:
    run("nft", "-f", "-", stdin=f"table inet dtrovejump\ndelete table inet dtrovejump\n{WALL}")
    try:
        yield
    finally:
        run("nft", "delete", "table", "inet", "dtrovejump")


def test_a_cluster_lives_behind_a_jump_host(walled: Walled) -> None:
    ordered = Ordered.by(walled.running.api(), "redis", 2)
    ordered.prove()
    (primary,) = ordered.instances("primary")
    assert walled.running.api().get(f"/instances/{primary['id']}/users") == {"users": []}  # `reads` reaches it as well
    ordered.act("restart")
    ordered.delete()

    log = walled.log.read_text()
    assert walled.packets() == 0
    assert "AccessDenied" not in log
    assert walled.key.private.splitlines()[2] not in log
