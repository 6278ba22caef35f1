from __future__ import annotations

import subprocess
import sys

import pytest

from lbcheck import catalog, pages
from lbcheck.catalog import find, render, rules


class Trap:
    secret = "s3cret"

    def __str__(self):
        return "trap"


@pytest.mark.parametrize(
    ("template", "args", "text"),
    [
        ("{a} and {b}", {"a": 1, "b": "x"}, "1 and x"),
        ("{a} and {b}", {"a": "{b}", "b": "x"}, "{b} and x"),
        ("{missing} stays", {}, "{missing} stays"),
        ("{a.secret} {a[0]} {a!r} {a:>9}", {"a": Trap()}, "{a.secret} {a[0]} {a!r} {a:>9}"),
        ("{a}", {"a": Trap()}, "trap"),
        ("upstream { server }", {"server": "x"}, "upstream { server }"),
        ("100%", {}, "100%"),
    ],
)
def test_render(template, args, text):
    assert render(template, args) == text


def test_find_by_code_and_name():
    for word in ("E02", "e02", "include-not-found", "Include-Not-Found"):
        assert find(word) is rules()["E02"]
    assert find("E") is None
    assert find("") is None


def test_rules_are_in_order_and_have_pages():
    assert list(rules()) == sorted(rules())
    assert rules() is rules()
    assert rules()["E02"].url == catalog.PAGES_URL + "E02-include-not-found.md"
    assert list(catalog.sections(rules()["E02"])) == ["Why", "Fix", "When to ignore", "Bad", "Good"]


def test_a_page_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(rules()["E02"], "path", "E02-gone.md")
    with pytest.raises(catalog.CatalogError, match=r"E02-gone\.md: no such file"):
        catalog.page(rules()["E02"])


def test_the_index_is_deterministic_and_loads_back():
    text = catalog.index_text(rules().values())
    assert text == catalog.index_text(rules().values())
    space = {}
    exec(compile(text, "index", "exec"), space)
    rows = [tuple(getattr(rule, name) for name in (*catalog.FIELDS, "path")) for rule in rules().values()]
    assert list(space["RULES"]) == rows


def test_loading_the_catalogue_imports_no_parser():
    heavy = {"yaml", "jsonschema", "lbcheck.pages"}
    program = f"import sys, lbcheck.catalog as c; c.rules(); print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


PAGE = """---
code: D01
---

## Why

```nginx
## no heading
```

## Bad

```nginx file=nginx.conf native=refused
http { # D01
}
# a comment # lbcheck: ignore[H01] why  # E12, D02
```

```nginx file=a.conf
x;
```

```nginx file=other.conf case=second
y;
```

````native line=2,3:H01
```
````

## Good

```haproxy target=haproxy=3.0 settings="jobs = 2"
listen x # not D01 a marker
```
"""


class TestPages:
    def blocks(self, text=PAGE):
        return list(pages.blocks(text, "D01", "D01-x.md"))

    def test_markers_are_taken_out(self):
        first = self.blocks()[0]
        assert first.text == "http {\n}\n# a comment # lbcheck: ignore[H01] why\n"
        assert first.marks == {(1, "D01"), (3, "E12"), (3, "D02")}
        assert (first.section, first.dialect, first.name, first.case) == ("Bad", "nginx", "nginx.conf", None)
        assert first.attributes["native"] == "refused"
        assert PAGE.splitlines()[first.line - 1].startswith("```nginx file=nginx.conf")

    def test_lines_may_be_marked_on_the_fence(self):
        native = self.blocks()[3]
        assert (native.name, native.text, native.marks) == ("lb.yaml", "```\n", {(2, "D01"), (3, "H01")})

    def test_attributes_may_be_quoted_and_other_comments_stay(self):
        good = self.blocks()[4]
        assert good.attributes == {"target": "haproxy=3.0", "settings": "jobs = 2"}
        assert good.text == "listen x # not D01 a marker\n"
        assert good.marks == frozenset()

    def test_files_that_follow_each_other_are_one_case(self):
        cases = pages.cases(self.blocks())
        assert [[block.name for block in case.blocks] for case in cases] == [
            ["nginx.conf", "a.conf"],
            ["other.conf"],
            ["lb.yaml"],
            ["haproxy.cfg"],
        ]
        assert cases[0].marks == {("nginx.conf", 1, "D01"), ("nginx.conf", 3, "E12"), ("nginx.conf", 3, "D02")}
        assert cases[0].attribute("native", "ok") == "refused"
        assert cases[1].attribute("native", "ok") == "ok"

    def test_sections(self):
        head, body = pages.split(PAGE, "D01-x.md")
        assert head.strip() == "code: D01"
        found = pages.sections(body)
        assert list(found) == ["Why", "Bad", "Good"]
        assert found["Why"] == "```nginx\n## no heading\n```"

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("## Bad\n```nginx\nx\n", "D01-x.md:2: the fence is not closed"),
            ("## Bad\n```caddy\nx\n```\n", "D01-x.md:2: 'caddy' is no dialect"),
            ("## Good\n```\nx\n```\n", "D01-x.md:2: 'no language' is no dialect"),
            ("## Bad\n```nginx nativ=ok\nx\n```\n", "D01-x.md:2: nativ=ok is no attribute"),
            ("## Bad\n```nginx case\nx\n```\n", "D01-x.md:2: case= is no attribute"),
            ("## Bad\n```nginx line=x\nx\n```\n", "D01-x.md:2: line=x is no line number"),
        ],
    )
    def test_mistakes_are_named(self, text, says):
        with pytest.raises(pages.PageError) as caught:
            self.blocks(text)
        assert str(caught.value).startswith(says)

    def test_no_front_matter(self):
        with pytest.raises(pages.PageError, match="must begin with front matter"):
            pages.split("# A page\n", "D01-x.md")
