"""Turns: several works at once of which one at a time goes on, up to its next request, in an order that is told."""

import threading
from collections.abc import Callable, Sequence
from itertools import chain, repeat


class Ended(BaseException):
    """The work's Lambda is cut here."""


class Turns:
    def __init__(self, order: Sequence[int]) -> None:
        self._order = chain(order, repeat(0))
        self._own = threading.local()
        self._is_over = False

    def take(self) -> None:
        """Wait for this work's turn. Raises Ended where it is cut."""
        if not self._is_over:
            player: Player = self._own.player
            player.await_turn()

    def play(self, works: Sequence[Callable[[], str]], cuts: Sequence[int | None]) -> list[str]:
        """Do the works, each up to its cut; return what those that were not cut returned."""
        players = [Player(work, cut) for work, cut in zip(works, cuts, strict=True)]
        for player in players:
            player.begin(self._own)
        while playing := [each for each in players if not each.is_done]:
            playing[next(self._order) % len(playing)].go_on()
        for player in players:
            if player.error:
                raise player.error
        return [each.result for each in players if each.result is not None]

    def end(self) -> None:
        """From now on nobody waits."""
        self._is_over = True


class Player:
    def __init__(self, work: Callable[[], str], cut: int | None) -> None:
        self._work, self._left = work, cut
        self._may_go, self._waits = threading.Semaphore(0), threading.Semaphore(0)
        self.is_done = False
        self.result: str | None = None
        self.error: Exception | None = None

    def begin(self, own: threading.local) -> None:
        def work() -> None:
            own.player = self
            try:
                self.result = self._work()
            except Ended:
                pass
            except Exception as error:
                self.error = error
            self.is_done = True
            self._waits.release()

        threading.Thread(target=work, daemon=True).start()
        self._waits.acquire()

    def await_turn(self) -> None:
        self._waits.release()
        self._may_go.acquire()
        if self._left == 0:
            raise Ended
        self._left = self._left - 1 if self._left is not None else None

    def go_on(self) -> None:
        self._may_go.release()
        self._waits.acquire()
