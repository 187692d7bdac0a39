"""What sends commands, in a process of its own: prints as JSON what each took, in ms, and all of them, in seconds."""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

from slack_sdk.signature import SignatureVerifier

from tests.benchmarks.apps import SECRET


def signed(name: str) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a command."""
    form = {
        "command": "/addgroup",
        "text": name,
        "user_id": f"U{zlib.crc32(name.encode()) % 50}",  # one person may not have so many commands open
        "channel_id": "C1",
        "team_id": "T1",
        "trigger_id": f"t-{name}",
        "response_url": "http://127.0.0.1:9/response",
    }
    body, timestamp = urlencode(form).encode(), str(int(time.time()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=timestamp, body=body) or ""
    return body, {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature,
    }


def main(url: str, connections: int, each: int, label: str) -> None:
    """Send `each` commands over each of so many kept connections, the next one when the last was acknowledged."""
    parts = urlsplit(url)
    barrier = threading.Barrier(connections + 1)

    def one(number: int) -> list[float]:
        connection, took = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30), []
        prepared = [signed(f"{label}-{number}-{index}") for index in range(each)]
        barrier.wait()
        for body, headers in prepared:
            begun = time.perf_counter()
            connection.request("POST", "/slack/events", body, headers)
            answer = connection.getresponse()
            said = answer.read()
            took.append(1000 * (time.perf_counter() - begun))
            if answer.status != 200 or said:
                raise RuntimeError(f"HTTP {answer.status}: {said!r}")
        connection.close()
        return took

    with ThreadPoolExecutor(connections) as pool:
        futures = [pool.submit(one, number) for number in range(connections)]
        barrier.wait()
        begun = time.perf_counter()
        took = [value for future in futures for value in future.result()]
        sys.stdout.write(json.dumps([took, time.perf_counter() - begun]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
