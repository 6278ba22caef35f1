"""One piece of work spread over processes."""

from __future__ import annotations

import os
import signal

import pytest

from lbcheck import parallel

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
    # The tests' own runner has threads; lbcheck has none.
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]


def spread(work, parts):
    return parallel.spread(work, parts, lambda part: f"{part} failed")


def test_answers_come_in_order_and_all_but_the_first_from_other_processes():
    answers = spread(lambda part: (part * 2, os.getpid()), [1, 2, 3])
    assert [answer for answer, _ in answers] == [2, 4, 6]
    processes = [process for _, process in answers]
    assert processes[0] == os.getpid()
    assert len(set(processes)) == 3


def test_an_answer_may_be_larger_than_a_pipe_holds():
    assert spread(lambda part: part * 1_000_000, ["a", "b", "c"])[1:] == ["b" * 1_000_000, "c" * 1_000_000]


def test_a_process_that_is_killed_costs_its_own_part_only():
    def work(part):
        if part == "b":
            os.kill(os.getpid(), signal.SIGKILL)
        return part

    assert spread(work, ["a", "b", "c"]) == ["a", "b failed", "c"]


def test_a_process_that_raises_costs_its_own_part_only():
    assert spread(lambda part: 6 / part, [3, 0, 2]) == [2, "0 failed", 3]


def test_without_processes_left_the_work_is_done_here(monkeypatch):
    def fork():
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", fork)
    assert spread(lambda part: (part, os.getpid()), [1, 2]) == [(1, os.getpid()), (2, os.getpid())]


def test_no_process_and_no_pipe_is_left_behind():
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    processes = spread(lambda _part: os.getpid(), [1, 2, 3])
    assert not before or len(os.listdir("/proc/self/fd")) == before
    for process in processes[1:]:
        with pytest.raises(ChildProcessError):
            os.waitpid(process, os.WNOHANG)
