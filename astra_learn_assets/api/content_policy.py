"""What a page of ours may load and do, as its headers say to the browser.

Pages load their style and script as files of this service; nothing inline runs and nothing comes from
elsewhere. Two kinds of page are papers to be kept, one file with its style inside (a verdict, the privacy
report): for those the style's own digest is allowed, and no script at all.
"""

from __future__ import annotations

import base64
import hashlib
import re

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_NOBODY = "base-uri 'none'; frame-ancestors 'none'"
_ALWAYS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def of_page() -> dict[str, str]:
    """Headers of a page of the panel."""
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        f"form-action 'self'; {_NOBODY}"
    )
    return {"Content-Security-Policy": policy, **_ALWAYS}


def of_paper(html: str) -> dict[str, str]:
    """Headers of a page that carries its style inside."""
    digests = [
        base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() for style in _STYLE.findall(html)
    ]
    styles = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    return {"Content-Security-Policy": f"default-src 'none'; style-src {styles}; {_NOBODY}", **_ALWAYS}
