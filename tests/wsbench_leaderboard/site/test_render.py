import base64
import hashlib
import posixpath
import re
import sys
from pathlib import Path

import wsbench
from wsbench_leaderboard.board.collect import collect
from wsbench_leaderboard.site.render import render

LINKS = (
    "https://arxiv.org/abs/2006.10424", "https://a.example/code?x=1&y=2", "https://a.example/paper",
)  # fmt: skip


def test_render__has_an_index_rules_a_page_for_each_method_and_for_each_zoo(pages):
    assert list(pages)[:2] == ["index.html", "rules.html"]
    assert len([path for path in pages if path.startswith("methods/")]) == 5
    assert len([path for path in pages if path.startswith("zoos/")]) == 2
    assert all(re.fullmatch(r"([a-z]+/)?[a-z0-9-]{1,60}\.html", path) for path in pages)


def test_render__gives_the_same_bytes_for_the_same_records_in_any_order(records, pages, tmp_path):
    moved = records.rename(tmp_path / "elsewhere")
    assert render(collect(moved)[::-1], tmp_path / "zoos") == pages


def test_render__names_no_absolute_path(pages, tmp_path, six_records):
    for path, page in pages.items():
        for folder in (tmp_path, six_records, Path.cwd(), Path.home(), Path(sys.prefix)):
            assert f"{folder.anchor}{folder.parts[1]}/" not in page.decode("utf-8"), path


def test_render__links_only_to_what_is_there(pages, parse):
    parsed = {path: parse(page) for path, page in pages.items()}
    ids = {path: [a["id"] for _, a in p.elements if "id" in a] for path, p in parsed.items()}
    for path, page in parsed.items():
        assert len(set(ids[path])) == len(ids[path]), path
        links = [a["href"] for a in page.all("a")]
        assert len(links) > 4
        for link in links:
            if link.startswith("https://"):
                assert link in LINKS, path
                continue
            target, _, anchor = link.partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), target or "x"))
            target = target if link.partition("#")[0] else path
            assert target in pages, (path, link)
            assert not anchor or anchor in ids[target], (path, link)
        for _, attributes in page.elements:
            for name in ("aria-labelledby", "aria-describedby"):
                assert set((attributes.get(name) or "").split()) <= set(ids[path])


def test_render__writes_what_records_say_as_text(pages, parse):
    allowed = {"class", "id", "href", "title", "content", "name", "lang", "charset", "http-equiv"}
    for path, page in pages.items():
        parsed = parse(page)
        assert len(parsed.all("script")) == (path == "index.html"), path
        assert not parsed.all("img") + parsed.all("iframe") + parsed.all("base"), path
        for tag, attributes in parsed.elements:
            assert not [name for name in attributes if name.startswith(("on", "style"))], tag
            if tag in {"bdi", "dd", "code", "h1", "th"}:
                assert set(attributes) <= allowed | {
                    "scope", "colspan", "data-sort", "data-first", "aria-sort"
                }  # fmt: skip
    (page,) = (page for path, page in pages.items() if path.startswith("methods/long-"))
    text = parse(page).text
    assert "<script>alert(1)</script><img src=x onerror=alert(2)> שלום" in text
    assert 'version "><script>alert(3)</script>' in text
    assert 'text=" onload="alert(4) \' <script>' in text


def test_render__allows_a_page_its_own_style_and_script_and_nothing_else(pages):
    for path, page in pages.items():
        text = page.decode("utf-8")
        (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="(.*?)">', text)
        for tag in ("style", "script"):
            for content in re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL):
                sha256 = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
                assert f"{tag}-src 'sha256-{sha256}'" in policy, path
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        outside = re.findall(r"<[^<>]*(?:src|href)=[\"']?(?:https?:)?//[^<>]*>", text)
        assert set(outside) <= {
            f'<a href="{link.replace("&", "&amp;")}" rel="noopener noreferrer">' for link in LINKS
        }, path
        assert not outside or path.startswith(("methods/twin", "methods/svd")), path


def test_render__describes_tables_and_charts_for_those_who_do_not_see_them(pages, parse):
    for path, page in pages.items():
        parsed = parse(page)
        assert len(parsed.all("caption")) == len(parsed.all("table")), path
        assert all("scope" in heading for heading in parsed.all("th")), path
        charts = [svg for svg in parsed.all("svg") if svg.get("role") == "img"]
        others = [svg for svg in parsed.all("svg") if svg.get("role") != "img"]
        assert all(svg["aria-labelledby"] for svg in charts), path
        assert all(svg["aria-hidden"] == "true" for svg in others), path
        assert parsed.all("html") == [{"lang": "en"}]
        assert len(parsed.all("h1")) == 1
        assert parsed.all("a")[0] == {"class": "skip", "href": "#main"}
    method = next(page for path, page in pages.items() if path.startswith("methods/twin"))
    assert len([svg for svg in parse(method).all("svg") if svg.get("role") == "img"]) == 5


def test_render__says_that_there_are_no_records(tmp_path, parse):
    pages = render([], tmp_path)
    assert list(pages) == ["index.html", "rules.html"]
    assert "No records yet" in parse(pages["index.html"]).text


def test_render__explains_columns_before_the_first_table(pages, parse):
    index = pages["index.html"].decode("utf-8")
    assert index.index("What the columns say") < index.index("<table")
    assert index.index('<figure class="heat">') < index.index("<table")
    text = parse(pages["index.html"]).text
    for task in wsbench.TASKS.values():
        assert task.QUESTION in text
    for term in ("Rank", "Supervised", "Transductive", "As written", "Symmetry", "Both"):
        assert f"<dt>{term}</dt>" in index


def test_render__method_page_links_code_and_paper_and_marks_its_kind(pages, parse):
    (twin,) = (page for path, page in pages.items() if path.startswith("methods/twin"))
    links = [a["href"] for a in parse(twin).all("a") if a.get("rel") == "noopener noreferrer"]
    assert links == list(LINKS[1:])
    assert 'class="kind">supervised<' in twin.decode("utf-8")


def test_render__method_page_opens_with_a_summary_over_zoos(pages):
    (page,) = (page for path, page in pages.items() if path.startswith("methods/euclidean"))
    summary, _, details = page.decode("utf-8").partition("<details")
    assert summary.count("<table") == 1
    assert summary.count('<th scope="row">') == 2
    assert details.count("<table") == 4
    assert "<details open" not in page.decode("utf-8")


def test_render__method_page_holds_the_commands_that_do_it_again(pages, parse, records):
    path = next(path for path in pages if path.startswith("methods/euclidean"))
    text = parse(pages[path]).text
    assert "wsbench evaluate euclidean --zoo made-up-v1 --task identification" in text
    record = next(records.glob("made-up-v1/euclidean-*.json"))
    assert f'print(wsbench.rescore(sys.argv[1]))" made-up-v1/{record.name}' in text
