"""Slack's markup and its layout, as the console shows them."""

from __future__ import annotations

import pytest

from bot.sandbox import layout, markup
from bot.sandbox.api import FAULTS, MESSAGES
from bot.sandbox.keyboard import leaves, uses_shortcut
from bot.sandbox.sentences import commands, fault, load


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*Not created:* `A*B`, _soon_ or ~", "Not created: A*B, soon or ~"),
        ("*Ask for `a_b` or `_c_`*", "Ask for a_b or _c_"),
        ("2*3*4 and not_listed_here and * this *", "2*3*4 and not_listed_here and * this *"),
        ("&lt;b&gt; &amp;amp; `&lt;U1&gt;`", "<b> &amp; <U1>"),
        ("<@U1> <@U9> <@U8|ayse> <#C1|ops> <!subteam^S1|@ops> <!here|here>", "@you @U9 @ayse ops @ops here"),
        ("<https://a.example/x|the panel> <https://a.example>", "the panel (https://a.example/x) https://a.example"),
        ("> one\n&gt; two", "│ one\n│ two"),
        ("```\n- A\n  - `B`\n```", "- A\n  - `B`"),
        ("a\x1b[31mred\x07\ttab", "a[31mred    tab"),
    ],
)
def test_marks_are_not_shown(text: str, shown: str) -> None:
    """Mentions by name, links with their address, quotes behind a line; no mark, no code of a terminal."""
    assert "\n".join(map(layout.uncoloured, markup.lines(text, {"U1": "@you"}))) == shown


@pytest.mark.parametrize(
    ("text", "room", "wrapped"),
    [
        ("one two three", 8, ["one two", "three"]),
        ("one two three", None, ["one two three"]),
        ("    one two three", 11, ["    one two", "    three"]),
        ("• one two three", 9, ["• one two", "  three"]),
        ("\u2003└ one two", 9, ["\u2003└ one", "   two"]),
        ("│ one two", 6, ["│ one", "│ two"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("日本語 日本", 6, ["日本語", "日本"]),
        ("e\u0301e\u0301e\u0301", 3, ["e\u0301e\u0301e\u0301"]),
        ("                    deep", 10, ["          ", "deep"]),
        ("", 5, [""]),
    ],
)
def test_long_lines_go_on_with_their_indentation(text: str, room: int | None, wrapped: list[str]) -> None:
    """At a space where there is one, by the columns that a terminal needs."""
    assert [layout.uncoloured(part) for part in layout.wrap(layout.plain(text), room)] == [
        line.rstrip(" ") if len(wrapped) > 1 else line for line in wrapped
    ]


def test_every_way_to_fail_is_explained_and_every_sentence_is_there_twice() -> None:
    """The API's codes and faults have their sentence, and both languages the same sentences and commands."""
    ways = {*map(str, MESSAGES), *FAULTS} - {"200"}
    assert set(load()["fault"]) == ways
    assert all(fault(language, way) for way in ways for language in ("en", "tr"))
    sentences = [entry for key, entry in load().items() if key != "fault"] + list(load()["fault"].values())
    assert all(set(entry) == {"en", "tr"} for entry in sentences)
    english, turkish = ([typed for typed, _ in commands(language)] for language in ("en", "tr"))
    assert [typed for typed in english if typed[0] in ":/1"] == [typed for typed in turkish if typed[0] in ":/1"]
    assert len(english) == len(turkish)
    assert all(uses_shortcut(listed[3]) and leaves(listed[-1]) for listed in (english, turkish))
