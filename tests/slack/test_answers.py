"""What answers say: one table of every outcome in both languages, short, the outcome first, with the buttons named.

`answers.txt` is that table, to be read as a person reads Slack: `python -m tests.slack.test_answers` writes it again.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.iletimerkezi import client
from bot.model import outcome as model
from bot.model.job import Job, Step, Thread
from bot.model.names import ParentId, ParentName
from bot.model.next_job import next_job
from bot.model.outcome import Created, Duplicate, Exists, FollowUp, NoParent, NotSent, Rejected, Skipped, Unknown
from bot.slack import messages, wording
from bot.slack.blocks import Message
from bot.slack.texts import LANGUAGES, load
from tests.support.limits import message_problems
from tests.support.outcomes import NEAR, NOT_SENT, OUTCOMES, UNKNOWN, single, speaker, tree

FILE = Path(__file__).with_name("answers.txt")

MOST_WORDS, MOST_WORDS_OF_SUCCESS = 60, 16

MARKS = {"created": "✓", "exists": "=", "rejected": "✗", "not_sent": "✗", "no_parent": "✗", "denied": "✗"}
MARKS |= {"unknown": "!", "duplicate": "=!", "skipped": "–"}

each_language = pytest.mark.parametrize("language", LANGUAGES)


def cases(language: str) -> Iterator[tuple[str, Job]]:
    """Yield every job of the table with its name."""
    for outcome in OUTCOMES:
        if not isinstance(outcome, Unknown) or outcome.reason == "timeout" or outcome.found is None:
            yield str(outcome), single(outcome, language)
    refused = (*(Rejected(code, "Bakım") for code in (422, 499, 503)), NotSent("tls"))
    parents = (NoParent("ambiguous", NEAR), NoParent("missing"), NoParent("unavailable"))
    unclear = (Unknown("timeout", ()), Unknown("timeout", ("97112",)), Duplicate("U9", 240.0, "sending"))
    for outcome in (Created("97112"), Exists("97112"), *refused, *parents, *unclear):
        yield f"tree: {outcome}", tree(outcome, language)
    trees = {
        "two reasons": [Step(0, "A", outcome=Rejected(503, "")), Step(1, "B", outcome=Rejected(422, "Geçersiz"))],
        "all there": [Step(n, "ABCD"[n], None, None if n < 2 else 1, outcome=Exists("5")) for n in range(4)],
        "fifty": [Step(n, f"G{n}", above=n - 1 if n else None, outcome=Skipped()) for n in range(50)],
        "none": [Step(n, "ABCD"[n], ParentId("5"), outcome=Rejected(402, "")) for n in range(4)],
    }
    trees["fifty"][0].outcome = Rejected(402, "Bakiyeniz yetersiz.")
    for name, steps in trees.items():
        yield f"tree: {name}", Job("U1", "C1", "t", "", steps, language=language, id="1")
    main = single(Created("97112"), language)
    main.steps[0].parent, main.steps[0].parent_id = None, ""
    yield "a main group", main
    late = single(Created("97112"), language, age=100.0)
    yield "created late", late
    yield "edited by another", single(Created("97112"), language, user="U2", asker="U1", followup=FollowUp.EDIT)
    for way in (FollowUp.AGAIN, FollowUp.UNDER, FollowUp.CONFIRM):
        yield f"pressed: {way}", single(Created("97112"), language, user="U2", asker="U1", followup=way, follows="x")


def rendered(job: Job) -> dict[str, str]:
    """Return what people see of a job: the root when it is posted and when it was edited, the answer, the buttons.

    And what the audit channel reads.
    """
    voice = speaker(job.language)
    (answer,) = messages.answer(voice, job)
    shown = {
        "posted": "" if job.denied else messages.root(voice, job)["text"],
        "root": "" if job.denied else messages.root(voice, job, edited=True)["text"],
        "thread": answer["text"],
        "buttons": " · ".join(f"[{label}]" for label in labels(answer)),
        "audit": "\n".join(message["text"] for message in messages.audit(voice, job)),
    }
    return {name: value for name, value in shown.items() if value and not (name == "posted" and value == shown["root"])}


def table() -> str:
    """Return the table as it is now."""
    told = []
    for language in LANGUAGES:
        for name, job in cases(language):
            told += ["", f"{language}: {name}"]
            told += [f"{part:<8}{text}".replace("\n", f"\n{'':8}") for part, text in rendered(job).items()]
    return "\n".join([*told[1:], ""])


def buttons(message: Message) -> list[dict[str, Any]]:
    """Return the buttons of a message."""
    return [button for block in message.get("blocks", []) if block["type"] == "actions" for button in block["elements"]]


def labels(message: Message) -> list[str]:
    """Return what is on the buttons of a message."""
    return [button["text"]["text"] for button in buttons(message)]


def words(text: str) -> int:
    """Count the words that a person reads, names and ids too: but no quotation, address or row of a tree."""
    text = re.sub(r"^[>•] .*", "", text, flags=re.MULTILINE)
    text = re.sub(r"<[^|<>]*\|([^>]*)>", r"\1", text)
    return sum(bool(re.search(r"\w", word)) for word in text.split())


def test_the_table_is_what_the_bot_says() -> None:
    """Each outcome, in each language: what the root and the answer say, and which buttons are under it."""
    assert {each.state for each in OUTCOMES} | {"skipped"} == {*MARKS} == {*model.OUTCOMES}
    assert table().splitlines() == FILE.read_text(encoding="utf-8").splitlines()


@each_language
def test_every_answer_is_short_and_complete(language: str) -> None:
    """At most 60 words all in all, a success 16; the outcome and the name first; nothing raw, nothing over a limit."""
    for name, job in cases(language):
        shown, outcome = rendered(job), job.steps[0].outcome
        (answer,) = messages.answer(speaker(language), job)
        success = all(isinstance(step.outcome, Created) for step in job.steps) and len(job.steps) == 1
        for text in (shown.get("root", ""), shown["thread"]):
            assert words(text) <= (MOST_WORDS_OF_SUCCESS if success else MOST_WORDS), (name, text)
            assert not re.search(
                r"[{}]|_|\w  \w|: *$|\n\n|: ,|`` |[a-zı]`|`[a-zı]", re.sub(r"`[^`]*`|<!date[^>]*>", "`A`", text)
            ), text
        assert message_problems(answer) == message_problems(messages.root(speaker(language), job)) == []
        if outcome and len(job.steps) == 1:
            assert re.match(rf"[{MARKS[outcome.state]}] `VIP`", shown["thread"]), shown["thread"]
            assert shown["thread"][:8] == shown.get("root", shown["thread"])[:8]


@each_language
def test_one_command_rings_once_and_says_how_it_ended(language: str) -> None:
    """A root in progress mentions nobody; what is posted once settled does so only where the answer does not.

    Where the bot looks again, nobody is mentioned before that.
    """
    for name, job in cases(language):
        (answer,) = messages.answer(speaker(language), job)
        mentioned = "<@U1>" in answer["text"] or "<@U2>" in answer["text"]
        success = all(step.outcome and step.outcome.group_id for step in job.steps)
        calls = bool(job.followup) or (not job.looked_for and (not success or job.age > messages.LATE))
        assert mentioned == (calls and not job.denied), name
        if not job.denied and not job.followup:
            root = messages.root(speaker(language), job)["text"]
            assert ("<@U1>" in root) == (not mentioned and not job.looked_for)
        job.steps[0].outcome = None
        for voice in (speaker(language), language):
            assert "<@U" not in messages.root(voice, job)["text"]


@each_language
def test_advice_names_only_buttons_that_are_there(language: str) -> None:
    """Every button that an answer names is under it, and no refusal says to send the command again where one is."""
    names = {load(language)[f"button.{way}"] for way in (*FollowUp, "rest") if way is not FollowUp.UNDER}
    for outcome in OUTCOMES:
        for job in [single(outcome, language), *([] if outcome.state == "denied" else [tree(outcome, language)])]:
            (message,) = messages.answer(language, job)
            named = names & set(re.findall(r"\*([^*\n]+)\*", message["text"]))
            assert named <= set(labels(message)), message["text"]
            if set(job.steps[-1].outcome.told.offers if job.steps[-1].outcome else ()) - {FollowUp.SUBGROUP}:
                assert named or job.looked_for, message["text"]
            if not outcome.group_id:
                assert wording.tell(language, job, job.steps[0] if len(job.steps) == 1 else job.steps[1])["next"]


@pytest.mark.parametrize(
    ("error", "kind", "tried"), [(client.NotSent, "not_sent", NOT_SENT), (client.Unknown, "unknown", UNKNOWN)]
)
def test_every_reason_has_an_explanation_of_its_own(error: type[Exception], kind: str, tried: tuple[str, ...]) -> None:
    """Every reason that the client documents is among those that these tests try, and is explained."""
    documented = re.search(r"`reason` is one of ([^.]+)\.", error.__doc__ or "")
    assert documented
    assert set(re.split(r",\s+", documented[1])) <= set(tried)
    for language in LANGUAGES:
        assert [reason for reason in tried if f"{kind}.{reason}.explanation" not in load(language)] == []


def test_a_group_is_called_by_its_path_and_id_where_they_are_known() -> None:
    """However the parent was given; the id alone where the list is not at hand, the name as typed without an id."""
    job = single(Created("7"))
    for parent in (ParentName("Customers"), ParentId("5")):
        job.steps[0].parent = parent
        assert "under `Müşteriler › Customers` (`5`)" in messages.root(speaker(), job)["text"]
    assert "under `5` " in messages.root("en", job)["text"]
    job.steps[0].parent = ParentName("Customers")
    assert "under `Customers` (`5`)" in messages.root("en", job)["text"]
    job.steps[0].parent_id = None
    assert "under `Customers` " in messages.root("en", job)["text"]


@each_language
def test_the_parents_that_may_be_meant_are_buttons(language: str) -> None:
    """Five at most, each with a path and an id; all share a trigger with the form, so that one press counts."""
    many = tuple((f"{'x' * 90} › VIP", str(number)) for number in range(9))
    for outcome in (NoParent("missing", many), NoParent("ambiguous", many)):
        job = single(outcome, language)
        (message,) = messages.answer(language, job)
        *choices, edit = buttons(message)
        assert [button["action_id"] for button in choices] == [f"under_{number}" for number in range(1, 6)]
        assert all(re.fullmatch(r"…x+ › VIP \(\d\)", button["text"]["text"]) for button in choices)
        assert all(len(button["text"]["text"]) <= 75 for button in choices)
        assert edit["action_id"] == "edit"
        chosen = next_job(job, FollowUp.UNDER, "U2", language, "3")
        (step,) = chosen.steps
        assert (chosen.trigger, step.parent, step.parent_id) == (f"edit:{job.id}", ParentId("3"), "3")


def test_a_tree_offers_parents_only_where_all_steps_mean_the_same() -> None:
    """The rest comes with the choice; two different questions are for the form."""
    job = tree(NoParent("ambiguous", NEAR))
    job.steps.append(Step(3, "D", above=1, outcome=Skipped()))
    job.steps.append(Step(4, "E", outcome=Rejected(503, "")))
    assert labels(messages.answer("en", job)[0]) == ["Customers › VIP (12)", "VIP (34)", "Edit and try again"]
    made = next_job(job, FollowUp.UNDER, "U2", "en", "12").steps
    assert [step.name for step in made] == ["İstanbul", "Kadıköy", "D", "E"]
    assert [(step.parent_id, step.above) for step in made] == [("12", None), (None, 0), (None, 0), ("", None)]
    job.steps.append(Step(5, "F", ParentName("X"), outcome=NoParent("missing", NEAR[:1])))
    assert labels(messages.answer("en", job)[0]) == ["Create the rest", "Edit and try again"]


def test_the_depth_of_a_tree_is_shown_and_told() -> None:
    """The blocks indent the items, and the text names the group above."""
    steps = [Step(n, f"G{n}", above=n - 1 if n else None, outcome=Created(str(n + 1))) for n in range(11)]
    (message,) = messages.answer("en", Job("U1", "C1", "t", "", steps, language="en"))
    ((shown, whole),) = [(block["text"]["text"], block["expand"]) for block in message["blocks"]]
    assert whole, "Slack folds none of it"
    assert shown.splitlines()[1:4] == ["• ✓ `G0` — ID `1`", "\u2003◦ ✓ `G1` — ID `2`", "\u2003\u2003◦ ✓ `G2` — ID `3`"]
    assert "• ✓ `G10` under `G9` — ID `11`" in message["text"].splitlines()


def test_words_for_programs_are_not_quoted() -> None:
    """JSON and HTML stay out of an answer; a sentence of the provider's stands in it, and its code always."""
    for raw in ('{"request": {"key": "…"}}', 'Hata: [ {"a": 1} ]', "<html><b>Bad</b></html>", "<!DOCTYPE html>", ""):
        text = messages.answer("en", single(Rejected(422, raw)))[0]["text"].replace("<@U1>", "")
        assert ">" not in text
        assert "reply (code 422)" in text
    for told in ("Bakiye < 5 TL", "Geçersiz ad: {ad}", "Ad [1-255] karakter olmalı"):
        assert f"> {wording.escape(told)}" in messages.answer("en", single(Rejected(422, told)))[0]["text"]


@each_language
def test_a_button_tells_a_screen_reader_its_groups(language: str) -> None:
    """Not the first group of a tree: each button those that it sends, settles or looks up.

    Confirming a found group stands out; creating a second one is not red, and asks before it does so.
    """
    steps = [
        Step(0, "A", outcome=Created("1")),
        Step(1, "B", above=0, outcome=Rejected(503, "")),
        Step(2, "C", above=1, outcome=Skipped()),
        Step(3, "D", above=0, outcome=Unknown("timeout", ("7",))),
        Step(4, "E", outcome=Unknown("timeout", ())),
        Step(5, "F", outcome=NoParent("missing")),
    ]
    (message,) = messages.answer(language, Job("U1", "C1", "t", "", steps, language=language))
    named = {button["action_id"]: button["accessibility_label"].partition(": ")[2] for button in buttons(message)}
    assert named == {"again": "B, C, F", "confirm": "D", "look": "D, E", "anyway": "D, E", "edit": "F"}
    job = single(Unknown("timeout", ("7",)), language)
    job.steps[0].name = "x" * 255
    confirm, look, anyway = buttons(messages.answer(language, job)[0])
    assert all(len(button["accessibility_label"]) <= 75 for button in (confirm, look, anyway))
    assert (confirm["style"], "style" in look, "style" in anyway) == ("primary", False, False)
    assert anyway["confirm"]["style"] == "danger"


@pytest.mark.parametrize("way", [FollowUp.ANYWAY, FollowUp.LOOK, FollowUp.CONFIRM, FollowUp.AGAIN])
def test_a_later_answer_names_the_parent_that_the_tree_created(way: FollowUp) -> None:
    """By the name that the tree has for it, with its ID, also after one more button."""
    outcome = Rejected(503, "") if way is FollowUp.AGAIN else Unknown("timeout", ("7",))
    job = Job("U1", "C1", "t", "", [Step(0, "T2", outcome=Created("97108")), Step(1, "C", above=0)], language="en")
    job.steps[1].parent_id = "97108"
    for _ in range(2):
        job.steps[-1].outcome = outcome
        job = next_job(job, way, "U2", "en")
        job.steps[-1].outcome = job.steps[-1].outcome or outcome
        assert [step.parent_id for step in job.steps] == ["97108"]
        assert "under `T2` (`97108`)" in messages.answer("en", job)[0]["text"]


def test_the_remedy_is_named_where_the_bot_may_not_post() -> None:
    """A private answer says why it is one; that to a refused person says nothing more, and a duplicate's is private."""
    assert OUTCOMES[-1].state == "denied"
    job = single(Rejected(402, ""))
    assert "/invite" in messages.private("en", job)[0]["text"]
    assert "<@U1>" not in messages.private("en", job)[0]["text"]
    assert "/invite" not in messages.private("en", single(OUTCOMES[-1]))[0]["text"]
    link = single(Duplicate("U9", 240.0, "sending"))
    assert "`VIP` *is already being created*" in messages.duplicate("en", link)["text"]
    assert wording.link(speaker(), "C1", "1.2") == "https://acme.slack.com/archives/C1/p12"
    assert wording.link("en", "C1", Thread("C1", "1.2").ts) == ""
    assert "<!channel>" not in wording.link(speaker(), "<!channel>", "1.2")


if __name__ == "__main__":
    FILE.write_text(table(), encoding="utf-8")
