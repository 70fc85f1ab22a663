"""Stages, and a stack for each test."""

import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from tests.crash.film import Stage

Kind = TypeVar("Kind", bound=Stage)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run the test in a thread of its own, which begins with an empty stack.

    Python 3.11 maps and unmaps a page of stack whenever a call crosses its end. Under pytest's own frames the innermost
    loops of moto happened to lie there: a third of these tests' time.
    """
    if pyfuncitem.get_closest_marker("guests"):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.function).parameters}
    with ThreadPoolExecutor(1) as pool:
        pool.submit(pyfuncitem.obj, **arguments).result()
    return True


@pytest.fixture
def stage_of() -> Iterator[Callable[[type[Kind]], Kind]]:
    """Set up a stage of the given kind; it is taken down after the test."""
    stages: list[Stage] = []

    def set_up(kind: type[Kind]) -> Kind:
        stage = kind()
        stage.install()
        stages.append(stage)
        return stage

    yield set_up
    for stage in stages:
        stage.uninstall()
