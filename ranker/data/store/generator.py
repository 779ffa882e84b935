"""A plausible online store, made up from a seed: products, queries, and graded judgments whose truth is known.

Words are those of a shop; brands are invented. A list (one query with its documents) mixes products that match well,
products that match partly and products of other categories. With K the words of query q, and document d of list L:

    utility(q, d) = text + brand + price + stock + dominated
    label(q, d)   = how many of the grade limits 0.6, 1.7, 2.8, 3.9 are <= utility(q, d) + noise

    text      = 4.0 |K in title(d)| / |K| + 1.6 |K in description(d) but not in title(d)| / |K|
                - 3.0 [d is not of the category of the noun that q asks for]
    brand     = 0.8 quality(brand(d)),  quality ~ Normal(0, 1), one number per brand, written to no file
    price     = s place(d, L),  s = -1.5 for segment bargain, -0.4 regular, +1.2 premium
                place = (documents of L cheaper than d - documents of L dearer than d) / (priced documents of L - 1),
                from -1 (the cheapest) to 1 (the dearest); 0 without a price or without a second priced document
    stock     = -1.5 [stock(d) = 0]
    dominated = -1.0 [some e of L with the noun of d has price(e) < price(d) and text(e) > text(d)]
    noise     ~ Normal(0, 0.4) for each (q, d)

Price and dominated depend on the other documents of the list, so a scorer that sees one document at a time cannot know
all of it. About 3 % of the queries are unanswered: their documents are of other categories, and their labels nearly
always 0.

What a product is tagged with, when it was released and when a query was asked is drawn apart from all this, and tells
nothing of the labels. `ranker.data.store.clicks` says how customers click.

`tests/ranker/data/store/test_generator.py` proves, for two seeds, that ranking by the utility reaches a mean NDCG@10 of
at least 0.9; that the best single feature gets at most 85 % of that; and that LightGBM without text features gets at
most 95 % of the NDCG@10 of LightGBM with them. The same arguments give the same bytes (for one version of numpy, whose
generators may change between versions).
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

import numpy as np
from numpy.typing import NDArray

from ranker.data.store.clicks import PERIOD, START, ClickLog, truth_of_clicks

__all__ = ["StoreFiles", "make_store"]

_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]
_Flags = NDArray[np.bool_]

# Three lines for each category: name | typical price | 8 nouns, which no other category has |
# 6 materials |
# 8 attributes. No word has two roles in a category.
_CATEGORY_TABLE = """
footwear | 80 | boots sneakers sandals loafers slippers clogs moccasins heels |
    leather suede canvas mesh rubber felt |
    waterproof cushioned insulated wide lightweight breathable laced vegan
clothing | 60 | jacket shirt sweater trousers dress coat skirt hoodie |
    cotton wool linen denim fleece silk |
    slim hooded striped padded oversized pleated stretch waterproof
bags | 90 | backpack suitcase handbag wallet tote briefcase duffel pouch |
    leather canvas nylon polyester suede cork |
    foldable lockable padded compact reversible waterproof expandable zipped
furniture | 250 | chair table sofa bookcase desk wardrobe stool bench |
    oak pine walnut steel rattan velvet |
    folding adjustable stackable extendable upholstered rustic swivel compact
kitchen | 45 | kettle pan knife blender toaster mug teapot grater |
    steel ceramic copper enamel glass bamboo |
    nonstick electric ergonomic cordless stackable heatproof serrated programmable
lighting | 55 | lamp lantern chandelier spotlight sconce torch bulb candle |
    brass glass paper rattan ceramic chrome |
    dimmable rechargeable wireless warm hanging portable flickering solar
garden | 40 | shovel rake hose planter hammock parasol trellis wheelbarrow |
    steel teak terracotta aluminium willow rubber |
    weatherproof telescopic foldable rustproof hanging sturdy sharp compact
electronics | 120 | headphones speaker keyboard charger monitor camera microphone router |
    aluminium plastic carbon titanium glass silicone |
    wireless rechargeable waterproof portable backlit foldable curved professional
sports | 150 | racket dumbbell bicycle helmet treadmill snowboard kayak tent |
    carbon aluminium foam steel nylon neoprene |
    lightweight inflatable adjustable insulated foldable professional aerodynamic junior
toys | 25 | puzzle doll kite train robot drum yoyo castle |
    wooden plastic plush cardboard tin felt |
    magnetic musical educational collapsible washable glowing interactive miniature
jewellery | 180 | ring necklace bracelet earrings brooch watch anklet cufflinks |
    gold silver pearl platinum amber jade |
    engraved adjustable vintage minimalist handmade braided polished delicate
bedding | 70 | pillow blanket mattress duvet quilt sheet bedspread cushion |
    cotton linen wool bamboo down microfibre |
    cooling hypoallergenic washable padded weighted orthopaedic reversible fringed
"""
_COLOURS = "black white red blue green yellow brown grey pink purple orange navy beige teal"
_BRANDS = (
    "alderon brimwell calvessa dornek elvaro fjordal gavrola hestrel ivarno jolvane kestrova lumeris mirovel norvane "
    "ostrell pellano quillon ravenko sorvique tavelin ulmara veskora wendrel xanvero yolmark zephano arkwyn belmora "
    "corvanti dravelle esterlo farnova grendal halvex ilsenor jarvelo kolmira lorvane mandrix nivello"
)
_CLOSINGS = (
    "Goes well with our {noun}, and is also sold in {colour}.",
    "Customers who chose the {noun} liked it; ask us about {colour}.",
    "Made to last. Ships together with a {noun}, or alone in {colour}.",
)
_TAGS = ("bestseller", "clearance", "gift", "handmade", "imported", "limited", "new", "outlet", "recycled", "seasonal")
_FAVOURITE_TAGS = 3  # of a category
_OLDEST = 3 * 365  # days from the release of a product to the first query
_document_id, _query_id = "p{:06d}".format, "q{:05d}".format
_SEGMENTS = ("bargain", "regular", "premium")
_SEGMENT_SHARES = (0.4, 0.35, 0.25)
_PRICE_TASTE = np.array([-1.5, -0.4, 1.2])
_GRADE_LIMITS = np.array([0.6, 1.7, 2.8, 3.9])
_NOISE = 0.4
_UNANSWERED_SHARE = 0.03
# Expected shares of a list: other category, same category, same noun, same noun and the query's (second) trait.
_TIER_SHARES = np.array([0.2, 0.3, 0.25, 0.25])
_NOBODY = 1e-9  # the share of a tier that is drawn from only when the others run dry
_CHUNK_CELLS = 4_000_000  # the largest array made for a chunk of lists

_ROWS = ([field.strip() for field in row.split("|")] for row in _CATEGORY_TABLE.replace("|\n", "|").splitlines()[1:])
_CATEGORIES, _TYPICAL_PRICES, *_ROLES = zip(*_ROWS, strict=True)
_WORDS = np.unique(" ".join([*(" ".join(texts) for texts in _ROLES), _COLOURS, _BRANDS]).split())


def _codes(*texts: str) -> _Ints:
    """Texts of equally many words -> codes (places in `_WORDS`) [texts, words]."""
    return np.searchsorted(_WORDS, [text.split() for text in texts])


_NOUN_CODES, _MATERIAL_CODES, _ATTRIBUTE_CODES = (_codes(*texts) for texts in _ROLES)
_COLOUR_CODES, _BRAND_CODES = _codes(_COLOURS)[0], _codes(_BRANDS)[0]


@dataclass(frozen=True)
class StoreFiles:
    """Where `make_store` wrote its files; those of clicks are there only if it was asked for impressions."""

    products: Path
    queries: Path
    judgments: Path
    truth: Path
    clicks: Path
    clicks_truth: Path


@dataclass(frozen=True)
class _Products:
    """The products as arrays [products] or [products, words]. Words are codes; -1 is a word left out of a text."""

    category: _Ints
    noun: _Ints
    brand: _Ints
    quality: _Floats  # of the brand
    price: _Floats  # NaN where missing
    stock: _Ints
    traits: _Ints  # colour, three attributes, material
    title: _Ints  # brand, traits, noun
    description: _Ints  # brand, noun, traits, another noun, another colour
    tags: _Flags  # [products, tags]
    released: _Floats  # days before the first query, NaN where missing


@dataclass(frozen=True)
class _Queries:
    """The queries as arrays [queries] or [queries, words]. Words are codes; -1 is a word that is not asked for."""

    words: _Ints  # brand, trait, trait, noun
    category: _Ints
    segment: _Ints
    answered: _Flags
    asked: _Ints  # seconds since 1970

    def at(self, rows: slice) -> "_Queries":
        return _Queries(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def make_store(
    out: Path,
    *,
    queries: int = 300,
    documents_per_query: int = 30,
    products: int = 2000,
    seed: int = 7,
    impressions: int = 0,
    positions: int = 10,
    eta: float = 1.0,
) -> StoreFiles:
    """Write a store into the folder `out`, which is made where needed, and say where its files are.

    - `products.jsonl`: document_id, title, description, brand, price (an amount of money; null for about 3 %),
      stock, category, tags (any number of words), released (a day; null for about 2 %).
    - `queries.jsonl`: query_id, query (words), segment (bargain, regular or premium), asked_at (a time).
    - `judgments.csv`: query_id, document_id, label (0 to 4); the rows of a list are together.
    - `truth.jsonl`: query_id, document_id, utility (without noise); what no ranker may read.
    - `clicks.parquet`: the click log, as `ranker.data.store.clicks.ClickLog` writes it, and
      `clicks_truth.json`: its propensities, which have to be found without it.

    Each file is written under a temporary name and renamed when it is whole.

    Args:
        out: the folder.
        queries: how many.
        documents_per_query: documents of each list.
        products: how many.
        seed: of all draws.
        impressions: of the click log; with 0 there is none, and one of an earlier store is deleted.
        positions: documents shown in an impression, at the most.
        eta: how steeply examination falls with the position; 0 is no position bias.

    Raises:
        ValueError: for a store that cannot be.
    """
    least = {"queries": (queries, 1), "documents_per_query": (documents_per_query, 1), "seed": (seed, 0)}
    least |= {"impressions": (impressions, 0), "positions": (positions, 1)}
    _check(least, documents_per_query, products, eta)
    names = ("products.jsonl", "queries.jsonl", "judgments.csv", "truth.jsonl", "clicks.parquet", "clicks_truth.json")
    files = StoreFiles(*(out / name for name in names))
    product_rng, query_rng, list_rng, label_rng, time_rng, click_rng = np.random.default_rng(seed).spawn(6)
    shelf = _draw_products(product_rng, label_rng, products)
    asked = _draw_queries(query_rng, time_rng, shelf, queries)
    out.mkdir(parents=True, exist_ok=True)
    for old in (files.clicks, files.clicks_truth):
        old.unlink(missing_ok=True)
    with _replacing(files.products) as file:
        file.writelines(_product_lines(shelf))
    with _replacing(files.queries) as file:
        file.writelines(_query_lines(asked))
    with ExitStack() as stack:
        judgments, truth = (stack.enter_context(_replacing(path)) for path in (files.judgments, files.truth))
        log = None
        if impressions:
            stack.enter_context(_replacing(files.clicks_truth)).write(truth_of_clicks(positions, eta))
            clicks = stack.enter_context(_replacing_bytes(files.clicks))
            log = ClickLog(clicks, click_rng, queries=queries, impressions=impressions, positions=positions, eta=eta)
            stack.enter_context(log)
        _write_lists(list_rng, shelf, asked, documents_per_query, judgments, truth, log)
    return files


def _check(least: dict[str, tuple[int, int]], documents_per_query: int, products: int, eta: float) -> None:
    for name, (value, bound) in least.items():
        if value < bound:
            raise ValueError(f"{name}: expected at least {bound}, got {value}")
    if products < documents_per_query:
        raise ValueError(f"products: expected at least documents_per_query = {documents_per_query}, got {products}")
    if not 0 <= eta < np.inf:
        raise ValueError(f"eta: expected a number >= 0, got {eta}")


def _draw_products(rng: np.random.Generator, label_rng: np.random.Generator, count: int) -> _Products:
    category = rng.integers(len(_CATEGORIES), size=count)
    kind = rng.integers(_NOUN_CODES.shape[1], size=count)
    maker = rng.integers(len(_BRAND_CODES), size=count)
    noun, brand = _NOUN_CODES[category, kind], _BRAND_CODES[maker]
    quality = rng.standard_normal(len(_BRAND_CODES))[maker]
    colour, other_colour = rng.choice(_COLOUR_CODES, (2, count))
    attributes = rng.permuted(_ATTRIBUTE_CODES[category], axis=1)[:, :3]
    material = _MATERIAL_CODES[category, rng.integers(_MATERIAL_CODES.shape[1], size=count)]
    traits = np.column_stack([colour, attributes, material])
    other_noun = _NOUN_CODES[category, rng.integers(_NOUN_CODES.shape[1], size=count)]
    return _Products(
        category=category,
        noun=noun,
        brand=brand,
        quality=quality,
        price=_draw_prices(rng, category, kind, quality),
        stock=np.where(rng.random(count) < 0.1, 0, rng.geometric(0.03, size=count)),
        traits=traits,
        title=np.column_stack([_sometimes(rng, 0.6, brand), _sometimes(rng, 0.5, traits), noun]),
        description=np.column_stack([brand, noun, _sometimes(rng, 0.7, traits), other_noun, other_colour]),
        tags=_draw_tags(label_rng, category),
        released=np.where(label_rng.random(count) < 0.02, np.nan, label_rng.integers(1, _OLDEST, count, endpoint=True)),
    )


def _draw_tags(rng: np.random.Generator, category: _Ints) -> _Flags:
    """Each category has some tags that are usual with it."""
    usual = rng.permuted(np.tile(np.arange(len(_TAGS)) < _FAVOURITE_TAGS, (len(_CATEGORIES), 1)), axis=1)
    return rng.random((len(category), len(_TAGS))) < np.where(usual, 0.35, 0.05)[category]


def _sometimes(rng: np.random.Generator, share: float, words: _Ints) -> _Ints:
    return np.where(rng.random(words.shape) < share, words, -1)


def _draw_prices(rng: np.random.Generator, category: _Ints, kind: _Ints, quality: _Floats) -> _Floats:
    typical = np.array(_TYPICAL_PRICES, dtype=np.float64)[category]
    of_noun = rng.normal(0.0, 0.4, _NOUN_CODES.shape)[category, kind]
    price = typical * np.exp(of_noun + 0.15 * quality + rng.normal(0.0, 0.4, len(category)))
    return np.where(rng.random(len(category)) < 0.03, np.nan, np.round(np.floor(price) + 0.99, 2))


def _draw_queries(rng: np.random.Generator, time_rng: np.random.Generator, products: _Products, count: int) -> _Queries:
    """Each query asks for the noun and one or two traits of a product, and now and then for its brand."""
    wanted = rng.integers(len(products.noun), size=count)
    traits = rng.permuted(products.traits[wanted], axis=1)
    brand, second = _sometimes(rng, 0.15, products.brand[wanted]), _sometimes(rng, 0.6, traits[:, 0])
    return _Queries(
        words=np.column_stack([brand, second, traits[:, 1], products.noun[wanted]]),
        category=products.category[wanted],
        segment=rng.choice(len(_SEGMENTS), size=count, p=_SEGMENT_SHARES),
        answered=rng.random(count) >= _UNANSWERED_SHARE,
        asked=START + time_rng.integers(PERIOD, size=count),
    )


def _write_lists(
    rng: np.random.Generator,
    products: _Products,
    queries: _Queries,
    size: int,
    judgments: TextIO,
    truth: TextIO,
    log: ClickLog | None,
) -> None:
    """Draw, grade and write the lists chunk by chunk, so that memory does not grow with the queries."""
    words = queries.words.shape[1] * products.description.shape[1]
    chunk = max(1, _CHUNK_CELLS // max(products.traits.size, size * size, size * words))
    judgments.write("query_id,document_id,label\n")
    for start in range(0, len(queries.words), chunk):
        part = queries.at(slice(start, start + chunk))
        documents = _draw_candidates(rng, products, part, size)
        utility = _utility(products, part, documents)
        label = np.searchsorted(_GRADE_LIMITS, utility + rng.normal(0.0, _NOISE, utility.shape), side="right")
        if log is not None:
            ids = np.array([[_document_id(product) for product in row] for row in documents.tolist()], object)
            log.add([_query_id(start + row) for row in range(len(ids))], ids, utility, label)
        for row, lists in enumerate(zip(documents.tolist(), label.tolist(), utility.tolist(), strict=True), start):
            query = _query_id(row)
            for product, grade, value in zip(*lists, strict=True):
                document = _document_id(product)
                judgments.write(f"{query},{document},{grade}\n")
                truth.write(f'{{"query_id": "{query}", "document_id": "{document}", "utility": {value:.4f}}}\n')


def _draw_candidates(rng: np.random.Generator, products: _Products, queries: _Queries, size: int) -> _Ints:
    """Product rows [queries, size], distinct within a list, ascending: their order tells nothing.

    A product's tier is how well it fits; tiers are sampled without replacement, weighted by share / products in tier.
    """
    noun, trait = queries.words[:, -1:], queries.words[:, -2, None, None]
    same_noun = products.noun == noun
    tier = (products.category == queries.category[:, None]).astype(np.int64) + same_noun
    tier += same_noun & (products.traits == trait).any(axis=-1)
    in_tier = np.stack([(tier == which).sum(axis=1) for which in range(len(_TIER_SHARES))], axis=1)
    shares = np.where(queries.answered[:, None], _TIER_SHARES, [1.0, _NOBODY, _NOBODY, _NOBODY])
    weight = np.take_along_axis(shares / np.maximum(in_tier, 1), tier, axis=1)
    # The smallest of exponential / weight are a weighted sample without replacement (Efraimidis and Spirakis, 2006).
    keys = rng.standard_exponential(weight.shape) / weight
    return np.sort(np.argpartition(keys, size - 1, axis=1)[:, :size], axis=1)


def _utility(products: _Products, queries: _Queries, documents: _Ints) -> _Floats:
    """The utility of the module docstring, without noise, [queries, documents]."""
    text = _text_match(products, queries, documents)
    price, noun = products.price[documents], products.noun[documents]
    cheaper = price[:, None, :] < price[:, :, None]  # [queries, d, e]: e is cheaper than d
    dearer = price[:, None, :] > price[:, :, None]
    priced = (~np.isnan(price)).sum(axis=1, keepdims=True)
    place = (cheaper.sum(axis=2) - dearer.sum(axis=2)) / np.maximum(priced - 1, 1)
    better = (noun[:, None, :] == noun[:, :, None]) & (text[:, None, :] > text[:, :, None])
    return (
        text
        + 0.8 * products.quality[documents]
        + _PRICE_TASTE[queries.segment, None] * place
        - 1.5 * (products.stock[documents] == 0)
        - 1.0 * (cheaper & better).any(axis=2)
    )


def _text_match(products: _Products, queries: _Queries, documents: _Ints) -> _Floats:
    words = queries.words[:, None, :, None]
    in_title, in_description = (
        ((words == text[documents][:, :, None, :]) & (words >= 0)).any(axis=-1)
        for text in (products.title, products.description)
    )
    asked = (queries.words >= 0).sum(axis=1, keepdims=True)
    other_category = products.category[documents] != queries.category[:, None]
    only_described = in_description & ~in_title
    return (4.0 * in_title.sum(axis=-1) + 1.6 * only_described.sum(axis=-1)) / asked - 3.0 * other_category


def _product_lines(products: _Products) -> Iterator[str]:
    numbers = (products.price.tolist(), products.stock.tolist(), products.released.tolist())
    for row, (price, stock, released) in enumerate(zip(*numbers, strict=True)):
        record = {
            "document_id": _document_id(row),
            "title": " ".join(_said(products.title[row])).title(),
            "description": _describe(products.description[row], _CLOSINGS[row % len(_CLOSINGS)]),
            "brand": _WORDS[products.brand[row]].title(),
            "price": None if np.isnan(price) else price,
            "stock": stock,
            "category": _CATEGORIES[products.category[row]],
            "tags": [_TAGS[place] for place in np.flatnonzero(products.tags[row])],
            "released": None if np.isnan(released) else _written(START - 86_400 * int(released), "D"),
        }
        yield json.dumps(record) + "\n"


def _describe(words: _Ints, closing: str) -> str:
    brand, noun = _said(words[:2])
    traits = _said(words[2:-2])
    other_noun, other_colour = _said(words[-2:])
    qualities = f": {', '.join(traits)}" if traits else ""
    return f"{noun.title()} by {brand.title()}{qualities}. {closing.format(noun=other_noun, colour=other_colour)}"


def _query_lines(queries: _Queries) -> Iterator[str]:
    for row, (segment, asked) in enumerate(zip(queries.segment.tolist(), queries.asked.tolist(), strict=True)):
        record = {
            "query_id": _query_id(row),
            "query": " ".join(_said(queries.words[row])),
            "segment": _SEGMENTS[segment],
            "asked_at": _written(asked, "s") + "Z",
        }
        yield json.dumps(record) + "\n"


def _said(words: _Ints) -> list[str]:
    return [str(_WORDS[code]) for code in words if code >= 0]


def _written(seconds: int, unit: str) -> str:
    """A time as ISO 8601 writes it, to the second ("s") or the day ("D")."""
    return str(np.datetime64(seconds, "s").astype(f"datetime64[{unit}]"))


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    """A text file that takes the name `path` when the block ends well, and vanishes when it does not."""
    with _replacing_bytes(path) as file:
        text = TextIOWrapper(file, encoding="utf-8", newline="\n")
        try:
            yield text
        finally:
            text.detach()


@contextmanager
def _replacing_bytes(path: Path) -> Iterator[BinaryIO]:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
