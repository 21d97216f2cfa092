"""Telling contributors by e-mail what became of their submissions: the one border to a mail server, and off unless ``$KVGRAPH_SMTP`` names one."""

import logging
import os
import smtplib
import threading
from email.message import EmailMessage
from urllib.parse import urlsplit

from ..errors import KvgraphError

SERVER, SENDER = "KVGRAPH_SMTP", "KVGRAPH_MAIL_FROM"
PATIENCE = 20.0  # seconds
log = logging.getLogger("kvgraph.mail")


def send(to: str, subject: str, text: str) -> threading.Thread | None:
    """Send a message without waiting for it; None if this instance sends no mail or there is nobody to send it to.

    Whatever goes wrong is written down, not raised: a decision does not depend on a mail server.
    """
    server = os.environ.get(SERVER, "")
    if not server or not to:
        return None
    thread = threading.Thread(target=_deliver, args=(server, to, subject, text), daemon=True)
    thread.start()
    return thread


def _deliver(server: str, to: str, subject: str, text: str) -> None:
    try:
        host, port, secure = _address(server)
        message = _message(to, subject, text)
        with (smtplib.SMTP_SSL if secure else smtplib.SMTP)(host, port, timeout=PATIENCE) as smtp:
            smtp.send_message(message)
    except Exception as error:  # noqa: BLE001  an address that is none makes the library stumble in ways of its own
        log.error("A message could not be sent: %s", type(error).__name__)


def _message(to: str, subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = os.environ.get(SENDER, "kvgraph@localhost"), to
    message["Subject"] = " ".join(subject.split())[:150]  # a line break would begin another header
    message.set_content(text)
    return message


def _address(server: str) -> tuple[str, int, bool]:
    """Host, port, and whether to speak TLS from the beginning.

    >>> _address("smtp://mail.example.org"), _address("smtps://mail.example.org:4650")
    (('mail.example.org', 25, False), ('mail.example.org', 4650, True))
    """
    parts = urlsplit(server)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise KvgraphError(f"{SERVER} is an address such as smtp://mail.example.org:25.")
    return parts.hostname, parts.port or (465 if parts.scheme == "smtps" else 25), parts.scheme == "smtps"
