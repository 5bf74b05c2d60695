"""Send a message by e-mail, through the one SMTP server of ``ASTRA_SMTP_URL``.

Encryption is demanded: ``smtps://`` speaks TLS from the first byte, ``smtp://`` must be offered STARTTLS or
nothing is sent; ``smtp+plain://`` says that the server stands in one's own network. The message's id is the
notice's, so a mail that is sent twice is the same mail.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from astra_learn_assets import bounded
from astra_learn_assets.errors import BadConfiguration, BadInput, NotReached, Unavailable
from astra_learn_assets.learning.telling.message import Message
from astra_learn_assets.settings import Settings

SECONDS = 10.0
"""For each answer of the server."""
WHOLE_SECONDS = 15.0
"""For the whole exchange, resolving the server's name and a server that drips included."""
_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])")
_FOOT = "Este aviso lo envía ASTRA-LEARN porque su ayuntamiento lo pidió; quien lo administra puede quitarlo."


@dataclass(frozen=True)
class MailServer:
    """Where mail is given to be sent, and in whose name."""

    scheme: str
    host: str
    port: int
    user: str | None
    password: str | None
    sender: str


def server(settings: Settings) -> MailServer:
    """The server that the settings name.

    Raises:
        BadConfiguration: none, or one that cannot be read.
    """
    if settings.smtp_url is None or settings.smtp_from is None:
        raise BadConfiguration("e-mail needs ASTRA_SMTP_URL and ASTRA_SMTP_FROM")
    try:
        parts = urlsplit(settings.smtp_url.get_secret_value())
        port = parts.port
    except ValueError:
        raise BadConfiguration(
            "ASTRA_SMTP_URL cannot be read: expected smtp://user:password@host:587"
        ) from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise BadConfiguration(
            "ASTRA_SMTP_URL must be smtp://host (STARTTLS), smtps://host or smtp+plain://host"
        )
    if not _is_host(parts.hostname):
        raise BadConfiguration("ASTRA_SMTP_URL names a host that cannot be: ASCII, no part empty")
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    if not ((user or "").isascii() and (password or "").isascii()):
        raise BadConfiguration("user and password of ASTRA_SMTP_URL must be ASCII: login takes no other")
    return MailServer(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        user=user,
        password=password,
        sender=address(settings.smtp_from),
    )


def _is_host(name: str) -> bool:
    """Whether the resolver can be asked for ``name``: labels of 1 to 63 ASCII letters (RFC 1035, 2.3.4)."""
    labels = name.removesuffix(".").split(".")
    return name.isascii() and all(1 <= len(label) <= 63 for label in labels)


def address(text: str) -> str:
    """``text`` if it is one plain e-mail address, nothing beside it.

    Raises:
        BadInput: it is not.
    """
    try:
        if not _ADDRESS.fullmatch(text) or ".." in text:
            raise ValueError(text)
        Address(addr_spec=text)
    except (ValueError, IndexError, HeaderParseError):
        raise BadInput(
            f"{text!r:.100} is not an e-mail address, like secretaria@villaverde.example"
        ) from None
    return text


def compose(message: Message, *, sender: str, to: str) -> EmailMessage:
    """The mail that ``message`` makes."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, message.subject
    mail["Message-ID"] = f"<{message.notice_id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # so that no absence assistant answers
    mail["Content-Language"] = "es"
    link = f"\n\nMás en el panel: {message.link}" if message.link else ""
    mail.set_content(f"{message.text}{link}\n\n-- \n{_FOOT}\n")
    return mail


def send(message: Message, *, to: str, through: MailServer) -> None:
    """Give the mail to the server.

    Raises:
        NotReached: the server would take no mail at all now.
        Unavailable: it was not taken; the sentence names the kind of failure and the server's code.
    """
    mail = compose(message, sender=through.sender, to=address(to))
    try:
        bounded.within(WHOLE_SECONDS, _give, mail, through)
    except (smtplib.SMTPConnectError, smtplib.SMTPHeloError, smtplib.SMTPAuthenticationError) as error:
        raise NotReached(f"the mail server refused with {error.smtp_code}") from None
    except smtplib.SMTPResponseException as error:
        raise Unavailable(f"the mail server refused with {error.smtp_code}") from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        raise Unavailable(f"the mail server refused the address with {codes[0]}") from None
    except smtplib.SMTPNotSupportedError:
        raise NotReached("the mail server offers no STARTTLS or no login") from None
    except (OSError, smtplib.SMTPException) as error:
        raise NotReached(f"the mail server does not answer: {type(error).__name__}") from None


def _give(mail: EmailMessage, through: MailServer) -> None:
    with _connected(through) as client:
        if through.user is not None:
            client.login(through.user, through.password or "")
        client.send_message(mail)


def _connected(through: MailServer) -> smtplib.SMTP:
    if through.scheme == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(through.host, through.port, timeout=SECONDS, context=context)
    client = smtplib.SMTP(through.host, through.port, timeout=SECONDS)
    if through.scheme == "smtp":
        try:
            client.starttls(context=ssl.create_default_context())
        except BaseException:
            client.close()
            raise
    return client
