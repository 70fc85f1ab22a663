"""Templates: all that lands on guests, rendered. The one module that knows Jinja."""

import shlex
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from chalicelib.errors import Permanent

if TYPE_CHECKING:
    from jinja2 import Environment

SHARED = Path(__file__).parent / "templates"


def render(folder: Path, version: str, template: str, **values: object) -> str:
    """Render `<folder>/templates/<version>/<template>`, or else that of the folder itself, or else the shared one.

    Raises Permanent, naming the template, if there is none or it is wrong.
    """
    from jinja2 import TemplateError  # noqa: PLC0415  the API comes by this module, and renders nothing

    try:
        return _environment(folder / "templates", version).get_template(f"{template}.j2").render(values)
    except TemplateError as error:
        raise Permanent(f"{folder.name}: template {template}: {error}") from error


@cache
def _environment(templates: Path, version: str) -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader([templates / version, templates, SHARED]),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  shell, SQL and configuration, not HTML: `sh` quotes for the shell
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sh"] = lambda value: shlex.quote(str(value))
    return environment
