"""Names to addresses, by a map or by this machine's resolver."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from typing import TYPE_CHECKING, Any

from lbcheck.live.failure import FailedError
from lbcheck.live.outcome import DNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: So many names are asked for at a time.
_THREADS = 32
_ADVICE = "correct the name, or say its address: --resolve NAME:ADDRESS, or [hosts] in lbcheck.toml"


class Names:
    """What host names mean: first by the map, then by the resolver, each name asked for once.

    A system's lookup cannot be called off, so each has a thread of its own that nobody waits for at the end.
    """

    def __init__(self, hosts: Mapping[str, Sequence[str]], timeout: float) -> None:
        self._hosts = {name.lower().rstrip("."): tuple(found) for name, found in hosts.items()}
        self._timeout = timeout
        self._asked: dict[str, asyncio.Task[tuple[str, ...]]] = {}
        self._free = asyncio.Semaphore(_THREADS)

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Return the addresses of a name, in the resolver's order. Raises FailedError where it has none."""
        if literal(host):
            return (host,)
        name = host.lower().rstrip(".")
        if name in self._hosts:
            return self._hosts[name]
        if name not in self._asked:
            self._asked[name] = asyncio.create_task(self._ask(host))
        return await asyncio.shield(self._asked[name])

    async def _ask(self, host: str) -> tuple[str, ...]:
        async with self._free:
            answer = asyncio.get_running_loop().create_future()
            threading.Thread(target=_look_up, args=(host, answer), daemon=True).start()
            try:
                async with asyncio.timeout(self._timeout):
                    found = await answer
            except TimeoutError:
                reason = f"the resolver gives no answer about {host} within {self._timeout:g} s"
                raise FailedError(DNS, reason, _ADVICE) from None
            except (OSError, ValueError) as error:
                raise FailedError(DNS, _why(host, error), _ADVICE) from None
        return tuple(dict.fromkeys(str(item[4][0]) for item in found))


def _look_up(host: str, answer: asyncio.Future[Any]) -> None:
    """Ask the system, and bring the answer to the loop if that is still there."""

    def bring(found: Any, error: Exception | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(found)
        else:
            answer.set_exception(error)

    found, failed = None, None
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except (OSError, ValueError) as error:  # ValueError: a name that cannot be one
        failed = error
    loop = answer.get_loop()
    if not loop.is_closed():
        try:
            loop.call_soon_threadsafe(bring, found, failed)
        except RuntimeError:  # closed in between: nobody waits any more
            return


def _why(host: str, error: Exception) -> str:
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
        return f"the resolver cannot say now whether {host} exists"
    return f"no address is known for {host}"


def literal(host: str) -> bool:
    """Say whether a host is an address that needs no looking up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
