"""What answers say: every outcome in both languages, short, in order, and with the buttons that they name."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from bot.front import pages
from bot.iletimerkezi import client
from bot.model.followup import FollowUp
from bot.model.job import Count, Job, Step, Thread
from bot.model.names import ParentId
from bot.model.next_job import next_job
from bot.model.outcome import (
    Created,
    Denied,
    Duplicate,
    Exists,
    NoParent,
    NotSent,
    Outcome,
    Rejected,
    Skipped,
    Unknown,
)
from bot.slack import messages, mrkdwn, wording
from bot.slack.messages import Message
from bot.slack.texts import LANGUAGES, load, say
from tests.support.limits import message_problems
from tests.support.outcomes import NEAR, NOT_SENT, OUTCOMES, UNKNOWN, single, tree

each_language = pytest.mark.parametrize("language", LANGUAGES)
every_outcome = pytest.mark.parametrize("outcome", OUTCOMES, ids=str)

MOST_WORDS = 60


def buttons(message: Message) -> list[dict[str, Any]]:
    """Return the buttons of a message."""
    return [button for block in message.get("blocks", []) if block["type"] == "actions" for button in block["elements"]]


def labels(message: Message) -> list[str]:
    """Return what is on the buttons of a message."""
    return [button["text"]["text"] for button in buttons(message)]


def words(text: str) -> int:
    """Count the words that a person reads, names and ids too: all but the provider's own and addresses."""
    text = re.sub(r"^> .*", "", text, flags=re.MULTILINE)
    text = re.sub(r"<[^|<>]*\|([^>]*)>", r"\1", text)
    return sum(bool(re.search(r"\w", word)) for word in text.split())


def jobs(outcome: Outcome, language: str) -> list[Job]:
    """Return what can end so: a command for one group and, except where a person is refused, one for several."""
    return [single(outcome, language), *([] if isinstance(outcome, Denied) else [tree(outcome, language)])]


@each_language
@every_outcome
def test_every_answer_is_short_and_complete(language: str, outcome: Outcome) -> None:
    """An answer has at most 60 words, all in all; it shows no place and no raw reason, and is within the limits."""
    for job in jobs(outcome, language):
        (message,) = messages.answer(job)
        text = message["text"]
        assert words(text) <= MOST_WORDS, text
        shown = re.sub(r"<!date[^|]*\|([^>]*)>", r"\1", text.replace(job.id, "1"))
        assert not re.search(r"[{}]|_|\w  \w|: *$|\n\n|: ,|`` ", shown), text
        assert message_problems(message) == message_problems(messages.root(job)) == []


@each_language
@every_outcome
def test_advice_names_only_buttons_that_are_there(language: str, outcome: Outcome) -> None:
    """Every button that an answer names is under it, and no refusal says to send the command again where one is."""
    names = {load(language)[f"button.{way}"] for way in (*FollowUp, "rest")}
    for job in jobs(outcome, language):
        (message,) = messages.answer(job)
        named = names & set(re.findall(r"\*([^*\n]+)\*", message["text"]))
        assert named <= set(labels(message)), message["text"]
        if set(job.steps[-1].outcome.offers if job.steps[-1].outcome else ()) - {FollowUp.SUBGROUP}:
            assert named, message["text"]


@each_language
@every_outcome
def test_every_outcome_has_its_words(language: str, outcome: Outcome) -> None:
    """An outcome has a root, a heading, a line in a tree and in the history; one without a group says what to do."""
    step = single(outcome, language).steps[0]
    for part in ("root", "heading", "line", "history"):
        assert wording.describe(language, step, part, asked="A") != ""
    if not outcome.group_id:
        assert wording.describe(language, step, "next") != ""


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


@each_language
def test_the_outcome_comes_first_and_the_next_step_before_the_explanation(language: str) -> None:
    """The order is outcome, next step, explanation, the provider's words, the reference."""
    job = single(Rejected(401, "Üyelik bilgileri hatalı"), language)
    (message,) = messages.answer(job)
    texts = load(language)
    parts = [
        texts["rejected.401.title"],
        texts["rejected.401.next"],
        texts["rejected.401.press"],
        texts["rejected.401.explanation"],
        "> Üyelik bilgileri hatalı",
        job.id,
    ]
    places = [message["text"].index(part) for part in parts]
    assert places == sorted(places)


def test_what_the_root_says_is_not_repeated() -> None:
    """A refusal in the thread does not name the group again; without a root, and below another's answer, it does."""
    job = single(Rejected(402, ""))
    assert "Name:" not in messages.answer(job)[0]["text"]
    assert "Name: `VIP`\nParent: `Customers` (`5`)" in messages.private(job)[0]["text"]
    assert "Name: `VIP`" in messages.answer(replace(job, followup=FollowUp.EDIT))[0]["text"]
    assert "ID: `7`" in messages.answer(single(Created("7")))[0]["text"]


def test_a_code_without_a_message_is_still_told() -> None:
    """The provider's code is shown where it said nothing else."""
    assert "reply (code 402)\nReference" in messages.answer(single(Rejected(402, "")))[0]["text"]


@pytest.mark.parametrize(
    ("outcome", "offered"),
    [
        (Rejected(503, ""), ["Create the rest"]),
        (NotSent("tls"), ["Create the rest"]),
        (NoParent("unavailable"), ["Create the rest", "Edit and try again"]),
        (Rejected(422, ""), ["Edit and try again"]),
        (Rejected(461, ""), ["Edit and try again"]),
        (Rejected(463, ""), ["Edit and try again"]),
        (Rejected(499, ""), ["Edit and try again"]),
        (NoParent("missing"), ["Edit and try again"]),
        (NoParent("ambiguous", NEAR), ["Edit and try again"]),
        (Unknown("timeout", ()), ["Check again", "Create anyway"]),
        (Unknown("timeout", ("7",)), ["Yes, this is it", "Check again", "Create anyway"]),
        (Unknown("timeout", None), ["Check again", "Create anyway"]),
    ],
    ids=str,
)
def test_the_rest_is_offered_only_where_something_can_change(outcome: Outcome, offered: list[str]) -> None:
    """What a person must correct is not sent once more: the form comes with the tree instead."""
    (message,) = messages.answer(tree(outcome))
    assert sorted(labels(message)) == sorted(offered)
    assert ("press *Edit and try again*" in message["text"]) == (offered == ["Edit and try again"])


def test_a_group_under_an_unclear_one_says_so() -> None:
    """What hangs under a group that perhaps exists was not skipped because that group was not created."""
    (message,) = messages.answer(tree(Unknown("timeout", ("7",))))
    assert "• `Kadıköy` under `İstanbul` — skipped: the group above is not confirmed" in message["text"]
    (message,) = messages.answer(tree(Duplicate("U9", 60.0, "sending")))
    assert "— skipped: the group above is still being created" in message["text"]


def test_the_depth_of_a_tree_is_shown_and_told() -> None:
    """The blocks indent a list, and the text names the group above; deeper than Slack allows, the indent stays."""
    steps = [Step(n, f"G{n}", above=n - 1 if n else None, outcome=Created(str(n + 1))) for n in range(11)]
    (message,) = messages.answer(Job("U1", "C1", "t", "", steps, language="en"))
    (rich,) = [block for block in message["blocks"] if block["type"] == "rich_text"]
    assert [part["indent"] for part in rich["elements"]] == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert [len(part["elements"]) for part in rich["elements"]] == [1] * 8 + [3]
    assert rich["elements"][1]["elements"][0]["elements"] == [
        {"type": "text", "text": "G1", "style": {"code": True}},
        {"type": "text", "text": " — ID "},
        {"type": "text", "text": "2", "style": {"code": True}},
    ]
    assert "• `G10` under `G9` — ID `11`" in message["text"]


def test_many_that_were_skipped_for_one_group_share_a_line() -> None:
    """In the text and in the list; up to ten have a line each, and so has everything else."""
    for many in (10, 11):
        steps = [Step(0, "Top", outcome=Rejected(503, "")), Step(1, "First", above=0, outcome=Skipped())]
        steps += [Step(n, f"G{n}", above=n % 2, outcome=Skipped()) for n in range(2, many + 1)]
        steps += [Step(many + 1, "Last", outcome=Created("7"))]
        (message,) = messages.answer(Job("U1", "C1", "t", "", steps, language="en"))
        lines = [line for line in message["text"].splitlines() if line.startswith("• ")]
        rich = next(block for block in message["blocks"] if block["type"] == "rich_text")
        items = [(part["indent"], item["elements"]) for part in rich["elements"] for item in part["elements"]]
        assert len(lines) == len(items) == (12 if many == 10 else 3)
        assert lines[-1] == "• `Last` — ID `7`"
    assert lines[1] == "• 11 subgroups of `Top` — skipped: the group above was not created"
    assert items[1] == (
        1,
        [
            {"type": "text", "text": "11 subgroups of "},
            {"type": "text", "text": "Top", "style": {"code": True}},
            {"type": "text", "text": " — skipped: the group above was not created"},
        ],
    )


def test_words_for_programs_are_not_quoted() -> None:
    """JSON and HTML stay out of an answer; a sentence of the provider's stands in it."""
    for raw in ('{"request": {"key": "…"}}', 'Hata: [ {"a": 1} ]', "<html><b>Bad</b></html>", "<!DOCTYPE html>"):
        text = messages.answer(single(Rejected(422, raw)))[0]["text"]
        assert ">" not in text
        assert "reply (code 422)" in text
    for told in ("Bakiye < 5 TL", "Geçersiz ad: {ad}", "Ad [1-255] karakter olmalı"):
        assert f"> {mrkdwn.escape(told)}" in messages.answer(single(Rejected(422, told)))[0]["text"]


@each_language
def test_a_main_group_that_exists_is_said_to_be_one(language: str) -> None:
    """Once, and its name is not repeated as if it were a path."""
    main = load(language)["answer.main"]
    assert load(language)["exists.main.explanation"] == main
    job = single(Exists("7", "VIP"), language)
    job.steps[0].parent, job.steps[0].parent_id = None, ""
    assert "VIP" not in messages.answer(job)[0]["text"]
    for answer in (messages.answer(job), messages.private(job)):
        assert answer[0]["text"].count(main) == 1


@each_language
@pytest.mark.parametrize(
    ("way", "key", "typed", "follows"),
    [
        (FollowUp.AGAIN, "rest", "A\n  VIP", "first"),
        (FollowUp.AGAIN, "again", "VIP", "first"),
        (FollowUp.AGAIN, "again", "A\n  VIP", "second"),
        (FollowUp.LOOK, "look", "A\n  VIP", "first"),
    ],
)
def test_the_button_is_named_as_it_was(language: str, way: FollowUp, key: str, typed: str, follows: str) -> None:
    """*Create the rest* under the answer to a tree is not *Try again*, even if only one group was left."""
    job = single(Created("7"), language, followup=way, follows=follows, origin="first")
    job.typed = typed
    begin = load(language)[f"via.{key}"].partition("{when}")[0].format(who="<@U1>")
    assert messages.answer(job)[0]["text"].startswith(begin)


def test_a_name_with_marks_is_shown_as_it_is_in_a_tree() -> None:
    """Backticks, ampersands and stars of a name reach the list unharmed."""
    job = tree(Created("7"))
    job.steps[0].name = "a`b* & <c>"
    (message,) = messages.answer(job)
    rich = next(block for block in message["blocks"] if block["type"] == "rich_text")
    first = rich["elements"][0]["elements"][0]["elements"]
    assert first[0] == {"type": "text", "text": "a`b* & <c>", "style": {"code": True}}
    assert "“a`b* &amp; &lt;c&gt;”" in message["text"]


def test_sections_are_not_folded() -> None:
    """Slack shows the whole of an answer, whose next step may be far down."""
    (message,) = messages.answer(single(Rejected(401, "x\n" * 10)))
    assert [block["expand"] for block in message["blocks"] if block["type"] == "section"] == [True]


@each_language
def test_a_button_tells_a_screen_reader_its_group(language: str) -> None:
    """Buttons of one name in one thread differ in what is read out."""
    job = single(Unknown("timeout", ("7",)), language)
    for name in ("VIP", "x" * 255):
        job.steps[0].name = name
        for button in buttons(messages.answer(job)[0]):
            assert button["accessibility_label"].startswith(f"{button['text']['text']}: {name[:20]}")
            assert len(button["accessibility_label"]) <= 75


@each_language
def test_a_button_of_a_tree_names_the_groups_it_is_about(language: str) -> None:
    """Not the first group of the tree: each button those that it sends, settles or looks up."""
    steps = [
        Step(0, "A", outcome=Created("1")),
        Step(1, "B", above=0, outcome=Rejected(503, "")),
        Step(2, "C", above=1, outcome=Skipped()),
        Step(3, "D", above=0, outcome=Unknown("timeout", ("7",))),
        Step(4, "E", outcome=Unknown("timeout", ())),
        Step(5, "F", outcome=NoParent("missing")),
    ]
    (message,) = messages.answer(Job("U1", "C1", "t", "", steps, language=language))
    named = {button["action_id"]: button["accessibility_label"].partition(": ")[2] for button in buttons(message)}
    assert named == {"again": "B, C, F", "confirm": "D", "look": "D, E", "anyway": "D, E", "edit": "F"}


@each_language
def test_a_tree_says_how_many_are_not_confirmed(language: str) -> None:
    """Root, answer and history; and the root does not say so when a later job has settled it."""
    job = tree(Unknown("timeout", ()), language)
    unclear = load(language)["tree.unclear"].partition("{told}")[2].format(unclear=1)
    assert messages.root(job)["text"].endswith(unclear)
    assert messages.answer(job)[0]["text"].splitlines()[0].endswith(f"{unclear}*")
    assert pages.history_page(language, [job], "team")["text"].endswith(unclear)
    assert unclear not in messages.root(job, Count(3, 0))["text"]


@pytest.mark.parametrize("way", [FollowUp.ANYWAY, FollowUp.LOOK, FollowUp.CONFIRM, FollowUp.AGAIN])
def test_a_later_answer_names_the_parent_that_the_tree_created(way: FollowUp) -> None:
    """By the name that the tree has for it, with its ID, also after one more button."""
    refused = way is FollowUp.AGAIN
    outcome: Outcome = Rejected(503, "") if refused else Unknown("timeout", ("7",))
    job = Job("U1", "C1", "t", "", [Step(0, "T2", outcome=Created("97108")), Step(1, "C", above=0)], language="en")
    job.steps[1].parent_id = "97108"
    for _ in range(2):
        job.steps[-1].outcome = outcome
        job = next_job(job, way, "U2", "en", "")
        job.steps[-1].outcome = job.steps[-1].outcome or outcome
        assert [step.parent_id for step in job.steps] == ["97108"]
        assert "Name: `C`\nParent: `T2` (`97108`)" in messages.answer(job)[0]["text"].replace("ID: `7`\n", "")


def test_the_safe_button_is_the_prominent_one() -> None:
    """Confirming a found group stands out; creating a second one is not red, and asks before it does so."""
    confirm, look, anyway = buttons(messages.answer(single(Unknown("timeout", ("7",))))[0])
    assert (confirm["style"], "style" in look, "style" in anyway) == ("primary", False, False)
    assert anyway["confirm"]["style"] == "danger"


@each_language
@pytest.mark.parametrize("way", [way for way in FollowUp if way is not FollowUp.SUBGROUP])
def test_an_answer_says_who_pressed_which_button_and_when(language: str, way: FollowUp) -> None:
    """What a button started begins with the person and the time, which Slack shows in the reader's own zone."""
    text = messages.answer(single(Created("7"), language, followup=way, follows="x"))[0]["text"]
    assert text.startswith("<@U1> ")
    assert "<!date^1000000000^{date_num} {time}|2001-09-09 01:46 UTC>" in text.splitlines()[0]


def test_a_root_says_only_what_stays_true() -> None:
    """Who asked for what; how far a tree is, once it is written down where the root stands and it will be edited."""
    job, several = single(Created("7")), tree(Created("7"))
    job.steps[0].outcome = None
    several.steps[2].outcome = None
    assert messages.root(job)["text"] == "<@U1> asked for a new group: `VIP` under `Customers`"
    assert messages.root(several)["text"].endswith("`VIP`")
    several.thread = Thread("C1", "1.1")
    assert messages.root(several)["text"].endswith("`VIP` — in progress, 2 of 3")


def test_a_parent_is_shown_as_it_was_given() -> None:
    """The root names the parent alone; the answer adds the id that a name led to, and repeats no id."""
    job = single(Exists("7"))
    assert "`5`" not in messages.root(job)["text"]
    assert "Parent: `Customers` (`5`)" in messages.answer(job)[0]["text"]
    job.steps[0].parent = ParentId("5")
    assert "Parent" not in messages.answer(job)[0]["text"]
    assert "Parent: `5`" in messages.private(job)[0]["text"]


@each_language
def test_the_ids_in_an_example_are_real_ones(language: str) -> None:
    """Where the right ids are known, the example has one of them, and the groups have a label."""
    text = messages.answer(single(NoParent("ambiguous", NEAR), language))[0]["text"]
    assert "`parent=12`" in text
    assert f"{load(language)['no_parent.ambiguous.choices']}\n• `Customers › VIP`, ID `12`\n• `VIP`, ID `34`" in text


@each_language
def test_a_refusal_is_told_to_the_audit_channel_in_words(language: str) -> None:
    """No key of a reason is shown."""
    for outcome in OUTCOMES:
        if isinstance(outcome, Denied):
            (line,) = wording.audit(language, single(outcome, language))
            assert say(language, f"denied.{outcome.reason}.title") in line
            assert "_" not in line


@each_language
def test_the_contact_is_named_in_answers(language: str) -> None:
    """A refusal that somebody else must cure names who that is."""
    told = messages.answer(single(Rejected(400, ""), language), "S0123ABCD")[0]
    assert "<!subteam^S0123ABCD>" in told["text"]
    assert message_problems(told) == []
