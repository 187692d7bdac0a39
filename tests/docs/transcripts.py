"""The transcripts on the user pages: `python -m tests.docs.transcripts` runs each again and writes it into its page."""

from __future__ import annotations

import re

from tests.support.console import console
from tests.support.pages import PAGES, ROOT, USER_PAGES

LOCALES = {"en": "en_US.UTF-8", "tr": "tr_TR.UTF-8"}

_TRANSCRIPT = re.compile(r"(?<=^```text\n)> /addgroup (.*?)(?=^```$)", re.DOTALL | re.MULTILINE)


def typed(page: str) -> list[str]:
    """Return what is typed in each transcript of a page."""
    return [shown.partition("\n\n")[0].rstrip() for shown in _TRANSCRIPT.findall(PAGES[page])]


def shown(page: str) -> list[str]:
    """Return each transcript of a page, from its prompt to its end."""
    return [f"> /addgroup {rest}".strip() for rest in _TRANSCRIPT.findall(PAGES[page])]


def run(command: str, language: str) -> str:
    """Return what the console prints for a command in a language, from its prompt to its end."""
    printed = console(command, LANG=LOCALES[language], LC_ALL=LOCALES[language]).stdout
    return printed[printed.index("> /addgroup ") :].strip()


if __name__ == "__main__":
    for language, page in USER_PAGES.items():
        text = PAGES[page]
        for command, old in zip(typed(page), shown(page), strict=True):
            text = text.replace(old, run(command, language))
        (ROOT / page).write_text(text, encoding="utf-8")
