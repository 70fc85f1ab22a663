"""Changing functions of somebody else in place, a few words of their source at a time."""

import inspect
import sys
import textwrap
from typing import Any

_sources: dict[Any, str] = {}  # of functions rewritten before: their file no longer tells


class PatchDoesNotFit(Exception):
    """The code is not the one that the patch was written for."""


def rewrite(function: Any, *changes: tuple[str, str]) -> None:
    """Replace each first text of the function's source by the second, for all who hold the function.

    Raises:
        PatchDoesNotFit: a first text is not there exactly once.
    """
    source = _sources.get(function) or textwrap.dedent(inspect.getsource(function))
    for old, new in changes:
        source = replaced(source, old, new, of=function.__qualname__)
    namespace: dict[str, Any] = {}
    code = compile(source, f"<{function.__qualname__}, rewritten>", "exec")
    exec(code, sys.modules[function.__module__].__dict__, namespace)  # noqa: S102 - the point of this module
    function.__code__ = namespace[function.__name__].__code__
    _sources[function] = source


def replaced(text: str, old: str, new: str, *, of: str) -> str:
    """Replace the one `old` in the text. Raises PatchDoesNotFit if there is none, or more than one."""
    found = text.count(old)
    expect(found == 1, f"{of} has {old!r} {found} times, not once")
    return text.replace(old, new)


def lend(module: Any, **names: object) -> None:
    """Give a module names that rewritten code in it uses."""
    for name, value in names.items():
        expect(not hasattr(module, name), f"{module.__name__} has a {name} of its own")
        setattr(module, name, value)


def expect(fact: bool, otherwise: str) -> None:
    """Raise PatchDoesNotFit unless the fact is one."""
    if not fact:
        raise PatchDoesNotFit(otherwise)
