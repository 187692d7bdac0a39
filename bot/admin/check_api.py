"""The self-check of the provider's side: the credentials, and each method of the API that the bot calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.admin.finding import OK, WARNING, WRONG, Finding, chosen_from, shown, skipped
from bot.iletimerkezi.client import ApiError, Client, NotSent, Rejected
from bot.settings import Settings

NO_PARENT = "-1"
"""The id of no group, so that a group asked for under it cannot be made."""

_API = tuple(f"ILETIMERKEZI_{name}" for name in ("API_KEY", "API_HASH", "API_SECRET", "API_URL", "TIMEOUT"))

_REPRESENTATIVE = "Ask your iletiMerkezi customer representative to switch {} on for the account."
_API_REMEDIES: dict[int | str, str] = {
    401: "(1) In the panel, Settings > Security > Access Permissions, switch 'Allow API access' on: the commonest "
    "cause. (2) Copy the API key and the hash again from Settings > Security > API Access, both from there. "
    "(3) If the account has a fixed IP address, call from it.",
    402: "Top up the account's balance.",
    404: "Set ILETIMERKEZI_API_URL to the API's address, or remove it to use the default.",
    503: "The provider is out of service for the moment: try again later.",
    "tls": "Fix the certificate at ILETIMERKEZI_API_URL, or this machine's own certificates and clock.",
    "proxy": "Fix the proxy that HTTPS_PROXY names, or remove it.",
    "timeout": "Try again later, or raise ILETIMERKEZI_TIMEOUT.",
    "server_error": "The provider has an error of its own: try again later, and if it stays so, ask its support.",
    "not sent": "Correct ILETIMERKEZI_API_URL, and let this machine call it over HTTPS (firewall, HTTPS_PROXY).",
    "other": "See that ILETIMERKEZI_API_URL is the API's address and nothing else answers there; "
    "then ask the provider's support, with the code.",
}


def check(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Try the credentials, then get-groups, and add-group in a way that makes no group."""
    credentials, groups, add = "iletiMerkezi credentials", "get-groups", "add-group"
    chosen = chosen_from(environ, _API, api=True)
    if chosen is None:
        yield from skipped("its settings are missing or wrong", credentials, groups, add)
        return
    client = Client(chosen.api_url, chosen.api_key, chosen.api_hash, chosen.api_timeout)
    try:
        client.get_balance()
    except ApiError as error:
        yield Finding(WRONG, credentials, _said(error, chosen), _api_remedy(error))
        yield from skipped("the API does not let the bot in", groups, add)
        return
    yield Finding(OK, credentials, "accepted")
    yield _get_groups(client, chosen)
    yield _add_group(client, chosen)


def _get_groups(client: Client, chosen: Settings) -> Finding:
    try:
        count = len(client.get_groups())
    except ApiError as error:
        lost = "parents cannot be given by name or suggested, and lost answers cannot be looked up"
        text = f"{_said(error, chosen)}; groups can still be made, but {lost}"
        return Finding(WARNING, "get-groups", text, _REPRESENTATIVE.format("get-groups"))
    return Finding(OK, "get-groups", f"answers; groups in the account: {count}")


def _add_group(client: Client, chosen: Settings) -> Finding:
    """Ask for a group that is refused on two documented grounds, 461 and 463, so that none can be created."""
    try:
        group = client.add_group("", NO_PARENT)
    except Rejected as error:
        if error.code in (422, 461, 463):
            return Finding(OK, "add-group", f"answers; refused a group without a name ({error.code}), as it should")
        absent = error.code in (401, 404)
        remedy = _REPRESENTATIVE.format("add-group") if absent else _api_remedy(error)
        return Finding(WRONG, "add-group", _said(error, chosen), remedy)
    except ApiError as error:
        return Finding(WRONG, "add-group", _said(error, chosen), _api_remedy(error))
    remedy = f"Remove the group {group.id} in the panel, and tell the provider."
    return Finding(WRONG, "add-group", "made a group without a name, which its documentation excludes", remedy)


def _said(error: ApiError, chosen: Settings) -> str:
    if isinstance(error, Rejected):
        text = f"refused with code {error.code}: {error.message}"
        return shown(text, chosen.api_key, chosen.api_hash)
    return f"{'cannot be reached' if isinstance(error, NotSent) else 'gave no usable answer'}: {error}"


def _api_remedy(error: ApiError) -> str:
    key = error.code if isinstance(error, Rejected) else str(error)
    return _API_REMEDIES.get(key) or _API_REMEDIES["not sent" if isinstance(error, NotSent) else "other"]
