"""What sentences are filled with, as Slack shows it exactly, and how a step's outcome is told: one description. Pure.

The sentences are in texts/, in a table for each state of an outcome. No function here knows a single outcome, but
`denied` for those who ask for something else than a group.
Source: https://docs.slack.dev/messaging/formatting-message-text
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from bot.model.grammar import Unclear
from bot.model.job import Job, Step
from bot.model.names import ParentName
from bot.model.next_job import Count, counted
from bot.model.outcome import Denied
from bot.slack.texts import Language, say, say_parts, say_plain, voice_of

MAX_NAME = 1500
"""Longest name that is shown, in characters after escaping: 255 characters that all need it fit in."""

MAX_PATH = 300
"""Longest path of names, in characters after escaping; its end is shown."""

MAX_ID = 50
"""Longest id that is shown, in characters after escaping."""

MAX_QUOTE, MAX_QUOTED_LINES = 1200, 10
"""Longest quotation, in characters after escaping and in lines."""

MAX_LABEL = 75
"""Longest label of a button, its accessibility label, and the longest text of a menu's option.

Source: https://docs.slack.dev/reference/block-kit/block-elements/button-element
"""

MOST_NAMED = 5
"""How many groups are named that were found, or that the person may have meant."""

MOST_OF_NAME = 80
"""Longest name where another line shows it whole, in characters."""

_NAMED_IN_ROOT = 3  # first groups of a tree
_NUMBERS = {"length", "most"}


def escape(text: str) -> str:
    """Escape what people or the API wrote, so that Slack shows it and acts on none of it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, most: int) -> str:
    """Cut a text to a number of characters; an ellipsis then ends it."""
    return text if len(text) <= most else text[: most - 1] + "…"


def fit(text: str, most: int, keep_end: bool = False) -> str:
    """Escape a text and cut it, so that it has at most `most` characters after that; an ellipsis stands for the rest.

    It is cut at its end, or at its front to `keep_end`.
    """
    whole = escape(text)
    if len(whole) <= most:
        return whole
    text = text[-most:] if keep_end else text[:most]
    while len(shown := escape(text)) >= most:
        text = text[1:] if keep_end else text[:-1]
    return f"…{shown}" if keep_end else f"{shown}…"


def choice(names: str, identifier: str) -> str:
    """Return a group's path and id as a label; of a long path, the end that tells the group."""
    room = MAX_LABEL - len(identifier) - 3
    return cut(f"{names if len(names) <= room else '…' + names[1 - room :]} ({identifier})", MAX_LABEL)


def mention(user: str) -> str:
    """Name a person by their Slack user id; Slack shows their name. No real id is as long as the limit."""
    return f"<@{fit(user, MAX_ID)}>"


def as_typed(text: str, most: int = MAX_NAME, keep_end: bool = False) -> str:
    """Show a name exactly: as code, in which Slack formats nothing, or in quotes where it holds a backtick."""
    shown = fit(text, most, keep_end)
    return f"“{shown}”" if "`" in text else f"`{shown}`"


def path(names: str) -> str:
    """Show a path of names; of a long one, the end that tells the group."""
    return as_typed(names, MAX_PATH, keep_end=True)


def code(text: str) -> str:
    """Show an id as code, so that it is easy to copy; "" stays empty."""
    return f"`{fit(text, MAX_ID)}`" if text else ""


def quote(text: str, most: int = MAX_QUOTE) -> str:
    """Show the provider's words as a quotation, each line marked; cut where they are too long for a message."""
    lines = [line for line in fit(text, most).splitlines() if line.strip()]
    return "\n".join(f"> {line}" for line in lines[:MAX_QUOTED_LINES])


def moment(seconds: float, link: str = "") -> str:
    """Show a time (in seconds since 1970) in the reader's own time zone, as a link if one is given."""
    shown = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(seconds)}^{{date_num}} {{time}}{f'^{link}' if link else ''}|{shown}>"


# How groups, people and outcomes are named.


def tell(language: Language, job: Job, step: Step) -> dict[str, str]:
    """Return how the outcome of a job's step is told, or that it is under way, by part; one without words is "".

    `name` is the group's, `under` what follows it where it is not a main group. `heading` is the outcome and the group,
    `root` the same in the channel; `mark` and `line` the result in a tree, `history` in the history. Below the heading
    stand `finding`, `next` (what to do; in a tree `below`), `explanation`, `choices` and `quoted`. `above` says why a
    group under this one was not created; `audit` is the line for the audit channel.
    """
    voice, outcome = voice_of(language), step.outcome
    over, facts = parent(voice, job, step), vars(outcome) if outcome else {}
    there = outcome.group_id if outcome else ""
    named = as_typed(step.parent.name, MOST_OF_NAME) if isinstance(step.parent, ParentName) else over
    address = link(voice, str(facts.get("channel", "")), str(facts.get("ts", "")))
    values = {
        "name": as_typed(step.name),
        "under": f" {say(voice, 'root.under', parent=over)}" if over else "",
        "parent": named,
        "parent_id": code(step.parent_id or "") or named or "“”",
        "id": code(there),
        "above": "" if step.above is None or there else tell(voice, job, job.steps[step.above])["above"],
        "again": say(voice, "button.rest" if len(job.steps) > 1 else "button.again"),
        "groups": _some(voice, (group(voice, key, names) for names, key in (outcome.told.choices if outcome else ()))),
        "found": _some(voice, map(code, facts.get("found") or ())),
        "code": facts.get("code", ""),
        "stored": as_typed(str(facts.get("stored", ""))),
        "user": person(voice, str(facts.get("user", ""))),
        "at": moment(facts.get("at", 0) // 60 * 60),  # so that a tree has few
        "age": max(1, round(facts.get("age", 0) / 60)),
        "thread": f" {say(voice, 'answer.thread', link=address)}" if address else "",
        "channels": ", ".join(f"<#{fit(channel, MAX_ID)}>" for channel in voice.channels),
        "who": f"{person(voice, job.user)} ({code(job.user)})" if voice.name(job.user) else mention(job.user),
        "job": job.id,
    }
    told = say_parts(voice, (*outcome.told.words, outcome.state, "outcome") if outcome else ("waiting",), **values)
    told |= {part: str(values[part]) for part in ("name", "under")}
    return defaultdict(str, {"root": told["heading"], "history": told["line"], **told})


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


def person(language: Language, user: str) -> str:
    """Name a person without ringing them; by a mention where their name is not at hand."""
    name = " ".join(voice_of(language).name(user).split())
    return fit(name, MOST_OF_NAME) if name else mention(user)


def link(language: Language, channel: str, ts: str) -> str:
    """Return the address of a message as a sentence takes it, "" where the workspace's is not known."""
    home = voice_of(language).workspace().rstrip("/")
    return escape(f"{home}/archives/{channel}/p{ts.replace('.', '')}") if home and channel and ts else ""


def mistake(language: Language, error: Unclear, plain: bool = False) -> str:
    """Return the sentence for what is unclear in a reading, with its line number if the text has several lines.

    `plain` is for an error at a field of the form, where Slack formats nothing.
    """
    say_it, show = (say_plain, "“{}”".format) if plain else (say, as_typed)
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
    told, several = tell(language, job, job.steps[0]), len(job.steps)
    if several == 1 or job.denied:
        return told[part]
    made, unclear, there = count or counted(job)
    first = [step for step in job.steps if step.above is None]
    alike = len({parent(language, job, step) for step in first}) == 1
    values = {"what": _tree(language, job), "made": made, "there": there, "count": several}
    values["under"] = told["under"] if alike else ""
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
    return say(language, f"via.{job.followup}", who=mention(job.user)) if job.followup else ""


def _tree(language: Language, job: Job) -> str:
    """Name the groups of a tree: the main one and how many are below it, or the first ones."""
    first = [as_typed(cut(step.name, MOST_OF_NAME)) for step in job.steps if step.above is None]
    left = len(job.steps) - 1
    if len(first) == 1:
        return say(language, "tree.below" if left > 1 else "tree.one", name=first[0], count=left)
    return _some(language, first, _NAMED_IN_ROOT, len(job.steps))


def _some(language: Language, named: Iterable[str], most: int = MOST_NAMED, of: int = 0) -> str:
    """Return what is named, at most so much of it, and how many more there are, in all or `of` so many."""
    every = list(named)
    shown = every[:most]
    more = max(len(every), of) - len(shown)
    return say(language, "answer.more", ids=", ".join(shown), count=more) if more else ", ".join(shown)
