"""What leaves the program about an error: no address or number of a person, no local variable."""

import re
from typing import Any

# Bounded, so that a long text without an address takes no longer than its length.
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
# French and international numbers of ten figures and more, as people write them.
_TELEPHONE = re.compile(r"(?<![\w.,/-])(?:\+\d{2}|0)[ .]?\d(?:[ .]?\d{2}){4}(?![\w/-]|[.,]\w)")


def hide_people(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor: what looks like a person's address or number is blanked."""
    return {key: _hidden(value) for key, value in event.items()}


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return _TELEPHONE.sub("‹tél.›", _ADDRESS.sub("‹e-mail›", value))
    if isinstance(value, dict):
        return {key: _hidden(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value]
    return value


def watch_with_sentry(dsn: str) -> None:
    """Send errors to Sentry, without what they are about; nothing without a DSN."""
    if not dsn:
        return
    import sentry_sdk  # only where it is wanted

    sentry_sdk.init(
        dsn=dsn,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        before_send=lambda event, _hint: _hidden(event),
        traces_sample_rate=0.0,
    )
