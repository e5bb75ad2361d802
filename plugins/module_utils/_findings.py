# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restrictions with overlaps or names that users may not intend. Pure.

It relies on the three assumptions that the documentation of `sending_domain_restriction_info`
states, above all that every restriction that covers a sender applies.
"""

from __future__ import annotations

import typing as t
import unicodedata
from dataclasses import dataclass

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    is_below,
    unicode_form,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import listing
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import Plan
from ansible_collections.cloudflare_email.security.plugins.module_utils._shared_domains import (
    MAIL_PROVIDERS,
    PUBLIC_SUFFIXES,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_rule import (
    TlsRule,
    TlsRules,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
        Restriction,
    )

MAX_WARNINGS = 20
MAX_DOMAINS_IN_WARNING = 10
MAX_DOMAINS = 3

# Scripts with letters that look alike, as in the names of characters.
LOOK_ALIKE_SCRIPTS = {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN"}


@dataclass(frozen=True)
class Finding:
    """A possible problem on an account; with an empty `domain`, it is about the whole account."""

    domain: str
    kind: str
    message: str

    def result(self) -> dict[str, str | None]:
        """Return it in the form of a module's result."""
        return {"domain": self.domain or None, "kind": self.kind, "message": self.message}


def warnings_about(plan: Plan, current: t.Iterable[Restriction]) -> list[str]:
    """Return a sentence for each overlap that the plan creates, and one for all redundant entries.

    Another one names what prune cannot delete.

    Restrictions that the plan does not create or update are not mentioned on their own.
    """
    after, changed = _after(plan, current)
    sentences = sorted({finding.message for finding in _void_exemptions(after, changed)})
    sentences += sorted({finding.message for finding in _shared_domains(changed)})
    sentences += sorted({finding.message for finding in _mixed_scripts(changed)})
    redundant = sorted({finding.domain for finding in _redundant(after, changed)})
    if redundant:
        sentences.append(
            f"{listing(redundant, MAX_DOMAINS_IN_WARNING)}: already covered by a restriction for a"
            " parent domain; the additional restriction has no effect of its own"
        )
    if plan.not_listable:
        sentences.append(
            f"prune does not delete {listing(plan.not_listable, MAX_DOMAINS_IN_WARNING)}, because no"
            " list can contain such a name; delete it with the option id of the module"
            " sending_domain_restriction"
        )
    if len(sentences) > MAX_WARNINGS:
        more = len(sentences) - MAX_WARNINGS
        sentences[MAX_WARNINGS:] = [f"{more} more overlaps; the info module lists all as findings"]
    return sentences


def findings_about(restrictions: t.Sequence[Restriction]) -> list[Finding]:
    """Return the possible problems on an account, sorted by domain.

    The kinds are `duplicates`, `outside_domain`, `void_exemption`, `redundant`, `public_suffix`,
    `mail_provider` and `mixed_scripts`.
    """
    rules = [known.rule for known in restrictions]
    findings = [
        *_duplicates(restrictions),
        *_names_outside(rules),
        # Those among duplicates follow from the finding about the duplicates.
        *_void_exemptions(rules, rules, among_duplicates=False),
        *_redundant(rules, rules),
        *_shared_domains(rules),
        *_mixed_scripts(rules),
    ]
    return sorted(
        set(findings), key=lambda finding: (finding.domain, finding.kind, finding.message)
    )


def findings_about_delivery(own_domains: t.Sequence[t.Mapping[str, t.Any]]) -> list[Finding]:
    """Return the finding `no_direct_delivery` if Cloudflare is in the path of no mail.

    If that is not known of each domain, there is none.

    Arguments:
        own_domains: those that Email Security protects, as the API shows them.
    """
    modes: list[t.Any] = [domain.get("allowed_delivery_modes") for domain in own_domains]
    if not modes or not all(isinstance(each, list) and each for each in modes):
        return []
    if any("DIRECT" in each for each in modes):
        return []
    names = sorted(str(domain.get("domain")) for domain in own_domains)
    return [
        Finding(
            "",
            "no_direct_delivery",
            f"no domain of this account has the delivery mode DIRECT ({listing(names, MAX_DOMAINS)})."
            " With the others, Cloudflare gets copies of the mail, so restrictions probably cannot"
            " drop any. Cloudflare does not publish this; check how the domains are delivered",
        )
    ]


def _after(plan: Plan, current: t.Iterable[Restriction]) -> tuple[list[TlsRule], list[TlsRule]]:
    """Return the rules that the account has after the plan, and those of them that change."""
    changed = [create.restriction.rule for create in plan.creates]
    updated = ((update.restriction.rule, update.current.rule) for update in plan.updates)
    changed += [after for after, before in updated if after != before]
    return [known.rule for known in plan.applied_to(current)], changed


def _void_exemptions(
    rules: t.Iterable[TlsRule], changed: t.Iterable[TlsRule], among_duplicates: bool = True
) -> t.Iterator[Finding]:
    """Yield each name that one restriction exempts while another one still requires TLS from it.

    One of the two is among the changed ones. An exempt name with a restriction of its own that
    itself exempts names is deliberate.
    """
    account, new = TlsRules(rules), set(changed)
    for exempting in set(rules):
        for name in sorted(exempting.exempt_names):
            for requiring in account.covering(name):
                if requiring.exempts(name) or not {exempting, requiring} & new:
                    continue
                if is_below(requiring.domain, exempting.domain) and requiring.exempt_names:
                    continue
                if requiring.domain == exempting.domain and not among_duplicates:
                    continue
                yield Finding(name, "void_exemption", _void_message(name, exempting, requiring))


def _void_message(name: str, exempting: TlsRule, requiring: TlsRule) -> str:
    advice = f"exclude it there too, or remove it from the exclude of {exempting.domain}"
    if requiring.domain == name:
        advice = f"delete one of the two: the restriction for {name}, or the exclude entry"
    other = f"the restriction for {requiring.domain}"
    if requiring.domain == exempting.domain:
        other = "its other restriction"
    return (
        f"{name} is excluded from the restriction for {exempting.domain}, but {other} still requires"
        f" TLS from it; {advice}"
    )


def _redundant(rules: t.Iterable[TlsRule], changed: t.Iterable[TlsRule]) -> t.Iterator[Finding]:
    """Yield each changed restriction whose senders another one, for a parent, covers anyway."""
    account = TlsRules(rules)
    for rule in set(changed):
        if rule.exempt_names:
            continue
        for covering in account.covering(rule.domain):
            if covering.domain != rule.domain and not any(
                rule.covers(entry) or is_below(rule.domain, entry)
                for entry in covering.exempt_names
            ):
                yield Finding(
                    rule.domain,
                    "redundant",
                    f"{rule.domain} is already covered by the restriction for {covering.domain}",
                )


def _duplicates(restrictions: t.Iterable[Restriction]) -> t.Iterator[Finding]:
    by_domain: dict[str, list[Restriction]] = {}
    for restriction in restrictions:
        by_domain.setdefault(restriction.domain, []).append(restriction)
    for domain, same in by_domain.items():
        if len(same) > 1:
            ids = ", ".join(sorted(restriction.id for restriction in same))
            exempt = {frozenset(each.rule.exempt_names) for each in same}
            effect = (
                ", and only a name that all of them exclude is exempt" if len(exempt) > 1 else ""
            )
            yield Finding(
                domain,
                "duplicates",
                f"{domain} has {len(same)} restrictions (IDs {ids}){effect}; keep one",
            )


def _names_outside(rules: t.Iterable[TlsRule]) -> t.Iterator[Finding]:
    for rule in rules:
        for name in rule.exclude:
            if not is_below(name, rule.domain):
                yield Finding(
                    rule.domain,
                    "outside_domain",
                    f"the exclude entry {name} is not below {rule.domain} and has no effect;"
                    " remove it",
                )


def _shared_domains(rules: t.Iterable[TlsRule]) -> t.Iterator[Finding]:
    for rule in rules:
        if rule.domain in PUBLIC_SUFFIXES:
            yield Finding(
                rule.domain,
                "public_suffix",
                f"{rule.domain} is a public suffix, so the restriction covers unrelated"
                " organizations; use the partner's own domain below it",
            )
        elif rule.domain in MAIL_PROVIDERS:
            yield Finding(
                rule.domain,
                "mail_provider",
                f"{rule.domain} is a mail provider, so the restriction covers all of its users; use"
                " the partner's own domain",
            )


def _mixed_scripts(rules: t.Iterable[TlsRule]) -> t.Iterator[Finding]:
    for rule in rules:
        for name in (rule.domain, *rule.exclude):
            if "xn--" not in name:
                continue
            shown = unicode_form(name)
            for label in shown.split("."):
                scripts = sorted(LOOK_ALIKE_SCRIPTS.intersection(map(_script, label)))
                if len(scripts) > 1:
                    yield Finding(
                        rule.domain,
                        "mixed_scripts",
                        f"{name} ({shown}) mixes {' and '.join(map(str.title, scripts))} letters in"
                        " one label, so it only looks like another name; check its spelling",
                    )


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
