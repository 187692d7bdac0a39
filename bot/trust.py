"""The certificate authorities that every outgoing TLS connection trusts."""

from __future__ import annotations

import os
import ssl
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
    return _trusting(file, (found.st_mtime_ns, found.st_size, found.st_ino))


@lru_cache(maxsize=1)
def _trusting(file: str, _version: tuple[int, ...]) -> ssl.SSLContext:
    made = _Shared(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(file)
    return made


class _Shared(ssl.SSLContext):
    """A context that many threads use at once.

    urllib3 sets the protocols again for each connection, while OpenSSL may be copying them for another thread's; so
    only the first call counts. Everything here speaks HTTP/1.1.
    """

    _protocols_set = False

    def set_alpn_protocols(self, alpn_protocols: object) -> None:  # noqa: ARG002
        if not self._protocols_set:
            self._protocols_set = True
            super().set_alpn_protocols(["http/1.1"])
