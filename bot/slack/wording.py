"""What the bot says about a job: outcomes become sentences. Pure.

The sentences are in texts/, in a table for each state of an outcome; `phrase` finds them. No function here knows a
single outcome.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.model.followup import FollowUp
from bot.model.grammar import Unclear
from bot.model.job import Count, Job, Step
from bot.model.names import ParentId, ParentName
from bot.model.outcome import Denied, Outcome
from bot.slack.mrkdwn import MAX_ID, MAX_NAME, as_typed, code, cut, fit, mention, moment, path, quote
from bot.slack.texts import Language, has, say, say_plain

MOST_NAMED = 5
"""How many groups are named that were found, or that the person may have meant."""

MOST_OF_NAME = 80
"""Longest name where another line shows it whole, in characters."""

_NUMBERS = {"length", "most"}


def mistake(language: Language, error: Unclear, plain: bool = False) -> str:
    """Return the sentence for what is unclear in a reading, with its line number if the text has several lines.

    `plain` is for an error at a field of the form, where Slack formats nothing.
    """
    tell, show = (say_plain, str) if plain else (say, as_typed)
    values = {name: value if name in _NUMBERS else show(cut(value, 300)) for name, value in error.values.items()}
    sentence = tell(language, f"usage.{error.key}", **values)
    if error.line is None or error.key == "too_many_lines":
        return sentence
    return say(language, "usage.line", line=error.line, mistake=sentence)


def phrase(language: Language, outcome: Outcome, part: str, **values: object) -> str:
    """Return what the texts say about an outcome in one `part` of a message, "" where they say nothing.

    The parts are title, root, heading, explanation, finding, choices, next, press (the button to press after that),
    quoted, line (of a tree), below (a tree), above (why a group under this one was not created), history and audit.
    Each comes from the first table that has it: those that the outcome names, its state's, and `outcome`.
    """
    for table in (*outcome.words, outcome.state, "outcome"):
        if has(f"{table}.{part}"):
            return say(language, f"{table}.{part}", **values)
    return ""


def describe(language: Language, step: Step, part: str, **values: object) -> str:
    """Return the phrase about a step's outcome, with the step's facts in its places; "" while there is no outcome."""
    outcome = step.outcome
    if not outcome:
        return ""
    facts = {
        "name": as_typed(step.name),
        "parent": parent(step, MOST_OF_NAME),
        "parent_id": code(step.parent_id or "") or parent(step) or "“”",
        "id": code(outcome.group_id),
        "choice": next((fit(identifier, MAX_ID) for _, identifier in outcome.choices), ""),
        "above": say(language, "outcome.above"),
        **{name: _SHOWN[name](language, value) for name, value in vars(outcome).items() if name in _SHOWN},
        **values,
    }
    return phrase(language, outcome, part, **{"title": phrase(language, outcome, "title", **facts), **facts})


def ids(language: Language, found: tuple[str, ...] | None) -> str:
    """Show the ids of groups, at most MOST_NAMED of them."""
    shown = ", ".join(map(code, (found or ())[:MOST_NAMED]))
    more = len(found or ()) - MOST_NAMED
    return say(language, "answer.more", ids=shown, count=more) if more > 0 else shown


_SHOWN: dict[str, Callable[[Language, Any], str]] = {
    "code": lambda _, number: str(number),
    "user": lambda _, user: mention(user),
    "at": lambda _, seconds: moment(seconds // 60 * 60),  # so that a tree has few
    "age": lambda _, seconds: str(max(1, round(seconds / 60))),
    "path": lambda _, names: path(names),
    "found": ids,
}
"""How the fields of outcomes are shown, by name."""


def root(job: Job) -> str:
    """Return the root of a job with one step: who asked for what and, once it is settled, what came of it."""
    return describe(job.language, job.steps[0], "root", asked=asked(job)) or asked(job)


def asked(job: Job) -> str:
    """Return who asked for what, of a job with one step.

    That is all that a root says when it is posted. A crash may come before anybody has written down where it stands,
    and then it stays as it is.
    """
    step = job.steps[0]
    return say(job.language, "root.asked", who=mention(job.asker), what=place(job.language, step, parent(step)))


def answer(language: Language, job: Job, step: Step, named: bool) -> list[str]:
    """Return the lines of the final answer about one settled step of a job: the outcome, what to do, and why.

    `named` says whether it names the group and its parent: where no root above tells.
    """
    outcome = step.outcome
    if not outcome:
        raise ValueError(f"job {job.id} is not settled")
    advice = f"{describe(language, step, 'next')} {describe(language, step, 'press')}".strip()
    lines = [
        describe(language, step, "heading"),
        *facts(language, step, named),
        describe(language, step, "finding"),
        say(language, "answer.next", next=advice) if advice else "",
        describe(language, step, "explanation"),
        *choices(language, step),
        *quoted(language, step),
        say(language, "answer.reference", reference=job.id) if outcome.traceable else "",
    ]
    return [line for line in dict.fromkeys(lines) if line]


def choices(language: Language, step: Step) -> list[str]:
    """Return the groups that the person may have meant, under what introduces them; none where there are none."""
    outcome = step.outcome
    if not outcome or not outcome.choices:
        return []
    candidates = [
        say(language, "no_parent.candidate", path=path(names), id=code(identifier))
        for names, identifier in outcome.choices[:MOST_NAMED]
    ]
    return [describe(language, step, "choices"), *candidates]


def quoted(language: Language, step: Step, **limits: int) -> list[str]:
    """Return the provider's own words about a step, under what introduces them; none where it was not asked."""
    introduction = describe(language, step, "quoted")
    words = quote(step.outcome.quoted, **limits) if step.outcome else ""
    return [f"{introduction}\n{words}".strip()] if introduction else []


def denied(language: Language, reason: str) -> str:
    """Return why somebody may not use the command, and who can help."""
    outcome = Denied(reason)
    remedy = say(language, "answer.next", next=phrase(language, outcome, "next"))
    lines = [phrase(language, outcome, "heading"), phrase(language, outcome, "explanation"), remedy]
    return "\n".join(line for line in lines if line)


def audit(language: Language, job: Job) -> list[str]:
    """Return the lines for the audit channel: what was created, or that somebody was refused; none for neither."""
    lines = [describe(language, step, "audit", who=mention(job.user), job=job.id) for step in job.steps]
    return list(dict.fromkeys(line for line in lines if line))


def tally(language: Language, key: str, job: Job, count: Count | None = None, **values: object) -> str:
    """Return the sentence `key` about how many groups of a tree exist, counted in this job if `count` is None."""
    made, unclear, existing = count or job.count
    told = say(language, key, made=made, count=len(job.steps), **values)
    told = say(language, "tree.there", told=told, there=existing) if existing else told
    return say(language, "tree.unclear", told=told, unclear=unclear) if unclear else told


def via(language: Language, job: Job) -> str:
    """Return who went on from an earlier answer, how and when; "" for a job that somebody typed."""
    if not job.followup:
        return ""
    way = "rest" if job.followup is FollowUp.AGAIN and _of_a_tree(job) else job.followup
    return say(language, f"via.{way}", who=mention(job.user), when=moment(job.accepted_at))


def _of_a_tree(job: Job) -> bool:
    """Tell whether the answer that a job went on from was about several groups, even if only one of them is left."""
    first = job.follows == job.origin
    return len(job.steps) > 1 or (first and sum(bool(line.strip()) for line in job.typed.splitlines()) > 1)


def facts(language: Language, step: Step, named: bool) -> list[str]:
    """Return name, id and parent, a line each.

    Unless the group is to be `named`, only what helps to go on from one that exists: its id, to copy it, and the id
    that a parent's name led to.
    """
    above, looked_up = parent(step), isinstance(step.parent, ParentName) and bool(step.parent_id)
    if looked_up:
        above = f"{above} ({code(step.parent_id or '')})"
    group_id = step.outcome.group_id if step.outcome else ""
    lines = [
        say(language, "answer.name", name=as_typed(step.name)) if named else "",
        say(language, "answer.id", id=code(group_id)) if group_id else "",
        say(language, "answer.parent", parent=above) if (looked_up and group_id) or (named and above) else "",
        say(language, "answer.main") if named and not above else "",
    ]
    return [line for line in lines if line]


def place(language: Language, step: Step, above: str) -> str:
    """Show a group under what is `above` it, "" for a main group."""
    name = as_typed(step.name)
    return say(language, "root.under", name=name, parent=above) if above else name


def parent(step: Step, most: int = MAX_NAME) -> str:
    """Show a parent as it was given; a name has at most so many characters after escaping."""
    match step.parent:
        case ParentId(id=identifier):
            return code(identifier)
        case ParentName(name=name):
            return as_typed(name, most)
        case None:
            return ""
