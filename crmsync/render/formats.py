"""The document as Markdown, and as one HTML page that needs nothing else."""

from __future__ import annotations

import re
from html import escape

from crmsync.render.policy import RulesDocument

_CODE = re.compile(r"`([^`]+)`")
_MARKUP = re.compile(r"([\\*_<>\[\]#|])")


def to_markdown(document: RulesDocument) -> str:
    lines = [f"# {_plain(document.title)}", "", _plain(document.subtitle), ""]
    for section in document.sections:
        lines += [f"## {section.title}", "", *(f"* {_plain(item)}" for item in section.items), ""]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Text that Markdown shows as it is; code stays code."""
    parts = _CODE.split(text)
    return "".join(f"`{part}`" if at % 2 else _MARKUP.sub(r"\\\1", part) for at, part in enumerate(parts))


_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #dfe4ea; --paper: #fff; --tint: #f5f7fa; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ee; --soft: #9aa5b4; --line: #333b46; --paper: #14181d; --tint: #1c2229; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.6 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 3rem 1.25rem 4rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
p.version { color: var(--soft); margin: 0; }
nav { background: var(--tint); border-radius: .5rem; margin: 2rem 0 0; padding: 1rem 1.25rem; }
nav ol { columns: 2; margin: 0; padding-left: 1.2rem; }
a { color: inherit; }
li { margin: .35rem 0; overflow-wrap: anywhere; }
code { background: var(--tint); border-radius: .25rem; padding: .1rem .3rem; font-size: .9em; }
@media (max-width: 34rem) { nav ol { columns: 1; } }
@media print { nav { display: none; } body { font-size: 11pt; } main { padding: 0; max-width: none; } }
"""


def to_html(document: RulesDocument) -> str:
    links, body = [], []
    for at, section in enumerate(document.sections, 1):
        links.append(f'<li><a href="#s{at}">{escape(section.title)}</a></li>')
        items = "\n".join(f"<li>{_html(item)}</li>" for item in section.items)
        body.append(f'<section id="s{at}">\n<h2>{escape(section.title)}</h2>\n<ul>\n{items}\n</ul>\n</section>')
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(document.title)} · {escape(document.version)}</title>",
            f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>",
            f'<h1>{escape(document.title)}</h1>\n<p class="version">{_html(document.subtitle)}</p>',
            f'<nav aria-label="Contents">\n<ol>\n{chr(10).join(links)}\n</ol>\n</nav>',
            *body,
            "</main>\n</body>\n</html>\n",
        ]
    )


def _html(text: str) -> str:
    parts = _CODE.split(text)
    return "".join(f"<code>{escape(part)}</code>" if at % 2 else escape(part) for at, part in enumerate(parts))
