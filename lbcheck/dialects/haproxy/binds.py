"""`bind` lines, and the addresses in a section's head, into listeners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.haproxy.addresses import bind_addresses
from lbcheck.dialects.haproxy.options import bind_options
from lbcheck.model import Listener, Setting

if TYPE_CHECKING:
    from lbcheck.dialects.haproxy.resolve import Proxy
    from lbcheck.dialects.haproxy.tree import Line


def listeners(proxy: Proxy) -> list[Listener]:
    """Return every address on which a frontend or listen accepts connections."""
    return [listener for line in proxy.lines("bind") for listener in line_listeners(line)]


def line_listeners(line: Line, first: int = 1) -> list[Listener]:
    """Return the listeners of one `bind` (or `stats socket`, whose address stands at `first`)."""
    options = bind_options(line, first + 1)
    settings: dict[str, Setting[Any]] = {
        keyword: Setting(option.value or True, option.span) for keyword, option in options.items()
    }
    return [
        Listener(address, line.span, transport=transport, tls="ssl" in options, port_end=port_end, options=settings)
        for address, port_end, transport in bind_addresses(line.word(first), opaque=first in line.opaque)
    ]
