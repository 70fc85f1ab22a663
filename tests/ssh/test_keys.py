from pathlib import Path

import paramiko
import pytest

from chalicelib.ssh.keys import draw_key


@pytest.mark.parametrize("passphrase", ["", "correct horse"])
def test_a_drawn_pair_belongs_together(passphrase: str, tmp_path: Path) -> None:
    pair = draw_key(passphrase)

    path = tmp_path / "key"
    path.write_text(pair.private)
    opened = paramiko.Ed25519Key.from_private_key_file(str(path), password=passphrase or None)

    assert pair.public == f"ssh-ed25519 {opened.get_base64()}"


def test_every_draw_is_another_key() -> None:
    assert draw_key().public != draw_key().public


def test_the_private_part_is_not_shown() -> None:
    pair = draw_key()

    assert "PRIVATE" not in repr(pair)
    assert pair.public in repr(pair)
