"""Sentences of the bot as tests look for them."""

import re

from bot.slack.texts import load


def part(language: str, key: str) -> str:
    """Return the longest piece of a sentence that stands between its places."""
    return max((piece.strip() for piece in re.split(r"\{[^}]*\}", load(language)[key])), key=len)
