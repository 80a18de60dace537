"""What Sphinx loads: the made pages are written before it reads any."""

import re
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from scripts.site.architecture import architecture_pages
from scripts.site.commands import command_pages
from scripts.site.explanations import explanation_pages
from scripts.site.lecture import lecture_pages
from scripts.site.mathml import formula
from scripts.site.models import model_pages
from scripts.site.pages import write_pages
from scripts.site.pictures import picture_pages
from scripts.site.python_reference import python_pages
from scripts.site.results import result_pages

MAKERS = (
    architecture_pages, command_pages, explanation_pages, lecture_pages, model_pages, picture_pages, python_pages,
    result_pages,
)  # fmt: skip
"""Each returns pages by path."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Add to a build what is made from the code, and formulas as MathML.

    Args:
        app: Sphinx.
    """
    app.add_html_math_renderer("mathml", inline_renderers=(formula, None), block_renderers=(formula, None))
    app.connect("autodoc-process-docstring", keep_attribute, priority=400)  # before napoleon
    app.connect("autodoc-process-signature", with_short_arrays)
    app.connect("missing-reference", own_reference)
    app.connect("builder-inited", lambda _: write_pages(made_pages()))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def made_pages() -> dict[str, str]:
    """Return all pages that are made from the code."""
    return {name: text for make in MAKERS for name, text in make().items()}


def keep_attribute(_app: Sphinx, kind: str, _name: str, _value: object, _options: object, lines: list[str]) -> None:
    """Keep napoleon from taking a field's text up to its first colon for a type.

    Args:
        kind: Of what is described.
        lines: Of its docstring; an empty comment is put before them.
    """
    if kind in {"attribute", "data", "property"}:
        lines[:0] = ["..", ""]


ARRAY = re.compile(r"(~?)numpy\.ndarray\[tuple\[~?typing\.Any, \.\.\.\], ~?numpy\.dtype\[([^\[\]]+)\]\]")
"""`NDArray` as annotations spell it out."""


def with_short_arrays(
    _app: Sphinx, _kind: str, _name: str, _value: object, _options: object, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Write arrays in a signature as its author wrote them.

    Args:
        signature: The arguments.
        returned: What is returned.
    """
    short = r"\1numpy.typing.NDArray[\2]"
    return signature and ARRAY.sub(short, signature), returned and ARRAY.sub(short, returned)


def own_reference(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.TextElement
) -> nodes.reference | None:
    """Find a class of the package that is named without its module, as an annotation that is a text does.

    Args:
        app: Sphinx.
        env: Holds all names.
        node: What was not found.
        text: Of the link.
    """
    python = env.domains.python_domain
    found = [name for name in python.objects if name.rpartition(".")[2] == node["reftarget"]]
    if node.get("refdomain") != "py" or len(found) != 1:
        return None
    return python.resolve_xref(env, node["refdoc"], app.builder, "obj", found[0], node, text)
