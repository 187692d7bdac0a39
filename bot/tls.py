"""TLS contexts that are made once: to read all the authorities for each connection costs most of a call's CPU."""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path

from urllib3.util.ssl_ import ALPN_PROTOCOLS, create_urllib3_context


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
