# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a domain name is: reading one that a person wrote, and comparing names as DNS does."""

from __future__ import annotations

import ipaddress
import re
import typing as t

IMPORT_ERROR: ImportError | None = None  # for _arguments to report
try:
    import idna
except ImportError as error:
    idna = None  # type: ignore[assignment]
    IMPORT_ERROR = error

MAX_NAME_LENGTH = 253
MAX_LABEL_LENGTH = 63

_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_COMMON_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


class InvalidDomainName(ValueError):
    """Not a domain name that a restriction can have; the message says why and what to give."""


def parse_domain_name(text: str) -> str:
    """Return the canonical form of a domain name: A-labels in lower case, no trailing dot.

    U-labels are mapped as UTS 46 does (non-transitional) and encoded with IDNA 2008 (RFC 5891);
    what remains must be a host name (RFC 1123) of two labels or more.

    Raises:
        InvalidDomainName: for anything else, with a sentence for each way of being wrong.
    """
    if len(text) <= MAX_NAME_LENGTH and _COMMON_NAME.fullmatch(text) and "xn--" not in text:
        return text
    shown = _show(text)
    _refuse_what_is_no_name(text, shown)
    labels = _DOTS.split(_map(text, shown))
    if len(labels) > 1 and not labels[-1]:
        labels.pop()
    name = ".".join(_a_label(label, shown) for label in labels)
    if len(labels) < 2:
        raise InvalidDomainName(
            f"{shown} is a single label: give the whole domain, such as partner.example"
        )
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidDomainName(
            f"{shown} has {len(name)} characters in the form DNS uses: a domain name has at most"
            f" {MAX_NAME_LENGTH}"
        )
    if name.rsplit(".", 1)[-1].isdigit():
        raise InvalidDomainName(f"{shown} ends in a number, which no domain name does")
    return name


def comparison_key(name: str) -> str:
    """Return what two spellings of one name have in common, also for a name that is no host name.

    The account may hold names that this collection would refuse; they still have to be compared.
    """
    try:
        return parse_domain_name(name)
    except InvalidDomainName:
        return name.rstrip(".").lower()


def is_below(name: str, domain: str) -> bool:
    """Tell whether `name` is a subdomain of `domain`; both in canonical form."""
    return name.endswith("." + domain)


def parents(name: str) -> t.Iterator[str]:
    """Yield the names above `name`, the nearest first: `b.c` and `c` for `a.b.c`."""
    while "." in name:
        name = name.partition(".")[2]
        yield name


def _show(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")


def _refuse_what_is_no_name(text: str, shown: str) -> None:
    if not text:
        raise InvalidDomainName("it is empty: give a domain, such as partner.example")
    if "://" in text or "/" in text:
        raise InvalidDomainName(f"{shown} is a URL: give only its host name")
    if "@" in text:
        raise InvalidDomainName(f"{shown} is an e-mail address: give only the part after the @")
    if _is_ip_address(text):
        raise InvalidDomainName(f"{shown} is an IP address: a restriction is for a domain name")
    if "*" in text:
        raise InvalidDomainName(
            f"{shown} is a wildcard: give the plain name, a restriction covers the subdomains of its"
            " domain by itself"
        )


def _is_ip_address(text: str) -> bool:
    bare = text.strip("[]").rstrip(".")
    if bare.lower().startswith("ipv6:"):
        bare = bare[len("ipv6:") :]
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return False
    return True


def _map(text: str, shown: str) -> str:
    if text.isascii():
        return text.lower()
    try:
        return idna.uts46_remap(text, std3_rules=False)
    except idna.IDNAError as error:
        raise InvalidDomainName(
            f"{shown} is not a host name: it has a character that no domain name may have"
        ) from error


def _a_label(label: str, shown: str) -> str:
    if not label:
        raise InvalidDomainName(f"{shown} is not a host name: there is nothing between two dots")
    if label.isascii() and not label.startswith("xn--"):
        _refuse_what_is_no_label(label, shown)
        return label
    try:
        encoded = idna.alabel(idna.ulabel(label)).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        encoded = ""
    if not encoded or (label.isascii() and encoded != label):
        raise InvalidDomainName(
            f"{shown} is not a host name: its label {_show(label)} is not valid under IDNA 2008"
        )
    return encoded


def _refuse_what_is_no_label(label: str, shown: str) -> None:
    wrong = re.search("[^a-z0-9-]", label)
    if wrong:
        raise InvalidDomainName(
            f"{shown} is not a host name: the character {wrong.group()!r} is not allowed in one"
        )
    if label.startswith("-") or label.endswith("-"):
        raise InvalidDomainName(
            f"{shown} is not a host name: its label {_show(label)} starts or ends with a hyphen"
        )
    if len(label) > MAX_LABEL_LENGTH:
        raise InvalidDomainName(
            f"{shown} is not a host name: it has a label of {len(label)} characters, at most"
            f" {MAX_LABEL_LENGTH} are allowed"
        )
