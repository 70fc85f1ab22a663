"""Who may call the embedded service: their tokens, its settings that know them, the files that tell them."""

import json
import os
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Any

from chalicelib.providers.one_host import Network

CALLERS = {  # variable → project, user, roles
    "DTROVE_TOKEN": ("demo", "demo", ["member"]),
    "DTROVE_READER_TOKEN": ("demo", "reader", ["reader"]),
    "DTROVE_ADMIN_TOKEN": ("admin", "admin", ["admin"]),
    "DTROVE_OTHER_TOKEN": ("other", "other", ["member"]),
}


def embedded_settings(tokens: dict[str, str]) -> dict[str, str]:
    callers = {
        sha256(token.encode()).hexdigest(): dict(zip(("project_id", "user", "roles"), CALLERS[variable], strict=True))
        for variable, token in tokens.items()
    }
    return {"DTROVE_PREFIX": "", "DTROVE_TOKENS": json.dumps(callers)}  # root needs no sudo


def tokens_in(folder: Path) -> dict[str, str]:
    """Return the callers' tokens: drawn once, then kept in the folder for as long as the service is up."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tokens.json"
    if not path.exists():
        write_private(path, json.dumps({variable: secrets.token_urlsafe(24) for variable in CALLERS}))
    tokens: dict[str, str] = json.loads(path.read_text())
    return tokens


def write_env(folder: Path, api_url: str, tokens: dict[str, str], network: Network, embedded: dict[str, str]) -> None:
    """Write `env` (for a shell) and `clouds.yaml`.

    `network` is what `--nic` may name; `embedded` is what makes AWS tools use the embedded AWS. Without tokens (a
    Keystone knows the callers) they tell of no caller.
    """
    callers = {
        "DTROVE_URL": url_of("DTROVE_TOKEN", api_url),
        "DTROVE_PROJECT": CALLERS["DTROVE_TOKEN"][0],
        "DTROVE_OTHER_PROJECT": CALLERS["DTROVE_OTHER_TOKEN"][0],
        "DTROVE_NETWORK": network.network_id,
        "DTROVE_SUBNET": network.subnet_id,
        **tokens,
    }
    variables = (callers if tokens else {}) | embedded
    write_private(folder / "env", "".join(f"export {name}={value}\n" for name, value in variables.items()))
    write_private(folder / "clouds.yaml", json.dumps(clouds(api_url, tokens), indent=2) + "\n")  # is YAML


def clouds(api_url: str, tokens: dict[str, str]) -> dict[str, Any]:
    """Return a clouds.yaml by which the stock clients reach the service without a Keystone, as each caller.

    DTROVE_TOKEN is the cloud `dtrove`, DTROVE_READER_TOKEN `dtrove-reader`.
    """
    auths = {variable: {"endpoint": url_of(variable, api_url), "token": token} for variable, token in tokens.items()}
    return {
        "clouds": {
            variable.lower().removesuffix("_token").replace("_", "-"): {"auth_type": "admin_token", "auth": auth}
            for variable, auth in auths.items()
        }
    }


def url_of(caller: str, api_url: str) -> str:
    """Return the endpoint of the caller's project."""
    return f"{api_url}/v1.0/{CALLERS[caller][0]}"


def write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
