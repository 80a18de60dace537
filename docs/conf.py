"""Sphinx's settings for the site, which `scripts/docs` builds."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for scripts.site

from poreconv import __version__
from scripts.site.lecture import notebook_cache

project = "poreconv"
author = "The poreconv developers"
copyright = author
release = version = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "scripts.site.extension"]
exclude_patterns = ["results", "generated/included"]
nitpicky = True
nitpick_ignore_regex = [
    # Other projects' names, which only their sites describe; ours must resolve, unless they are private.
    (r"py:.*", r"(abc|collections|concurrent|contextlib|datetime|logging|pathlib|types|typing)\..*"),
    (r"py:.*", r"(h5py|lightning|matplotlib|numpy|onnxruntime|pandas|pd|plotly|pyarrow|pa|pysam|rich)\..*"),
    (r"py:.*", r"(torch|torchmetrics)\..*"),
    (r"py:.*", r"poreconv\.(.*\.)?(_\w+|[A-Z])"),
]
highlight_language = "none"
default_role = "code"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "fieldlist"]
myst_heading_anchors = 3

nb_execution_mode = "cache"
nb_execution_cache_path = str(notebook_cache())
nb_execution_in_temp = True
nb_execution_timeout = 300
nb_execution_raise_on_error = True

html_theme = "furo"
html_title = "poreconv"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_favicon = "images/favicon.svg"
html_copy_source = False
html_use_index = False
html_domain_indices = False
python_maximum_signature_line_length = 100
html_math_renderer = "mathml"  # MathJax would come from another site
