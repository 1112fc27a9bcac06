"""Why TLS failed, in words: which side did not trust the other, and what to do."""

from __future__ import annotations

import socket
import ssl
from typing import Final

from costopt.errors import ProviderError
from costopt.providers.prometheus.settings import PrometheusSettings

_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
"""What OpenSSL calls an answer that is none of TLS."""
_ALERT: Final = "_ALERT_"
"""Stands in the reasons that the other side gives: TLSV13_ALERT_CERTIFICATE_REQUIRED."""
_OF_NONE: Final = frozenset({"certificate required", "handshake failure", "bad certificate"})
"""Alerts for a certificate that was demanded and not shown, by version and library."""
_UNDER_WAY: Final = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
"""No failures: a handshake that waits for the other side."""
_SECONDS: Final = 2.0


def reason(error: BaseException | None) -> str:
    """What the TLS library says, or "" where the failure is another."""
    while error is not None:
        if isinstance(error, ssl.SSLError) and not isinstance(error, _UNDER_WAY):
            detail = getattr(error, "verify_message", "") or error.reason or "TLS failed"
            return str(detail)
        error = error.__cause__ or error.__context__
    return ""


def refusal(tls: ssl.SSLContext, host: str, port: int) -> str:
    """The reason for which a server breaks off after the handshake; "" = it does not.

    In TLS 1.3 a server looks at our certificate once we hold the handshake for done. It then closes
    the connection on the request, and what it said of the reason is lost with it. Here nothing is
    sent, so that there is time to hear it.
    """
    try:
        with (
            socket.create_connection((host, port), _SECONDS) as plain,
            tls.wrap_socket(plain, server_hostname=host) as safe,
        ):
            safe.recv(1)
    except OSError as error:
        return reason(error)
    return ""


def told(why: str, settings: PrometheusSettings, where: str) -> ProviderError:
    """That reason as an error for people."""
    what, hint = _in_words(why, shown=settings.cert_file is not None)
    return ProviderError(what, where=where, hint=hint)


def _in_words(why: str, *, shown: bool) -> tuple[str, str]:
    """What is wrong, and what to do.

    Args:
        shown: whether we show a certificate.
    """
    if why in _NO_TLS:
        return (
            "it speaks no TLS at this port",
            "if that is meant, give the address with http://; or another port",
        )
    if _ALERT in why:
        return _alert(why.partition(_ALERT)[2].replace("_", " ").casefold(), shown=shown)
    what = f"no trusted connection: {why}"
    if why == "certificate has expired":
        return what, "the server needs a new certificate; --ca-file does not help"
    if "mismatch" in why:
        return what, "give the address that its certificate names"
    return what, "--ca-file names the authority that signed its certificate"


def _alert(said: str, *, shown: bool) -> tuple[str, str]:
    """In the words of the other side."""
    hint = "--cert-file and --key-file show one that its authority signed"
    if shown and ("certificate" in said or said == "unknown ca"):
        return f"it does not accept our certificate: {said}", hint
    if not shown and said in _OF_NONE:
        return f"it demands a certificate of ours: {said}", hint
    return f"it breaks the handshake off: {said}", "does it allow TLS 1.2 or 1.3?"
