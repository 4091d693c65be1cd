"""Templates: text files beside a module, filled in by Jinja."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2


def render(package: str, template: str, **values: Any) -> str:
    """Fill in a template of plain text, such as Markdown; nothing is escaped.

    Parameters
    ----------
    package, template
        Where the template lies, and its file name.
    **values
        The names that it uses. A name that is missing raises.
    """
    return str(_template(package, template).render(values))


@cache
def _template(package: str, template: str) -> "jinja2.Template":
    """Compile a template, once a process: half the 40 ms that a small zoo with its card takes."""
    import jinja2

    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    text = (files(package) / template).read_text(encoding="utf-8")
    return environment.from_string(text)
