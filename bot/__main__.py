"""The command line: `python -m bot serve`, `console`, `check`, `history`, `manifest`."""

import argparse
import io
import logging
import os
import signal
import sys
from collections.abc import Sequence

from bot import log, network, settings
from bot.journal import JournalError, WrongJournal
from bot.log import event


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0 done, 1 failed, 2 wrong usage or settings."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without Turkish letters is no reason to fail
    options = _parser().parse_args(arguments)
    try:
        status = _run(options)
        sys.stdout.flush()
        return status
    except settings.SettingsError as error:
        log.say("The settings do not allow this yet:", *(f"  - {problem}" for problem in error.problems))
        log.say("Set them in the environment or in a file .env here; docs/settings.md explains each.")
        return 2
    except JournalError as error:
        log.say(f"The journal cannot be used: {error}", "Look at DATABASE_URL, and whether the database runs.")
        return 2 if isinstance(error, WrongJournal) else 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:  # the reader has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="The /addgroup bot.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("serve", help="serve Slack: over HTTP, or Socket Mode when SLACK_APP_TOKEN is set")
    console = commands.add_parser("console", help="try /addgroup in this terminal, without Slack")
    console.add_argument("text", nargs="?", metavar="TEXT", help="one command's text, such as 'Customers parent=5'")
    console.add_argument("--live", action="store_true", help="use the real group API: creates real groups")
    console.add_argument("--stay", action="store_true", help="on a terminal, keep the prompt open after TEXT")
    commands.add_parser("check", help="check every part that the bot needs, and say how to fix it")
    history = commands.add_parser("history", help="print who asked for what and how it ended, newest first")
    history.add_argument("--since", metavar="WHEN", help="a date (2026-11-23), a time, or how long ago (7d, 24h)")
    history.add_argument("--user", metavar="ID", help="only this person's commands; a Slack user id such as U0123ABCD")
    history.add_argument("--limit", type=int, default=50, metavar="N", help="at most N commands, 0 for all (50)")
    history.add_argument("--json", action="store_true", help="one JSON object a line, in UTF-8")
    history.add_argument("--forget-before", metavar="WHEN", help="delete what was finished before then; say how many")
    manifest = commands.add_parser("manifest", help="print the Slack app's manifest")
    manifest.add_argument("--url", default="", help="the bot's public address, for HTTP; without it, for Socket Mode")
    manifest.add_argument("--language", choices=("en", "tr"), default="en", help="the language of the app's own names")
    return parser


def _run(options: argparse.Namespace) -> int:
    """Run the command that was chosen; each imports only what it needs."""
    if options.command == "serve":
        return _serve()
    if options.command == "console":
        from bot.sandbox import console

        return console.run(options.text, _environment() if options.live else None, stay=options.stay)
    if options.command == "check":
        from bot.admin import check

        logging.disable()  # the check itself says what Slack's library would say of a failed call
        return check.run(_environment(), sys.stdout)
    if options.command == "history":
        from bot.admin import history

        return history.run(options)
    from bot.admin import manifest

    return manifest.run(options.url, options.language)


def _serve() -> int:
    from bot.serve import Serve

    log.configure(form=os.environ.get("LOG_FORMAT", ""))  # also for what is wrong with the settings
    environ = _environment()
    log.configure(form=environ.get("LOG_FORMAT", ""), secrets=settings.secrets_in(environ))
    chosen = settings.read(environ)
    if faults := network.problems(chosen.slack_api_url, chosen.api_url):
        raise settings.SettingsError(faults)
    log.configure(chosen.log_level, chosen.log_format, settings.secrets_in(environ))
    for name, nearest in settings.unknown(environ).items():
        event("unknown_setting", level=logging.WARNING, variable=name, nearest=nearest or None)
    return Serve(chosen, environ).run()


def _environment() -> dict[str, str]:
    """Return the variables, and put those of `.env` that libraries read by themselves where they look for them."""
    environ = settings.environment()
    for name in (*settings.PROXIES, "NO_PROXY", "no_proxy", "SSL_CERT_FILE"):
        if name in environ:
            os.environ.setdefault(name, environ[name])
    return environ


if __name__ == "__main__":
    sys.exit(main())
