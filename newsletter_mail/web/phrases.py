"""What the public pages say, in the reader's language. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """The phrases of one language; ``{name}`` is the newsletter, ``{address}`` a masked address."""

    leave_title: str
    leave_text: str
    leave_button: str
    forwarded: str
    all_title: str
    all_text: str
    all_button: str
    left_title: str
    left_text: str
    undo_question: str
    undo_button: str
    back_title: str
    back_text: str
    test_title: str
    test_text: str
    unknown_title: str
    unknown_text: str
    refused_title: str
    refused_text: str
    busy_title: str
    busy_text: str
    broken_title: str
    broken_text: str
    home_text: str


_CATALOGUE: Mapping[str, Phrases] = {
    "ar": Phrases(
        leave_title="إلغاء الاشتراك",
        leave_text="اضغط على الزر، ولن تصل نشرة {name} بعد الآن إلى {address}.",
        leave_button="إلغاء الاشتراك",
        forwarded="هل أعاد أحد توجيه هذه الرسالة إليك؟ أغلق هذه الصفحة إذن: العنوان ليس عنوانك.",
        all_title="اشتراكاتك",
        all_text="يتلقى {address}:",
        all_button="إلغاء جميع الاشتراكات",
        left_title="تم إلغاء اشتراكك",
        left_text="لن تصل نشرة {name} بعد الآن إلى {address}.",
        undo_question="هل كان ذلك خطأ؟",
        undo_button="الاشتراك من جديد",
        back_title="مرحبًا بعودتك",
        back_text="يتلقى {address} نشرة {name} كما كان من قبل.",
        test_title="هذه رسالة تجريبية",
        test_text="الرابط يعمل. لقد جاء في رسالة تجريبية، لذلك لن يتغير شيء لأي أحد.",
        unknown_title="هذا الرابط لا يعمل",
        unknown_text="ربما انقطع في الطريق. افتحه من الرسالة مرة أخرى، أو انسخه كاملًا.",
        refused_title="لم يتغير شيء",
        refused_text="افتح الرابط من الرسالة مرة أخرى واستخدم الزر الموجود في الصفحة.",
        busy_title="يرجى المحاولة مرة أخرى",
        busy_text="لا يمكننا حفظ طلبك الآن، ولم يتغير شيء. يرجى المحاولة بعد دقيقة.",
        broken_title="حدث خطأ لدينا",
        broken_text="تم تسجيل الخطأ. يرجى المحاولة لاحقًا.",
        home_text="إلى هنا تؤدي روابط هذه النشرة.",
    ),
    "de": Phrases(
        leave_title="Abbestellen",
        leave_text="Mit einem Klick auf den Knopf erhält {address} {name} nicht mehr.",
        leave_button="Abbestellen",
        forwarded="Wurde Ihnen die Nachricht weitergeleitet? Dann schließen Sie diese Seite: "
        "Die Adresse gehört jemand anderem.",
        all_title="Ihre Abonnements",
        all_text="{address} erhält:",
        all_button="Alles abbestellen",
        left_title="Sie sind abgemeldet",
        left_text="{address} erhält {name} nicht mehr.",
        undo_question="War das ein Versehen?",
        undo_button="Wieder anmelden",
        back_title="Willkommen zurück",
        back_text="{address} erhält {name} wie bisher.",
        test_title="Das ist eine Testnachricht",
        test_text="Der Link funktioniert. Er kam mit einer Testnachricht, deshalb ändert sich "
        "für niemanden etwas.",
        unknown_title="Dieser Link funktioniert nicht",
        unknown_text="Vielleicht wurde er unterwegs abgeschnitten. Öffnen Sie ihn noch einmal aus "
        "der Nachricht, oder kopieren Sie ihn ganz.",
        refused_title="Es hat sich nichts geändert",
        refused_text="Öffnen Sie den Link noch einmal aus der Nachricht und benutzen Sie den "
        "Knopf auf der Seite.",
        busy_title="Bitte noch einmal versuchen",
        busy_text="Wir können Ihren Wunsch gerade nicht speichern; es hat sich nichts geändert. "
        "Bitte versuchen Sie es in einer Minute wieder.",
        broken_title="Bei uns ist etwas schiefgegangen",
        broken_text="Der Fehler ist vermerkt. Bitte versuchen Sie es später wieder.",
        home_text="Hierher führen die Links dieses Newsletters.",
    ),
    "en": Phrases(
        leave_title="Unsubscribe",
        leave_text="Press the button, and {address} will no longer receive {name}.",
        leave_button="Unsubscribe",
        forwarded="Was the message forwarded to you? Then close this page: the address is "
        "somebody else’s.",
        all_title="Your subscriptions",
        all_text="{address} receives:",
        all_button="Unsubscribe from all",
        left_title="You are unsubscribed",
        left_text="{address} no longer receives {name}.",
        undo_question="Was that a mistake?",
        undo_button="Subscribe again",
        back_title="Welcome back",
        back_text="{address} receives {name} as before.",
        test_title="This is a test message",
        test_text="The link works. It came with a test message, so nothing changes for anybody.",
        unknown_title="This link does not work",
        unknown_text="It may have been cut on its way. Open it again from the message, or copy "
        "the whole of it.",
        refused_title="Nothing has changed",
        refused_text="Open the link from the message again, and use the button on the page.",
        busy_title="Please try again",
        busy_text="We cannot save your wish just now, and nothing has changed. Please try again "
        "in a minute.",
        broken_title="Something went wrong on our side",
        broken_text="The error has been noted. Please try again later.",
        home_text="This is where the links of the newsletter lead.",
    ),
    "es": Phrases(
        leave_title="Darse de baja",
        leave_text="Pulse el botón y {address} dejará de recibir {name}.",
        leave_button="Darse de baja",
        forwarded="¿Alguien le reenvió el mensaje? Cierre entonces esta página: la dirección es "
        "de otra persona.",
        all_title="Sus suscripciones",
        all_text="{address} recibe:",
        all_button="Darse de baja de todo",
        left_title="Se ha dado de baja",
        left_text="{address} ya no recibe {name}.",
        undo_question="¿Ha sido un error?",
        undo_button="Volver a suscribirse",
        back_title="Nos alegra verle de nuevo",
        back_text="{address} recibe {name} como antes.",
        test_title="Este es un mensaje de prueba",
        test_text="El enlace funciona. Venía en un mensaje de prueba, así que no cambia nada para "
        "nadie.",
        unknown_title="Este enlace no funciona",
        unknown_text="Puede que se haya cortado por el camino. Ábralo de nuevo desde el mensaje o "
        "cópielo entero.",
        refused_title="No ha cambiado nada",
        refused_text="Abra de nuevo el enlace del mensaje y use el botón de la página.",
        busy_title="Inténtelo de nuevo",
        busy_text="Ahora mismo no podemos guardar su petición y no ha cambiado nada. Inténtelo de "
        "nuevo dentro de un minuto.",
        broken_title="Algo ha fallado por nuestra parte",
        broken_text="El error ha quedado registrado. Inténtelo más tarde.",
        home_text="Aquí llevan los enlaces del boletín.",
    ),
    "fr": Phrases(
        leave_title="Se désabonner",
        leave_text="Cliquez sur le bouton, et {address} ne recevra plus {name}.",
        leave_button="Se désabonner",
        forwarded="Ce message vous a été transféré ? Fermez alors cette page : l’adresse est "
        "celle de quelqu’un d’autre.",
        all_title="Vos abonnements",
        all_text="{address} reçoit :",
        all_button="Se désabonner de tout",
        left_title="Votre désabonnement est fait",
        left_text="{address} ne reçoit plus {name}.",
        undo_question="C’était une erreur ?",
        undo_button="Se réabonner",
        back_title="Heureux de vous retrouver",
        back_text="{address} reçoit {name} comme auparavant.",
        test_title="Ceci est un message d’essai",
        test_text="Le lien fonctionne. Il vient d’un message d’essai : rien ne change pour "
        "personne.",
        unknown_title="Ce lien ne fonctionne pas",
        unknown_text="Il a peut-être été coupé en route. Ouvrez-le à nouveau depuis le message, "
        "ou copiez-le en entier.",
        refused_title="Rien n’a changé",
        refused_text="Ouvrez à nouveau le lien du message et utilisez le bouton de la page.",
        busy_title="Veuillez réessayer",
        busy_text="Nous ne pouvons pas enregistrer votre demande pour l’instant, et rien n’a "
        "changé. Veuillez réessayer dans une minute.",
        broken_title="Une erreur s’est produite chez nous",
        broken_text="Elle a été notée. Veuillez réessayer plus tard.",
        home_text="C’est ici que mènent les liens de la lettre.",
    ),
    "it": Phrases(
        leave_title="Annullare l’iscrizione",
        leave_text="Prema il pulsante e {address} non riceverà più {name}.",
        leave_button="Annulla l’iscrizione",
        forwarded="Il messaggio le è stato inoltrato? Allora chiuda questa pagina: l’indirizzo è "
        "di un’altra persona.",
        all_title="Le sue iscrizioni",
        all_text="{address} riceve:",
        all_button="Annulla tutte le iscrizioni",
        left_title="L’iscrizione è annullata",
        left_text="{address} non riceve più {name}.",
        undo_question="È stato un errore?",
        undo_button="Iscriversi di nuovo",
        back_title="Bentornati",
        back_text="{address} riceve {name} come prima.",
        test_title="Questo è un messaggio di prova",
        test_text="Il link funziona. Era in un messaggio di prova, quindi non cambia nulla per "
        "nessuno.",
        unknown_title="Questo link non funziona",
        unknown_text="Forse è stato tagliato lungo la strada. Lo apra di nuovo dal messaggio, o "
        "lo copi per intero.",
        refused_title="Non è cambiato nulla",
        refused_text="Apra di nuovo il link dal messaggio e usi il pulsante della pagina.",
        busy_title="Riprovi, per favore",
        busy_text="Al momento non possiamo salvare la sua richiesta e non è cambiato nulla. "
        "Riprovi tra un minuto.",
        broken_title="Qualcosa è andato storto da parte nostra",
        broken_text="L’errore è stato annotato. Riprovi più tardi.",
        home_text="Qui portano i link della newsletter.",
    ),
    "pt": Phrases(
        leave_title="Cancelar a subscrição",
        leave_text="Prima o botão e {address} deixará de receber {name}.",
        leave_button="Cancelar a subscrição",
        forwarded="A mensagem foi-lhe reencaminhada? Então feche esta página: o endereço é de "
        "outra pessoa.",
        all_title="As suas subscrições",
        all_text="{address} recebe:",
        all_button="Cancelar tudo",
        left_title="A subscrição foi cancelada",
        left_text="{address} já não recebe {name}.",
        undo_question="Foi um engano?",
        undo_button="Subscrever de novo",
        back_title="Bem-vindo de volta",
        back_text="{address} recebe {name} como antes.",
        test_title="Esta é uma mensagem de teste",
        test_text="A ligação funciona. Veio numa mensagem de teste, por isso nada muda para "
        "ninguém.",
        unknown_title="Esta ligação não funciona",
        unknown_text="Pode ter sido cortada pelo caminho. Abra-a de novo a partir da mensagem, ou "
        "copie-a por inteiro.",
        refused_title="Nada mudou",
        refused_text="Abra de novo a ligação da mensagem e use o botão da página.",
        busy_title="Tente de novo, por favor",
        busy_text="Neste momento não podemos guardar o seu pedido e nada mudou. Tente de novo "
        "dentro de um minuto.",
        broken_title="Algo correu mal do nosso lado",
        broken_text="O erro ficou registado. Tente mais tarde.",
        home_text="É aqui que levam as ligações da newsletter.",
    ),
}


def speaks(language: str) -> bool:
    """Whether the pages have phrases in that language."""
    return _primary(language) in _CATALOGUE


def phrases_for(language: str) -> Phrases:
    """The phrases in a language, in its parent (``fr`` for ``fr-CA``), or else in English."""
    return _CATALOGUE.get(_primary(language), _CATALOGUE["en"])


def spoken(*languages: str) -> str:
    """The first of these languages that the pages speak, or else English."""
    return next((language for language in languages if speaks(language)), "en")


def _primary(language: str) -> str:
    return language.partition("-")[0].lower()
