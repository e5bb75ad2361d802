# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a call got no response, and whether it may have taken effect.

The libraries below raise the same exceptions for different causes, so the chain of causes decides.
"""

from __future__ import annotations

import http.client
import ssl
import sys
import traceback
import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    UNAVAILABLE,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._libraries import (
    requests,
    urllib3,
)


def lost_call(call: str, host: str, timeout: float, error: Exception) -> CloudflareError:
    """Return the error of a call that got no response.

    Arguments:
        call: how messages name the call.
        host: where the call was sent, as a host and a port.
        timeout: seconds that each part of the response may take.
        error: what `requests` raised; it may be an error of another library.
    """
    causes = _causes(error)
    return (
        _not_sendable(call, error, causes[-1])
        or _not_trusted(call, host, causes)
        or _not_connected(call, host, error, causes)
        or _not_answered(call, host, timeout, error, causes[-1])
    )


def _not_sendable(call: str, error: Exception, cause: BaseException) -> CloudflareError | None:
    """Return an error if it is about the settings of this host: the URLs, the proxy or the CA."""
    if "SOCKS" in str(error) and isinstance(error, requests.exceptions.InvalidSchema):
        return CloudflareError(
            "the proxy in the environment variables HTTPS_PROXY and ALL_PROXY is a SOCKS proxy, which"
            " needs the Python library PySocks",
            f"install it for {sys.executable}, or use an HTTP proxy",
            UNAVAILABLE,
            call,
        )
    if _is_about_a_url(error):
        # The text of the error may contain the password of a proxy.
        return CloudflareError(
            "the request could not be sent",
            "check that api_url, and the proxy in the environment variables HTTPS_PROXY and"
            " ALL_PROXY, are valid URLs",
            UNAVAILABLE,
            call,
        )
    # requests raises a bare OSError for a missing bundle.
    is_missing = isinstance(error, OSError) and "CA certificate bundle" in str(error)
    if is_missing or getattr(cause, "library", None) in ("X509", "PEM"):
        return CloudflareError(
            "the CA certificates could not be loaded",
            "check the file that ca_path or the environment variable REQUESTS_CA_BUNDLE names",
            UNAVAILABLE,
            _detail(call, cause),
        )
    return None


def _not_trusted(call: str, host: str, causes: t.Sequence[BaseException]) -> CloudflareError | None:
    classes = (
        ssl.SSLCertVerificationError,
        urllib3.connection.CertificateError,  # type: ignore[attr-defined]  # not in its __all__
    )
    known = next((cause for cause in causes if isinstance(cause, classes)), None)
    if known is None:
        return None
    reason = getattr(known, "verify_message", "") or known
    return CloudflareError(
        f"the certificate of {host} is not trusted",
        "if a proxy or a private CA is in between, set ca_path to its certificate",
        UNAVAILABLE,
        _detail(call, reason),
    )


def _not_connected(
    call: str, host: str, error: Exception, causes: t.Sequence[BaseException]
) -> CloudflareError | None:
    if not (_was_not_sent(error) or any(map(_is_from_handshake, causes))):
        return None
    return CloudflareError(
        f"could not connect to {host}",
        "check api_url, DNS, the network and the environment variables HTTPS_PROXY and NO_PROXY",
        UNAVAILABLE,
        _detail(call, causes[-1]),
        is_transient=True,
    )


def _not_answered(
    call: str, host: str, timeout: float, error: Exception, cause: BaseException
) -> CloudflareError:
    """Return the error of a call that was sent, so that it may have taken effect."""
    if isinstance(error, requests.exceptions.ReadTimeout):
        return CloudflareError(
            f"{host} did not respond within {timeout:g} seconds",
            "try again later, or raise timeout",
            UNAVAILABLE,
            call,
            is_transient=True,
            outcome_unknown=True,
        )
    readable = (OSError, urllib3.exceptions.HTTPError, http.client.HTTPException)
    what = cause if isinstance(cause, readable) else cause.__class__.__name__
    return CloudflareError(
        f"the connection to {host} was lost",
        "try again later",
        UNAVAILABLE,
        _detail(call, what),
        is_transient=True,
        outcome_unknown=True,
    )


def _detail(call: str, reason: t.Any) -> str:
    return f"{call}: {reason}"


def _causes(error: BaseException | None) -> list[BaseException]:
    """Return the error, what it was raised from, and so on, down to the first one."""
    causes: list[BaseException] = []
    while error and not isinstance(error, CloudflareError) and error not in causes:
        causes.append(error)
        # urllib3 keeps the error of a proxied connection as an argument only.
        wrapped = [argument for argument in error.args if isinstance(argument, Exception)]
        context = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or context or next(iter(wrapped), None)
    return causes


def _is_about_a_url(error: Exception) -> bool:
    if isinstance(error, requests.RequestException):
        return isinstance(
            error,
            (
                requests.exceptions.InvalidURL,
                requests.exceptions.InvalidSchema,
                requests.exceptions.MissingSchema,
            ),
        )
    if isinstance(error, (urllib3.exceptions.HTTPError, ssl.SSLError)):
        return isinstance(error, urllib3.exceptions.LocationValueError)
    return isinstance(error, (ValueError, TypeError))


def _was_not_sent(error: Exception) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    # A ProxyError alone proves nothing: urllib3 1.26 raises it for any error behind a proxy.
    if isinstance(reason, urllib3.exceptions.ProxyError):
        reason = getattr(reason, "original_error", None)
    return isinstance(
        reason, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    ) or str(reason).startswith("Tunnel connection failed")


def _is_from_handshake(error: BaseException) -> bool:
    frames = traceback.walk_tb(error.__traceback__)
    return any(
        frame.f_code.co_name == ssl.SSLSocket.do_handshake.__name__ for frame, _line in frames
    )
