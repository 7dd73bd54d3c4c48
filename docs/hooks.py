"""Hooks of the documentation site: links into the repository become plain text, and missing targets fail the build."""

import html
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

ROOT = Path(__file__).resolve().parent.parent
PIPE = re.compile(r"`([^`\n]*\\\|[^`\n]*)`")
LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>[^)\s#]+)(?:#[^)]*)?\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Replace links that leave docs/, which the site cannot follow, by their text.

    Raises PluginError for a link to a file that does not exist in the repository.
    """

    def replacement(link: re.Match[str]) -> str:
        if "://" in link["target"]:
            return link[0]
        target = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page.file.src_uri), link["target"]))
        if target.startswith("docs/") and (target.endswith((".md", ".png", ".svg"))):
            return link[0]  # mkdocs checks it
        if not (ROOT / target).exists():
            raise PluginError(f"dead link: docs/{page.file.src_uri}: {link['target']}")
        return f"{link['text']} (`{target}`)" if target not in link["text"] else link["text"]

    # Python-Markdown shows the backslash that GitHub needs before a pipe within a table's code.
    markdown = PIPE.sub(lambda code: f"<code>{html.escape(code[1]).replace(chr(92) + '|', '&#124;')}</code>", markdown)
    return LINK.sub(replacement, markdown)
