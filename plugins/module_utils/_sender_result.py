# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The domains whose senders a task asks for, and what it returns about them. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    with_unicode_form,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import (
    counted,
    last_seen,
    listing,
    messages_of,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    InvalidRestriction,
    parse_domain,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_requirement import (
    tls_requirements,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
        Restriction,
    )
    from ansible_collections.cloudflare_email.security.plugins.module_utils._sender_search import (
        DomainSenders,
    )

MAX_DOMAINS_IN_WARNING = 10
MAX_PROBLEMS = 3
MAX_LINES = 50


def parse_domains(names: t.Iterable[str] | None) -> list[str] | None:
    """Return the domains of the option `domains` in canonical form, each once, sorted.

    Raises:
        InvalidRestriction: some are not domains; the message is about all of them.
    """
    if names is None:
        return None
    domains, problems = set(), []
    for name in names:
        try:
            domains.add(str(parse_domain(name, "domains")))
        except InvalidRestriction as error:
            problems.append(str(error))
    if problems:
        raise InvalidRestriction(" and ".join(problems))
    return sorted(domains)


def senders_result(
    found: t.Sequence[DomainSenders], restrictions: t.Iterable[Restriction], days: int
) -> dict[str, t.Any]:
    """Return what was found in the form of a module's result."""
    names = {sender.name for domain in found for sender in domain.senders}
    requirements = tls_requirements(names, restrictions)
    return {
        "msg": _summary(found, len(names), days),
        "senders": [
            {
                "domain": domain.domain,
                **sender.as_dict(),
                "at_least": not domain.is_complete,
                **requirements[sender.name].result(),
            }
            for domain in found
            for sender in domain.senders
        ],
        "searches": [
            {
                "domain": domain.domain,
                "messages": sum(sender.messages for sender in domain.senders),
                "at_least": not domain.is_complete,
                "without_sender": domain.without_sender,
                "problem": domain.problem or None,
            }
            for domain in found
        ],
        "at_least": not all(domain.is_complete for domain in found),
    }


def sender_lines(senders: t.Sequence[t.Mapping[str, t.Any]], days: int) -> list[str]:
    """Return a line for each sender of a module's result, most messages first.

    A name that is listed for two domains has one line.
    """
    ordered = sorted(senders, key=lambda each: (-each["messages"], each["name"]))
    first_of_each = {sender["name"]: sender for sender in reversed(ordered)}
    lines = [
        f"{with_unicode_form(sender['name'])}: {messages_of([sender])} in {counted(days, 'day')}"
        f"{last_seen(sender)},"
        f" {'needs TLS already' if sender['tls_required'] else 'does not need TLS today'}"
        for sender in ordered
        if sender is first_of_each[sender["name"]]
    ]
    more = len(lines) - MAX_LINES
    return lines[:MAX_LINES] + ([f"{more} more; see senders in the result"] if more > 0 else [])


def warnings_about(found: t.Sequence[DomainSenders], max_messages: int) -> list[str]:
    """Return what the result does not contain: the rest of long searches, and failed ones."""
    cut_off = [each.domain for each in found if not each.is_complete and not each.problem]
    warnings = []
    if cut_off:
        warnings.append(
            f"the search stopped after {max_messages} messages for"
            f" {listing(cut_off, MAX_DOMAINS_IN_WARNING)}, so there may be more messages and more"
            " names; raise max_messages or lower days"
        )
    problems: dict[str, list[str]] = {}
    for each in found:
        if each.problem:
            problems.setdefault(each.problem, []).append(each.domain)
    for problem, domains in list(problems.items())[:MAX_PROBLEMS]:
        warnings.append(
            f"the senders of {listing(domains, MAX_DOMAINS_IN_WARNING)} are not known: {problem}"
        )
    more = sum(map(len, list(problems.values())[MAX_PROBLEMS:]))
    if more:
        warnings.append(f"the senders of {counted(more, 'more domain')} are not known")
    return warnings


def _summary(found: t.Sequence[DomainSenders], names: int, days: int) -> str:
    messages: dict[str, int] = {}
    for domain in found:
        for sender in domain.senders:
            # A name below two of the domains is found twice.
            messages[sender.name] = max(messages.get(sender.name, 0), sender.messages)
    at_least = "" if all(domain.is_complete for domain in found) else "at least "
    summary = (
        f"{at_least}{counted(names, 'name')} at or below {counted(len(found), 'domain')} sent"
        f" {at_least}{counted(sum(messages.values()), 'message')} in {counted(days, 'day')}; which"
        " of them came with TLS is not known"
    )
    failed = sum(bool(domain.problem) for domain in found)
    if failed:
        summary += f"; the senders of {counted(failed, 'domain')} are not known"
    return summary
