"""The numbers on the pages against the code's constants."""

import pytest

from bot import serve
from bot.front import form, socket_mode
from bot.journal import accepting, database, holding, tables
from bot.model.lines import MAX_GROUPS
from bot.model.names import MAX_NAME
from bot.slack import people
from bot.worker import create_groups, run_job, worker
from tests.support.pages import PAGES

WORDS: dict[float, str] = {2: "two", 3: "three", 8: "eight", 5: "five", 10: "ten", 60: "a minute", 3600: "an hour"}


@pytest.mark.parametrize(
    ("page", "sentence", "number"),
    [
        ("docs/operate.md", "shows a sign of life every {} seconds", holding.EVERY),
        ("docs/operate.md", "is unchanged for {} seconds, another takes over", holding.TAKE_OVER),
        ("docs/operate.md", "jobs under way {} seconds to finish", serve.STOP),
        ("docs/night.md", "its threads have not turned for {} seconds", worker.STANDSTILL),
        ("CONTRIBUTING.md", "looks as make {} seconds (30", holding.TAKE_OVER),
        ("CONTRIBUTING.md", "({} for a process of 0.2.0)", holding.LEASE),
        ("CONTRIBUTING.md", "up to {} seconds for Slack to open a form", form.OPENED),
        ("docs/operate.md", "opens up to {} connections", database.CONNECTIONS),
        ("docs/operate.md", "exits with 0 within {} seconds", serve.END + 0.5),
        ("docs/operate.md", "connection stays lost for {} (", socket_mode.LOST_AFTER),
        ("docs/settings.md", "about a person for {} and", people.KEPT),
        ("docs/settings.md", "about a user group for {} minutes", people.MEMBERS_KEPT / 60),
        ("docs/settings.md", "above {} a stop may cut a call off", serve.STOP),
        ("docs/promises.md", "With {:,} open commands", accepting.MOST_OPEN),
        ("docs/promises.md", "or {:,} of one person", accepting.MOST_OPEN_EACH),
        ("docs/promises.md", "waited for more than {} is not sent", run_job.TOO_OLD),
        ("docs/promises.md", "it looks {} seconds after", create_groups.LOOK_UP_AFTER),
        ("docs/upgrade.md", "of 0.3.0 (schema {})", tables.VERSION),
        ("docs/using.md", "up to {} lines", MAX_GROUPS),
        ("docs/using.md", "up to {} characters", MAX_NAME),
        ("docs/kullanim.md", "en fazla {} satır", MAX_GROUPS),
        ("docs/kullanim.md", "en fazla {} karakter", MAX_NAME),
    ],
)
def test_a_page_has_the_number_of_the_code(page: str, sentence: str, number: float) -> None:
    """A constant and the sentence that names it change together."""
    words = " ".join(PAGES[page].split())
    figure = int(number) if number == int(number) else number
    spelled = WORDS.get(figure, "") if ":," not in sentence else ""
    assert any(sentence.format(each) in words for each in (figure, spelled) if each)
