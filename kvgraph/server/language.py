"""The language of the interface: English, and every language that ``web/translations`` holds a catalogue of."""

from flask import Flask, request
from flask_babel import Babel

from ..resources import folder


def register(app: Flask) -> None:
    """Strings of templates go through ``_()`` and ``{% trans %}``."""
    translations = folder("web") / "translations"
    babel = Babel(app, default_locale="en", default_translation_directories=str(translations), locale_selector=lambda: _locale(known))
    with app.app_context():
        known = ["en", *(locale.language for locale in babel.list_translations() if locale.language != "en")]
    app.jinja_env.newstyle_gettext = True


def _locale(known: list[str]) -> str:
    return request.accept_languages.best_match(known) or "en"
