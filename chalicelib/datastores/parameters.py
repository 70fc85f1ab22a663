"""Parameters: what a customer may set of a datastore, as its parameters.json says, and values checked against it.

No manager is imported here: the API comes by, and has no templates to pay for.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib import config
from chalicelib.datastores.quantities import quantity, shown
from chalicelib.dotted import folder_of
from chalicelib.errors import Unprocessable

Value = str | int | float | bool

WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
VERSION = re.compile(r"\w[\w.+-]*", re.ASCII)  # one folder's name, and never `..`
ON = frozenset({"on", "true", "yes", "1"})
OFF = frozenset({"off", "false", "no", "0"})


@dataclass(frozen=True)
class Parameter:
    name: str
    type: str  # "integer" | "string" | "boolean" | "float"
    restart_required: bool
    least: int | float | None = None  # JSON "min"; of a string with a unit: in that unit
    most: int | float | None = None  # JSON "max"
    choices: tuple[str, ...] = ()  # of a list: of each of its items
    pattern: str | None = None  # what the whole text must match
    unit: str | None = (
        None  # of a string that is a quantity, "64MB": what a bare number counts; of a float: what it is in
    )
    separator: str | None = None  # of a list: items in any order: what is between them; "" for single characters
    multiple_of: int | None = None  # the server rounds other numbers
    of_memory: bool = False  # so many bytes, or units, are taken from the server's memory at once
    default: Value | None = None  # the server's own, where it cannot be asked for it

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Parameter":
        """Read an entry of parameters.json. Raises TypeError for a key that is none."""
        named = {"min": "least", "max": "most"}
        values: dict[str, Any] = {named.get(key, key): value for key, value in entry.items()}
        return cls(**values | {"choices": tuple(entry.get("choices", ()))})


def parameters_for(manager_path: str, version: str) -> dict[str, Parameter]:
    """Return what may be set, by name: of `<folder>/<version>/parameters.json`, else of the folder's own; {} if none.

    `manager_path` is a name of DTROVE_DATASTORE_MANAGERS or a dotted path; the folder is that of the class's module.
    """
    paths = {name: path for path, name in config.current().dtrove_datastore_managers}
    return dict(_read(paths.get(manager_path, manager_path), version))


@cache
def _read(path: str, version: str) -> Mapping[str, Parameter]:
    if (folder := folder_of(path.rpartition(".")[0])) is None:
        return {}
    folders = [folder / version, folder] if VERSION.fullmatch(version) else [folder]
    for file in (each / "parameters.json" for each in folders):
        if file.is_file():
            return {entry["name"]: Parameter.of(entry) for entry in json.loads(Path(file).read_text())}
    return {}


def check_values(parameters: Mapping[str, Parameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values, each of its parameter's type. Raises Unprocessable naming the first that cannot be.

    What can mean but one thing is taken for it, as clients send it: "10" for an integer, 1 or "ON" for a boolean.
    """
    checked = {}
    for name, value in values.items():
        if name not in parameters:
            raise Unprocessable(f"The configuration parameter {name} is not supported for this datastore.")
        checked[name] = _checked(parameters[name], value)
    return checked


def drift(
    wanted: Mapping[str, Any], actual: Mapping[str, Any], parameters: Mapping[str, Parameter]
) -> list[tuple[str, Any, Any]]:
    """Return (name, wanted, actual) of each that differs, by name. What the server was not asked for is left out."""
    return [
        (name, wanted[name], actual[name])
        for name in sorted(wanted)
        if name in actual and not is_same(parameters[name], wanted[name], actual[name])
    ]


def is_same(parameter: Parameter, one: Any, other: Any) -> bool:
    """Say whether both mean the same to the server: 1024kB is 1MB, and a list has no order."""
    if parameter.type == "float":
        return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)  # as many digits as servers print
    if parameter.type != "string":
        return bool(one == other)
    if parameter.unit:
        return quantity(str(one), parameter.unit) == quantity(str(other), parameter.unit)
    if parameter.separator is not None:
        return set(items(parameter, one)) == set(items(parameter, other))
    return str(one).lower() == str(other).lower() if parameter.choices else bool(one == other)


def items(parameter: Parameter, text: str) -> Iterable[str]:
    return [each for each in text.split(parameter.separator) if each] if parameter.separator else text


def as_typed(parameter: Parameter, said: Any) -> Any:
    """Return what a server said of the parameter in the parameter's type. Raises ValueError if it cannot be."""
    match parameter.type:
        case "integer":
            return int(said)
        case "boolean":
            return _truth(said)
        case "float":
            return float(quantity(str(said), parameter.unit)) if parameter.unit else float(said)
    return str(said)


def bytes_of(parameter: Parameter, value: Any) -> Fraction:
    """Return how many bytes a size is."""
    if not parameter.unit:
        return Fraction(value)
    return quantity(str(value), parameter.unit) * quantity(parameter.unit, "B")


def _checked(parameter: Parameter, value: Any) -> Any:
    match parameter.type:
        case "integer":
            checked: Any = _whole_number(parameter, value)
            _check_bounds(parameter, checked)
        case "float":
            checked = _number(parameter, value)
            _check_bounds(parameter, checked)
        case "boolean":
            checked = _boolean(parameter, value)
        case _:
            checked = _text(parameter, value)
    return checked


def _whole_number(parameter: Parameter, value: Any) -> int:
    if isinstance(value, str) and WHOLE_NUMBER.fullmatch(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(parameter, "must be an integer")
    return value


def _number(parameter: Parameter, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, int | float | str) else float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(parameter, "must be a number")
    return number


def _boolean(parameter: Parameter, value: Any) -> bool:
    try:
        return _truth(value)
    except ValueError as error:
        raise _wrong(parameter, "must be true or false") from error


def _truth(value: Any) -> bool:
    word = str(value).lower()
    if isinstance(value, float) or word not in ON | OFF:
        raise ValueError(f"{value!r} is neither on nor off")
    return word in ON


def _text(parameter: Parameter, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise _wrong(parameter, "must be a string")
    if not value.isprintable():
        raise _wrong(parameter, "holds a character that cannot be printed")
    if parameter.unit:
        try:
            _check_bounds(parameter, quantity(value, parameter.unit))
        except ValueError as error:
            raise _wrong(parameter, str(error)) from error
    if parameter.pattern is not None and not re.fullmatch(parameter.pattern, value):
        raise _wrong(parameter, f"must match {parameter.pattern}")
    listed = items(parameter, value) if parameter.separator is not None else [value]
    if parameter.choices and not {each.lower() for each in listed} <= {each.lower() for each in parameter.choices}:
        raise _wrong(parameter, f"must be {'of' if parameter.separator else 'one of'} {', '.join(parameter.choices)}")
    return value


def _check_bounds(parameter: Parameter, number: Any) -> None:
    if parameter.least is not None and number < parameter.least:
        raise _wrong(parameter, f"must be at least {shown(parameter.least, parameter.unit)}")
    if parameter.most is not None and number > parameter.most:
        raise _wrong(parameter, f"must be at most {shown(parameter.most, parameter.unit)}")
    if isinstance(number, Fraction) and number.denominator != 1:
        raise _wrong(parameter, f"must be a multiple of {shown(1, parameter.unit)}")
    if parameter.multiple_of and number % parameter.multiple_of:
        raise _wrong(parameter, f"must be a multiple of {parameter.multiple_of}")


def _wrong(parameter: Parameter, reason: str) -> Unprocessable:
    return Unprocessable(f"The value of the configuration parameter {parameter.name} {reason}.")
