"""The cloud's database: MariaDB in a folder of ours, with each service's schema and Keystone's first administrator."""

import os
import subprocess
import sys
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.openstack import configuration, packages, site
from local.openstack.packages import PATH
from local.openstack.site import CACHE, ENVIRONMENT, ETC, LOGS, STATE

NAMES = ("keystone", "glance", "placement", "nova", "nova_api", "nova_cell0", "neutron", "cinder")
SOCKET = STATE / "database.sock"
FILES = STATE / "database"
NOVA = ("nova-manage", "--config-file", str(configuration.nova("compute1")))
# Nova keeps how to reach a cell in its database. As templates they are the same whatever the passwords are.
CELL0 = "{scheme}://{username}:{password}@{hostname}:{port}/nova_cell0?{query}"
CELL1 = "{scheme}://{username}:{password}@{hostname}:{port}/{path}?{query}"
CELL1_MESSAGES = "{scheme}://{username}:{password}@{hostname}:{port}/{path}"
CREATE_CELL = ("cell_v2", "create_cell", "--name", "cell1")
MIGRATIONS: dict[str, list[tuple[str, ...]]] = {  # those of a list come one after another
    "keystone": [("keystone-manage", "--config-file", str(configuration.file("keystone")), "db_sync")],
    "glance": [("glance-manage", "--config-file", str(configuration.file("glance")), "db_sync")],
    "placement": [("placement-manage", "--config-file", str(configuration.file("placement")), "db", "sync")],
    "neutron": [("neutron-db-manage", "--config-file", str(configuration.file("neutron")), "upgrade", "heads")],
    "cinder": [("cinder-manage", "--config-file", str(configuration.file("cinder")), "db", "sync")],
    "nova": [
        (*NOVA, "api_db", "sync"),
        (*NOVA, "cell_v2", "map_cell0", "--database_connection", CELL0),
        (*NOVA, *CREATE_CELL, "--database_connection", CELL1, "--transport-url", CELL1_MESSAGES),
        (*NOVA, "db", "sync"),
    ],
}


def ensure_files() -> None:
    """Have a database server's own files, before it starts."""
    if not (FILES / "mysql").exists():
        install = ("mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={FILES}", "--skip-test-db")
        run("database-install", *install, "--auth-root-authentication-method=socket")


def ensure_schemas() -> None:
    """Have them, from a copy of the empty ones if there was a start before; and Keystone's first administrator."""
    mark = STATE / "schemas.made"
    if mark.exists():
        return
    password = site.passwords()["database"]
    sql(
        *(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4;" for name in NAMES),
        f"CREATE OR REPLACE USER openstack@'{site.HOST}' IDENTIFIED BY '{password}';",
        f"GRANT ALL ON *.* TO openstack@'{site.HOST}';",
    )
    copy = CACHE / f"schemas-{packages.key_of([packages.REQUIREMENTS])}.sql"
    if copy.exists():
        sql(copy.read_text())
    else:
        _migrate()
        _keep(copy)
    _write_keys()
    _bootstrap_keystone()
    mark.touch()


def sql(*statements: str) -> str:
    client = ("mariadb", "--no-defaults", "-uroot", f"--socket={SOCKET}")
    ended = subprocess.run(client, input="\n".join(statements), text=True, capture_output=True, check=False)
    if ended.returncode:
        sys.exit(f"database: {ended.stderr}")
    return ended.stdout


def _migrate() -> None:
    print("database schemas: making them …", flush=True)

    def run_all(service: str) -> None:
        for command in MIGRATIONS[service]:
            run(f"migrate-{service}", *command)

    with ThreadPoolExecutor(len(MIGRATIONS)) as pool:
        list(pool.map(run_all, MIGRATIONS))


def _keep(copy: Path) -> None:
    dump = ("mariadb-dump", "--no-defaults", "-uroot", f"--socket={SOCKET}", "--skip-dump-date", "--databases", *NAMES)
    site.write_private(copy, subprocess.run(dump, text=True, capture_output=True, check=True).stdout)


def _write_keys() -> None:
    """As `keystone-manage fernet_setup` and `credential_setup` do, which take seconds to start."""
    for folder in (ETC / "keystone/fernet", ETC / "keystone/credential"):
        folder.chmod(0o700)
        for number in ("0", "1"):
            if not (folder / number).exists():
                site.write_private(folder / number, urlsafe_b64encode(os.urandom(32)).decode())


def _bootstrap_keystone() -> None:
    """Give the password by environment: a command line is for everybody to see."""
    urls = [f"--bootstrap-{kind}-url={site.auth_url()}" for kind in ("public", "internal", "admin")]
    command = ("keystone-manage", "--config-file", str(configuration.file("keystone")), "bootstrap")
    region = f"--bootstrap-region-id={site.REGION}"
    run("bootstrap", *command, region, *urls, OS_BOOTSTRAP_PASSWORD=site.passwords()["admin"])


def run(log: str, *command: str, **variables: str) -> None:
    """Run the command, its output in that log. Exits if it fails."""
    path = LOGS / f"{log}.log"
    environment = {"PATH": PATH, "VIRTUAL_ENV": str(ENVIRONMENT), "HOME": str(STATE)} | variables
    with path.open("ab") as output:
        ended = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False, cwd="/"
        )
    if ended.returncode:
        end = "\n".join(path.read_text(errors="replace").splitlines()[-15:])
        sys.exit(f"{end}\n{log} failed; its log is {path}.")
