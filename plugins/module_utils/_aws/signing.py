# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signature Version 4 for many requests that differ in keys, time and body alone.

botocore builds the canonical request anew for each call. Here it builds it once, and it is cut where the time, the
session token and the body's hash stand in it. The header Authorization is botocore's to the byte.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import Any

with suppress(ImportError):  # AnsibleAWSModule says what is missing
    from botocore.auth import SigV4Auth
    from botocore.credentials import ReadOnlyCredentials

TOKEN = "session-token"
"""Stands for the token in the request that is cut."""

_PLAIN = re.compile(r"[!-~]+")


class PreparedSignature:
    """The signature of one operation's requests to one endpoint."""

    def __init__(self, new_request: Callable[[], Any], service: str, region: str) -> None:
        """new_request: makes botocore's request without a signature. service, region: what it is signed for."""
        self._service = service
        self._region = region
        self._forms = {with_token: self._cut(new_request(), with_token) for with_token in (False, True)}

    def _cut(self, request: Any, with_token: bool) -> tuple[str, str, str, str]:
        """The canonical request before the time, from there to the token and to the body's hash; the signed headers."""
        auth = SigV4Auth(ReadOnlyCredentials("-", "-", TOKEN if with_token else None), self._service, self._region)
        auth.add_auth(request)
        del request.headers["Authorization"]
        canonical, _newline, _hash = auth.canonical_request(request).rpartition("\n")
        before, _time, rest = canonical.partition(request.headers["X-Amz-Date"])
        between, _token, after = rest.partition(TOKEN) if with_token else (rest, "", "")
        return before, between, after, auth.signed_headers(auth.headers_to_sign(request))

    def headers(self, keys: ReadOnlyCredentials, time: str, body: bytes) -> dict[str, str]:
        """The headers that sign a request: its time, such as 20261124T030000Z, the token if there is one, and the rest.

        keys: such that ``are_plain`` says yes.
        """
        before, between, after, signed = self._forms[bool(keys.token)]
        canonical = f"{before}{time}{between}{keys.token or ''}{after}\n{sha256(body).hexdigest()}"
        day = time[:8]
        scope = f"{day}/{self._region}/{self._service}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        key = f"AWS4{keys.secret_key}".encode()
        for part in (day, self._region, self._service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        return {
            "X-Amz-Date": time,
            **({"X-Amz-Security-Token": keys.token} if keys.token else {}),
            "Authorization": f"AWS4-HMAC-SHA256 Credential={keys.access_key}/{scope}, SignedHeaders={signed}, "
            f"Signature={signature}",
        }


def are_plain(keys: ReadOnlyCredentials) -> bool:
    """Whether a key's id and token are of visible ASCII characters, so that nothing has to be done to them."""
    return all(_PLAIN.fullmatch(text) for text in (keys.access_key, keys.token or "-"))
