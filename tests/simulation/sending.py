"""What the units of backups do, done in this process: a part is encrypted and sent to where the guest was told."""

import hashlib

import pyrage
import requests

FOLDER = "/run/dtrove"
BROKEN = b"broken"  # data that no backup can be taken of
PATIENCE_SECONDS = 20


def is_transfer(unit: str) -> bool:
    return unit.startswith(("dtrove-backup-", "dtrove-restore-"))


def transfer(unit: str, command: str, files: dict[str, str], data: bytes) -> bytes:
    """Do what the unit is for; return the data that the guest has then. Its files tell of it, as a guest's do."""
    if unit.startswith("dtrove-backup-"):
        _send(unit, command.split()[2], files, data)
        return data
    return _fetch(unit, files)


def _send(unit: str, recipient: str, files: dict[str, str], data: bytes) -> None:
    folder = f"{FOLDER}/{unit}"
    sealed = pyrage.encrypt(data, [pyrage.x25519.Recipient.from_str(recipient)])
    number, url = files[f"{folder}/urls"].splitlines()[0].split()
    requests.put(url, data=sealed, timeout=PATIENCE_SECONDS).raise_for_status()
    files[f"{folder}/parts"] = f"{number} {len(sealed)} {hashlib.sha256(sealed).hexdigest()}\n"
    files[f"{folder}/told"] = f'of 2048\nread {len(data)}\nversion 1.0\nposition {{"at": {len(data)}}}\n'


def _fetch(unit: str, files: dict[str, str]) -> bytes:
    folder, found = f"{FOLDER}/{unit}", b""
    urls = dict(line.split() for line in files[f"{folder}/urls"].splitlines())
    for backup_id in files[f"{folder}/pieces"].split():
        answer = requests.get(urls[backup_id], timeout=PATIENCE_SECONDS)
        answer.raise_for_status()
        ((_, size, sha256),) = (line.split() for line in files[f"{folder}/{backup_id}.parts"].splitlines())
        assert (len(answer.content), hashlib.sha256(answer.content).hexdigest()) == (int(size), sha256)
        identity = pyrage.x25519.Identity.from_str(files[f"{folder}/{backup_id}.identity"].strip())
        found += pyrage.decrypt(answer.content, [identity])
    files[f"{folder}/told"] = f"of {len(found)}\ndone {len(found)}\n"
    return found
