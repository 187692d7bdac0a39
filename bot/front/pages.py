"""What one person asks to see: the help, the Home tab, the history and the list. Pure; the sentences are in texts/."""

import json
from collections.abc import Sequence
from itertools import accumulate

from bot.iletimerkezi.groups import Choice
from bot.model.job import Job
from bot.model.names import BETWEEN
from bot.model.outcome import FollowUp, Unknown
from bot.slack import wording
from bot.slack.blocks import MAX_TEXT, MAX_VALUE, Message, button, plain, section
from bot.slack.texts import LANGUAGES, Language, Voice, say
from bot.slack.wording import as_typed, code, cut, escape, moment, path

SWITCH_LANGUAGE, SHOW_MORE, NEW_GROUP = "language", "more", "new"
"""The action_ids of the buttons under the help and the list, and on the Home tab."""

PAGE = 30
"""How many groups a page of the list has at most."""

MOST_JOBS = 10
"""How many jobs the history shows, and how many that nobody has settled above them."""

LOOKED_AT = 60
"""How many of the last jobs are looked at for them."""

_MAX_TYPED = 100  # characters of a search that the list's heading repeats


def help_page(language: Language, groups: Sequence[Choice], docs_url: str = "") -> Message:
    """Return the usage of the command, with examples from the account's own groups where they are known.

    `docs_url` is where people find the folder docs/, "" for nowhere: the help links the page in their language.
    """
    names, identifier = _example(language, groups)
    under = [say(language, "help.by_name", parent=names)]
    under += [say(language, "help.by_id", id=identifier)] if identifier else []
    text = say(language, "help.text", under="\n".join(under))
    if docs_url:
        text = f"{text}\n{say(language, 'help.page', docs=escape(docs_url))}"
    other = next(each for each in LANGUAGES if say(each, "help.switch") != say(language, "help.switch"))
    return _page(text, button(SWITCH_LANGUAGE, say(language, "help.switch"), other))


def home(language: Voice, groups: Sequence[Choice]) -> Message:
    """Return the Home tab: what the bot does, the form or where to type, examples, and who helps.

    Source: https://docs.slack.dev/surfaces/app-home
    """
    channels = ", ".join(f"<#{channel}>" for channel in language.channels)
    new = {**button(NEW_GROUP, say(language, "home.new"), "-"), "style": "primary"}
    begin = [section(say(language, "home.begin")), {"type": "actions", "elements": [new]}]
    if channels:
        begin = [section(say(language, "home.channels", channels=channels))]
    names, _ = _example(language, groups)
    parts = say(language, "home.about"), say(language, "home.examples", parent=names), say(language, "home.contact")
    about, examples, contact = map(section, parts)
    return {"type": "home", "blocks": [about, *begin, examples, contact]}


def _example(language: Language, groups: Sequence[Choice]) -> tuple[str, str]:
    """Return the name and the id of a main group of the account, as examples show them; without an id, a usual name."""
    names, identifier = next((each for each in groups if BETWEEN not in each.path), (say(language, "help.example"), ""))
    return escape(cut(names, 40).replace("`", "'")), escape(cut(identifier, 40))


def history_page(language: Language, jobs: Sequence[Job]) -> Message:
    """Return the last jobs: when, who, what, what came of it; the time links to the thread.

    Those come first that have an unknown outcome which nobody has settled. `jobs` has the newest first, and so has each
    list; of the jobs that tried the same again, the last one is shown.
    """
    if not jobs:
        return plain(say(language, "history.none"))
    unsettled = _unsettled(jobs)
    last = {_wanted(job): job.id for job in reversed([*unsettled, *jobs])}
    above = [job for job in unsettled if last.pop(_wanted(job), "") == job.id][:MOST_JOBS]
    below = [job for job in jobs if last.get(_wanted(job)) == job.id][:MOST_JOBS]
    parts = [("history.unsettled", above), ("history.heading", below)]
    lines = [[say(language, key), *(_job(language, job) for job in part)] for key, part in parts if part]
    return plain("\n".join(line for part in lines for line in part))


def list_page(language: Language, choices: Sequence[Choice], text: str = "", offset: int = 0) -> Message:
    """Return a page of groups in the tree's order, from the one at `offset` on, and the button for the next page.

    `text` is what was searched for, "" for all groups. The button's value has `text` and the next `offset`.
    """
    typed = as_typed(cut(text, _MAX_TYPED))
    if not choices:
        return plain(say(language, "list.none_found", text=typed) if text else say(language, "list.none"))
    heading = say(language, "list.found", text=typed) if text else say(language, "list.heading")
    page = choices[offset : offset + PAGE]
    lines = ["• " + say(language, "list.line", name=path(each.path), id=code(each.id)) for each in page]
    room = MAX_TEXT - len(heading) - 100  # for what is shown of how many
    lines = lines[: sum(length <= room for length in accumulate(len(line) + 1 for line in lines))]
    end = offset + len(lines)
    shown = say(language, "list.shown", first=offset + 1, last=end, count=len(choices))
    value = json.dumps({"text": text, "offset": end}, ensure_ascii=False)
    more = button(SHOW_MORE, say(language, "list.more"), value)
    return _page("\n".join([heading, *lines, shown]), more if end < len(choices) and len(value) <= MAX_VALUE else None)


def _page(text: str, below: Message | None) -> Message:
    message = plain(text)
    return {**message, "blocks": [section(text), {"type": "actions", "elements": [below]}]} if below else message


def _unsettled(jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs with an unknown outcome after which no job settled what was first asked for."""
    unsettled, settled = list[Job](), set[str]()
    for job in jobs:
        if job.origin not in settled and any(step.state == Unknown.state for step in job.steps):
            unsettled.append(job)
        if job.followup in (FollowUp.LOOK, FollowUp.CONFIRM, FollowUp.ANYWAY) and not (job.denied or job.refused):
            settled.add(job.origin)
    return unsettled


def _wanted(job: Job) -> tuple[str, ...]:
    """Return what the jobs have in common that tried the same again, and only they."""
    return job.origin, *(step.name for step in job.steps)


def _job(language: Language, job: Job) -> str:
    address = wording.link(language, job.thread.channel, job.thread.ts) if job.thread else ""
    what = wording.heading(language, job)
    if len(job.steps) == 1 or job.denied:
        step = job.steps[0]
        told = wording.tell(language, job, step)
        name = as_typed(cut(step.name, 80)) + told["under"]
        what = say(language, "tree.line", mark=told["mark"], name=name, result=told["history"])
    return f"• {moment(job.accepted_at, address)} · {wording.person(language, job.user)} · {what}"
