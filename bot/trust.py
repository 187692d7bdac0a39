"""The certificate authorities that every outgoing TLS connection trusts."""

from __future__ import annotations

import os
import ssl
from functools import cache

import certifi


@cache
def context() -> ssl.SSLContext:
    """Return the one TLS context of this process: it trusts the authorities in SSL_CERT_FILE, else certifi's.

    It is made once, because reading the authorities takes about 30 ms of CPU. Raises OSError when the file is missing
    or holds no certificate.
    """
    return ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or certifi.where())
