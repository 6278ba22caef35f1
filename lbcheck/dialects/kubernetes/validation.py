"""placeholder"""

from __future__ import annotations


def judge(one):
    return []
