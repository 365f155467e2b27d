"""The site: `make docs` builds it, and any warning fails the build."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

import listenkey
from listenkey.adapters.driver import venue
from listenkey.adapters.transports.names import Transport
from listenkey.ports.journal import Journal

# Signatures name what is imported for type checkers alone.
vars(venue).update(Journal=Journal, Transport=Transport)

project = "listenkey"
author = "the authors of listenkey"
version = release = listenkey.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "index"
html_theme = "furo"
html_title = f"listenkey {release}"
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_search_scorer = str(Path(__file__).parent / "search.js")
myst_heading_anchors = 4
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "undoc-members": True, "show-inheritance": True}
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 100
nitpicky = True
nitpick_ignore_regex = [
    # Sphinx would ask another site for the places of these.
    (r"py:.*", rf"(builtins|{'|'.join(sys.stdlib_module_names)})(\..*)?"),
    (r"py:.*", r"(anyio|msgspec|pytest)(\..*)?"),
    (r"py:.*", r"listenkey\.(.*\.)?[A-Z]"),
    # What a public class inherits from, or is made of, and nobody else makes.
    (r"py:class", r"Services?|Transport|Recorder|listenkey\.core\.(discreet\.Discreet|link\.link\.Link|secrets\.Text)"),
    (r"py:class", r"listenkey\.adapters\.(driver\.driver|mock|recording|simulator\.sockets|transports|venues)\..*"),
]
CODE = re.compile("(?<!`)`([^`]+)`(?!`)")
DESCRIBED = {"module", "class", "exception", "function", "method", "property"}


def described(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Warn of a public name without a docstring; a field may speak for itself. What is in backticks is code."""
    lines[:] = [CODE.sub(r"``\1``\\ ", line) for line in lines]
    ours = what == "module" or str(getattr(obj, "__module__", "listenkey")).startswith("listenkey")
    if what in DESCRIBED and ours and not any(lines):
        logging.getLogger("listenkey").warning("%s %s is public and has no docstring", what, name)


def setup(app: Sphinx) -> None:
    """Look at every docstring."""
    app.connect("autodoc-process-docstring", described)
