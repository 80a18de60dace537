"""Formulas as MathML, which browsers draw themselves: a page with formulas asks for nothing elsewhere."""

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.writers.html5 import HTML5Translator


def formula(writer: HTML5Translator, node: nodes.math | nodes.math_block) -> None:
    """Write a formula, within a line or between lines.

    Args:
        writer: Of the page.
        node: The formula.

    Raises:
        nodes.SkipNode: Always: the formula is written.
    """
    writer.body.append(tex2mathml(node.astext(), as_block=isinstance(node, nodes.math_block)))
    raise nodes.SkipNode
