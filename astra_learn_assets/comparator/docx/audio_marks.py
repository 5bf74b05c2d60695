"""What the Builder writes into a draft besides speech: audio links and the pending placeholder.

Neither is text anybody said, so neither is compared or learned; a link that a clerk turned into
plain text is recognised by its sign and time.
"""

from __future__ import annotations

import re

_TIME = r"\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?"
_SIGNS = "\u25b6\u25ba\u23f5\u25b8\U0001f50a\U0001f509\U0001f508\U0001f3a7\U0001f399"
_SIGN = f"[{_SIGNS}]\ufe0f?"
_MAYBE_LABEL = re.compile(rf"[{_SIGNS}\[]")
_LABEL = re.compile(
    rf"{_SIGN}\s*[\[(]?(?:{_TIME})?[\])]?(?:\s*[-–]\s*{_TIME})?|\[\s*+audio\s*+:?\s*+(?:{_TIME})?\s*+\]",
    re.IGNORECASE,
)
_LINK_LABEL = re.compile(
    rf"{_LABEL.pattern}|[\[(]?\b{_TIME}\b[\])]?|\b(?:escuchar|o[ií]r|reproducir|"
    rf"audio)\b(?:\s+(?:el\s+)?audio\b)?",
    re.IGNORECASE,
)
_AUDIO_URL = re.compile(
    r"#t=\d|[?&]t=\d+|\.(?:mp3|wav|ogg|oga|opus|m4a|flac|aac|wma|mp4|webm)(?:[?#]|$)|^astra-audio:|"
    r"^https?://audio[.-]",
    re.IGNORECASE,
)
_PENDING = re.compile(r"\[\s*AUDIO[_ ]PEND(?:ING|IENTE)\s*\]|\bAUDIO_PENDING\b", re.IGNORECASE)


def is_audio_url(url: str) -> bool:
    """Whether a link target points into a recording."""
    return bool(_AUDIO_URL.search(url))


def strip_labels(text: str) -> str:
    """``text`` without "▶ 00:12:31" and "[audio …]" marks."""
    return _LABEL.sub("", text) if _MAYBE_LABEL.search(text) else text


def strip_link_label(text: str) -> str:
    """What of an audio link's own text is not its label: text a clerk typed into the link."""
    rest = _LINK_LABEL.sub("", text)
    return rest if re.search(r"[^\W_]", rest) else ""


def is_pending(text: str) -> bool:
    """Whether ``text`` holds the placeholder of audio nobody has written down yet."""
    # Asked of every paragraph several times, and hardly any has one of these.
    return ("[" in text or "_" in text) and bool(_PENDING.search(text))


def is_only_pending(text: str) -> bool:
    """Whether ``text`` is the placeholder and no word besides."""
    return is_pending(text) and not re.search(r"[^\W_]", strip_pending(text))


def strip_pending(text: str) -> str:
    """``text`` without the placeholder, spaces collapsed."""
    return " ".join(_PENDING.sub(" ", text).split())
