"""The language of the interface: English, and every language that ``web/translations`` holds a catalogue of.

A catalogue is a file ``<language>/LC_MESSAGES/messages.po``, read as it is: nothing has to be compiled. ``make messages`` writes and updates them.
"""

from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, Response, g, has_request_context, request
from flask_babel import Babel, Domain, get_babel, get_domain, get_locale
from markupsafe import Markup

from ..resources import folder

SOURCE = "en"  # what templates and code are written in


def N_(text: str) -> str:
    """Marks a string of a table for the catalogues; whoever shows it calls ``gettext``.

    >>> N_("practices")
    'practices'
    """
    return text


# What the vocabulary's kinds and lists are called (kvgraph.model), which knows nothing of pages and their language.
NAMES = (
    N_("practice"), N_("practices"), N_("learning example"), N_("learning examples"), N_("actor"), N_("actors"), N_("policy"), N_("policies"),
    N_("principle"), N_("principles"), N_("region"), N_("regions"), N_("country"), N_("countries"), N_("channel"), N_("channels"), N_("source"), N_("sources"),
    N_("organisation elsewhere"), N_("organisations elsewhere"), N_("EU project"), N_("EU projects"),
    N_("Channel"), N_("Tool kind"), N_("Challenge"), N_("Benefit"), N_("Asset"), N_("Capacity"), N_("Role"), N_("Actor kind"), N_("Level"), N_("Policy type"),
    N_("Basis"), N_("Source kind"), N_("Urban rural type"), N_("Coast type"), N_("Mountain type"), N_("Criterion"),
)  # fmt: skip


class Catalogues(Domain):
    """The messages of every language, each read when somebody first wants it."""

    def get_translations(self) -> NullTranslations:
        # Asked some two hundred times for a page: what holds for a request is looked up once.
        if "translations" not in g:
            g.translations = self._translations()
        return g.translations

    def _translations(self) -> NullTranslations:
        locale = get_locale()
        name = locale.language if locale else SOURCE
        if name not in self.cache:
            self.cache[name] = self._read(name)
        return self.cache[name]

    def _read(self, name: str) -> NullTranslations:
        file = Path(self.translation_directories[0]) / name / "LC_MESSAGES" / "messages.po"
        if not file.is_file():
            return NullTranslations()
        with file.open("rb") as source:
            catalogue = read_po(source, locale=name)
        for message, _ in list(catalogue.check()):  # a placeholder that is not there would break the page: rather English
            catalogue.delete(message.id)
        compiled = BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        return Translations(compiled)


def register(app: Flask) -> None:
    """Strings of templates go through ``_()`` and ``{% trans %}``, those of the server through ``gettext``."""
    babel = Babel(app, default_locale=SOURCE, default_translation_directories=str(folder("web") / "translations"), locale_selector=lambda: _chosen(known))
    babel.domain_instance = Catalogues()
    with app.app_context():
        directory = Path(get_babel().translation_directories[0])
    known = {SOURCE, *(path.parts[-3] for path in directory.glob("*/LC_MESSAGES/messages.po"))}
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.globals.update(interface=interface, _=_said, gettext=_said, ngettext=_counted, words_of=words_of)
    app.jinja_env.filters["translated"] = lambda text: gettext(text) if text else text
    app.after_request(_say)


def interface() -> str:
    """The language that the words of this page are in, as ``<html lang>`` says it."""
    found = g.get("interface")
    if found is None:
        locale = get_locale()
        found = g.interface = locale.language if locale else SOURCE
    return found


def gettext(text: str, /, **names) -> str:
    """A string in the language of the page: what flask_babel's function of this name gives, in a fraction of its time."""
    said = _catalogue().ugettext(text)
    return said % names if names else said


def words_of(script: str) -> dict[str, str]:
    """What the strings of a script and of the modules in the folder of its name are called in the language of the page, as far as that is not English."""
    return {text: said for text in _strings(script) if (said := gettext(text)) != text} if interface() != SOURCE else {}


@lru_cache
def _strings(script: str) -> list[str]:
    static = folder("web") / "static"
    return [text for file in (static / f"{script}.js", *sorted((static / script).glob("*.js"))) for _, text, *_ in extract_from_file("javascript", file, keywords={"_": None})]


# What templates call, some hundred times for a page: as Jinja's own callables for new-style translations, without looking up the language each time.


def _said(text: str, /, **names) -> Markup:
    return Markup(_catalogue().ugettext(text)) % names if names else _constant(_catalogue(), text)


def _counted(one: str, many: str, n: int, /, **names) -> Markup:
    return Markup(_catalogue().ungettext(one, many, n)) % {"num": n, **names}


@lru_cache(maxsize=4096)
def _constant(catalogue: NullTranslations, text: str) -> Markup:
    return Markup(catalogue.ugettext(text)) % {}


def _catalogue() -> NullTranslations:
    found = g.get("translations")  # once: to look into g costs more than to translate
    return get_domain().get_translations() if found is None else found


def _chosen(known: set[str]) -> str:
    """The first of the reader's languages there is a catalogue of: to "es-ES, en;q=0.5" that is "es"."""
    if has_request_context():
        for tag, quality in request.accept_languages:
            primary = tag.partition("-")[0].lower()
            if quality > 0 and primary in known:
                return primary
    return SOURCE


def _say(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Language", interface())
    return response
