"""The market from week to week: what each site answers in each of six weeks. What must come of it: the YAML files.

Every site is built in another way, and each answers with what its week's script says. Weeks count from 1, the first
reading; the script of each stands in the YAML file of the same name.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.crawler.market.building import SHOPIFY_HEAD, SQUARE_HEAD, WOO_HEAD, as_json, html, plain, product, sitemap
from tests.crawler.test_us_pdf import tiny_pdf
from tests.loopback import Answer, Asked, Reply

WEEKS = 6
PRICE = "<p>$49.00</p><button>Add to cart</button>"
WALL = Reply("<title>Just a moment...</title><p>Verify you are human</p>", status=403)
CLOAKED = Reply('<title>Welcome</title><p>Please press &amp; hold to confirm.</p><div id="px-captcha"></div>')
DOWN = Reply("<h1>Service unavailable</h1>", status=503)
Routes = dict[str, Answer]


@dataclass(frozen=True)
class Site:
    """A site whose answers follow a script. `routes(week)` begins each week afresh: some answers count their askers."""

    name: str
    routes: Callable[[int], Routes]
    options: dict[str, Any] = field(default_factory=dict)
    """Of its entry in the configuration."""
    impatient: tuple[int, ...] = ()
    """Weeks in which it is not waited for: it does not answer at all."""

    @property
    def host(self) -> str:
        return f"www.{self.name.replace('_', '-')}.example"

    @property
    def home(self) -> str:
        return f"http://{self.host}/"


def claims(*said: str) -> str:
    return "".join(f"<p>{one}</p>" for one in said)


def shown(title: str, *said: str, links: tuple[str, ...] = (), **parts: str) -> Reply:
    """A page that sells something and says this of it."""
    body = parts.pop("body", "")
    return Reply(html(title, *links, body=f"{body}{claims(*said)}{PRICE}", **parts))


def moved(place: str, status: int = 302) -> Reply:
    return Reply("", status=status, headers={"Location": place})


def entry(number: int, title: str, words: str) -> dict[str, Any]:
    """A product of a shop's catalogue that is sold under the shop's plain name."""
    return product(number, title, words) | {"vendor": "", "product_type": ""}


def shopify(week: int) -> Routes:
    cured, heals = "Our exosomes cure arthritis.", "Our exosomes heal diabetic neuropathy."
    if week >= 3:
        cured = "Our exosomes cure arthritis in adults."
    said = (cured,) if week == 1 else (cured, heals)
    drops, balm = entry(1, "Exo Drops", claims(*said)), product(2, "Lip Balm", "<p>Soft.</p>")
    stock = {4: [balm], 6: [balm, drops | {"updated_at": "2026-11-15", "tags": ["ampoule", "night"]}]}
    routes: Routes = {
        "/": shown("Orrel", head=SHOPIFY_HEAD),
        "/products.json": as_json({"products": stock.get(week, [drops, balm])}),
        "/products/exo-drops": shown("Exo Drops", *said),
        "/products/exo-drops.json": as_json({"product": drops}),
        "/products/lip-balm": shown("Lip Balm"),
    }
    if week == 4:
        del routes["/products/exo-drops"], routes["/products/exo-drops.json"]
    return routes


def woocommerce(week: int) -> Routes:
    said = claims("Our exosomes cure insomnia.") if week not in (3, 4) else ""
    serum = {
        "id": 12,
        "name": "Night Serum",
        "permalink": "http://www.woocommerce.example/product/serum/",
        "description": f"<p>A quiet night.</p>{said}",
        "prices": {"currency_code": "EUR", "currency_minor_unit": 2, "price": "9900" if week == 2 else "12900"},
        "images": [{"alt": "A vial", "src": "/v.jpg"}],
    }
    refused = Reply("slow down", status=429, headers={"Retry-After": "1"})
    price = "99.00 EUR" if week == 2 else "129.00 EUR"
    return {
        "/": shown("Haus Tilde", head=WOO_HEAD),
        "/wp-json/wc/store/v1/products/12": as_json(serum),
        "/wp-json/wc/store/v1/products": refused if week == 6 else as_json([serum], **{"X-WP-TotalPages": "1"}),
        "/wp-json/wp/v2/pages": as_json([]),
        "/wp-json/wp/v2/posts": as_json([]),
        "/product/serum/": Reply(html("Night Serum", body=f"{said}<p>{price}</p><button>Add to cart</button>")),
    }


def wordpress_clinic(week: int) -> Routes:
    """Its API stands under `?rest_route=`, and so do its pages."""
    asthma, lupus = "Our exosomes cure asthma.", "Our exosomes cure lupus."
    said = {1: [asthma] if week == 1 else [], 3: [lupus] if week == 1 else [lupus, asthma]}
    if week == 6:
        said[4] = ["Our exosomes cure migraine."]
    locked = week == 3

    def entry(number: int) -> dict[str, Any]:
        hidden = locked and number == 3
        words = [] if hidden or (week == 5 and number == 3) else said[number]
        return {
            "id": number,
            "link": f"http://www.wordpress-clinic.example/?page_id={number}",
            "title": {"rendered": f"Treatment {number}"},
            "content": {"rendered": "" if hidden else f"<p>Come in.</p>{claims(*words)}", "protected": hidden},
        }

    def answer(asked: Asked) -> Reply:
        query = parse_qs(urlsplit(asked.path).query)
        number = int(query.get("page_id", ["0"])[0])
        if number:
            password = '<form><input type="password" name="p"></form>'
            hidden = locked and number == 3
            if number not in said:
                return Reply("", status=404)
            return shown(f"Treatment {number}", *(() if hidden else said[number]), body=password * hidden)
        route = query.get("rest_route", [""])[0]
        if route == "/wp/v2/pages":
            return as_json([entry(number) for number in said], **{"X-WP-TotalPages": "1"})
        if route:
            return Reply('{"code":"rest_no_route"}', status=404, content_type="application/json")
        return shown("Clinic Onda", head='<link rel="https://api.w.org/" href="/?rest_route=/">')

    return {"/": answer}


def squarespace(week: int) -> Routes:
    epilepsy = "Our exosomes cure epilepsy." if week < 3 else "Our exosomes cure epilepsy for you."
    path = "/shop/mist" if week < 5 else "/shop/new-mist"
    item = {"id": "a", "title": "Mist", "fullUrl": path, "body": f"<p>Calms.</p>{claims(epilepsy)}", "updatedOn": week}

    def shop(asked: Asked) -> Reply:
        return as_json({"items": [item]}) if "format=json" in asked.path else shown("Shop", links=(path,))

    template = shown("Mist", epilepsy)
    if week >= 2:
        rows = (
            f"<table><tr><td>Mist</td></tr></table><section><h3>What it does</h3><ul><li>{epilepsy}</li></ul></section>"
        )
        framed = f"<header><nav><a href='/'>Studio Vell</a></nav></header><main><h2>Mist</h2>{rows}{PRICE}</main>"
        head = "<head><title>Mist | Studio Vell</title></head>"
        template = Reply(f"<html>{head}<body>{framed}<footer>Vell 2026</footer></body></html>")

    def mist(asked: Asked) -> Reply:
        return as_json({"item": item}) if "format=json" in asked.path else template

    return {"/": shown("Studio Vell", links=("/shop",), head=SQUARE_HEAD), "/shop": shop, path: mist}


def wix(week: int) -> Routes:
    """Answers "not modified" to who has the page already."""
    if week in (2, 3):
        return dict.fromkeys(("/", "/sitemap.xml", "/sitemap_index.xml", "/wp-sitemap.xml", "/product-page/gel"), WALL)
    home = "http://www.wix.example"
    said = ["Dermatologist recommended exosome gel.", *(["Our exosomes cure tinnitus."] if week < 6 else [])]
    etag = '"late"' if week == 6 else '"early"'

    def gel(asked: Asked) -> Reply:
        if asked.headers.get("If-None-Match") == etag:
            return Reply("", status=304, headers={"ETag": etag})
        page = shown("Gel", *said)
        page.headers["ETag"] = etag
        return page

    places = sitemap(f"{home}/product-page/gel")
    return {
        "/": shown("Aura Lem", head='<script src="https://static.parastorage.com/x.js"></script>'),
        "/robots.txt": plain(f"User-agent: *\nSitemap: {home}/sitemap.xml\n"),
        "/sitemap.xml": Reply(places, content_type="text/xml"),
        "/product-page/gel": gel,
    }


def broken_data(week: int) -> Routes:
    """Structured data with breakages; one page is named in it alone."""
    listed = '<!--\n{"@type":"ItemList","itemListElement":[{"@type":"ListItem","url":"/p/alone","name":"Exo"}]}\n-->'
    scripts = (
        "null",
        "{broken",
        listed if week == 1 else listed[:-20],
        '{"@type":"Organization","name":"Lumen\n & Co"}',
    )
    head = "".join(f'<script type="application/ld+json">{script}</script>' for script in scripts)
    at_home = {3: ["Our exosomes cure osteoporosis."], 4: ["Our exosomes cure osteoporosis."]}
    later = ["A wholly new programme: exosomes against multiple sclerosis, which they cure."]
    alone = ["Our serum is a stem cell exosome serum.", *(["Our exosomes treat depression."] if week >= 4 else [])]
    return {
        "/": shown("Lumen", *at_home.get(week, later if week > 4 else []), head=head),
        "/p/alone": shown("Alone", *alone),
    }


def right_to_left(week: int) -> Routes:
    sugar, asthma = "إكسوسوماتنا تشفي من مرض السكري.", "إكسوسوماتنا تشفي من الربو."
    said = [*([sugar] if week != 5 else []), *([asthma] if week >= 3 else [])]
    encoding, name = ("cp1256", "windows-1256") if week < 4 else ("utf-8", "utf-8")
    text = html("إكسوسوم", body=f"<p>اليوم {week * 7}</p>{claims(*said)}{PRICE}", lang="ar", more=' dir="rtl"')
    return {
        "/": shown("متجر", links=("/%D8%B4%D8%B9%D8%B1",), lang="ar"),
        "/%D8%B4%D8%B9%D8%B1": Reply(text.encode(encoding), content_type=f"text/html; charset={name}"),
    }


def japanese(week: int) -> Routes:
    """Its encoding is declared in the page alone."""
    sugar = "エクソソームは糖尿病を治療します。" if week < 3 else "エクソソームは糖尿病を完全に治療します。"
    said = [sugar, "エクソソームは喘息を治療します。"]
    if week == 2:
        said.reverse()
    encoding, name = ("shift_jis", "Shift_JIS") if week < 4 else ("euc_jp", "EUC-JP")

    def in_japanese(title: str, *words: str, links: tuple[str, ...] = ()) -> Reply:
        text = html(title, *links, head=f'<meta charset="{name}">', body=claims(*words) + PRICE, lang="ja")
        return Reply(text.encode(encoding), content_type="text/html")

    routes: Routes = {"/": in_japanese("点滴", links=("/%E6%AF%9B%E9%AB%AA",))}
    if week != 5:
        routes["/%E6%AF%9B%E9%AB%AA"] = in_japanese("治療", *said)
    return routes


def endless_calendar(week: int) -> Routes:
    """Every day leads to the next, and says which one it is to each asker anew."""
    count = itertools.count(week * 1000)
    said = ["Our exosomes cure arthritis."]
    if week >= 4:
        said.append("Our exosomes cure asthma.")

    def day(_: Asked) -> Reply:
        number = next(count)
        return shown(f"Day {number}", *said, links=(f"/agenda/{number}", f"/calendar/2026-12-{number}"))

    home = shown("Oriel", links=("/agenda/0", "/calendar/2026-12", "/visits?month=1"))
    return {"/": home, **{f"/agenda/{number}": day for number in range((WEEKS + 1) * 1000)}}


def redirect_loops(week: int) -> Routes:
    cure = "Our exosomes cure arthritis."
    routes: Routes = {"/": shown("Wend", links=("/a", "/hair")), "/a": moved("/b"), "/b": moved("/a")}
    if week == 2:
        return routes | {"/hair": moved("/hair-2"), "/hair-2": moved("/hair")}
    if week < 4:
        return routes | {"/hair": shown("Hair", cure)}
    said = [cure] if week < 6 else []
    return routes | {"/hair": moved("/locks", 301), "/locks": shown("Locks", *said)}


def session_ids(week: int) -> Routes:
    """Every answer gives every link another session; one page is answered in two variants in turn."""
    count, asked_for_hair = itertools.count(week * 100), itertools.count()
    old, new = "Our exosomes cure arthritis.", "Our exosomes cure arthritis in adults."
    turns = {1: [old], 2: ["", old], 3: [new, old], 4: [old], 5: ["", old], 6: [""]}[week]

    def links() -> tuple[str, ...]:
        number = next(count)
        return f"/hair;jsessionid=A{number}?PHPSESSID=B{number}", f"/(S(lit3{number}))/skin", f"/?sid={number}"

    def hair(_: Asked) -> Reply:
        said = turns[next(asked_for_hair) % len(turns)]
        return shown("Hair", *([said] if said else []), links=links())

    return {
        "/": lambda asked: shown("Yarrow", links=links()),
        "/hair": hair,
        "/skin": lambda asked: shown("Skin", links=links()),
    }


def depot(week: int) -> Routes:
    """A shop of fifty thousand products, of which its catalogue gives the first thousand."""
    cured = "Our exosomes cure arthritis." if week < 3 else "Our exosomes cure arthritis in adults."
    said = [cured, *(["Our exosomes cure asthma."] if week >= 5 else [])]
    vial = entry(611, "Exosome Vial", claims(*said))

    def answer(asked: Asked) -> Reply:
        number = int(parse_qs(urlsplit(asked.path).query)["page"][0])
        if week == 4 and number == 3:
            return Reply("slow down", status=429, headers={"Retry-After": "1"})
        numbers = list(range((number - 1) * 250, min(number * 250, 1000)))
        if week % 2 == 0:
            numbers.reverse()
        found = [vial if one == 611 and week < 6 else product(one, f"Towel {one}") for one in numbers]
        return as_json({"products": found})

    routes: Routes = {"/": shown("Depot", head=SHOPIFY_HEAD), "/products.json": answer}
    if week < 6:
        routes["/products/exosome-vial"] = shown("Exosome Vial", *said)
    return routes


def soft_404s(week: int) -> Routes:
    missing = shown("Page not found - Zephyr")
    hair: Routes = {"/hair": missing if week in (2, 5) else shown("Hair", "Our exosomes reverse hair loss.")}
    return {"/": shown("Zephyr", links=("/hair", "/lost")), "/lost": missing, **(hair if week not in (3, 4) else {})}


def cloaked_block(week: int) -> Routes:
    """Blocks with status 200, and not from its first page on."""
    said = ["Our exosomes cure arthritis."] if week < 6 else []
    hair = CLOAKED if week in (2, 4, 5) else shown("Hair", *said)
    return {"/": shown("Aster", links=("/hair",)), "/hair": hair}


def login_wall(week: int) -> Routes:
    form = '<form action="/session"><input name="u"><input type="password" name="p"></form>'
    cure = "Our exosomes cure arthritis." if week < 4 else "Our exosomes cure arthritis in adults."
    hair = {2: moved("/account/login"), 3: Reply(html("Hair", body=form))}.get(week, shown("Hair", cure))
    home = moved("/password") if week == 5 else shown("Bryn", links=("/hair",))
    opening = Reply(html("Opening soon", body=form))
    if week == 5:
        hair = moved("/password")
    return {"/": home, "/password": opening, "/account/login": Reply(html("Welcome back", body=form)), "/hair": hair}


def forbidding_robots(week: int) -> Routes:
    forbidden = {2: "/", 4: "/hair", 6: "/"}.get(week)
    said = ["Our exosomes cure arthritis."] if week < 5 else []
    routes: Routes = {"/": shown("Cairn", links=("/hair",)), "/hair": shown("Hair", *said)}
    return routes | ({"/robots.txt": plain(f"User-agent: *\nDisallow: {forbidden}\n")} if forbidden else {})


def silent_robots(week: int) -> Routes:
    said = ["Our exosomes cure lupus.", "Our exosomes cure asthma."][: 1 if week < 4 else 2]
    if week == 6:
        said = said[1:]
    routes: Routes = {"/": shown("Dune", *said)}
    return routes | ({"/robots.txt": Reply("", wait=threading.Event())} if week in (2, 5) else {})


def brochures(week: int) -> Routes:
    """A clinic that says in a price list what its pages do not."""
    if week == 2:
        return dict.fromkeys(("/", "/robots.txt", "/media/prices.pdf"), DOWN)
    cure = "Our exosomes cure arthritis." if week < 4 else "Our exosomes cure arthritis in adults."
    edition = tiny_pdf(f"Price list of the exosome clinic\n{cure}\nBook now")
    pdf = Reply(b"%PDF-1.4 and no more" if week == 5 else edition, content_type="application/pdf")
    home: Routes = {"/": shown("Elm", links=("/media/prices.pdf",))}
    return home | ({"/media/prices.pdf": pdf} if week < 6 else {})


def carousel(week: int) -> Routes:
    """Everything moves, and nothing is said anew."""
    said = ["Our exosomes cure arthritis.", "Our exosomes cure asthma.", "Our exosomes cure lupus."]
    turned = said[week % 3 :] + said[: week % 3]
    banner = '<div class="cookie-banner"><p>We value your privacy. Accept all cookies?</p></div>' if week % 2 else ""
    counts = itertools.count(week * 10)

    def hair(_: Asked) -> Reply:
        viewing = next(counts)
        moving = (
            f"{banner}<p>Today is {week * 3} November 2026.</p><p>{viewing} people are viewing this.</p>"
            f"<p>{4000 + viewing * 7} visitors</p><p>Offer ends in 0{week}:1{week}:59</p>"
            f"<script>var n={viewing};</script>"
        )
        return shown("Hair", *turned, body=moving, links=tuple(f"/blog/{n}" for n in range(week, week + 3)))

    return {"/": shown("Gale", links=("/hair",)), "/hair": hair}


SITES = (
    Site("shopify", shopify),
    Site("woocommerce", woocommerce),
    Site("wordpress_clinic", wordpress_clinic),
    Site("squarespace", squarespace),
    Site("wix", wix),
    Site("broken_data", broken_data),
    Site("right_to_left", right_to_left),
    Site("japanese", japanese),
    Site("endless_calendar", endless_calendar, {"depth": 2}),
    Site("redirect_loops", redirect_loops),
    Site("session_ids", session_ids),
    Site("depot", depot, {"pages": 4}),
    Site("soft_404s", soft_404s),
    Site("cloaked_block", cloaked_block),
    Site("login_wall", login_wall),
    Site("forbidding_robots", forbidding_robots),
    Site("silent_robots", silent_robots, impatient=(2, 5)),
    Site("brochures", brochures),
    Site("carousel", carousel),
)
