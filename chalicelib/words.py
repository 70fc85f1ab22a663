"""Words of settings: those that a template asks for, and the known one that a mistyped one is nearest to."""

from collections.abc import Iterable
from difflib import get_close_matches


class _AnyProperty(dict[str, str]):
    """An instance that has every property; afterwards its keys are those that were asked for."""

    def __missing__(self, name: str) -> str:
        self[name] = name
        return name

    def __repr__(self) -> str:
        raise TypeError("a %s without a name would put the whole instance there")


def words_of(template: str) -> set[str] | None:
    """Return the properties that the template asks for; None if it cannot be filled in."""
    asked = _AnyProperty()
    try:
        template % asked
    except (ValueError, TypeError):
        return None
    return set(asked)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean …?" if there is something to be meant."""
    found = get_close_matches(name, list(known), n=1, cutoff=0.75)
    return f"; did you mean {found[0]}?" if found else ""
