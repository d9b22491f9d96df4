"""Countries as pages name them: tables for `addressed`. ISO 3166-1 alpha-2 in lower case, `uk` for Britain."""

from __future__ import annotations

MEMBER_STATES = {
    "at": "Austria", "be": "Belgium", "bg": "Bulgaria", "hr": "Croatia", "cy": "Cyprus", "cz": "Czechia",
    "dk": "Denmark", "ee": "Estonia", "fi": "Finland", "fr": "France", "de": "Germany", "gr": "Greece",
    "hu": "Hungary", "ie": "Ireland", "it": "Italy", "lv": "Latvia", "lt": "Lithuania", "lu": "Luxembourg",
    "mt": "Malta", "nl": "the Netherlands", "pl": "Poland", "pt": "Portugal", "ro": "Romania", "sk": "Slovakia",
    "si": "Slovenia", "es": "Spain", "se": "Sweden",
}  # fmt: skip
"""Members of the European Union; pages that address one of them are read under `eu` too."""

GENERIC_SUFFIXES = frozenset({
    "ac", "ai", "am", "bz", "cc", "cd", "co", "fm", "gg", "gl", "im", "io", "is", "la", "ly", "me",
    "ms", "mu", "nu", "ph", "pw", "sc", "sh", "so", "st", "su", "tk", "to", "tv", "vc", "vg", "ws",
})  # fmt: skip
"""Country suffixes sold as general ones: the ending says nothing about whom the page addresses."""

CURRENCIES = {
    "GBP": "uk", "EUR": "eu", "USD": "us", "CAD": "ca", "AUD": "au", "NZD": "nz", "CHF": "ch", "JPY": "jp",
    "KRW": "kr", "SGD": "sg", "HKD": "hk", "TWD": "tw", "CNY": "cn", "INR": "in", "BRL": "br", "MXN": "mx",
    "TRY": "tr", "AED": "ae", "SAR": "sa", "THB": "th", "MYR": "my", "IDR": "id", "PHP": "ph", "VND": "vn",
    "PLN": "pl", "CZK": "cz", "SEK": "se", "DKK": "dk", "HUF": "hu", "RON": "ro", "BGN": "bg", "ARS": "ar",
    "COP": "co", "ILS": "il", "ZAR": "za", "NOK": "no", "IRR": "ir", "RUB": "ru", "UAH": "ua", "KZT": "kz",
}  # fmt: skip

CURRENCY_SIGNS = {
    "£": "uk", "€": "eu", "US$": "us", "C$": "ca", "CA$": "ca", "CAD$": "ca", "CDN$": "ca", "A$": "au", "AU$": "au",
    "NZ$": "nz", "S$": "sg", "HK$": "hk", "NT$": "tw", "R$": "br", "MX$": "mx", "₩": "kr", "원": "kr",
    "만원": "kr", "円": "jp", "万円": "jp",
    "₹": "in", "₺": "tr", "TL": "tr", "฿": "th", "บาท": "th", "₫": "vn", "VNĐ": "vn", "₱": "ph", "zł": "pl",
    "Kč": "cz", "₪": "il", "SFr.": "ch", "CN¥": "cn", "RMB": "cn", "人民币": "cn", "新台幣": "tw", "新臺幣": "tw",
    "₽": "ru", "руб": "ru", "₴": "ua", "грн": "ua", "₸": "kz", "تومان": "ir",
    "RM": "my", "Rp": "id", "د.إ": "ae", "ر.س": "sa", "ريال سعودي": "sa", "درهم إماراتي": "ae",
}  # fmt: skip
"""Signs that belong to one jurisdiction. The bare "$" and "¥" belong to several and are handled apart."""

DOLLAR_CODES = ("ca", "au", "nz", "sg", "hk", "tw", "mx", "ar", "co")
"""Countries that write their own money with a bare "$": beside their signs it does not point to the United States."""

LANGUAGE_HOMES = {
    "de": "eu", "it": "it", "nl": "eu", "pl": "pl", "sv": "se", "da": "dk", "fi": "fi", "cs": "cz", "hu": "hu",
    "el": "gr", "ro": "ro", "bg": "bg", "sk": "sk", "sl": "si", "hr": "hr", "et": "ee", "lv": "lv", "lt": "lt",
    "ja": "jp", "ko": "kr", "tr": "tr", "th": "th", "vi": "vn", "id": "id", "ms": "my", "no": "no", "he": "il",
    "fa": "ir", "uk": "ua", "hi": "in",
}  # fmt: skip
"""Languages written mainly for one jurisdiction. English, Spanish, French, Portuguese, Arabic and Chinese are not."""

SHARED_LANGUAGES = {
    "de": ("de", "at", "ch"), "nl": ("nl", "be"), "fr": ("fr", "be", "ch", "ca"), "es": ("es", "mx", "ar", "co"),
    "pt": ("br", "pt"), "zh": ("cn", "tw", "hk"), "ar": ("ae", "sa"), "ru": ("ru", "kz"),
}  # fmt: skip
"""Countries for which a language speaks weakly, because others share it."""

COUNTRY_NAMES = {
    "uk": ("UK", "U.K.", "United Kingdom", "Great Britain", "England", "Scotland", "Wales", "Northern Ireland",
           "Reino Unido", "Royaume-Uni", "Großbritannien", "Regno Unito"),
    "us": ("US", "U.S.", "USA", "U.S.A.", "United States", "Estados Unidos", "États-Unis", "Stati Uniti"),
    "ca": ("Canada", "Canadá", "Kanada"),
    "eu": ("EU", "E.U.", "European Union", "Europe", "Europa", "Union européenne", "Unión Europea",
           "Europäische Union", "Unione Europea", "União Europeia"),
    "au": ("Australia",), "nz": ("New Zealand",), "ch": ("Switzerland", "Schweiz", "Suisse", "Svizzera"),
    "jp": ("Japan", "日本"), "kr": ("South Korea", "Korea", "한국", "대한민국"), "sg": ("Singapore",),
    "hk": ("Hong Kong",),
    "tw": ("Taiwan", "台灣", "臺灣"), "cn": ("China", "中国", "中國"), "in": ("India", "भारत"),
    "br": ("Brazil", "Brasil"),
    "mx": ("Mexico", "México"), "tr": ("Turkey", "Türkiye"),
    "ae": ("UAE", "U.A.E.", "United Arab Emirates", "Dubai", "الإمارات", "دبي"),
    "sa": ("Saudi Arabia", "KSA", "السعودية"),
    "th": ("Thailand", "ประเทศไทย"), "my": ("Malaysia",), "id": ("Indonesia",), "ph": ("Philippines",),
    "vn": ("Vietnam", "Việt Nam"), "co": ("Colombia",), "ar": ("Argentina",), "il": ("Israel", "ישראל"),
    "no": ("Norway", "Norge"), "ir": ("Iran", "ایران"),
    "ru": ("Russia", "Россия", "России", "Россию"), "ua": ("Ukraine", "Україна", "Україні", "Україну"),
    "kz": ("Kazakhstan", "Казахстан", "Казахстану"),
    "at": ("Austria", "Österreich"), "be": ("Belgium", "Belgique", "België"), "bg": ("Bulgaria",),
    "hr": ("Croatia",), "cy": ("Cyprus", "Κύπρο"),
    "cz": ("Czechia", "Czech Republic", "Česko", "Česká republika", "České republice"),
    "dk": ("Denmark", "Danmark"),
    "ee": ("Estonia",), "fi": ("Finland", "Suomi"), "fr": ("France", "Francia", "Frankreich"),
    "de": ("Germany", "Deutschland", "Alemania", "Allemagne", "Germania"), "gr": ("Greece", "Ελλάδα"),
    "hu": ("Hungary", "Magyarország"),
    "ie": ("Ireland",), "it": ("Italy", "Italia", "Italie", "Italien"), "lv": ("Latvia",), "lt": ("Lithuania",),
    "lu": ("Luxembourg",), "mt": ("Malta",), "nl": ("Netherlands", "Nederland"), "pl": ("Poland", "Polska"),
    "pt": ("Portugal",), "ro": ("Romania", "România"), "sk": ("Slovakia", "Slovensko"), "si": ("Slovenia",),
    "es": ("Spain", "España", "Espagne", "Spanien"), "se": ("Sweden", "Sverige"),
}  # fmt: skip

CITIES = {
    "uk": ("London", "Manchester", "Birmingham", "Leeds", "Glasgow", "Edinburgh", "Liverpool", "Bristol", "Cardiff"),
    "us": ("New York", "Los Angeles", "Miami", "Houston", "Dallas", "Chicago", "Beverly Hills", "Las Vegas", "Phoenix",
           "San Diego", "Scottsdale", "Austin", "Atlanta", "Tampa"),
    "ca": ("Toronto", "Vancouver", "Montreal", "Montréal", "Calgary", "Ottawa", "Edmonton", "Mississauga"),
    "de": ("Berlin", "Hamburg", "München", "Munich", "Frankfurt", "Düsseldorf", "Köln", "Stuttgart"),
    "fr": ("Paris", "Lyon", "Marseille", "Nice", "Bordeaux", "Toulouse"), "pt": ("Lisbon", "Lisboa", "Porto"),
    "es": ("Madrid", "Barcelona", "Marbella", "Valencia", "Sevilla"),
    "it": ("Milan", "Milano", "Rome", "Roma", "Torino"),
    "nl": ("Amsterdam", "Rotterdam", "Utrecht", "Den Haag", "Eindhoven"),
    "be": ("Brussels", "Brussel", "Antwerpen", "Gent"), "ie": ("Dublin",), "at": ("Vienna", "Wien"),
    "pl": ("Warsaw", "Warszawa", "Kraków"), "jp": ("Tokyo", "Osaka"), "kr": ("Seoul", "Gangnam", "Busan"),
    "tr": ("Istanbul", "İstanbul", "Antalya", "Ankara", "İzmir", "Izmir"),
    "th": ("Bangkok", "Phuket", "กรุงเทพ", "เชียงใหม่"),
    "mx": ("Tijuana", "Cancun", "Cancún", "Guadalajara", "Monterrey", "Ciudad de México", "Mexico City"),
    "au": ("Sydney", "Melbourne", "Brisbane", "Perth", "Adelaide", "Gold Coast"), "nz": ("Auckland", "Wellington"),
    "ch": ("Zurich", "Zürich", "Geneva", "Genève", "Basel", "Lausanne"), "tw": ("Taipei", "Kaohsiung"),
    "br": ("São Paulo", "Rio de Janeiro", "Belo Horizonte", "Curitiba", "Porto Alegre"), "ar": ("Buenos Aires",),
    "in": ("Mumbai", "New Delhi", "Delhi", "Bangalore", "Bengaluru", "Chennai", "Hyderabad", "Pune", "Kolkata"),
    "ae": ("Abu Dhabi", "Sharjah"), "sa": ("Riyadh", "Jeddah", "الرياض", "جدة"),
    "cn": ("Shanghai", "Beijing", "Shenzhen"),
    "my": ("Kuala Lumpur", "Penang"), "id": ("Jakarta", "Bali", "Surabaya", "Bandung"),
    "ph": ("Manila", "Makati", "Cebu"),
    "vn": ("Hanoi", "Ho Chi Minh City", "Hà Nội", "TP.HCM", "Đà Nẵng"),
    "cz": ("Praha", "Prague", "Brno", "Ostrava", "Plzeň"),
    "hu": ("Budapest", "Debrecen", "Szeged"), "ro": ("București", "Bucharest", "Cluj-Napoca", "Timișoara", "Iași"),
    "se": ("Stockholm", "Göteborg", "Malmö", "Uppsala"),
    "dk": ("København", "Copenhagen", "Aarhus", "Odense", "Aalborg"),
    "no": ("Oslo", "Bergen", "Trondheim", "Stavanger"), "sk": ("Bratislava", "Košice"),
    "co": ("Bogotá", "Medellín"), "ir": ("Tehran",),
}  # fmt: skip

_FIVE_BEFORE = r"(?<![\w.,-])\d{5}[ ,]{1,2}"
_FOUR_BEFORE = r"[,;|\n] ?\d{4} "
_FIVE_AFTER = r"[ ,]{1,2}\d{5}(?![\w-])"
ADDRESS_SHAPES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    *((code, _FIVE_BEFORE, "", CITIES[code]) for code in ("de", "fr", "es", "it", "mx", "my")),
    *((code, _FOUR_BEFORE, "", CITIES[code]) for code in ("at", "ch", "be", "dk", "no", "hu")),
    *((code, r"(?<![\w-])\d{3} \d{2} {1,2}", "", CITIES[code]) for code in ("cz", "se", "sk")),
    *((code, "", _FIVE_AFTER, CITIES[code]) for code in ("th", "sa")),
    ("de", "", r"\d{5}(?= [A-ZÄÖÜÉ])", ("D-",)),
    ("fr", "", r"\d{5}(?= [A-ZÄÖÜÉ])", ("F-",)),
    ("it", "", r"\d{5}(?= [A-ZÄÖÜÉ])", ("I-",)),
    ("ch", "", r"\d{4}(?= [A-ZÄÖÜÉ])", ("CH-",)),
    ("nl", r"(?<![\w-])\d{4} ?[A-Z]{2},? ", "", CITIES["nl"]),
    ("pl", r"(?<![\w-])\d{2}-\d{3} ", "", CITIES["pl"]),
    ("pt", r"(?<![\w-])\d{4}-\d{3} ", "", CITIES["pt"]),
    ("tr", r"(?<![\w.,-])\d{5} (?:\w{3,12} ?/ ?)?", _FIVE_AFTER, CITIES["tr"]),
    ("au", "", r",? (?:NSW|VIC|QLD|WA|SA|TAS)[ ,]{1,2}\d{4}(?![\w-])", CITIES["au"]),
    ("au", "", r"[ ,]{1,2}\d{4}(?![\w-])", ("NSW", "QLD")),
    ("in", "", r"[ ,\u2013-]{1,3}\d{3} ?\d{3}(?![\w-])", CITIES["in"]),
    ("id", "", r"(?: [A-Z][a-z]+)?[ ,]{1,2}\d{5}(?![\w-])", CITIES["id"]),
    ("sg", "", r"[ ,]{1,2}\(?\d{6}\)?(?![\w-])", ("Singapore",)),
    ("ae", r"P\.? ?O\.? ?Box:? ?\d{2,6}[,.]? ", "", (*CITIES["ae"], "Dubai")),
    ("br", "", r"(?: ?[-\u2013,/] ?[A-Z]{2})?,? (?:CEP:? )?\d{5}-\d{3}(?![\w-])", CITIES["br"]),
    ("br", "", r":? ?\d{5}-?\d{3}(?![\w-])", ("CEP",)),
    ("jp", "", r" ?\d{3}-\d{4}(?!\d)", ("〒",)),
    (
        "jp",
        "",
        r"[一-龥ぁ-んァ-ヶ]{1,6}[市区郡]",
        ("東京都", "大阪府", "京都府", "北海道", "神奈川県", "愛知県", "福岡県", "兵庫県"),
    ),
    (
        "kr",
        "",
        r"(?:특별시|광역시|시|도)? [가-힣]{1,4}[구군시](?= [가-힣])",
        ("서울", "부산", "대구", "인천", "대전", "경기"),
    ),
    ("tw", "", r"市[一-龥]{1,3}區", ("台北", "臺北", "新北", "桃園", "台中", "臺中", "台南", "臺南", "高雄")),
    (
        "cn",
        "",
        r"市[一-龥]{1,5}[区县]",
        ("北京", "上海", "广州", "深圳", "成都", "杭州", "天津", "重庆", "武汉", "南京"),
    ),
)
"""Country; what stands before, or after, one of the words where it is part of a postal address; the words."""

US_STATES = (
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS", "KY", "LA", "ME",
    "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC", "ND", "OH", "OK", "OR", "PA",
    "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY", "DC", "PR",
)  # fmt: skip
US_STATE_NAMES = (
    "Alabama", "Alaska", "Arizona", "Arkansas", "California", "Colorado", "Connecticut", "Delaware", "Florida",
    "Georgia", "Hawaii", "Idaho", "Illinois", "Indiana", "Iowa", "Kansas", "Kentucky", "Louisiana", "Maine",
    "Maryland", "Massachusetts", "Michigan", "Minnesota", "Mississippi", "Missouri", "Montana", "Nebraska", "Nevada",
    "New Hampshire", "New Jersey", "New Mexico", "New York", "North Carolina", "North Dakota", "Ohio", "Oklahoma",
    "Oregon", "Pennsylvania", "Rhode Island", "South Carolina", "South Dakota", "Tennessee", "Texas", "Utah",
    "Vermont", "Virginia", "Washington", "West Virginia", "Wisconsin", "Wyoming",
)  # fmt: skip
CANADIAN_PROVINCES = (
    "AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT",
)  # fmt: skip
UK_POSTCODE_AREAS = (
    "AB", "AL", "B", "BA", "BB", "BD", "BH", "BL", "BN", "BR", "BS", "BT", "CA", "CB", "CF", "CH", "CM", "CO", "CR",
    "CT", "CV", "CW", "DA", "DD", "DE", "DG", "DH", "DL", "DN", "DT", "DY", "E", "EC", "EH", "EN", "EX", "FK", "FY",
    "G", "GL", "GU", "GY", "HA", "HD", "HG", "HP", "HR", "HS", "HU", "HX", "IG", "IP", "IV", "JE", "KA", "KT", "KW",
    "KY", "L", "LA", "LD", "LE", "LL", "LN", "LS", "LU", "M", "ME", "MK", "ML", "N", "NE", "NG", "NN", "NP", "NR",
    "NW", "OL", "OX", "PA", "PE", "PH", "PL", "PO", "PR", "RG", "RH", "RM", "S", "SA", "SE", "SG", "SK", "SL", "SM",
    "SN", "SO", "SP", "SR", "SS", "ST", "SW", "SY", "TA", "TD", "TF", "TN", "TQ", "TR", "TS", "TW", "UB", "W", "WA",
    "WC", "WD", "WF", "WN", "WR", "WS", "WV", "YO", "ZE",
)  # fmt: skip
