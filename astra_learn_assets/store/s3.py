"""What S3 said went wrong, in words that name the bucket, the key and the cause.

``obstore`` tells a wrong bucket as a missing object, and of everything else only that something failed. The
service's own answer stands in the text of its error: the code (``AccessDenied``, ``ExpiredToken``) and the
status. Nothing else of that text is repeated: it holds addresses and, of some services, tokens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")
_STATUS = re.compile(r"non-2xx status code: (\d{3})")
_CONNECT = re.compile(r"error sending request|kind: (Connect|Timeout|Request)", re.IGNORECASE)
_STALE = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"})
_ADVICE = {
    "AccessDenied": "the role may not do this: see the policy of its service account",
    "AllAccessDisabled": "the bucket is closed",
    "InvalidAccessKeyId": "the access key is unknown: check the credentials",
    "SignatureDoesNotMatch": "the secret key is not the access key's: check the credentials",
    "ExpiredToken": "the credentials have expired and no new ones were found",
    "InvalidToken": "the session token is not valid: check the credentials",
    "SlowDown": "too many requests: it is tried again later",
    "KMS.DisabledException": "the KMS key is disabled",
    "PermanentRedirect": "the bucket is in another region: check AWS_REGION",
    "AuthorizationHeaderMalformed": "the bucket is in another region: check AWS_REGION",
}


@dataclass(frozen=True)
class Cause:
    """``code`` and ``status`` of the answer, where there was one; ``reached``: whether there was."""

    code: str | None
    status: int | None
    reached: bool

    @property
    def no_bucket(self) -> bool:
        """The bucket itself is not there."""
        return self.code == "NoSuchBucket"

    @property
    def stale_credentials(self) -> bool:
        """New credentials may help."""
        return self.code in _STALE

    def __str__(self) -> str:
        if not self.reached:
            return "no answer from the endpoint: check AWS_ENDPOINT_URL and the network"
        parts = [self.code or "refused"]
        if self.status is not None:
            parts.append(f"(status {self.status})")
        advice = _ADVICE.get(self.code or "")
        return " ".join(parts) + (f": {advice}" if advice else "")


def cause_of(error: BaseException) -> Cause:
    """What the text of an ``obstore`` error says of its cause."""
    text = str(error)
    code, status = _CODE.search(text), _STATUS.search(text)
    reached = code is not None or status is not None or _CONNECT.search(text) is None
    told = code[1] if code else "PermanentRedirect" if "redirect" in text.lower() else None
    return Cause(told, int(status[1]) if status else None, reached)
