"""Cookie and consent banners, by their words in many languages and by where their buttons stand. Pure.

A banner is a block that asks for consent, with the headings, buttons and names of purposes beside it. The same button
elsewhere ("Settings", "Marketing") is the page's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ahocorasick_rs import AhoCorasick

LONGEST = 2_000
"""Characters of a block beyond which it is the page's own, whatever it names."""
_LONGEST_LABEL = 60
_ASKING: Mapping[str, str] = {
    "any": r"cookie|\bgdpr\b.{0,40}consent|iab ?tcf|onetrust|usercentrics|cookiebot",
    "en": r"we (?:value|respect|care about) your privacy|your privacy (?:choices|preferences|settings|matters)"
    r"|(?:store|access|storing|accessing)[\w /]{0,24}information on (?:a|your) device|(?:manage|withdraw|give)"
    r" (?:your )?consent (?:preferences|choices|at any time)|consent to the use of (?:these|such|all|tracking)"
    r"|by (?:continuing to (?:browse|use)|using this (?:web)?site).{0,80}(?:agree|consent|accept)"
    r"|do not sell (?:or share )?my (?:personal )?(?:information|data)|tracking technolog"
    r"|small files on (?:a|your) device",
    "de": r"(?:wir )?(?:respektieren|schätzen) (?:ihre|deine) privatsphäre|(?:ihre|deine) privatsphäre ist uns"
    r"|(?:datenschutz|privatsphäre)[- ]?einstellungen|einwilligung(?:en)? (?:verwalten|jederzeit|in die verarbeitung)"
    r"|informationen auf (?:einem|ihrem) (?:end)?gerät",
    "fr": r"(?:nous )?respectons votre vie privée|votre vie privée (?:nous|est)|gérer (?:le|votre|mes) consentements?"
    r"|paramètres de confidentialité|accéder à des informations sur (?:un|votre) (?:appareil|terminal)"
    r"|continuer sans accepter",
    "es": r"(?:valoramos|respetamos|nos importa) (?:tu|su) privacidad|(?:tu|su) privacidad (?:es|nos)"
    r"|gestionar (?:el )?consentimiento|(?:configuración|preferencias) de privacidad"
    r"|acceder a (?:la )?información (?:de|en) (?:un|tu|su) dispositivo",
    "pt": r"(?:valorizamos|respeitamos|nos preocupamos com) a sua privacidade|a? ?sua privacidade é"
    r"|ger(?:ir|enciar) (?:o )?consentimento|(?:definições|configurações|preferências) de privacidade"
    r"|aced?er a informações (?:num|em um|no seu) dispositivo",
    "it": r"rispettiamo la (?:tua|vostra) privacy|la tua privacy (?:è|ci)|gestisci (?:il )?consenso"
    r"|(?:impostazioni|preferenze) (?:sulla |della |di )?privacy|continua senza accettare",
    "nl": r"(?:we|wij) (?:respecteren|waarderen|hechten) .{0,20}privacy|toestemming beheren|privacy-?instellingen",
    "pl": r"(?:cenimy|szanujemy) (?:twoją|państwa) prywatność|zarządzaj zgod|ustawienia prywatności|ciasteczk",
    "tr": r"gizliliğin(?:iz)?e (?:değer|önem|saygı)|gizlilik (?:tercih|ayar)|çerez|izin tercih",
    "ru": r"мы (?:ценим|уважаем) вашу (?:конфиденциальность|приватность)|настройки (?:конфиденциальности|приватности)"
    r"|файл\w* куки|продолжая (?:использовать|пользоваться|работу).{0,60}согла",
    "ja": r"クッキー|プライバシー(?:を尊重|の?設定)|同意(?:を管理|の管理|設定)|トラッキング技術",
    "ko": r"쿠키|개인정보 ?(?:보호)?를 (?:소중|존중)|개인정보 (?:보호 )?설정|동의 관리",
    "zh": r"(?:重视|重視|尊重)(?:您|你)的(?:隐私|隱私|私隐)|(?:隐私|隱私)(?:设置|設定|偏好)|管理同意|缓存文件",
    "ar": r"ملفات تعريف الارتباط|(?:نقدر|نحترم) خصوصيتك|خصوصيتك (?:تهمنا|مهمة)|إعدادات الخصوصية|إدارة الموافقة",
}
"""By language, how a banner asks for consent."""
_BUTTONS: Mapping[str, str] = {
    "en": "accept|accept all|i accept|allow|allow all|agree|i agree|got it|ok|okay|close|reject|reject all|decline|deny"
    "|refuse|only necessary|necessary only|accept selected|save|save settings|save preferences|confirm my choices"
    "|manage|manage preferences|manage options|preferences|settings|customise|customize|more options|learn more"
    "|more information|show details|necessary|strictly necessary|essential|functional|performance|analytics"
    "|statistics|marketing|advertising|targeting|personalisation|personalization|unclassified|always active|on|off"
    "|privacy policy|vendors|purposes|about|details|consent|your choices|accept and close|accept & close",
    "de": "akzeptieren|alle akzeptieren|zustimmen|allen zustimmen|annehmen|alle annehmen|einverstanden|verstanden"
    "|ablehnen|alle ablehnen|nur notwendige|nur erforderliche|auswahl speichern|speichern|einstellungen"
    "|mehr erfahren|mehr informationen|details zeigen|notwendig|essenziell|erforderlich|funktional|statistik"
    "|statistiken|marketing|komfort|präferenzen|datenschutzerklärung|impressum|immer aktiv|schließen",
    "fr": "accepter|tout accepter|j'accepte|refuser|tout refuser|continuer sans accepter|paramétrer|paramètres"
    "|personnaliser|préférences|enregistrer|en savoir plus|nécessaires|fonctionnels|statistiques|publicité|fermer"
    "|politique de confidentialité|toujours actif|gérer les options|d'accord",
    "es": "aceptar|aceptar todo|aceptar todas|acepto|permitir todas|rechazar|rechazar todo|rechazar todas|denegar"
    "|configurar|configuración|preferencias|personalizar|guardar|más información|necesarias|funcionales|estadísticas"
    "|publicidad|cerrar|política de privacidad|siempre activo|de acuerdo|entendido",
    "pt": "aceitar|aceitar tudo|aceitar todos|aceito|permitir todos|rejeitar|rejeitar tudo|recusar|negar|configurar"
    "|configurações|definições|preferências|personalizar|salvar|guardar|saiba mais|mais informações|necessários"
    "|funcionais|estatísticas|publicidade|fechar|política de privacidade|sempre ativo|entendi|concordo",
    "it": "accetta|accetta tutto|accetta tutti|accetto|rifiuta|rifiuta tutto|rifiuta tutti|nega|personalizza"
    "|impostazioni|preferenze|salva|maggiori informazioni|scopri di più|necessari|funzionali|statistiche|chiudi"
    "|informativa sulla privacy|sempre attivo|ho capito",
    "nl": "accepteren|alles accepteren|akkoord|weigeren|alles weigeren|instellingen|voorkeuren|opslaan|meer informatie"
    "|noodzakelijk|functioneel|statistieken|sluiten|privacybeleid",
    "pl": "akceptuj|akceptuję|zaakceptuj|akceptuj wszystkie|zgadzam się|odrzuć|odrzuć wszystkie|ustawienia|zapisz"
    "|dowiedz się więcej|więcej informacji|niezbędne|funkcjonalne|statystyczne|marketingowe|zamknij|rozumiem"
    "|polityka prywatności",
    "tr": "kabul et|tümünü kabul et|kabul ediyorum|reddet|tümünü reddet|ayarlar|tercihler|kaydet|daha fazla bilgi"
    "|gerekli|zorunlu|işlevsel|istatistik|pazarlama|kapat|tamam|anladım|gizlilik politikası",
    "ru": "принять|принять все|согласен|согласна|хорошо|понятно|отклонить|отклонить все|отказаться|настроить|настройки"
    "|сохранить|подробнее|необходимые|функциональные|аналитика|статистика|маркетинг|закрыть"
    "|политика конфиденциальности",
    "ja": "同意する|同意します|すべて同意|すべて許可|すべて受け入れる|承諾する|許可する|拒否|拒否する|すべて拒否"
    "|同意しない|設定|詳細設定|保存|詳細|詳しく見る|詳細を見る|必須|必要|機能|分析|統計|マーケティング|広告"
    "|閉じる|プライバシーポリシー",
    "ko": "동의|동의합니다|모두 동의|모두 허용|수락|모두 수락|거부|모두 거부|거절|설정|저장|자세히|자세히 보기"
    "|필수|기능|분석|통계|마케팅|광고|닫기|확인|개인정보 처리방침",
    "zh": "接受|全部接受|接受所有|同意|全部同意|允许全部|拒绝|全部拒绝|拒絕|全部拒絕|设置|設定|偏好设置|保存|儲存"
    "|了解更多|更多信息|必要|功能|分析|统计|統計|营销|行銷|广告|關閉|关闭|隐私政策|隱私政策|我知道了",
    "ar": "قبول|قبول الكل|أوافق|موافق|رفض|رفض الكل|الإعدادات|التفضيلات|حفظ|معرفة المزيد|المزيد|ضرورية|وظيفية|إحصائيات"
    "|تسويق|إغلاق|سياسة الخصوصية",
}
"""By language, what stands on a banner's buttons and beside its switches: each a whole block."""
_CONSENT = re.compile("|".join(_ASKING.values()))
_ANCHORS = AhoCorasick(
    (
        "cookie,gdpr,iab tcf,iabtcf,onetrust,usercentrics,privacy,consen,device,by continuing,using this,not sell,"
        "tracking tech,privatsphäre,datenschutz,einwilligung,gerät,vie privée,confidentialité,informations sur,"
        "sans accepter,privacidad,dispositivo,senza accettare,toestemming,prywatno,zgod,ciasteczk,gizlili,çerez,"
        "izin tercih,конфиденциальност,приватност,куки,продолжая,クッキー,プライバシー,同意,トラッキング,쿠키,개인정보,"
        "동의,隐私,隱私,私隐,缓存文件,ملفات,خصوصي,الموافقة"
    ).split(",")
)
"""One of these stands in everything that `_CONSENT` finds, and they are looked for much faster."""
_LABELS = frozenset(label for labels in _BUTTONS.values() for label in labels.split("|"))
_SPACE = re.compile(r"[\s\u200b]+")
_EDGES = " .!:…×✕✓›»→*|"


def may_ask(text: str) -> bool:
    """False for a whole page's text of which no block asks for consent: one look spares one at each block."""
    return bool(_ANCHORS.find_matches_as_indexes(text.casefold()))


def asks_consent(text: str) -> bool:
    """Is it a banner's own sentence or heading?"""
    return len(text) <= LONGEST and may_ask(text) and _CONSENT.search(text.casefold()) is not None


def in_banners(texts: Sequence[str], asking: Iterable[int]) -> frozenset[int]:
    """Which of a page's blocks belong to banners: those that ask, and the buttons and purposes in a row beside them."""
    found = set(asking)
    for start in sorted(found):
        for step in (-1, 1):
            at = start + step
            while 0 <= at < len(texts) and at not in found and _is_label(texts[at]):
                found.add(at)
                at += step
    return frozenset(found)


def _is_label(text: str) -> bool:
    return len(text) <= _LONGEST_LABEL and _SPACE.sub(" ", text.casefold().replace("’", "'")).strip(_EDGES) in _LABELS
