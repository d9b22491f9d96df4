"""Reading a page by the markup that its parser writes gives what its nodes give, whatever the page is like."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from monitor.reading import markup, text
from monitor.reading.markup import IrregularError, Places, texts, without_unread
from monitor.reading.text import Document, read_html

FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

REGULAR = (
    "<p>", "</p>", "<div class='btn Add-To-Cart'>", "</div>", "<br>", "<h2>", "</h2>", "<li>", "</ul>", "<nav>",
    "</nav>",
    "<footer>", "</footer>", "<a href='/book-now'>", "<a href=tel:+1>", "</a>", "<span role=button>", "</span>",
    "<div role=navigation>", "<div role=heading>", "<img alt='a &amp; <b>'>", "<img role=button alt=z>", "<hr>",
    "<input type=submit value='Go\"x'>", "<table>", "<tr>", "<td>", "<td role=button>", "</td>", "</tr>", "</table>",
    "<caption>", "<dl><dt>d<dd>e</dl>", "<summary>s</summary>", "<button class=x>", "<time datetime=2026>", "<b>",
    "</b>",
    "<textarea><b></textarea>", "<noscript><p>n</noscript>", "<select><option>o", "<template><p>t</template>",
    "<o:p>", "<pre>\n\n x  y</pre>", "<form action=/cart>", "<blockquote>", "words ", " &nbsp; ", "&lt;p&gt;",
    "&amp;amp;",
    "\n", "é\u200b", "\u2028", "  two  blanks ", "<title>T &amp; t</title>", "<p class='ſhopify'>",
    "<svg><g>x</g></svg>",
)  # fmt: skip
IRREGULAR = (
    "<script>a<b && b>c</script>", "<script><!-- <script></script> --></script>", "<style>p<a</style>",
    "<!-- c <p> -->",
    "<!--", "-->", "<!x>", "<?php 1>2 ?>", "<svg><style>a</style></svg>", "<math><style>&lt;p></style></math>", "<svg>",
    "<math><style>&lt;/style>&lt;/math>&lt;p>shown&lt;math>&lt;style></style></math>", "</svg>", "<a\"b=c>", "<p \">",
    "<x<script>", "<div<br role=button>", "<p a<b=c>", "<p =x>", "<xmp><b></xmp>", "<plaintext>",
    "<iframe>i<p></iframe>",
    "<object>o<p></object>", "<noembed><p></noembed>",
)  # fmt: skip


def _by_nodes(html: str) -> Document:
    with pytest.MonkeyPatch.context() as patch:

        def irregular(_: str) -> list[str]:
            raise IrregularError("all of them")

        patch.setattr(text, "texts", irregular)
        return read_html(html)


def _same(html: str) -> None:
    by_markup, by_nodes = read_html(html), _by_nodes(html)
    assert by_markup.text == by_nodes.text
    assert by_markup.blocks == by_nodes.blocks
    assert list(by_markup.marks.items()) == list(by_nodes.marks.items())


@FEW
@given(st.lists(st.sampled_from(REGULAR), max_size=24).map("".join))
def test_markup_says_what_the_nodes_say(html: str) -> None:
    _same(html)


@FEW
@given(st.lists(st.sampled_from(REGULAR + IRREGULAR), max_size=16).map("".join))
def test_markup_with_scripts_comments_and_odd_names_does_too(html: str) -> None:
    _same(html)


def test_an_ordinary_page_needs_no_look_at_its_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    def nodes(*_: object) -> None:
        raise AssertionError("its nodes were asked")

    monkeypatch.setattr(text._Reading, "nodes", nodes)
    html = (
        "<title>Kelda</title><style>p>a{}</style><script>if (a<b && b>c) {}</script><!-- <p>no</p> -->"
        "<svg><path d='M0'/></svg><h1>Exo<b>some</b></h1><table><tr><td>a<td>b<tr><td>c</table>"
    )
    document = read_html(html)
    assert document.text == "Kelda\nExosome\na\nb\nc"
    assert [block.level for block in document.blocks] == [0, 1, 1, 1, 2]


@pytest.mark.parametrize(
    "html",
    [
        "<script><!-- <script></script> --></script>",
        "<svg><style>a</style></svg>",
        "<svg><svg></svg></svg>",
        "<xmp>a</xmp>",
        "<x<script>words",
    ],
)
def test_what_could_be_misread_is_not_read_by_its_markup(html: str) -> None:
    root = LexborHTMLParser(html).root
    assert root is not None
    with pytest.raises(IrregularError):
        without_unread(root.inner_html or "")


@pytest.mark.parametrize("odd", ["<x<script>", "<x<svg>", "<x<!-->", "<p a<!--b=c>", "<svg-a>"])
def test_odd_names_by_the_thousand_take_no_longer_than_the_page(odd: str) -> None:
    """Each is looked at once: a search to the end of the page for every one would never come back."""
    html = odd * 60_000
    assert isinstance(read_html(html + "<p>words"), Document)


def test_a_page_may_make_up_as_many_elements_as_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markup, "_MOST", 4_000)
    places = Places()
    start = places.start()
    for number in range(2_000):
        places.step(start, f"x-{number}></x-{number}><p></p")
    assert len(start.known) + len(start.inner) < 60
    assert places.start() is not start  # forgotten before the next page
    html = "".join(f"<x-{number}>word</x-{number}>" for number in range(2_000))
    assert read_html(html).text == "word" * 2_000


def test_texts_and_markup_stand_by_turns() -> None:
    assert texts("<p>a <b>b</b>\n</p>") == ["><p", "a ", "b", "b", "/b>\n</p><"]
