"""A form in a terminal: its fields are asked for one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.sandbox.channel import said
from bot.sandbox.keyboard import Keyboard, NotText
from bot.sandbox.sentences import say
from bot.sandbox.terminal import Screen
from bot.sandbox.workspace import Form

Option = dict[str, Any]
Suggest = Callable[[str], list[Option]]


class FormPrompt:
    """One form that is open, and what has been entered so far; `suggest` returns the menu's options for a text."""

    def __init__(self, form: Form, keyboard: Keyboard, screen: Screen, suggest: Suggest) -> None:
        self._form = form
        self._keyboard = keyboard
        self._screen = screen
        self._suggest = suggest
        self._entered: dict[str, Any] = {}

    def fill(self) -> dict[str, Any] | None:
        """Ask for each field and return what was entered, by field; None when the form is closed instead."""
        self._screen.heading(f"── {self._form.view['title']['text']} ──")
        for block in self._form.view["blocks"]:
            if block["type"] != "input":
                self._screen.text(said(block))
                continue
            ask = self._ask_parent if block["element"]["type"] == "external_select" else self._ask_text
            if not ask(block):
                self._screen.say("form_closed")
                return None
        return self._entered

    def refused(self, mistakes: dict[str, str]) -> None:
        """Show what is wrong, each with its field's label."""
        labels = {b["block_id"]: b["label"]["text"] for b in self._form.view["blocks"] if b["type"] == "input"}
        for field, sentence in mistakes.items():
            self._screen.text(f"{labels.get(field, field)}: {sentence}", margin=2)

    def _ask_text(self, block: dict[str, Any]) -> bool:
        """Ask for a text of one line or of several, which an empty line ends."""
        default = self._entered.get(block["block_id"]) or block["element"].get("initial_value", "")
        self._screen.say("form_lines", label=block["label"]["text"])
        if default:
            self._screen.say("form_filled")
            self._screen.text(default, margin=4)
        lines = []
        while line := self._ask("  | "):
            lines.append(line.rstrip())
        if line is not None:
            self._entered[block["block_id"]] = "\n".join(lines) or default
        return line is not None

    def _ask_parent(self, block: dict[str, Any]) -> bool:
        """Ask for a part of a name, and which of the suggestions is meant."""
        default = self._entered.get(block["block_id"]) or block["element"].get("initial_option")
        while True:
            hint = block.get("hint", {"text": ""})["text"]
            self._screen.say("form_parent" if hint else "form_parent_bare", label=block["label"]["text"], hint=hint)
            if default:
                self._screen.say("form_parent_filled", option=default["text"]["text"])
            typed = self._ask("  | ")
            if typed is None:
                return False
            chosen = self._chosen(typed.strip(), default)
            if chosen is not _NOTHING:
                self._entered[block["block_id"]] = chosen
                return True

    def _chosen(self, typed: str, default: Option | None) -> Option | None:
        """Return the option that is meant, None for no parent, _NOTHING when it must be asked for again."""
        if not typed:
            return default
        if typed == "-" and default:
            return None
        options = self._suggest(typed)
        if not options:
            self._screen.say("form_no_match")
            return _NOTHING
        for number, option in enumerate(options, 1):
            self._screen.text(f"[{number}] {option['text']['text']}", margin=2)
        answer = self._ask(f"{say(self._screen.language, 'form_which')} ")
        number = int(answer) if answer and answer.strip().isdecimal() else 1
        if answer is not None and 1 <= number <= len(options):
            return options[number - 1]
        self._screen.say("form_not_chosen")
        return _NOTHING

    def _ask(self, question: str) -> str | None:
        return asked(self._keyboard, self._screen, question)


_NOTHING: Option = {}


def asked(keyboard: Keyboard, screen: Screen, question: str) -> str | None:
    """Return a line, asked for again while what comes is not text; None at the end of input."""
    while True:
        try:
            return keyboard.line(question)
        except NotText as error:
            screen.say("unreadable", encoding=error.encoding)
