# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Domain names: parsing what a person wrote, and comparing names as DNS does."""

from __future__ import annotations

import ipaddress
import re
import typing as t
import unicodedata

from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import printable
from ansible_collections.cloudflare_email.security.plugins.module_utils._libraries import idna

MAX_NAME_LENGTH = 253
MAX_LABEL_LENGTH = 63
# New versions of idna map no longer text.
MAX_MAPPED_LENGTH = 1024

_DOTS = re.compile("[.\u3002\uff0e\uff61]")
# Without several of them, an invalid name would pass for a valid one.
_TRAILING_DOT = re.compile(r"(?<=[^.])\.\Z")
# The marks that names may contain, apart from letters and digits.
_MARKS = "-_.\u00b7\u30fb\u3002\uff0e\uff61"

# What word processors write for a hyphen, quotes and dots.
_TYPOGRAPHIC = re.compile(
    "[\u2010-\u2015\u2212\u2043\u2e3a\u2e3b\u00ab\u00b4\u00bb\u2018-\u201f\u2022\u2026\u2039\u203a]"
)
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\u2e3a\u2e3b"
_POSTFIX_POLICY = re.compile(
    r"\S+\s+(?:none|may|encrypt|dane(?:-only)?|fingerprint|verify|secure)(?=\s|$)", re.IGNORECASE
)
_COMMON_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


class InvalidDomainName(ValueError):
    """Not a domain name that a restriction can have.

    The message says what is wrong and what to do; the name of an option may precede it.
    """


def parse_domain_name(text: str, parent: str | None = None) -> str:
    """Return the canonical form of a domain name: A-labels in lower case, no trailing dot.

    U-labels are mapped as UTS 46 does (non-transitional) and encoded with IDNA 2008 (RFC 5891).
    ASCII labels may contain what accounts may contain: letters, digits, hyphens and underscores, also in
    A-labels that IDNA 2008 does not know. RFC 1035 limits their length.

    Arguments:
        parent: the domain that the name should be below, for advice.

    Raises:
        InvalidDomainName: for anything else, with its own message for each kind of mistake.
    """
    if len(text) <= MAX_NAME_LENGTH and _COMMON_NAME.fullmatch(text) and "xn--" not in text:
        return text
    shown = _show(text)
    _refuse_other_things(text, shown)
    labels = _DOTS.split(_map(text, shown))
    if len(labels) > 1 and not labels[-1]:
        labels.pop()
    name = ".".join(_a_label(label, shown) for label in labels)
    if len(labels) < 2:
        example = f"{name}.{parent}" if parent else "partner.example"
        raise InvalidDomainName(f"{shown} has a single label; use a full domain such as {example}")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidDomainName(
            f"{shown} has {len(name)} characters in its DNS form; use at most {MAX_NAME_LENGTH}"
        )
    if labels[-1].isdigit():
        raise InvalidDomainName(
            f"{shown} ends in a number; use a full domain such as partner.example"
        )
    return name


def comparison_key(name: str) -> str:
    """Return the same key for all spellings of a name, even if the name is not valid.

    The account may have names that this collection refuses; they still have to be compared and
    shown. A key contains escapes for characters that are not printable.
    """
    try:
        return parse_domain_name(name)
    except InvalidDomainName:
        return printable(_TRAILING_DOT.sub("", name).lower())


def is_valid(name: str) -> bool:
    """Return whether a restriction for this name can be requested."""
    try:
        parse_domain_name(name)
    except InvalidDomainName:
        return False
    return True


def is_unjudged(name: str) -> bool:
    """Return whether a name may be valid, but cannot be judged because the library idna is missing."""
    return (
        idna is None
        and not name.isascii()
        and not name.startswith("-")
        and all(unicodedata.category(letter)[0] in "LMN" or letter in _MARKS for letter in name)
    )


def is_below(name: str, domain: str) -> bool:
    """Return whether `name` is a subdomain of `domain`; both in canonical form."""
    return name.endswith("." + domain)


def parents(name: str) -> t.Iterator[str]:
    """Yield the names above `name`, the nearest first: `b.c` and `c` for `a.b.c`."""
    while "." in name:
        name = name.partition(".")[2]
        yield name


def unicode_form(name: str) -> str:
    """Return a canonical name with its A-labels decoded, or as it is if they cannot be."""
    if "xn--" not in name or idna is None:
        return name
    try:
        return idna.decode(name)
    except (idna.IDNAError, UnicodeError):
        return name


def with_unicode_form(name: str) -> str:
    """Return a canonical name, with its Unicode form next to its A-labels."""
    readable = unicode_form(name)
    return name if readable == name else f"{name} ({readable})"


def _show(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")


def _refuse_other_things(text: str, shown: str) -> None:
    if not text:
        raise InvalidDomainName("is empty; use a domain such as partner.example")
    if text.startswith("#"):
        raise InvalidDomainName(
            f"{shown} begins with '#', like an error value of a spreadsheet; use a domain such as"
            " partner.example"
        )
    if text[:5].lower() == "smtp:":
        raise InvalidDomainName(f"{shown} is an address space of Exchange; use only its domain")
    if "://" in text or "/" in text:
        raise InvalidDomainName(f"{shown} is a URL; use only its host name")
    if "@" in text:
        raise InvalidDomainName(f"{shown} is an e-mail address; use only the part after the @")
    if _is_ip_address(text):
        raise InvalidDomainName(f"{shown} is an IP address; use a domain name")
    if "*" in text:
        raise InvalidDomainName(
            f"{shown} is a wildcard; use the plain name, which covers its subdomains"
        )
    if re.match(r"\.+[^.]", text):
        raise InvalidDomainName(
            f"{shown} begins with a dot; remove it, the plain name covers its subdomains"
        )
    if re.search(r"[^:]:[0-9]+$", text):
        raise InvalidDomainName(f"{shown} includes a port; use only the name")
    _refuse_other_characters(text, shown)


def _refuse_other_characters(text: str, shown: str) -> None:
    """Refuse spaces, separators and typographic characters, which each have another cause."""
    if _POSTFIX_POLICY.match(text):
        raise InvalidDomainName(f"{shown} is a TLS policy of Postfix; use only its domain")
    separator = re.search(r"[\s,;]", text)
    if separator:
        is_inside = re.search(r"[\s,;]", text.strip(f",;{separator.group()}"))
        advice = "write a single name" if is_inside else "remove it"
        raise _wrong_character(separator.group(), shown, advice)
    wrong = _TYPOGRAPHIC.search(text)
    if wrong:
        is_dash = wrong.group() in _DASHES
        advice = "a plain hyphen (-) was probably meant" if is_dash else "remove it"
        raise _wrong_character(wrong.group(), shown, advice)


def _wrong_character(character: str, shown: str, advice: str) -> InvalidDomainName:
    description = repr(character)
    if not character.isascii():
        name = unicodedata.name(character, "")
        description = f"U+{ord(character):04X}" + (f" ({name})" if name else "")
    return InvalidDomainName(
        f"{shown} contains the character {description}, which is not allowed; {advice}"
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
    if idna is None:
        raise InvalidDomainName(f"{shown} needs the Python library requests; install it")
    if len(text) > MAX_MAPPED_LENGTH:
        raise InvalidDomainName(
            f"{shown} has {len(text)} characters; use at most {MAX_NAME_LENGTH}"
        )
    try:
        return idna.uts46_remap(text, std3_rules=False)
    except idna.IDNAError:
        raise _wrong_character(next(filter(_is_refused, text)), shown, "remove it") from None


def _is_refused(character: str) -> bool:
    try:
        idna.uts46_remap(character, std3_rules=False)
    except idna.IDNAError:
        return True
    return False


def _a_label(label: str, shown: str) -> str:
    if not label:
        raise InvalidDomainName(f"{shown} contains an empty label; remove the extra dot")
    if not label.isascii():
        try:
            return idna.alabel(label).decode("ascii")
        except (idna.IDNAError, UnicodeError) as error:
            if not label.isprintable():
                hidden = next(letter for letter in label if not letter.isprintable())
                raise _wrong_character(hidden, shown, "remove it") from error
            raise InvalidDomainName(
                f"{shown} contains the label {_show(label)}, which is not valid under IDNA 2008; use its"
                " ASCII form (xn--...)"
            ) from error
    wrong = re.search("[^a-z0-9_-]", label)
    if wrong:
        raise _wrong_character(wrong.group(), shown, "remove it")
    if label.startswith("-") or label.endswith("-"):
        raise InvalidDomainName(
            f"{shown} contains the label {_show(label)}, which starts or ends with a hyphen; remove it"
        )
    if len(label) > MAX_LABEL_LENGTH:
        raise InvalidDomainName(
            f"{shown} has a label of {len(label)} characters; use at most {MAX_LABEL_LENGTH}"
        )
    return label
