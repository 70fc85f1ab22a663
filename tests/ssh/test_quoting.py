"""What is given arrives as given: proven by a real shell that runs it."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.ssh.client import SshGuest
from chalicelib.ssh.guest import File

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
QUICKLY = settings(
    deadline=None, database=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
OWNER = f"{os.getuid()}:{os.getgid()}"


@given(word=TEXTS)
@QUICKLY
def test_every_word_arrives_as_one_argument(guest: SshGuest, word: str) -> None:
    assert guest.run("printf %s {word}", word=word) == word


@given(text=st.text(st.characters(codec="utf-8")))
@QUICKLY
def test_every_text_arrives_on_standard_input(guest: SshGuest, text: str) -> None:
    assert guest.run("cat", stdin=text) == text


@given(text=TEXTS, name=st.text(st.characters(codec="utf-8", exclude_characters="\0/"), max_size=40))
@QUICKLY
def test_every_text_is_written_under_every_name(guest: SshGuest, tmp_path: Path, text: str, name: str) -> None:
    path = tmp_path / "new folder" / f"x{name}"

    guest.write(File(str(path), text, owner=OWNER))

    assert path.read_bytes() == text.encode()


@given(text=TEXTS)
@QUICKLY
def test_no_text_can_end_the_script_early(guest: SshGuest, text: str) -> None:
    assert (
        guest.run("printf %s {text}; cat; printf %s {text}", text=text, stdin=f"}}\n.\n{text}")
        == f"{text}}}\n.\n{text}{text}"
    )


def test_a_word_with_a_nul_is_refused(guest: SshGuest) -> None:
    with pytest.raises(ValueError, match="NUL"):
        guest.run("printf %s {word}", word="a\0b")


def test_numbers_are_words_too(guest: SshGuest) -> None:
    assert guest.run("echo $(({left} + {right}))", left=40, right=2) == "42\n"
