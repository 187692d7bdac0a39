"""How the bot names groups and people, and how it tells a step's outcome: one description, fetched once. Pure.

The sentences are in texts/, in a table for each state of an outcome. No function here knows a single outcome, but
`denied` for those who ask for something else than a group.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.model.grammar import Unclear
from bot.model.job import Job, Step
from bot.model.names import ParentName
from bot.model.next_job import Count, counted
from bot.model.outcome import Denied, FollowUp
from bot.slack.mrkdwn import MAX_ID, MAX_NAME, as_typed, code, cut, escape, fit, mention, moment, path
from bot.slack.texts import Language, Voice, say, say_parts, say_plain, voice_of

MOST_NAMED = 5
"""How many groups are named that were found, or that the person may have meant."""

MOST_OF_NAME = 80
"""Longest name where another line shows it whole, in characters."""

_NAMED_IN_ROOT = 3  # first groups of a tree
_NUMBERS = {"length", "most"}


class Told(dict[str, str]):
    """How an outcome is told, by part; a part that needs no words is "".

    `heading` is the outcome and the group, `root` the same in the channel; `line` the result in a tree, `history` in
    the history. Below the heading stand `finding`, `next` (what to do; in a tree `below`),
    `explanation`, `choices` and `quoted`. `above`
    says why a group under this one was not created; `audit` is the line for the audit channel.
    """

    def __missing__(self, part: str) -> str:
        return ""


def tell(language: Language, job: Job, step: Step) -> Told:
    """Return how the outcome of a job's step is told, or that it is under way."""
    voice, outcome = voice_of(language), step.outcome
    over, facts = parent(voice, job, step), vars(outcome) if outcome else {}
    named = as_typed(step.parent.name, MOST_OF_NAME) if isinstance(step.parent, ParentName) else over
    user = str(facts.get("user", ""))
    tables = (*outcome.told.words, outcome.state, "outcome") if outcome else ("waiting",)
    told = say_parts(
        voice,
        tables,
        name=as_typed(step.name),
        under=under(voice, over),
        parent=named,
        parent_id=code(step.parent_id or "") or named or "“”",
        id=code(outcome.group_id if outcome else ""),
        above=tell(voice, job, job.steps[step.above])["above"] if step.above is not None else "",
        again=say(voice, "button.rest" if len(job.steps) > 1 else "button.again"),
        groups=_some(voice, (group(voice, *choice[::-1]) for choice in (outcome.told.choices if outcome else ()))),
        found=_some(voice, map(code, facts.get("found") or ())),
        code=facts.get("code", ""),
        stored=as_typed(str(facts.get("stored", ""))),
        user=person(voice, user),
        at=moment(facts.get("at", 0) // 60 * 60),  # so that a tree has few
        age=max(1, round(facts.get("age", 0) / 60)),
        thread=_thread(voice, str(facts.get("channel", "")), str(facts.get("ts", ""))) if user else "",
        channels=", ".join(f"<#{fit(channel, MAX_ID)}>" for channel in voice.channels),
        who=f"{person(voice, job.user)} ({code(job.user)})" if voice.name(job.user) else mention(job.user),
        job=job.id,
    )
    return Told({"root": told["heading"], "history": told["line"], **told})


def group(language: Language, identifier: str, names: str = "") -> str:
    """Name a group by its path and id; by its `names`, or the id alone, where the path is not at hand."""
    names = voice_of(language).path(identifier) or names
    return say(language, "answer.group", path=path(names), id=code(identifier)) if names else code(identifier)


def parent(language: Language, job: Job, step: Step) -> str:
    """Name what a step's group is under: "" for a main group."""
    if step.above is not None:
        return as_typed(cut(job.steps[step.above].name, MOST_OF_NAME))
    named = step.parent.name if isinstance(step.parent, ParentName) else ""
    return group(language, step.parent_id, named) if step.parent_id else as_typed(named, MAX_NAME) if named else ""


def under(language: Language, over: str) -> str:
    """Return what follows a group's name where it is under `over`; "" for a main group."""
    return f" {say(language, 'root.under', parent=over)}" if over else ""


def person(language: Language, user: str) -> str:
    """Name a person without ringing them; by a mention where their name is not at hand."""
    name = " ".join(voice_of(language).name(user).split())
    return fit(name, MOST_OF_NAME) if name else mention(user)


def link(language: Language, channel: str, ts: str) -> str:
    """Return the address of a message, "" where the workspace's is not known."""
    home = voice_of(language).workspace().rstrip("/")
    return f"{home}/archives/{channel}/p{ts.replace('.', '')}" if home and channel and ts else ""


def mistake(language: Language, error: Unclear, plain: bool = False) -> str:
    """Return the sentence for what is unclear in a reading, with its line number if the text has several lines.

    `plain` is for an error at a field of the form, where Slack formats nothing.
    """
    say_it, show = (say_plain, str) if plain else (say, as_typed)
    values = {name: value if name in _NUMBERS else show(cut(value, 300)) for name, value in error.values.items()}
    sentence = say_it(language, f"usage.{error.key}", **values)
    if error.line is None or error.key == "too_many_lines":
        return sentence
    return say(language, "usage.line", line=error.line, mistake=sentence)


def denied(language: Language, reason: str) -> str:
    """Return why somebody may not use the command, and who can help."""
    job = Job("", "", "", "", [Step(0, "", outcome=Denied(reason))])
    told = tell(language, job, job.steps[0])
    return f"{told['alone']}\n{say(language, 'answer.next', next=told['next'])}"


def heading(language: Language, job: Job, count: Count | None = None, part: str = "heading") -> str:
    """Return what became of a job, its groups first; of a tree, counted in this job if `count` is None."""
    step, several = job.steps[0], len(job.steps)
    if several == 1 or job.denied:
        return tell(language, job, step)[part]
    made, unclear, there = count or counted(job)
    values = {"what": _tree(language, job), "made": made, "there": there, "count": several, "under": ""}
    first = [each for each in job.steps if each.above is None]
    if len({parent(language, job, each) for each in first}) == 1:
        values["under"] = under(language, parent(language, job, step))
    if not job.settled:  # where nobody has written down where the root stands, what it says must stay true
        return say(language, "tree.progress" if job.thread else "tree.requested", **{**values, "made": made + there})
    if made + there >= several:
        return say(language, f"tree.{'both' if made and there else 'created' if made else 'exist'}", **values)
    if not made + there + unclear:
        return say(language, "tree.none", **values)
    more = say(language, "tree.there", there=there) if there else ""
    more += say(language, "tree.unclear", unclear=unclear) if unclear else ""
    return say(language, "tree.some", more=more, **values)


def via(language: Language, job: Job) -> str:
    """Return who went on from an earlier answer, and how; "" for a job that somebody typed."""
    if not job.followup:
        return ""
    way = "rest" if job.followup is FollowUp.AGAIN and _of_a_tree(job) else job.followup
    return say(language, f"via.{way}", who=mention(job.user))


def _tree(language: Language, job: Job) -> str:
    """Name the groups of a tree: the main one and how many are below it, or the first ones."""
    first = [as_typed(cut(step.name, MOST_OF_NAME)) for step in job.steps if step.above is None]
    left = len(job.steps) - 1
    if len(first) == 1:
        return say(language, "tree.below" if left > 1 else "tree.one", name=first[0], count=left)
    names, left = ", ".join(first[:_NAMED_IN_ROOT]), len(job.steps) - len(first[:_NAMED_IN_ROOT])
    return say(language, "tree.more", names=names, count=left) if left else names


def _of_a_tree(job: Job) -> bool:
    """Tell whether the answer that a job went on from was about several groups, even if only one of them is left."""
    first = job.follows == job.origin
    return len(job.steps) > 1 or (first and sum(bool(line.strip()) for line in job.typed.splitlines()) > 1)


def _some(language: Language, named: Iterable[str]) -> str:
    """Return what is named, at most MOST_NAMED of it, and how many more there are."""
    every = list(named)
    shown, more = ", ".join(every[:MOST_NAMED]), len(every) - MOST_NAMED
    return say(language, "answer.more", ids=shown, count=more) if more > 0 else shown


def _thread(voice: Voice, channel: str, ts: str) -> str:
    """Return where the answer to another job is, for a sentence about it; "" where that is not known."""
    address = link(voice, channel, ts)
    return say(voice, "answer.thread", link=escape(address)) if address else ""
