"""Servers and pools whose places are lines of one text, for checks that read names and comments beside them."""

from __future__ import annotations

from checks.build import address, written

from lbcheck.model import BACKUP, PRIMARY, Algorithm, Pool, Server, Setting
from lbcheck.text import Source


class Text:
    """A text that grows by a line for each server, so that comments stand where a reader would see them."""

    def __init__(self, path="test.cfg"):
        self.source = Source(path, "")

    def line(self, words, comment=""):
        start = len(self.source.text)
        self.source.text += f"{words} {comment}".rstrip() + "\n"
        return self.source.span(start, start + len(words))

    def server(self, where, weight=None, *, name=None, backup=False, down=False, comment="", capacity=None, **fields):
        """One server; weight None is not written. `name` is the address unless told."""
        words = f"server {where}" if weight is None else f"server {where} weight={weight}"
        place = self.line(words, comment)
        value = Setting(1)
        if weight is not None:
            value = Setting(weight, self.source.span(place.end - len(str(weight)), place.end))
        return Server(
            name or where,
            address(where),
            place,
            value,
            BACKUP if backup else PRIMARY,
            disabled=written(True) if down else None,
            capacity=None if capacity is None else written(float(capacity)),
            **fields,
        )

    def pool(self, name, *members, algorithm="round_robin", comment="", **fields):
        """A pool of `members`: Server, or weights for servers at 10.0.0.1:8080, 10.0.0.2:8080, …"""
        place = self.line(f"upstream {name}", comment)
        servers = [
            member if isinstance(member, Server) else self.server(f"10.0.0.{number}:8080", member)
            for number, member in enumerate(members, 1)
        ]
        chosen = algorithm if isinstance(algorithm, Algorithm) else Algorithm(algorithm, self.line(algorithm))
        return Pool(name, place, servers, chosen, **fields)
