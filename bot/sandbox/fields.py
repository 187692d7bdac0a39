"""A form of Slack's in a terminal: its fields are asked for one by one, and the menu of parents by number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.sandbox.keyboard import Keyboard, NotText
from bot.sandbox.screen import Screen
from bot.sandbox.workspace import Form

_CLOSED: Any = object()


class Fields:
    """Asks one person for what a form takes. `suggest` returns the options that the bot offers for a part of a name."""

    def __init__(self, screen: Screen, keyboard: Keyboard, suggest: Callable[[str], list[dict[str, Any]]]) -> None:
        self._screen = screen
        self._keyboard = keyboard
        self._suggest = suggest

    def fill(self, form: Form, entered: dict[str, Any], asks: bool) -> bool:
        """Show the form and ask for each of its fields; tell whether it is to be sent."""
        self._screen.heading(f"── {form.view['title']['text']} ──")
        for block in form.view["blocks"]:
            if block["type"] != "input":
                self._screen.text(said(block))
            elif not asks:
                self._screen.text(f"{block['label']['text']}: {_filled(block)}", margin=2)
            else:
                ask = self._ask_parent if block["element"]["type"] == "external_select" else self._ask_text
                if (answer := ask(block, entered.get(block["block_id"]))) is _CLOSED:
                    return False
                entered[block["block_id"]] = answer
        return asks

    def _ask_text(self, block: dict[str, Any], before: str | None) -> Any:
        default = before or block["element"].get("initial_value", "")
        self._screen.say("form_lines", label=block["label"]["text"])
        if default and not self._keyboard.tty:
            self._screen.text(default, margin=4)
        typed = self.ask("  | ", default)
        return _CLOSED if typed is None else typed

    def _ask_parent(self, block: dict[str, Any], before: dict[str, Any] | None) -> Any:
        """Ask for a part of a name, and which of the suggestions is meant."""
        default = before or block["element"].get("initial_option")
        while True:
            hint = block.get("hint", {"text": ""})["text"]
            self._screen.say("form_parent" if hint else "form_parent_bare", label=block["label"]["text"], hint=hint)
            if default:
                self._screen.say("form_parent_filled", option=default["text"]["text"])
            typed = self.ask("  | ")
            if typed is None:
                return _CLOSED
            if not typed.strip():
                return default
            if typed.strip() == "-":
                return None
            options = self._suggest(typed.strip())
            for number, option in enumerate(options, 1):
                self._screen.text(f"[{number}] {option['text']['text']}", margin=2)
            if not options:
                self._screen.say("form_no_match")
                continue
            answer = (self.ask(f"{self._screen.sentence('form_which')} ") or "1").strip()
            if answer.isdecimal() and 1 <= int(answer) <= len(options):
                return options[int(answer) - 1]
            self._screen.say("form_not_chosen")

    def ask(self, question: str, default: str = "") -> str | None:
        """Return an answer, asked for again while it is not text; None at the end of input and on Ctrl-C."""
        while True:
            try:
                return self._keyboard.answer(question, default)
            except NotText as error:
                self._screen.say("unreadable", encoding=error.encoding)


def said(block: dict[str, Any]) -> str:
    """Return the text of a block that takes no input."""
    parts = [block.get("text", {}), *block.get("elements", [])]
    return " ".join(part["text"] for part in parts if isinstance(part.get("text"), str))


def _filled(block: dict[str, Any]) -> str:
    """Return what a field of a form is filled in with."""
    element = block["element"]
    return str(element.get("initial_value") or element.get("initial_option", {"text": {"text": ""}})["text"]["text"])
