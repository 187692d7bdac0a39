"""The texts: both languages say the same, and for everything that can happen there is a sentence."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

import bot
from bot.model.grammar import Keyword, Reading, parse
from bot.slack.texts import LANGUAGES, Voice, load, say, say_plain
from bot.slack.wording import mistake

each_language = pytest.mark.parametrize("language", LANGUAGES)


@cache
def said() -> list[ast.Call]:
    """Return every call of `say` and `say_plain` in the bot's source that names a sentence."""
    sources = [path for path in Path(bot.__path__[0]).rglob("*.py") if path.parent.name != "sandbox"]
    nodes = [node for path in sources for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    calls = [node for node in nodes if isinstance(node, ast.Call) and len(node.args) == 2]
    calls = [call for call in calls if ast.unparse(call.func).split(".")[-1] in ("say", "say_plain")]
    return [call for call in calls if isinstance(call.args[1], ast.Constant) and " " not in str(call.args[1].value)]


def places(text: str) -> Counter[str | None]:
    """Return the places of a text, each with how often it occurs."""
    return Counter(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def test_both_languages_have_the_same_sentences() -> None:
    """The same keys in the same order, with the same named places."""
    assert list(load("en")) == list(load("tr"))
    assert {key: places(text) for key, text in load("en").items()} == {
        key: places(text) for key, text in load("tr").items()
    }


@each_language
def test_every_text_is_well_formed(language: str) -> None:
    """It says something, has no white space around it, and Slack's marks for bold and code come in pairs on a line."""
    for key, text in load(language).items():
        assert text, key
        assert text == text.strip(), key
        assert all(name and name.isidentifier() for name in places(text)), key
        assert not re.search(r"(^|[.!?] )\{contact\}", text), (key, "it may be words in lower case")
        for line in text.splitlines():
            assert line.count("`") % 2 == 0, key
            assert re.sub("`[^`]*`", "", line).count("*") % 2 == 0, key


def example(code: str) -> object:
    """Return what an example makes: for a command its kind and the parents, for anything else itself."""
    if not code.startswith("/addgroup"):
        return code.replace("üst=", "parent=")
    command = parse(code.removeprefix("/addgroup").format(id="5", parent="VIP", contact=""))
    if isinstance(command, Keyword):
        return command.word  # each language names the other one
    return [(group.parent, command.unclear) for group in command.groups]


def test_examples_are_commands() -> None:
    """What is shown as code is understood as it stands, and makes the same in both languages."""
    for key, text in load("en").items():
        english, turkish = ([example(code) for code in re.findall("`([^`]*)`", it)] for it in (text, load("tr")[key]))
        assert english == turkish, key


MISTAKES = ['""', "x" * 256, "A\nA", "create VIP", "20", "VIP under A", "A parent=5 parent=6", "VIP parent=", "A, B, C"]
MISTAKES += ["A\n- B", "A parent=5 please", "A\t1", "hlep", "\n".join(f"Group {number}" for number in range(51))]


@each_language
def test_every_mistake_has_a_text(language: str) -> None:
    """There is a sentence for each, whose places are filled, and none for anything else."""
    readings = [parse(text) for text in MISTAKES]
    unclear = [reading.unclear for reading in readings if isinstance(reading, Reading) and reading.unclear]
    assert all(mistake(language, each) for each in unclear)
    sentences = {key for key in load(language) if key.startswith("usage.")} - {"usage.line"}
    assert {f"usage.{each.key}" for each in unclear} == sentences


@each_language
def test_every_sentence_said_has_a_text(language: str) -> None:
    """Every key that the source names to `say` has its sentence, and the places are filled."""
    assert len(said()) > 10
    for call in said():
        text = load(language)[str(ast.literal_eval(call.args[1]))]
        given = {keyword.arg for keyword in call.keywords}
        assert None in given or places(text).keys() - {"contact"} <= given


def test_sentences_are_filled() -> None:
    """With the values as they are; one without a value is a fault of the caller.

    Where Slack formats nothing, the sentence's own marks go, those of a value stay, and nobody is mentioned.
    """
    assert say("en", "root.under", parent="`{0}`") == "under `{0}`"
    assert say("tr", "answer.reference", reference=5) == "Referans no: 5"
    with pytest.raises(KeyError, match="parent"):
        say("en", "root.under")
    assert "`*x*`" in say_plain("en", "usage.bad_parent", part="`*x*`")
    assert "/invite @addgroup" in say_plain("en", "answer.private")
    assert "<" not in say_plain(Voice("en", "U0123"), "failure.internal", reference="1")


@pytest.mark.parametrize(
    ("contact", "english", "turkish"),
    [
        ("", "the person who runs this bot", "botu yöneten kişi"),
        ("U0123", "<@U0123>", "<@U0123>"),
        ("W0123", "<@W0123>", "<@W0123>"),
        ("S0123", "<!subteam^S0123>", "<!subteam^S0123> ekibi"),
        ("C0123", "the people in <#C0123>", "<#C0123> kanalındakiler"),
        ("G0123", "the people in <#G0123>", "<#G0123> kanalındakiler"),
    ],
)
def test_the_contact_is_named(contact: str, english: str, turkish: str) -> None:
    """A sentence names who helps as Slack shows it, in a form that fits the sentence."""
    assert f"Please show this to {english}." in say(Voice("en", contact), "not_sent.tls.next", again="")
    assert f"Lütfen bu yanıtı {turkish} ile paylaşın." in say(Voice("tr", contact), "not_sent.tls.next", again="")
