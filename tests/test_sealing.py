"""Secrets at rest."""

import pytest
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidTag

from chalicelib.models.sealed import Sealed
from chalicelib.orders import secrets
from chalicelib.sealing import seal, unseal

pytestmark = pytest.mark.usefixtures("aws")


def test_what_is_sealed_opens_for_its_own_cluster() -> None:
    sealed = Sealed(**dict(zip(("wrapped_key", "ciphertext"), seal("c1", {"root": "pass"}), strict=True)))

    assert unseal("c1", sealed) == {"root": "pass"}
    with pytest.raises((ClientError, InvalidTag)):
        unseal("c2", sealed)


def test_a_changed_text_does_not_open() -> None:
    wrapped_key, ciphertext = seal("c1", {"root": "pass"})
    changed = ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])

    with pytest.raises(InvalidTag):
        unseal("c1", Sealed(wrapped_key=wrapped_key, ciphertext=changed))


def test_two_of_the_same_look_different() -> None:
    assert seal("c1", {"root": "pass"})[1] != seal("c1", {"root": "pass"})[1]


def test_a_new_key_is_sealed_and_opens() -> None:
    key = secrets.new_key("c1", "k1")

    assert key.public.startswith("ssh-ed25519 ")
    assert b"PRIVATE" not in key.private.ciphertext
    assert "OPENSSH PRIVATE KEY" in unseal("c1", key.private)["private"]


def test_the_same_seed_draws_the_same_passwords_and_another_others() -> None:
    first, again = secrets.draw_from(b"1" * 32), secrets.draw_from(b"1" * 32)

    assert first("root") == again("root") != first("replication")
    assert secrets.draw_from(b"2" * 32)("root") != first("root")
    assert len(first("root")) == 32
    assert set("".join(first(str(number)) for number in range(200))) == set(secrets.ALPHABET)


def test_passwords_are_long_and_plain() -> None:
    drawn = secrets.draw_passwords(secrets.draw)

    assert {len(each) for each in drawn.values()} == {32}
    assert all(each.isalnum() for each in drawn.values())
    assert drawn != secrets.draw_passwords(secrets.draw)
