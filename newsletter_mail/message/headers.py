"""Header lines in their final form: cleaned, encoded, folded with CRLF. Pure.

Ours and not ``email.policy.SMTP``'s, because that one turns the link of a long List-Unsubscribe
into encoded-words that no receiver reads, and costs 3 ms a message.

Standards: RFC 5322 sections 2.2 and 3.4, RFC 2047 (encoded-words), RFC 6532 (UTF-8 in headers),
RFC 2369, RFC 2919 and RFC 8058 (lists).
"""

import re
import unicodedata
from base64 import b64encode
from hashlib import sha256

from newsletter_mail.addresses import Address
from newsletter_mail.errors import HeaderInjection, InvalidAddress, MessageError

#: What a line should have at most, without CRLF (RFC 5322 section 2.1.1) …
SOFT_LIMIT = 78
#: … and must.
HARD_LIMIT = 998
#: Of a link in a header, which must stay in one piece.
MAX_URI = HARD_LIMIT - len("List-Unsubscribe: <>,")
#: A line with an encoded-word in it, and the word itself (RFC 2047 section 2).
_ENCODED_LINE_LIMIT = 76
_ENCODED_WORD_LIMIT = 75
_WORD_OVERHEAD = len("=?utf-8?q??=")

_INJECTION = re.compile("[\r\n\0]")
# Bidi embeddings, overrides and isolates: a name with one left open turns round the rest of the
# line in the reader's program, the address with it.
_UNWANTED = re.compile("[\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x01-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACES = re.compile(" {2,}")

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/^_`{|}~-]+)*")
_ADDRESS_PART = r'[^\x00-\x20\x7f-\x9f\ud800-\udfff"(),:;<>@\[\\\]]+'
_ADDRESS = re.compile(f"{_ADDRESS_PART}@{_ADDRESS_PART}")
_LABEL_BREAKS = re.compile(r"[^a-z0-9]+")
_LANGUAGE = re.compile(r"[A-Za-z0-9]{1,8}(?:-[A-Za-z0-9]{1,8})*")

# RFC 2047 section 5 (3): the set that is good in a phrase is good everywhere.
_Q_BYTES = tuple(
    chr(byte)
    if chr(byte).isascii() and (chr(byte).isalnum() or chr(byte) in "!*+-/")
    else "_"
    if byte == ord(" ")
    else f"={byte:02X}"
    for byte in range(256)
)
_Q_SIZES = bytes(len(encoded) for encoded in _Q_BYTES)


def clean_header(value: str) -> str:
    """A value about a person as it may stand in a header: one line, running one way.

    Control characters become spaces, half surrogate pairs U+FFFD, and bidi controls go.

    Raises:
        HeaderInjection: CR, LF or NUL in it (RFC 5322 section 2.2). Nobody is called that, and
            what follows would be a header.
    """
    if value.isascii() and value.isprintable():
        return value
    return _one_line(_UNWANTED.sub("", value))


def _one_line(value: str) -> str:
    if _INJECTION.search(value):
        raise HeaderInjection(
            f"{value[:80]!r} cannot stand in a header: there is a line break or a NUL in it"
        )
    return _SURROGATE.sub("\ufffd", _CONTROL.sub(" ", value))


def text_header(name: str, value: str) -> str:
    """A header of free text, such as Subject (unstructured, RFC 5322 section 2.2.1).

    Raises:
        HeaderInjection: CR, LF or NUL in the value.
    """
    value = _one_line(value).strip()
    column = len(name) + 2
    is_plain = value.isascii() and "=?" not in value
    if is_plain and column + len(value) <= SOFT_LIMIT:
        return f"{name}: {value}\r\n"
    folded = _fold_plain(value, column) if is_plain and "  " not in value else None
    return f"{name}: {folded or _fold_encoded(value, column)}\r\n"


def mailbox_header(name: str, display_name: str, address: Address) -> str:
    """A header with one mailbox, such as From (RFC 5322 section 3.4).

    The name is left out where it cannot be encoded. The address is ASCII, its domain in A-labels,
    unless its local part is not: then it is UTF-8 (RFC 6532), its domain in U-labels.

    Raises:
        HeaderInjection: CR, LF or NUL in the name or the address.
        InvalidAddress: an address that would have to be quoted.
    """
    address_text = addr_spec(address)
    size = len(name) + len(display_name) + len(address_text) + len(":  <>")
    if size <= SOFT_LIMIT and _ATOMS.fullmatch(display_name):
        return f"{name}: {display_name} <{address_text}>\r\n"
    if _SURROGATE.search(display_name):
        display_name = ""
    display_name = _SPACES.sub(" ", clean_header(display_name)).strip()
    if not display_name:
        return f"{name}: {address_text}\r\n"
    return _with_angle_brackets(name, display_name, address_text)


def addr_spec(address: Address) -> str:
    """The address as it stands in a header, checked once more before it goes on the wire.

    Raises:
        HeaderInjection: CR, LF or NUL in it.
        InvalidAddress: another character that an address cannot have without quotes.
    """
    display, wire, _, needs_smtputf8 = address
    shown = display if needs_smtputf8 else wire
    if shown == wire and wire.isascii() and _ADDRESS.fullmatch(wire):
        return wire
    for spelling in (shown, wire):
        if _INJECTION.search(spelling):
            raise HeaderInjection(
                f"{spelling[:80]!r} cannot stand in a header: there is a line break or a NUL in it"
            )
        if not _ADDRESS.fullmatch(spelling):
            raise InvalidAddress(spelling, "it has a character that an address cannot have")
    if not (needs_smtputf8 or shown.isascii()):
        raise InvalidAddress(shown, "it is not ASCII, and nothing says that it needs SMTPUTF8")
    return shown


def list_id_header(list_name: str, identifier: str) -> str:
    """List-ID (RFC 2919): a name for people, and one that stays the same for the list's life."""
    list_name = _SPACES.sub(" ", clean_header(list_name)).strip()
    if not list_name:
        return f"List-ID: <{identifier}>\r\n"
    return _with_angle_brackets("List-ID", list_name, identifier)


def list_unsubscribe_header(url: str, mailto: str = "") -> str:
    """List-Unsubscribe (RFC 2369): each URI whole, on a line of its own, never encoded.

    Raises:
        HeaderInjection: CR, LF or NUL in a URI.
        MessageError: a URI that is not ASCII, has a space or an angle bracket in it, or is too
            long for a line.
    """
    if not mailto:
        return f"List-Unsubscribe: {_bracketed_uri(url)}\r\n"
    return f"List-Unsubscribe: {_bracketed_uri(url)},\r\n {_bracketed_uri(mailto)}\r\n"


def ascii_label(text: str) -> str:
    """An identifier for List-ID and Feedback-ID: a-z, 0-9 and ``-``; the same text, the same label.

    What is no letter of ASCII even without its accents is stood for by a digest.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    label = _LABEL_BREAKS.sub("-", plain).strip("-")
    return label or f"x{sha256(text.encode()).hexdigest()[:10]}"


def language_header(language: str) -> str:
    """Content-Language (RFC 3282), or nothing where the language is not known.

    Raises:
        HeaderInjection: something that is not a language tag (RFC 5646).
    """
    if not language:
        return ""
    if not _LANGUAGE.fullmatch(language):
        raise HeaderInjection(f"{language!r} is not a language tag such as en or pt-BR")
    return f"Content-Language: {language}\r\n"


def _bracketed_uri(uri: str) -> str:
    is_plain = uri.isascii() and uri.isprintable()
    if not (uri and is_plain) or " " in uri or "<" in uri or ">" in uri:
        if _INJECTION.search(uri):
            raise HeaderInjection(
                f"{uri[:80]!r} cannot stand in a header: there is a line break or a NUL in it"
            )
        raise MessageError(f"{uri[:80]!r} is not a link: it may have ASCII only, and no spaces")
    if len(uri) > MAX_URI:
        raise MessageError(f"the link {uri[:80]}… is longer than {MAX_URI} characters")
    return f"<{uri}>"


def _with_angle_brackets(name: str, phrase: str, inner: str) -> str:
    """A phrase, and an address or identifier, on the next line where the first is full."""
    column = len(name) + 2
    limit = SOFT_LIMIT
    encoded = _plain_phrase(phrase)
    if encoded is None or column + len(encoded) > limit:
        encoded, limit = _fold_encoded(phrase, column), _ENCODED_LINE_LIMIT
    last_line = len(encoded) - encoded.rfind("\n") - 1
    if len(encoded) == last_line:
        last_line += column
    gap = " " if last_line + len(inner) + 3 <= limit else "\r\n "
    return f"{name}: {encoded}{gap}<{inner}>\r\n"


def _plain_phrase(phrase: str) -> str | None:
    """Words, or a quoted string (RFC 5322 section 3.2.5); None where it takes encoded-words."""
    if _ATOMS.fullmatch(phrase):
        return phrase
    # Readers look for encoded-words inside quotes too, though RFC 2047 forbids it.
    if not phrase.isascii() or "=?" in phrase:
        return None
    escaped = phrase.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _fold_plain(value: str, column: int) -> str | None:
    """Break ASCII text at its spaces; None where a word is too long for a line."""
    lines = [""]
    room = SOFT_LIMIT - column
    for word in value.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if len(joined) <= room:
            lines[-1] = joined
            continue
        # A line that follows starts with the space that it was broken at.
        room = SOFT_LIMIT - 1
        if not lines[-1] or len(word) > room:
            return None
        lines.append(word)
    return "\r\n ".join(lines)


def _fold_encoded(value: str, column: int) -> str:
    """The value in encoded-words, one a line; Q or B, whichever is shorter.

    White space between two of them is not part of the text (RFC 2047 section 6.2), so all of the
    value stands inside. No character is cut in two (section 5).
    """
    octets = value.encode()
    q_size, b_size = sum(octets.translate(_Q_SIZES)), (len(octets) + 2) // 3 * 4
    is_q = q_size <= b_size
    room = _ENCODED_LINE_LIMIT - column - _WORD_OVERHEAD
    if min(q_size, b_size) <= room:
        return _encoded_word(octets, is_q=is_q)
    words: list[str] = []
    chunk, used = b"", 0
    for character in value:
        octets = character.encode()
        size = sum(octets.translate(_Q_SIZES)) if is_q else len(octets)
        if used + size > (room if is_q else room // 4 * 3):
            words.append(_encoded_word(chunk, is_q=is_q))
            room = _ENCODED_WORD_LIMIT - _WORD_OVERHEAD
            chunk, used = b"", 0
        chunk += octets
        used += size
    words.append(_encoded_word(chunk, is_q=is_q))
    return "\r\n ".join(words)


def _encoded_word(octets: bytes, *, is_q: bool) -> str:
    if is_q:
        return f"=?utf-8?q?{''.join([_Q_BYTES[octet] for octet in octets])}?="
    return f"=?utf-8?b?{b64encode(octets).decode()}?="
