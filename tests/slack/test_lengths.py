"""No answer is refused for its length, whatever people and the provider wrote: Slack's limits hold for each message."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.front import pages
from bot.iletimerkezi.groups import Choice
from bot.model.job import Job, Step, Thread
from bot.model.names import ParentId, ParentName
from bot.model.outcome import Created, Duplicate, Exists, FollowUp, NoParent, NotSent, Rejected, Skipped, Unknown
from bot.slack import blocks, messages, wording
from bot.slack.blocks import MAX_TEXT, Line, Message
from bot.slack.texts import LANGUAGES, Voice
from tests.support.limits import message_problems

letters = st.sampled_from(["a", "&", "<", ">", "`", "*", "\n", "İ", "👍", "›"])


def repeated(most: int) -> st.SearchStrategy[str]:
    """Return texts of up to `most` letters, mostly of the worst kind: many of one."""
    return st.builds(lambda text, times: (text * times)[:most], st.text(letters, min_size=1), st.integers(1, most))


names = repeated(255).map(lambda name: name.replace("\n", " "))
long_ids = repeated(3000)
paths = st.builds(" › ".join, st.lists(names, min_size=1, max_size=20))
found = st.none() | st.builds(lambda one, times: (one,) * times, long_ids, st.integers(0, 400))
candidates = st.lists(st.tuples(paths, long_ids), max_size=20).map(tuple)
outcomes = st.one_of(
    st.builds(Created, long_ids),
    st.builds(Exists, long_ids, paths),
    st.builds(Rejected, st.sampled_from([401, 422, 499, 10**30]), repeated(20_000)),
    st.builds(NotSent, st.sampled_from(["tls", "unreachable", "failed"])),
    st.builds(NoParent, st.sampled_from(["missing", "ambiguous", "unavailable"]), candidates),
    st.builds(Unknown, st.sampled_from(["timeout", "crashed"]), found),
    st.builds(Duplicate, st.just("U9"), st.floats(0, 1e9), st.sampled_from(["created", "unknown", "sending"])),
    st.just(Skipped()),
)
parents = st.none() | st.builds(ParentId, long_ids) | st.builds(ParentName, names)
steps = st.builds(
    lambda name, parent, outcome: Step(0, name, parent, parent_id="7" * 400, outcome=outcome), names, parents, outcomes
)

WIDEST = Step(0, "&" * 255, ParentName("&" * 255), outcome=Unknown("timeout", ("<" * 40,) * 11))


def job_of(parts: list[Step], language: str, **facts: Any) -> Job:
    """Return a job with these steps, each under the one before it."""
    chain = [
        replace(step, position=n, above=n - 1 if n and step.parent is None else None) for n, step in enumerate(parts)
    ]
    return Job("U1", "C1", "t", "", chain, language=language, thread=Thread("C1", "1.2"), accepted_at=1e9, **facts)


def refused(told: list[Message]) -> list[str]:
    """Return what Slack would refuse in messages."""
    return [problem for message in told for problem in message_problems(message)]


@given(st.lists(steps, min_size=1, max_size=20), st.sampled_from(LANGUAGES), st.none() | st.sampled_from(FollowUp))
@example([WIDEST, WIDEST], "tr", None)
@example([WIDEST], "en", None)
@example([replace(WIDEST, outcome=NoParent("missing", ()))], "tr", None)
def test_every_answer_is_within_the_limits(parts: list[Step], language: str, way: FollowUp | None) -> None:
    """Roots, answers in threads and private ones, and the lines of the audit are accepted, whatever is in them."""
    way = None if way is FollowUp.SUBGROUP else way
    job = job_of(parts, language, followup=way)
    voice = Voice(language, path=lambda _: "&" * 4000, name=lambda _: "<" * 4000)
    told = [messages.root(voice, job), *messages.answer(voice, job), *messages.private(voice, job)]
    told += messages.audit(voice, job)
    assert refused(told) == []
    assert all(len(message["text"]) <= MAX_TEXT for message in told)


@pytest.mark.parametrize("last", [MAX_TEXT - 1, MAX_TEXT])
@pytest.mark.parametrize("item", ["", "a"])
@pytest.mark.parametrize("first", [MAX_TEXT - 1, MAX_TEXT])
def test_a_blank_line_where_a_message_ends_is_left_out(first: int, item: str, last: int) -> None:
    """A section, or a message, that held it alone would be refused."""
    told = blocks.messages([Line("a" * first, item), Line(""), Line("b" * last)], [{"type": "button"}])
    assert [message["text"] for message in told] == ["a" * first, "b" * last]
    assert all(block.get("text", {}).get("text") != "" for message in told for block in message.get("blocks", ()))


@given(st.lists(steps, min_size=1, max_size=3), st.sampled_from(LANGUAGES))
def test_the_history_is_within_the_limits(parts: list[Step], language: str) -> None:
    """Ten jobs and ten that nobody has settled, with any names."""
    jobs = [job_of(parts, language) for _ in range(20)]
    assert refused([pages.history_page(language, jobs)]) == []


@given(st.lists(st.tuples(paths, long_ids), max_size=60), st.sampled_from(LANGUAGES), repeated(5000))
def test_the_list_and_the_help_are_within_the_limits(groups: list[tuple[str, str]], language: str, text: str) -> None:
    """Every page of a list is accepted, goes on from the one before, and shows at least one group."""
    choices = [Choice(*group) for group in groups]
    assert refused([pages.help_page(language, choices), pages.list_page(language, [], text)]) == []
    for offset in range(0, len(choices), pages.PAGE):
        assert refused([pages.list_page(language, choices, text, offset)]) == []


@given(repeated(400), st.integers(2, 300), st.booleans())
def test_a_text_is_cut_after_escaping(text: str, most: int, keep_end: bool) -> None:
    """What is left is within the length, holds whole characters only, and is the beginning or the end."""
    shown = wording.fit(text, most, keep_end)
    assert len(shown) <= most or len(shown) == 1
    if shown != wording.escape(text):
        rest = shown.removeprefix("…") if keep_end else shown.removesuffix("…")
        assert wording.escape(text).endswith(rest) if keep_end else wording.escape(text).startswith(rest)


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_many_groups_found_some_are_named(language: str) -> None:
    """Five ids are shown of 400, and how many more there are; an id that somebody invented is cut."""
    step = Step(0, "VIP", outcome=Unknown("timeout", tuple(map(str, range(1, 401)))))
    text = messages.answer(language, job_of([step], language))[0]["text"]
    assert ("`5`" in text, "`6`" in text, "395" in text) == (True, False, True)
    job = job_of([Step(0, "VIP", outcome=Duplicate("U" * 3000, 240.0, "created", "97112"))], language)
    told = [messages.duplicate(Voice(language), job), messages.root(language, replace(job, user="U" * 3000))]
    assert refused(told) == []
