"""The words that the program itself puts into a mail, in the reader's language. Pure."""

from dataclasses import dataclass

_RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ps", "ug", "ur", "yi"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """The built-in phrases in one language; ``why`` has ``{name}`` in it."""

    view_in_browser: str
    why: str
    unsubscribe: str
    preferences: str
    when: str
    where: str
    more: str
    picture: str


_CATALOGUE = {
    "ar": Phrases(
        view_in_browser="عرض في المتصفح",
        why="تصلك هذه الرسالة لأنك مشترك في {name}.",
        unsubscribe="إلغاء الاشتراك",
        preferences="تغيير تفضيلاتك",
        when="متى",
        where="أين",
        more="مزيد من المعلومات",
        picture="صورة",
    ),
    "de": Phrases(
        view_in_browser="Im Browser ansehen",
        why="Sie erhalten diese Nachricht, weil Sie {name} abonniert haben.",
        unsubscribe="Abbestellen",
        preferences="Einstellungen ändern",
        when="Wann",
        where="Wo",
        more="Mehr dazu",
        picture="Bild",
    ),
    "en": Phrases(
        view_in_browser="View in your browser",
        why="You receive this message because you are subscribed to {name}.",
        unsubscribe="Unsubscribe",
        preferences="Change your preferences",
        when="When",
        where="Where",
        more="More information",
        picture="Picture",
    ),
    "es": Phrases(
        view_in_browser="Ver en el navegador",
        why="Recibe este mensaje porque está suscrito a {name}.",
        unsubscribe="Darse de baja",
        preferences="Cambiar sus preferencias",
        when="Cuándo",
        where="Dónde",
        more="Más información",
        picture="Imagen",
    ),
    "fr": Phrases(
        view_in_browser="Voir dans le navigateur",
        why="Vous recevez ce message parce que vous êtes abonné à {name}.",
        unsubscribe="Se désabonner",
        preferences="Modifier vos préférences",
        when="Quand",
        where="Où",
        more="En savoir plus",
        picture="Image",
    ),
    "it": Phrases(
        view_in_browser="Visualizza nel browser",
        why="Riceve questo messaggio perché è iscritto a {name}.",
        unsubscribe="Annulla l’iscrizione",
        preferences="Modifica le preferenze",
        when="Quando",
        where="Dove",
        more="Maggiori informazioni",
        picture="Immagine",
    ),
    "pt": Phrases(
        view_in_browser="Ver no navegador",
        why="Recebe esta mensagem porque está inscrito em {name}.",
        unsubscribe="Cancelar a subscrição",
        preferences="Alterar as preferências",
        when="Quando",
        where="Onde",
        more="Mais informações",
        picture="Imagem",
    ),
}


def phrases_for(language: str) -> Phrases:
    """The phrases in a language, in its parent (``fr`` for ``fr-CA``), or else in English."""
    return _CATALOGUE.get(_primary(language), _CATALOGUE["en"])


def direction_of(language: str) -> str:
    """``rtl`` or ``ltr``, for the ``dir`` of HTML."""
    return "rtl" if _primary(language) in _RIGHT_TO_LEFT else "ltr"


def _primary(language: str) -> str:
    return language.partition("-")[0].lower()
