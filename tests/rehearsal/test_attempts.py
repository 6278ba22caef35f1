"""Who tried to connect, and when: also where nobody looked at that moment."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest

from lbcheck.rehearsal.play.attempts import Attempts


@pytest.mark.parametrize("listening", [True, False])
def test_an_attempt_is_when_it_was_made(listening):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if not listening:
            server.close()
        try:
            attempts = Attempts("127.0.0.1", port, "lo")
        except PermissionError:
            pytest.skip("only root may look")
        with contextlib.closing(attempts):
            time.sleep(0.5)  # the kernel begins to note times a little later: net_enable_timestamp() asks a worker
            made = time.monotonic()
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 1):
                pass
            time.sleep(0.5)
            assert attempts.times() == [pytest.approx(made, abs=0.2)]
