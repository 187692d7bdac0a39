"""The proxy through which an address is reached, for every outgoing connection."""

from __future__ import annotations

import base64
import os
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from requests.utils import get_environ_proxies, select_proxy
from urllib3.util import Url


def proxy_of(url: str) -> str:
    """Return the address of the proxy for an http, https, ws or wss URL, "" where there is none.

    HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY count as they do for requests, which looks through the whole
    environment for them: so it is asked once a host, and again when they change. A proxy without a scheme, such as
    user:password@host:port, is an HTTP proxy. Raises ValueError when the URL is none.
    """
    parts = urlsplit(url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return _proxy(f"{scheme}://{parts.netloc}", tuple(os.environ.get(name) for name in _VARIABLES))


def authorization(proxy: Url) -> dict[str, str]:
    """Return the header with the user and password in a proxy's address, which only the proxy may see."""
    if not proxy.auth:
        return {}
    user, _, password = proxy.auth.partition(":")
    pair = f"{unquote(user)}:{unquote(password)}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}


_VARIABLES = tuple(
    name for kind in ("https", "http", "all", "no") for name in (f"{kind}_proxy", f"{kind}_proxy".upper())
)


@lru_cache(maxsize=64)
def _proxy(origin: str, _variables: tuple[str | None, ...]) -> str:
    proxy = select_proxy(origin, get_environ_proxies(origin)) or ""
    return proxy if "://" in proxy or not proxy else f"http://{proxy}"
