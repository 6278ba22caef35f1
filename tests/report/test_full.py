from __future__ import annotations

from lbcheck.report.full import render
from lbcheck.report.options import Options
from lbcheck.results import Counts, Note, Place, Result


def test_full_shows_source_related_places_help_and_fix(result):
    assert (
        render(result, Options())
        == """\
warning[D01] weight-skew: server 10.0.0.1:8080 of pool app gets 83.3 % of its traffic, 10 times a fair share
  --> lb/nginx.conf:12:9
   |
12 |         server 10.0.0.1:8080 weight=10;
   |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  ::: lb/nginx.conf:3: pool app is written here
   |
 3 |     upstream app {
   |     ^^^^^^^^^^^^
   = help: give it a weight near 1
   = fix: write weight=1 (--fix --unsafe-fixes: it changes what the config does)

error[X99] not-in-the-catalogue: no server of pool {api} is checked
   --> conf d/é.cfg:120:1
    |
120 | backend api
    | ^^^^^^^^^^^

not checked: 1 place
  lb/nginx.conf:40: a Lua block decides at run time

Found 1 error, 1 warning in 2 configs (31 servers); 1 suppressed; 1 place not checked
1 fixable with --fix --unsafe-fixes
"""
    )


def test_a_related_place_on_the_same_line_does_not_repeat_it(skewed):
    near = Note(skewed.place._replace(column=1), "the same line")
    text = render(Result([skewed._replace(related=(near,), fix=None)], counts=Counts(1, 1)), Options())
    assert text.count("12 |") == 1
    assert "  ::: lb/nginx.conf:12: the same line\n" in text


def test_a_place_without_text_shows_no_source(skewed):
    bare = skewed._replace(place=Place("gone.conf", 1, 1, 1, 1, 0, 0, ""), related=(), fix=None)
    assert (
        render(Result([bare], counts=Counts(1)), Options())
        == """\
warning[D01] weight-skew: server 10.0.0.1:8080 of pool app gets 83.3 % of its traffic, 10 times a fair share
 --> gone.conf:1:1
  = help: give it a weight near 1

Found 1 warning; no config was checked
"""
    )


def test_the_list_of_places_not_checked_is_capped(lua):
    places = [lua._replace(place=lua.place._replace(line=number)) for number in range(1, 1013)]
    text = render(Result([], places, counts=Counts(1, 1, servers=2)), Options())
    assert text.count("a Lua block") == 10
    assert "  … and 1,002 more; --output-format json lists all\n" in text
    assert text.endswith(
        "Nothing wrong found in the parts that were checked of 1 config (2 servers); 1,012 places not checked\n"
    )


def test_a_clean_run_is_one_line(clean):
    assert render(clean, Options()) == "Nothing wrong found in 2 configs (31 servers)\n"


def test_colour_only_where_it_is_allowed(result, clean):
    assert "\x1b" not in render(result, Options())
    painted = render(result, Options(color=True))
    assert painted.startswith("\x1b[1;33mwarning[D01]\x1b[0m \x1b[1mweight-skew\x1b[0m: ")
    assert render(clean, Options(color=True)).startswith("\x1b[1;32m")


def test_lines_keep_to_the_width(skewed):
    long = skewed._replace(place=skewed.place._replace(excerpt="    server 10.0.0.1" + " x" * 500), related=())
    source = [line for line in render(Result([long]), Options(width=60)).split("\n") if "|" in line]
    assert max(map(len, source)) == 60
