"""TLS contexts that are made once: to read all the authorities for each connection costs most of a call's CPU."""

from __future__ import annotations

import ssl
import urllib.request
from functools import cache, lru_cache
from pathlib import Path

from urllib3.util.ssl_ import ALPN_PROTOCOLS, create_urllib3_context


@cache
def of_machine() -> ssl.SSLContext:
    """Return a context for HTTP/1.1 that trusts whom the machine trusts, or who is in SSL_CERT_FILE.

    It is like the one that http.client makes for each connection. What is changed there is seen at the next start.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


@cache
def open_urls() -> None:
    """Have urllib open this process's https URLs with that context.

    Handed to urlopen for each URL, it would make urllib build all its handlers anew, which costs a third of a call.
    """
    handler = urllib.request.HTTPSHandler(context=of_machine())
    urllib.request.install_opener(urllib.request.build_opener(handler))


def trusting(bundle: str) -> ssl.SSLContext:
    """Return urllib3's context that trusts who is in this file, which is read anew once it has changed.

    Raises OSError when it is not there, and ssl.SSLError when it cannot be read or holds no certificates.
    """
    found = Path(bundle).stat()
    return _trusting(bundle, (found.st_mtime_ns, found.st_size, found.st_ino))


@lru_cache(maxsize=4)
def _trusting(bundle: str, _changed: tuple[int, ...]) -> ssl.SSLContext:
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    try:
        context.load_verify_locations(bundle)
    except OSError as error:
        raise ssl.SSLError(str(error)) from error
    context.set_alpn_protocols(ALPN_PROTOCOLS)
    # urllib3 sets this again for each connection, while OpenSSL may be copying it for another thread's.
    context.set_alpn_protocols = _set_already  # type: ignore[assignment]
    return context


def _set_already(_protocols: object) -> None:
    """Leave what is negotiated as it is."""
