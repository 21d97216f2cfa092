"""What an operator sets: a mail server, and the key of the instance."""

import smtplib

import pytest

from kvgraph.contribute import mail, secrets
from kvgraph.errors import KvgraphError


class Post:
    """A mail server that keeps what it is given."""

    kept: list = []

    def __init__(self, host, port, timeout):
        self.where = (host, port)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def send_message(self, message):
        Post.kept.append((self.where, message))


def test_without_a_server_no_mail_is_sent(monkeypatch):
    monkeypatch.delenv("KVGRAPH_SMTP", raising=False)
    assert mail.send("maria@example.org", "Accepted", "It is.") is None


def test_a_decision_is_told_and_a_title_begins_no_header(monkeypatch):
    monkeypatch.setenv("KVGRAPH_SMTP", "smtp://mail.example.org:2525")
    monkeypatch.setenv("KVGRAPH_MAIL_FROM", "kvgraph@example.org")
    monkeypatch.setattr(smtplib, "SMTP", Post)
    assert mail.send("", "Accepted", "Nobody gave an address.") is None
    mail.send("maria@example.org", "Accepted\r\nBcc: everybody@example.org", "It is.").join()
    [(where, message)] = Post.kept
    assert where == ("mail.example.org", 2525) and message["To"] == "maria@example.org" and message["Bcc"] is None
    assert message["Subject"] == "Accepted Bcc: everybody@example.org" and message.get_content() == "It is.\n"


def test_a_mail_server_that_is_away_stops_nothing(monkeypatch, caplog):
    monkeypatch.setenv("KVGRAPH_SMTP", "smtp://127.0.0.1:1")
    mail.send("maria@example.org", "Accepted", "It is.").join()
    assert "could not be sent" in caplog.text and "maria" not in caplog.text


@pytest.mark.parametrize("address", ["x@[", "maria@example.org\r\nBcc: everybody@example.org", "\ud800@example.org", "ü@example.org"])
def test_an_address_that_is_none_stops_nothing(monkeypatch, caplog, address):
    """A decision that was made is not told to have failed."""
    monkeypatch.setenv("KVGRAPH_SMTP", "smtp://127.0.0.1:1")
    mail.send(address, "Accepted", "It is \ud800.").join()
    assert "could not be sent" in caplog.text and "example" not in caplog.text


def test_the_key_of_the_environment(monkeypatch, tmp_path):
    kept = secrets.key(tmp_path)
    assert kept == secrets.key(tmp_path) and (tmp_path / "secret.key").stat().st_mode & 0o077 == 0
    monkeypatch.setenv("KVGRAPH_SECRET_KEY", "short")
    with pytest.raises(KvgraphError, match="at least 32"):
        secrets.key(tmp_path)
    monkeypatch.setenv("KVGRAPH_SECRET_KEY", "x" * 32)
    assert secrets.key(tmp_path) == b"x" * 32 != kept
