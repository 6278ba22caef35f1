"""Reports in a real browser: they are quiet, they fit, and whatever a name holds stays text."""

from __future__ import annotations

import pytest
import samples
from browser import Browser, executable

from lbcheck.report import diff_reporter, traffic_reporter
from lbcheck.report.options import Options

pytestmark = pytest.mark.skipif(executable() is None, reason="needs chromium")

PAGES = {
    **{f"traffic, {name}": ("html", traffic_reporter, made) for name, made in samples.RUNS.items()},
    **{f"diff, {name}": ("html", diff_reporter, made) for name, made in samples.DIFFS.items()},
}
DRAWINGS = {name: ("svg", reporter, made) for name, (_, reporter, made) in PAGES.items()}
#: Everything that a page is made of; a name that becomes markup shows up as something else.
ELEMENTS = set(
    "A B BDI BODY BR DETAILS FIGURE FOOTER H1 H2 HEAD HEADER HTML LI LINK MAIN META P SECTION SPAN STRONG STYLE "  # noqa: SIM905
    "SUMMARY TABLE TBODY TD TH THEAD TITLE TR UL svg title defs pattern rect path text style".split()
)
#: Pairs of labels of the visible drawings that cover one another, by what the browser really drew.
OVERLAPPING = """
(() => {
  const found = [];
  for (const svg of document.querySelectorAll('svg.lb')) {
    const frame = svg.getBoundingClientRect();
    if (!frame.width) continue;
    const texts = [...svg.querySelectorAll('text')].map(text => [text.getBoundingClientRect(), text.textContent]);
    texts.forEach(([one, words], at) => {
      if (one.left < frame.left - 1 || one.right > frame.right + 1) found.push(['outside', words]);
      for (const [other, others] of texts.slice(at + 1)) {
        const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
        const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
        if (wide > 1 && high > Math.min(one.height, other.height) * 0.45) found.push([words, others]);
      }
    });
  }
  return found;
})()
"""


@pytest.fixture(scope="module")
def browser():
    with Browser() as made:
        yield made


@pytest.fixture
def opened(browser, tmp_path):
    """Open a report in a window so wide and return the browser."""

    def open_report(report, width, *, dark=False):
        suffix, reporter, made = report
        path = tmp_path / f"report.{suffix}"
        path.write_text(reporter(suffix)(made(), Options()), encoding="utf-8")
        browser.look(width, dark=dark)
        browser.open(path)
        return browser

    return open_report


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_complains_of_nothing_and_fits(opened, name, width, dark):
    page = opened(PAGES[name], width, dark=dark)
    assert page.noticed() == []
    assert page.run("document.documentElement.scrollWidth") <= width
    shown = page.run("[...document.querySelectorAll('svg.lb')].filter(svg => svg.getBoundingClientRect().width).length")
    assert shown == 1
    ground = page.run("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(6, 10, 15)" if dark else "rgb(244, 246, 248)")  # the style sheet was let in


@pytest.mark.parametrize("name", PAGES)
def test_whatever_names_hold_stays_text(opened, name):
    page = opened(PAGES[name], 1280)
    assert set(page.run("[...new Set([...document.querySelectorAll('*')].map(one => one.tagName))]")) <= ELEMENTS
    attributes = page.run("[...document.querySelectorAll('*')].flatMap(one => one.getAttributeNames())")
    assert not [each for each in attributes if each.startswith("on") or each in {"style", "src"}]
    links = page.run("[...document.querySelectorAll('[href]')].map(one => one.getAttribute('href'))")
    assert {link for link in links if not link.startswith("https://example.org/")} <= {"data:,"}
    if "hostile" in name:
        assert "<script>alert(1)</script>" in page.run("document.body.innerText")


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", PAGES)
def test_no_text_covers_another_with_the_fonts_of_this_machine(opened, name, width):
    assert opened(PAGES[name], width).run(OVERLAPPING) == []


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_alone_is_as_quiet(opened, name):
    page = opened(DRAWINGS[name], 1280, dark=True)
    assert page.noticed() == []
    assert page.run("document.documentElement.tagName") == "svg"
    assert page.run(OVERLAPPING) == []
    assert page.run("getComputedStyle(document.querySelector('.ground')).fill") == "rgb(13, 17, 23)"


def test_this_browser_would_notice_a_dialog_a_request_and_an_error(browser, tmp_path):
    (tmp_path / "loud.html").write_text(
        "<!doctype html><img src='picture.png'><script>alert(1); console.error('x'); throw new Error('y')</script>"
    )
    browser.look(400)
    browser.open(tmp_path / "loud.html")
    names = {name for name, _ in browser.noticed()}
    assert names >= {
        "Page.javascriptDialogOpening",
        "Network.requestWillBeSent",
        "Runtime.consoleAPICalled",
        "Runtime.exceptionThrown",
    }


def test_this_check_would_notice_a_text_that_covers_another(browser, tmp_path):
    places = ((5, 20, "one"), (9, 22, "two"), (85, 50, "out"))
    texts = "".join(f"<text x='{x}' y='{y}'>{words}</text>" for x, y, words in places)
    (tmp_path / "crowd.html").write_text(f"<!doctype html><svg class='lb' width='90' height='60'>{texts}</svg>")
    browser.look(400)
    browser.open(tmp_path / "crowd.html")
    assert browser.run(OVERLAPPING) == [["one", "two"], ["outside", "out"]]
