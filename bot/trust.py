"""The certificate authorities that every outgoing TLS connection trusts."""

from __future__ import annotations

import os
import ssl
import threading
from functools import lru_cache
from pathlib import Path

import certifi


def context() -> ssl.SSLContext:
    """Return the TLS context that all connections share: it trusts the authorities in SSL_CERT_FILE, else certifi's.

    It is made once, because reading the authorities takes about 30 ms of CPU, and again when the file has changed.
    Raises OSError when the file is missing or holds no certificate.
    """
    file = os.environ.get("SSL_CERT_FILE") or certifi.where()
    found = Path(file).stat()
    with _making:
        return _trusting(file, (found.st_mtime_ns, found.st_size, found.st_ino))


_making = threading.Lock()


@lru_cache(maxsize=1)
def _trusting(file: str, _version: tuple[int, ...]) -> ssl.SSLContext:
    made = _Shared(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(file)
    ssl.SSLContext.set_alpn_protocols(made, ["http/1.1"])
    return made


class _Shared(ssl.SSLContext):
    """A context that many threads use at once, so its protocols are set once, when it is made."""

    def set_alpn_protocols(self, alpn_protocols: object) -> None:
        """Do nothing: urllib3 calls this for each connection, while OpenSSL may be copying them for another thread."""
