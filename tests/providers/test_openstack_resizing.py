"""A resize that Nova said yes to and gave up later is told from one to ask for; and what clouds seldom show."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from openstack.exceptions import BadRequestException, NotFoundException

from chalicelib.errors import ProviderError, Transient
from chalicelib.models.instance import Instance
from chalicelib.providers.openstack.resizing import is_confirmed, is_resized, is_reverted

NAMES = {"1": "db.tiny", "2": "db.small", "3": "db.medium"}


class Cut(BaseException):
    """The Lambda ends here."""


@dataclass
class Nova:
    """Knows one server. It says yes to each resize; `finish` and `give_up` are what becomes of it."""

    server: Any = field(
        default_factory=lambda: SimpleNamespace(
            status="ACTIVE",
            task_state=None,
            flavor=SimpleNamespace(original_name="db.tiny"),
            metadata={},
            fault=None,
        )
    )
    actions: list[Any] = field(default_factory=list)  # the newest first
    wanted: str = ""
    is_cut: bool = False
    is_at_it: bool = False  # confirms or reverts just now

    @property
    def compute(self) -> "Nova":
        return self

    def get_flavor(self, flavor_id: str) -> Any:
        if flavor_id not in NAMES:
            raise NotFoundException
        return SimpleNamespace(name=NAMES[flavor_id])

    def server_actions(self, server: Any) -> list[Any]:
        return list(self.actions)

    def set_server_metadata(self, server: Any, **told: str) -> None:
        server.metadata |= told

    def resize_server(self, server: Any, flavor_id: str) -> None:
        if self.is_cut:
            raise Cut
        self.wanted, server.status, server.task_state = flavor_id, "RESIZE", "resize_prep"
        self.actions.insert(0, SimpleNamespace(action="resize", request_id=f"req-{len(self.actions)}"))

    def confirm_server_resize(self, server: Any) -> None:
        if self.is_at_it:
            raise BadRequestException("Instance has not been resized.")
        self.end("confirmResize", server.flavor.original_name)

    def revert_server_resize(self, server: Any) -> None:
        if self.is_at_it:
            raise BadRequestException("Instance has not been resized.")
        self.end("revertResize", "db.tiny")

    def end(self, move: str, flavor: str) -> None:
        self.server.status, self.server.flavor.original_name = "ACTIVE", flavor
        self.actions.insert(0, SimpleNamespace(action=move, request_id=f"req-{len(self.actions)}"))

    def finish(self) -> None:
        self.server.status, self.server.task_state = "VERIFY_RESIZE", None
        self.server.flavor.original_name = NAMES[self.wanted]

    def give_up(self) -> None:
        self.server.status, self.server.task_state = "ACTIVE", None


def resize(nova: Any, job: str = "job-1", flavor_id: str = "2") -> bool:
    instance = Instance(instance_id="i", name="db-1", held_by=job)
    return is_resized(nova, nova.server, instance, flavor_id)


def test_it_is_asked_for_once_and_waited_for() -> None:
    nova = Nova()

    assert [resize(nova), resize(nova)] == [False, False]
    nova.finish()

    assert resize(nova)
    assert len(nova.actions) == 1


def test_what_nova_gave_up_is_refused_and_not_asked_for_again() -> None:
    nova = Nova()
    resize(nova)
    nova.give_up()

    for _ in range(2):
        with pytest.raises(ProviderError, match="could not give db-1 flavor 2: request req-0"):
            resize(nova)

    assert len(nova.actions) == 1


def test_a_later_job_and_another_flavor_are_asked_for() -> None:
    nova = Nova()
    resize(nova)
    nova.give_up()

    assert not resize(nova, job="job-2")
    nova.give_up()
    assert not resize(nova, job="job-2", flavor_id="3")

    assert len(nova.actions) == 3


def test_a_call_that_was_cut_before_it_asked_is_no_failure() -> None:
    nova = Nova(is_cut=True)
    with pytest.raises(Cut):
        resize(nova)
    nova.is_cut = False

    assert not resize(nova)
    nova.finish()

    assert resize(nova)


def test_what_was_reverted_can_be_asked_for_again_by_the_same_job() -> None:
    nova: Any = Nova()
    resize(nova)
    nova.finish()
    assert [is_reverted(nova, nova.server) for _ in range(2)] == [False, True]

    assert not resize(nova)
    nova.give_up()

    with pytest.raises(ProviderError, match="request req-2"):
        resize(nova)


@pytest.mark.parametrize("end", [is_confirmed, is_reverted])
def test_nova_s_no_while_it_is_at_it_is_to_come_again(end: Any) -> None:
    nova: Any = Nova()
    resize(nova)
    assert not end(nova, nova.server)
    nova.finish()
    nova.is_at_it = True

    with pytest.raises(Transient, match="busy with a resize"):
        end(nova, nova.server)


def test_a_server_in_error_is_not_resized() -> None:
    nova = Nova()
    nova.server.status, nova.server.fault = "ERROR", {"message": "disk full"}

    with pytest.raises(ProviderError, match="disk full"):
        resize(nova)
