#!/usr/bin/python
# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sending_domain_senders_info
short_description: List who sends mail as a domain, before TLS is required from it
version_added: 0.1.0
author:
  - Contributors to the cloudflare_email.security collection (!UNKNOWN)
description:
  - Searches the messages that Cloudflare Email Security received for an account, and returns the names at or below
    given domains that they were sent from, with counts, and whether mail from each name needs TLS today.
  - Use it before you restrict a domain, to find senders that nobody thought of, such as newsletters and invoicing, and
    to ask the partner which of them cannot use TLS. These belong in the C(exclude) of the restriction.
  - Of each message, only the ID, the domain of the envelope sender, the time and the delivery mode are used. Subjects,
    recipients and addresses are neither kept, returned nor logged.
extends_documentation_fragment:
  - cloudflare_email.security._account
  - cloudflare_email.security._attributes.info
attributes:
  action:
    description: An action plugin shows the progress and the names. The work is done on the target.
    support: full
options:
  domains:
    description:
      - The domains whose senders to list, such as V(partner.example).
      - By default, the domains of all restrictions of the account.
    type: list
    elements: str
  days:
    description:
      - How many days to look back, from 1 to 90. How long Cloudflare keeps messages depends on the subscription.
      - Mail that is sent less often, such as a yearly invoice, is not found.
    type: int
    default: 30
  max_messages:
    description:
      - How many messages a search counts at most, from 1 to 1000000. If there are more, RV(senders[].at_least) is
        V(true), and some names may be missing.
      - A search takes one call for each 1,000 messages.
    type: int
    default: 10000
  concurrency:
    description: How many domains are searched in parallel, from 1 to 50.
    type: int
    default: 10
  controller:
    description: Internal. What the action plugin of this module passes to it.
    type: dict
notes:
  - The result does not say which messages came with TLS, because no published field does. It is not published either
    whether messages that were dropped because they came without TLS are found. So check each name with the partner.
  - If a name is missing, mail may still be sent from it.
  - A name is the domain of the envelope sender (C(MAIL FROM)), which may differ from the C(From) that people see.
    Cloudflare does not publish which of the two a restriction compares, nor whether a search for a domain finds its
    subdomains. So the module also searches for each name below the domain that a restriction mentions, if the
    search for the domain finds nothing from it. Name other subdomains that matter in O(domains).
  - RV(senders[].tls_required) relies on the same assumptions as
    M(cloudflare_email.security.sending_domain_restriction_info).
  - "It needs the permission C(Cloud Email Security: Read)."
  - The task takes at least one call for each domain, and Cloudflare allows 1,200 calls in five minutes. It waits for
    the rate limit. If a search fails, the task goes on with the other domains and shows a warning.
  - The task shows up to 50 of the names on stderr, most messages first. If it takes more than a few seconds, it also
    shows how many domains it has searched, how long it waits for the rate limit, and about how long the rest takes.
    With C(no_log=true) or C(async) it shows nothing.
seealso:
  - module: cloudflare_email.security.sending_domain_restriction_info
    description: Check whether mail from a domain needs TLS.
  - module: cloudflare_email.security.sending_domain_restrictions
    description: Manage the whole list in one task.
  - ref: Rolling TLS out to partners safely <ansible_collections.cloudflare_email.security.docsite.tls_rollout>
    description: A guide in this collection.
  - name: Search messages
    description: The search in Cloudflare's documentation.
    link: https://developers.cloudflare.com/api/resources/email_security/subresources/investigate/
"""

EXAMPLES = r"""
- name: List who sends as a partner's domain
  cloudflare_email.security.sending_domain_senders_info:
    domains:
      - partner.example
    days: 90
  register: partner

- name: Show the names to check with the partner before their mail needs TLS
  ansible.builtin.debug:
    msg: "{{ partner.senders | rejectattr('tls_required') | map(attribute='name') | list }}"

- name: List who sends as any restricted domain
  cloudflare_email.security.sending_domain_senders_info:
  register: restricted

- name: Fail if the senders of a domain are not fully known
  ansible.builtin.assert:
    that: restricted.searches | selectattr('at_least') | list == []
    fail_msg: "{{ restricted.msg }}"
"""

RETURN = r"""
msg:
  description: How many names and messages were found, or what went wrong.
  returned: always
  type: str
  sample: >-
    2 names at or below 1 domain sent 1842 messages in 30 days; which of them came with TLS is not known
account_id:
  description: The ID of the account.
  returned: success
  type: str
  sample: 0123456789abcdef0123456789abcdef
days:
  description: How many days were searched.
  returned: success
  type: int
  sample: 30
since:
  description: The beginning of the period (RFC 3339), by the clock of the host that runs the task.
  returned: success
  type: str
  sample: '2026-10-28T08:00:00Z'
senders:
  description:
    - The names at or below the searched domains that messages were sent from, sorted by domain and name. A name below
      two of the domains may be listed for each.
  returned: success
  type: list
  elements: dict
  contains:
    domain:
      description: The domain that was searched for.
      type: str
      sample: partner.example
    name:
      description: The domain of the envelope sender.
      type: str
      sample: newsletter.partner.example
    messages:
      description: How many messages from exactly this name were found.
      type: int
      sample: 412
    at_least:
      description: Whether there may be more messages, because of O(max_messages) or because the search failed.
      type: bool
      sample: false
    first_seen:
      description: The time of the oldest message that was counted (RFC 3339), or V(none) if no message has one.
      type: str
      sample: '2026-10-29T06:00:12Z'
    last_seen:
      description: The time of the newest message that was counted (RFC 3339), or V(none) if no message has one.
      type: str
      sample: '2026-11-20T06:00:09Z'
    delivery_modes:
      description:
        - How the messages reached Cloudflare, such as V(DIRECT), V(BCC), V(JOURNAL), V(API) and V(RETRO_SCAN). Only
          with V(DIRECT), Cloudflare is in the path of the mail.
      type: list
      elements: str
      sample:
        - DIRECT
    tls_required:
      description: Whether Cloudflare drops mail from the name that arrives without TLS, by today's restrictions.
      type: bool
      sample: false
    governed_by:
      description:
        - The restriction that decides RV(senders[].tls_required), or V(none) if none covers the name. It has the fields
          that M(cloudflare_email.security.sending_domain_restriction_info) returns.
      type: dict
      sample:
        id: f174e90a-fafe-4643-bbbc-4a0ed4fc8415
        domain: partner.example
        exclude:
          - newsletter.partner.example
        comments: TLS agreed with the postmaster of partner.example
        created_at: '2026-01-01T05:20:00.12345Z'
        modified_at: '2026-01-01T05:20:00.12345Z'
    exempted_by:
      description: The entry in the C(exclude) of RV(senders[].governed_by) that exempts the name, or V(none).
      type: str
      sample: newsletter.partner.example
searches:
  description: One entry for each searched domain, sorted, also if nothing was found.
  returned: success
  type: list
  elements: dict
  contains:
    domain:
      description: The domain that was searched for.
      type: str
      sample: partner.example
    messages:
      description: How many messages from the domain and the names below it were found.
      type: int
      sample: 1842
    at_least:
      description: Whether there may be more messages and more names, because of O(max_messages) or a failure.
      type: bool
      sample: false
    without_sender:
      description:
        - How many of the messages found have an empty envelope sender, such as bounces, or one without a valid domain.
          They are not counted elsewhere.
      type: int
      sample: 3
    problem:
      description: Why the search failed, so that the senders of the domain are not known, or V(none).
      type: str
      sample: null
at_least:
  description: Whether RV(searches[].at_least) is V(true) for any domain.
  returned: success
  type: bool
  sample: false
api_calls:
  description: How many requests were sent to Cloudflare, including retries.
  returned: success
  type: int
  sample: 3
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._message_search import (
    MessageSearch,
    days_ago,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._options import (
    SHARED_ARGUMENTS,
    InvalidOption,
    SharedOptions,
    number_between,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    InvalidRestriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
    RestrictionsApi,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import (
    finish,
    hide,
    known_secrets,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._sender_result import (
    parse_domains,
    senders_result,
    warnings_about,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._sender_search import (
    MAX_MESSAGES,
    search_senders,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._senders import (
    MAX_DAYS,
    known_names,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._slice_start import (
    SliceOver,
    end_unless_all_are_searched,
    limits_of,
    read_account,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._time_slice import TimeSlice


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **SHARED_ARGUMENTS,
            "domains": {"type": "list", "elements": "str"},
            "days": {"type": "int", "default": 30},
            "max_messages": {"type": "int", "default": MAX_MESSAGES},
            "concurrency": {"type": "int", "default": 10},
            "controller": {"type": "dict"},
        },
        supports_check_mode=True,
        # Ansible would log the options before the secrets of the environment are hidden.
        no_log=True,
    )
    hide(module, known_secrets(module.params))
    try:
        result, warnings = run(module)
    except SliceOver as over:
        finish(module, over.report.as_dict())
    except (InvalidOption, InvalidRestriction, CloudflareError) as error:
        finish(module, {"failed": True, "msg": str(error)})
    finish(module, {"changed": False, **result}, warnings)


def run(module: AnsibleModule) -> tuple[dict[str, t.Any], list[str]]:
    """Return the result of the module and its warnings; raises `SliceOver` at the end of a slice."""
    options = module.params
    days = number_between("days", options["days"], 1, MAX_DAYS)
    max_messages = number_between("max_messages", options["max_messages"], 1, 1_000_000)
    concurrency = number_between("concurrency", options["concurrency"], 1, 50)
    domains = parse_domains(options["domains"])
    shared = SharedOptions.of(module)
    time_slice = TimeSlice.of(module)
    client = shared.client(concurrency, limits_of(time_slice))
    api = RestrictionsApi(client, shared.account_id)
    restrictions = read_account(api, time_slice)
    if domains is None:
        domains = sorted({restriction.domain for restriction in restrictions})
    search = MessageSearch(client, shared.account_id, days_ago(days))
    names = known_names(domains, restrictions)
    searches = search_senders(
        search, names, max_messages, concurrency, time_slice.seconds, time_slice.progress
    )
    if searches.error:
        raise searches.error
    end_unless_all_are_searched(searches, time_slice, api)
    found = [searches.found[domain] for domain in domains]
    result = {
        "account_id": shared.account_id,
        "days": days,
        "since": search.since,
        "api_calls": client.calls,
        **senders_result(found, restrictions, days),
    }
    return result, [*api.warnings(), *warnings_about(found, max_messages)]


if __name__ == "__main__":
    main()
