"""Messages about a job as Slack takes them, with the buttons to go on from there. Pure.

The outcome stands first, then the group's name, then the person: a phone shows the first words of `text`.
"""

import json
from collections.abc import Collection, Iterator
from itertools import groupby

from bot.model.job import Job, Step
from bot.model.next_job import Count, acted_on, choices, offers
from bot.model.outcome import FORCED, Duplicate, FollowUp, Skipped
from bot.slack import blocks, wording
from bot.slack.blocks import Line, Message, Typed, plain, with_text
from bot.slack.texts import Language, say
from bot.slack.wording import MAX_LABEL, MAX_QUOTE, MOST_OF_NAME, as_typed, cut, mention, quote, tell

VERSION = 1
"""Version of what buttons carry. A button of another version is answered with a sentence."""

LATE = 60.0
"""After how many seconds an answer mentions the person even if there is nothing to do: they look elsewhere by then."""

_MOST_SKIPPED = 10  # groups of a tree that have a line each
_SHORT = 300  # characters of a quotation, of which a tree may have several


def root(language: Language, job: Job, count: Count | None = None, *, edited: bool = False) -> Message:
    """Return the root message: what came of it or how far it is, and who asked for it.

    `count` is what became of its groups, where other jobs went on from it. It mentions the person where that rings
    nobody, as when an `edited` one shows the result, or where the answer does not.
    """
    rings = job.settled and (edited or not (_calls(job) or job.looked_for))
    told = wording.heading(language, job, count, "root")
    who, editor = (mention(user) if rings else wording.person(language, user) for user in (job.asker, job.user))
    if not rings and "<" in who + editor:  # a name is not at hand
        return plain(told)
    changed = job.followup is FollowUp.EDIT and job.user != job.asker
    return plain(say(language, f"root.{'changed' if changed else 'for'}", told=told, who=who, editor=editor))


def answer(language: Language, job: Job, remark: str = "", used: Collection[FollowUp] = ()) -> list[Message]:
    """Return the final answer to a settled job, for the thread under its root; with a `remark`, for one person alone.

    The last message has the remark and the buttons, without those that were `used`. It mentions the person where they
    have something to do, or waited long.
    """
    head = wording.heading(language, job)
    if (pressed := wording.via(language, job)) or (_calls(job) and not remark and not job.rootless):
        head = say(language, "answer.pressed", told=head, via=pressed or mention(job.user))
    elif job.rootless:
        head = say(language, "root.for", told=head, who=mention(job.asker))
    told = [tell(language, job, step) for step in job.steps]
    below = _of_tree(language, job, told) if len(job.steps) > 1 and not job.denied else _advice(language, told[0])
    lines = [Line(head), *below, *_evidence(language, job, told), *([Line(""), Line(remark)] if remark else [])]
    return blocks.messages(lines, list(_buttons(language, job, used)))


def private(language: Language, job: Job) -> list[Message]:
    """Return the final answer for where the bot may not post, with the remedy; a refused person gets none."""
    if job.refused:
        pressed = job.followup not in (None, FollowUp.EDIT)  # a button, which is still there
        return with_text(language, duplicate(language, job), None if pressed else Typed(job.typed, job.reply_to))
    return answer(language, job, "" if job.denied else say(language, "answer.private"))


def duplicate(language: Language, job: Job) -> Message:
    """Return why a job was not accepted, with the button that creates the group anyway."""
    step = next(step for step in job.steps if isinstance(step.outcome, Duplicate))
    told = tell(language, job, step)
    lines = [Line(told["heading"]), *_advice(language, told)]
    return blocks.messages(lines, [_button(language, FollowUp.ANOTHER, job, say(language, "button.another"))])[0]


def audit(language: Language, job: Job) -> list[Message]:
    """Return what the audit channel reads: what was created, or that somebody was refused; nothing for neither."""
    lines = dict.fromkeys(tell(language, job, step)["audit"] for step in job.steps)
    return blocks.messages(Line(line) for line in lines if line)


def _calls(job: Job) -> bool:
    """Tell whether an answer mentions the person: they have something to do, or it comes late.

    Where the bot looks again by itself, it is told later what came of that.
    """
    later = job.looked_for
    passed = all(
        step.position in later or isinstance(step.outcome, Skipped) or (step.outcome and step.outcome.group_id)
        for step in job.steps
    )
    return not job.denied and (not passed or (job.age > LATE and not later))


def _advice(language: Language, told: dict[str, str]) -> list[Line]:
    """Return what stands below the outcome of one group: what to do, and why."""
    todo = say(language, "answer.next", next=told["next"]) if told["next"] else ""
    return [Line(line) for line in (told["finding"], todo, told["explanation"], told["choices"]) if line]


def _of_tree(language: Language, job: Job, told: list[dict[str, str]]) -> list[Line]:
    """Return a line for each group of a tree, then what is to be known of those there, and to do about the others.

    Many that were skipped for the group above them share a line.
    """
    lines: list[Line] = []
    for skipped, run in groupby(zip(job.steps, told, strict=True), lambda each: isinstance(each[0].outcome, Skipped)):
        (step, each), *more = run
        if skipped and len(more) >= _MOST_SKIPPED:
            each, more = {**each, "name": say(language, "tree.skipped", count=len(more) + 1)}, []
        lines += [_group(language, job, *pair) for pair in ((step, each), *more)]
    known: dict[str, None] = {}
    advice: dict[str, list[str]] = {}
    for step, each in zip(job.steps, told, strict=True):
        if step.outcome and step.outcome.group_id:
            known[each["below"]] = None
        elif each["next"]:
            todo = each["below"] or " ".join(filter(None, (each["finding"], each["next"], each["choices"])))
            advice.setdefault(todo, []).append(as_typed(cut(step.name, MOST_OF_NAME)))
    for todo, names in advice.items():
        key = "answer.next" if len(advice) == 1 else "tree.why"
        known[say(language, key, names=", ".join(names[:3]), next=todo)] = None
    return [*lines, *(Line(line) for line in known if line)]


def _group(language: Language, job: Job, step: Step, told: dict[str, str]) -> Line:
    """Return the line of a group of a tree. Its text names the group above, its depth shows it."""
    depth, above = 0, step.above
    while above is not None:
        depth, above = depth + 1, job.steps[above].above
    named = told["name"] + told["under"]
    text, shown = (
        say(language, "tree.line", mark=told["mark"], name=name, result=told["line"])
        for name in (named, told["name"] if depth else named)
    )
    return blocks.item(text, shown, depth)


def _evidence(language: Language, job: Job, told: list[dict[str, str]]) -> list[Line]:
    """Return what the provider said, and the reference by which somebody can look the case up."""
    outcomes = [(step.outcome.told, each) for step, each in zip(job.steps, told, strict=True) if step.outcome]
    most = MAX_QUOTE if len(job.steps) == 1 else _SHORT
    said = [f"{each['quoted']}\n{quote(outcome.quoted, most)}".strip() for outcome, each in outcomes if each["quoted"]]
    traceable = any(outcome.traceable for outcome, _ in outcomes)
    reference = [say(language, "answer.reference", reference=job.id)] if traceable else []
    return [Line(line) for line in (*dict.fromkeys(said), *reference)]


def _buttons(language: Language, job: Job, used: Collection[FollowUp]) -> Iterator[Message]:
    for way in offers(job, used):
        if way is FollowUp.UNDER:
            for number, (path, identifier) in enumerate(choices(job), 1):
                chosen = _button(language, way, job, wording.choice(path, identifier), parent=identifier[:MAX_LABEL])
                yield {**chosen, "action_id": f"{way}_{number}"}
        else:
            label = say(language, f"button.{'rest' if way is FollowUp.AGAIN and len(job.steps) > 1 else way}")
            yield _button(language, way, job, label)


def _button(language: Language, action: FollowUp, job: Job, label: str, **value: str) -> Message:
    """Return a button. Its value names the job; a dialog asks before it does something risky.

    A screen reader also hears which groups it is about, because a thread may have the same button several times.
    """
    names = ", ".join(acted_on(job, action))
    button = blocks.button(action.value, label, json.dumps({"v": VERSION, "job": job.id, **value}))
    button["accessibility_label"] = cut(say(language, "answer.button", button=label, name=names), MAX_LABEL)
    if action is FollowUp.CONFIRM:
        button["style"] = "primary"
    if action in FORCED:
        asked = {"title": label, "text": say(language, f"confirm.{action}")}
        asked |= {"confirm": say(language, "confirm.yes"), "deny": say(language, "confirm.no")}
        asks = {part: {"type": "plain_text", "text": text} for part, text in asked.items()}
        button["confirm"] = {**asks, "style": "danger"}
    return button
