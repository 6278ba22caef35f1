"""The checks of a change (group V), by rule code: what two versions say together that neither says alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks import changed_servers, changed_shares

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lbcheck.changes.outcome import ConfigChange
    from lbcheck.context import Context
    from lbcheck.findings import Hit

    ChangeCheck = Callable[[ConfigChange, Context], Iterable[Hit]]

CHANGE_CHECKS: dict[str, ChangeCheck] = {
    "V01": changed_servers.pool_lost_servers,
    "V02": changed_servers.pool_became_empty,
    "V03": changed_shares.hash_keys_move,
    "V04": changed_shares.server_share_grew,
}
