"""The worker as a process of its own, which `serve` starts: standard input is its end of the socket pair."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading

from bot import __version__, log, settings
from bot.journal.errors import JournalError
from bot.journal.wakeup import Wakeup
from bot.log import event
from bot.metrics import FOLDER, PARTS, metrics
from bot.worker.worker import Worker


def main(seconds: float) -> int:
    """Carry jobs until SIGTERM, or until the front is gone; what is under way then may take so many seconds more.

    Returns the exit status: 0, or 1 when the journal could not be used at the start.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # in every thread: kept for sigwait below
    chosen = settings.read(os.environ)
    log.configure(chosen.log_level, chosen.log_format, settings.secrets_in(os.environ))
    if chosen.metrics_port:
        _count(os.environ.get(FOLDER, ""))
    wakeup = Wakeup(socket.socket(fileno=os.dup(0)))
    worker = Worker(chosen, wakeup)
    try:
        worker.start()
    except JournalError as error:
        event("worker_not_started", level=logging.ERROR, reason=str(error))
        return 1
    event("started", part="worker", pid=os.getpid(), version=__version__)
    threading.Thread(target=_stop_with_the_front, args=(wakeup,), name="wakeup", daemon=True).start()
    signal.sigwait({signal.SIGTERM})
    worker.stop(seconds)
    event("stopped", part="worker")
    return 0


def _count(folder: str) -> None:
    try:
        metrics.start(folder, PARTS[1])
    except OSError as error:  # the front's folder is gone; that keeps nobody from working
        event("metrics_not_counted", level=logging.WARNING, reason=error.strerror)


def _stop_with_the_front(wakeup: Wakeup) -> None:
    wakeup.listen()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
