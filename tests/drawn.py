"""Random traffic runs and diffs for property tests, and what may be asked of any drawing."""

from __future__ import annotations

from hypothesis import strategies as st
from samples import EVIL, change, frontend, pool, route, run, server

from lbcheck.changes.outcome import Changes
from lbcheck.report.pictures.shapes import STYLES, text_width
from lbcheck.traffic.outcome import FAIR, HOT, IDLE, STARVED

names = st.one_of(
    st.text(st.characters(codec=None), max_size=12),
    st.sampled_from(EVIL),
    st.sampled_from(["web", "10.0.0.1:8080", "a-rather-long-name-of-a-server.example.com:8080", "x" * 5_000]),
)
fractions = st.floats(0, 1)
some = st.none() | fractions


@st.composite
def servers(draw, most=20):
    weights = draw(st.lists(st.integers(0, 100), min_size=0, max_size=most))
    whole = sum(weights)
    made = []
    for weight in weights:
        standing = draw(st.sampled_from((HOT, STARVED, FAIR, FAIR, IDLE))) if weight else IDLE
        load = draw(st.none() | st.floats(0, 1e6))
        capacity = draw(st.none() | st.floats(1, 1e6))
        share = weight / whole if whole else 0.0
        more = {"alike": draw(st.integers(1, 3)), "weight": weight, "load": load, "capacity": capacity}
        made.append(server(draw(names), share, address=draw(names), standing=standing, **more))
    return made


@st.composite
def pools(draw):
    made = draw(servers())
    reason = draw(st.none() | names)
    if reason is not None:
        return pool(draw(names), [each._replace(share=None) for each in made], reason=reason, config=draw(configs))
    unserved = 0.0 if any(each.share for each in made) else 1.0
    return pool(draw(names), made, unserved=unserved, config=draw(configs))


configs = st.sampled_from(["haproxy.cfg", "<script>alert(9)</script>.conf"])


@st.composite
def runs(draw):
    made = draw(st.lists(pools(), max_size=5))
    places = st.none() | st.integers(0, len(made) - 1) if made else st.none()

    def one_route():
        targets = [(draw(names), draw(places), draw(some)) for _ in range(draw(st.integers(0, 3)))]
        outcome = draw(st.sampled_from(("pools", "pools", "answer", "unknown")))
        return route(draw(names), *targets, share=draw(some), outcome=outcome, reason=draw(st.none() | names))

    def one_frontend():
        routes = [one_route() for _ in range(draw(st.integers(0, 4)))]
        known = sum(each.share or 0.0 for each in routes)
        routes = [each._replace(share=each.share and each.share / max(1.0, known)) for each in routes]
        return frontend(draw(names), *routes, config=draw(configs), listeners=draw(st.lists(names, max_size=3)))

    return run(made, [one_frontend() for _ in range(draw(st.integers(0, 3)))])


@st.composite
def diffs(draw):
    before, after = draw(runs()), draw(runs())
    changes = []
    for at in range(max(len(before.pools), len(after.pools))):
        old = before.pools[at] if at < len(before.pools) else None
        new = after.pools[at] if at < len(after.pools) else None
        reason = next((side.reason for side in (old, new) if side is not None and side.reason), None)
        changes.append(change(old, new, reason=reason, renamed_from=draw(st.none() | names), keys_moved=draw(some)))
    return Changes(before, after, changes, draw(some))


def area(label):
    """The rectangle (x0, y0, x1, y1) that a label covers at most."""
    wide = text_width(label.text, label.style)
    left = {"start": label.x, "middle": label.x - wide / 2, "end": label.x - wide}[label.anchor]
    size = STYLES[label.style][0]
    return (left, label.y - size * 0.8, left + wide, label.y + size * 0.22)


def overlapping(drawing):
    """Pairs of labels that cover one another."""
    areas = [(area(label), label) for label in drawing.labels]
    areas.sort(key=lambda each: each[0][1])
    found = []
    for at, (one, label) in enumerate(areas):
        for other, neighbour in areas[at + 1 :]:
            if other[1] >= one[3]:
                break
            if one[0] < other[2] and other[0] < one[2]:
                found.append((label, neighbour))
    return found


def outside(drawing):
    """Labels and boxes that leave the drawing."""
    areas = [(area(label), label) for label in drawing.labels]
    areas += [((box.x, box.y, box.x + box.width, box.y + box.height), box) for box in drawing.boxes]
    return [
        what
        for (x0, y0, x1, y1), what in areas
        if x0 < 0 or y0 < 0 or x1 > drawing.width + 0.01 or y1 > drawing.height + 0.01
    ]
