from newsletter_mail.web.phrases import phrases_for
from newsletter_mail.web.rendering import with_marks


def test_a_parent_language_stands_in() -> None:
    assert phrases_for("fr-CA") == phrases_for("fr") != phrases_for("en")
    assert phrases_for("fr").leave_title == "Se désabonner"


def test_a_value_cannot_be_markup_or_another_place() -> None:
    filled = with_marks("{address} gets {name}", address="<b>{name}</b>", name="{0.__class__}")
    assert "<b>" not in filled
    assert "&lt;b&gt;{name}&lt;/b&gt;" in filled
    assert "{0.__class__}" in filled
