#!/usr/bin/python
# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sending_domain_restrictions
short_description: Manage the whole list of sending domains that must use TLS in Cloudflare Email Security
version_added: 0.1.0
author:
  - Contributors to the cloudflare_email.security collection (!UNKNOWN)
description:
  - Manages a list of I(sending domain restrictions), which the dashboard calls I(Partner domain TLS), in one task.
  - Cloudflare B(drops) mail that arrives B(without TLS) from a restricted domain or one of its subdomains, and does
    not tell the recipient. Review the changes with C(--check --diff) first.
  - The account is read and compared with the list. Changes that add protection are sent first, in parallel. Updates
    that add exclusions follow. Deletes come last, in batches of up to 1,000 that succeed or fail as a whole, or one by
    one if the API has no batch call. So an incomplete run leaves more protection, not less, and running it again
    finishes the rest.
  - A change that Cloudflare refuses does not stop the others, except for those that would remove protection that the
    refused change was meant to replace. The task then fails and groups the failures by reason.
  - The task shows a summary on stderr if something changes or would change. A run of more than a few seconds also
    shows its progress and how long it waits for the rate limit. With C(no_log=true) or C(async) it shows nothing.
  - The task warns about restrictions that overlap in a way that you may not intend.
extends_documentation_fragment:
  - cloudflare_email.security._account
  - cloudflare_email.security._attributes
  - cloudflare_email.security._impact
attributes:
  action:
    description: An action plugin shows the progress. The work is done on the target.
    support: full
options:
  restrictions:
    description:
      - The restrictions, at most one for each domain. Each entry is a mapping.
      - What M(cloudflare_email.security.sending_domain_restriction_info) returns can be passed back unchanged. Only
        what an account may have but no list can is refused, such as duplicates, single labels, names that DNS does not
        allow, and comments with control characters.
      - The read-only keys C(created_at) and C(modified_at) are ignored. An entry with the read-only key C(id) may keep
        names outside its domain in C(exclude) if the account already has them.
      - If entries are invalid, one error lists up to 20 of them, before anything is sent.
      - Exactly one of O(restrictions) and O(file) is required.
    type: list
    elements: raw
    suboptions:
      domain:
        description: The domain that mail comes from. Its subdomains are covered too.
        type: str
        required: true
      exclude:
        description: The subdomains that may send without TLS, in any order. V([]) clears them. If omitted, they stay.
        type: list
        elements: str
      comments:
        description:
          - A comment of at most 1,024 characters. An empty string clears it. If omitted, it is not changed. Line breaks
            of any kind are the same and are sent as line feeds.
        type: raw
      state:
        description: Whether the restriction should exist.
        type: str
        choices: [present, absent]
        default: present
  file:
    description:
      - A YAML or CSV file on the controller with the list, instead of O(restrictions). Its extension decides the
        format. A relative path starts at the playbook's directory. The file may be encrypted with ansible-vault.
      - In YAML (C(.yml), C(.yaml)), the key C(sending_domain_restrictions) contains the list. All values are read as
        text, so C(no) and C(0123) need no quotes.
      - In CSV (C(.csv), C(.tsv)), the first row names the columns C(domain), C(exclude), C(comments), C(state) and
        C(id), of which only C(domain) is required. Their letter case makes no difference. Columns are separated by
        commas, semicolons or tabs. Several names in one C(exclude) cell are separated by spaces, commas, semicolons or
        line breaks. An empty cell is an empty list or comment. The cell C((unchanged)) in C(exclude) or C(comments),
        or a missing column, is an omitted key.
      - If the file does not end with a line break, it may be cut off. The task warns, and with O(prune) it fails.
      - Nothing in the file is templated. The guide
        R(Lists in YAML and CSV files,ansible_collections.cloudflare_email.security.docsite.files) has all rules.
    type: path
  ignore_columns:
    description:
      - The names of columns of a CSV O(file) to ignore, in any letter case. Other unknown columns are an error.
      - V(*) ignores all unknown columns, except those whose name resembles C(domain), C(exclude) or C(state), because
        they may be misspelled.
      - The task warns about an ignored column that contains names below the domain of its row, as C(exclude) does.
      - If a column that this collection knows is ignored, such as C(comments), it counts as missing.
    type: list
    elements: str
    default: []
  directory:
    description: The directory on the controller that relative paths start at, instead of the playbook's directory.
    type: path
  compare:
    description:
      - Whether to only compare the account with the list. Nothing is changed, and the task fails if they differ. Its
        message names up to 20 of the domains that differ.
      - RV(created) then lists what is missing on the account, RV(deleted) what is only there, and RV(updated) what is
        different. The guards do not apply. RV(ignore:changed) is always V(false).
      - O(impact_days) has no effect.
    type: bool
    default: false
  prune:
    description:
      - Whether to delete every restriction that is not in the list, so that the account equals the list.
      - If the account has duplicates, several restrictions for one listed domain, all but one are deleted. The one
        that already matches is kept, otherwise the oldest. Without O(prune), such a domain is a failure.
      - A restriction for a name that no list can contain, such as a single label, stays, and the task warns about it.
    type: bool
    default: false
  max_delete_percent:
    description:
      - If more than this percentage of the domains on the account would lose their last restriction, the task fails
        and changes nothing. This protects against truncated lists.
      - An account with fewer than 10 restrictions is not guarded.
    type: int
    default: 30
  max_exclusion_loss_percent:
    description:
      - If more than this percentage of the domains on the account would lose an exclusion, the task fails and changes
        nothing. This protects against lists that lost O(restrictions[].exclude), for instance an empty column.
      - The same applies if at least 10 domains of the list have an exclusion on the account and all of them would lose
        it, unless this is V(100).
      - An account with fewer than 10 restrictions is not guarded.
    type: int
    default: 30
  max_affected_messages:
    description:
      - If the names that would newly need TLS sent more than this many messages in O(impact_days), or if not all of
        these names are known, the task fails and changes nothing. A number, or V(unlimited).
      - V(0) refuses every change after which a known sender would newly need TLS.
    type: str
    default: unlimited
  concurrency:
    description: How many changes or searches are sent in parallel, from 1 to 50.
    type: int
    default: 10
  report_html:
    description:
      - A file on the controller to write a report to, a web page that needs no network. It shows what is
        enforced, what changed or would change, what failed, findings and, with O(impact_days), whom the changes affect.
        An existing file is overwritten. One more API call finds out whether restrictions can drop any mail.
      - The report is also written in check mode, and if the task fails. If it cannot be written, the task fails. It is
        not available with C(async).
      - Each host writes its own file. If the inventory has other hosts, the name of the host is inserted before the
        extension, unless the path already has it. This does not depend on C(--limit). For C(localhost), it is
        inserted only if the play runs on other hosts, too.
      - V(false), V(none), V(0) and the like mean no report.
    type: path
  report_markdown:
    description: A file on the controller to write the same report to, as Markdown for a pull request comment.
    type: path
  report_json:
    description:
      - A file on the controller to write the same report to, as JSON for programs. It contains the RV(status), counts,
        every change with all previous and new values, failures, findings and the restrictions of the account.
      - The file C(docs/report.schema.json) of this collection is its JSON Schema. The report is UTF-8 text. Only
        characters that cannot be seen are escaped.
    type: path
  report_title:
    description: A name in the title of the reports, such as that of the account.
    type: str
  report_note:
    description: A text for the top of the reports, such as the commit and the job that wrote them.
    type: str
  controller:
    description: Internal. What the action plugin of this module passes to it.
    type: dict
notes:
  - If the task keyword C(timeout) ends the task, the result lists what the earlier time slices did. The module still
    finishes its current time slice of a few seconds. The changes of a first time slice are not reported.
seealso:
  - module: cloudflare_email.security.sending_domain_restriction
    description: Manage one restriction.
  - module: cloudflare_email.security.sending_domain_restriction_info
    description: Read the restrictions of an account.
  - module: cloudflare_email.security.sending_domain_restrictions_export
    description: Write the restrictions of an account to a file that this module can read.
  - ref: Hundreds and thousands of domains <ansible_collections.cloudflare_email.security.docsite.many_domains>
    description: A guide in this collection.
  - name: Partner domain TLS
    description: The setting in Cloudflare's documentation.
    link: https://developers.cloudflare.com/cloudflare-one/email-security/
"""

EXAMPLES = r"""
- name: Require TLS from all partners
  cloudflare_email.security.sending_domain_restrictions:
    restrictions:
      - domain: partner.example
        exclude:
          - newsletter.partner.example
      - domain: bank.example
        comments: Agreed with their postmaster
      - domain: former-partner.example
        state: absent

- name: Make the account equal to a file in git, and write a report
  cloudflare_email.security.sending_domain_restrictions:
    file: partners.csv
    prune: true
    report_html: report.html
    report_title: Production
    report_note: Commit 1a2b3c4, job 567

- name: Delete all restrictions, which needs explicit permission
  cloudflare_email.security.sending_domain_restrictions:
    restrictions: []
    prune: true
    max_delete_percent: 100
"""

RETURN = r"""
msg:
  description:
    - A summary of the changes; in check mode, of the changes that would be made.
    - If the task fails, what went wrong, grouped by reason, what to do, and the summary. Always below 2,000 characters.
  returned: always
  type: str
  sample: >-
    32 newly require TLS, 150 no longer require TLS, 48 comment or spelling only (30 created, 50 updated, 150 deleted,
    2300 unchanged)
created:
  description:
    - The created restrictions, sorted by domain.
    - In check mode, the predicted ones. Values that only Cloudflare knows are V(none).
  returned: once the account was read
  type: list
  elements: dict
  contains:
    <<: &restriction
      id:
        description: The ID of the restriction, a UUID.
        type: str
        sample: f174e90a-fafe-4643-bbbc-4a0ed4fc8415
      domain:
        description: The domain that mail comes from.
        type: str
        sample: partner.example
      exclude:
        description: The subdomains that may send without TLS.
        type: list
        elements: str
        sample:
          - newsletter.partner.example
      comments:
        description: The comment, or V(none).
        type: str
        sample: TLS agreed with the postmaster of partner.example
      created_at:
        description: When the restriction was created (RFC 3339).
        type: str
        sample: '2026-01-01T05:20:00.12345Z'
      modified_at:
        description: When the restriction was last changed (RFC 3339).
        type: str
        sample: '2026-01-01T05:20:00.12345Z'
    effect: &effect
      description:
        - What the change does to mail from the domain and its subdomains. V(newly_requires_tls) is a create, or an
          update that removes an exclusion. V(no_longer_requires_tls) is a delete, or an update that adds an exclusion.
          After V(both), some subdomains newly require TLS and others no longer do. V(duplicate_removed) and
          V(comment_or_spelling) change nothing for mail.
        - Other restrictions that cover the same subdomains are not considered.
      type: str
      sample: newly_requires_tls
updated:
  description:
    - The updated restrictions, as they are now, sorted by domain.
    - An update in two calls of which only the first was made is here and in RV(failures).
  returned: once the account was read
  type: list
  elements: dict
  contains:
    <<: *restriction
    effect: *effect
    previous:
      description: The restriction before the update.
      type: dict
      contains: *restriction
deleted:
  description: The deleted restrictions, as they were, sorted by domain.
  returned: once the account was read
  type: list
  elements: dict
  contains:
    <<: *restriction
    effect: *effect
    duplicate_of:
      description: For a duplicate that O(prune) deletes, the ID of the restriction that stays for its domain.
      type: str
      sample: f174e90a-fafe-4643-bbbc-4a0ed4fc8415
effects:
  description: How many changes have each RV(created[].effect).
  returned: once the account was read
  type: dict
  sample:
    newly_requires_tls: 30
    both: 2
    no_longer_requires_tls: 150
    duplicate_removed: 0
    comment_or_spelling: 48
impact:
  description:
    - Whom the changes affect. Each key is a domain whose change matters to mail. Its value lists the names at or below
      the domain that sent messages in O(impact_days) and that need TLS only after, or only before, the changes, most
      messages first.
    - Other restrictions that cover these names are considered.
  returned: with O(impact_days), once the messages were searched
  type: dict
  sample:
    partner.example:
      - name: newsletter.partner.example
        messages: 412
        first_seen: '2026-10-29T06:00:12Z'
        last_seen: '2026-11-20T06:00:09Z'
        delivery_modes:
          - DIRECT
        at_least: false
        effect: newly_requires_tls
impact_days:
  description: How many days were searched.
  returned: with O(impact_days), once the messages were searched
  type: int
  sample: 30
impact_unknown:
  description: The domains for which RV(impact) may lack senders, and why, such as a search that failed.
  returned: with O(impact_days), once the messages were searched
  type: dict
  sample:
    bank.example: not all messages were counted; lower impact_days
unchanged:
  description: How many restrictions of the list were already in the desired state.
  returned: once the account was read
  type: int
  sample: 998
unlisted:
  description: The domains on the account that are not in the list and stay, because O(prune) is off. Sorted.
  returned: once the account was read
  type: list
  elements: str
  sample:
    - old-partner.example
status:
  description:
    - V(unchanged) and V(changed) mean that the task succeeded, including its reports.
    - V(equal) and V(drift) are the results of O(compare).
    - Otherwise the task failed. V(refused) means that O(max_delete_percent), O(max_exclusion_loss_percent) or
      O(max_affected_messages) stopped it, V(incomplete) that it was cut short, and V(failed) anything else.
  returned: always
  type: str
  sample: changed
problem_kind:
  description:
    - The kind of the problem, for programs.
    - V(options) means that options are wrong or a library is missing, and V(invalid_list) that the list cannot be read
      or contains invalid entries.
    - V(credentials) means that Cloudflare did not accept the credentials, V(refused) that it refused the request,
      V(rate_limited) that its rate limit was exceeded, and V(unavailable) that there was no usable response.
    - V(guard) means that a guard stopped the task, V(failures) that RV(failures) lists the problems, and V(report) that
      a report could not be written.
    - V(interrupted) means that the run was stopped, and V(unexpected) an error in the collection.
    - After V(unavailable), V(rate_limited) or V(interrupted), the same task may succeed later.
  returned: if RV(status) is V(refused), V(failed) or V(incomplete)
  type: str
  sample: unavailable
failures:
  description: The domains whose change could not be applied, each once, sorted by domain.
  returned: once the account was read
  type: list
  elements: dict
  contains:
    domain:
      description: The domain.
      type: str
      sample: partner.example
    action:
      description: The action that failed, V(create), V(update) or V(delete), or V(entry) if none could be planned.
      type: str
      sample: create
    kind:
      description:
        - The kind of failure. V(refused) by Cloudflare, V(credentials), V(unavailable), V(rate_limited),
          V(outcome_unknown), V(conflict) with someone else's change, V(duplicates) on the account, V(invalid),
          V(held_back) because a related change failed, V(not_attempted), V(interrupted) or V(unexpected).
      type: str
      sample: refused
    reason:
      description: What is wrong and what to do.
      type: str
      sample: >-
        Cloudflare refused the request; fix the reported field and run again (POST …/sending_domain_restrictions: 400,
        code 10400: comments is too long)
    status:
      description: The HTTP status, or V(none) without a response.
      type: int
      sample: 400
    code:
      description: Cloudflare's error code, or V(none).
      type: int
      sample: 10400
api_calls:
  description: How many API calls the task made.
  returned: once the account was read
  type: int
  sample: 3
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudflare_email.security.plugins.module_utils._entries import (
    InvalidEntries,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._options import (
    SHARED_ARGUMENTS,
    InvalidOption,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._run_list import (
    UNLIMITED,
    run_list,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._run_result import FAILED
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import (
    finish,
    hide,
    known_secrets,
)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **SHARED_ARGUMENTS,
            # The module checks the entries itself, to list the invalid ones in one error.
            "restrictions": {"type": "list", "elements": "raw"},
            "file": {"type": "path"},
            "directory": {"type": "path"},
            "ignore_columns": {"type": "list", "elements": "str", "default": []},
            "compare": {"type": "bool", "default": False},
            "prune": {"type": "bool", "default": False},
            "max_delete_percent": {"type": "int", "default": 30},
            "max_exclusion_loss_percent": {"type": "int", "default": 30},
            "impact_days": {"type": "int", "default": 0},
            "max_affected_messages": {"type": "str", "default": UNLIMITED},
            "concurrency": {"type": "int", "default": 10},
            "report_html": {"type": "path"},
            "report_markdown": {"type": "path"},
            "report_json": {"type": "path"},
            "report_title": {"type": "str"},
            "report_note": {"type": "str"},
            "controller": {"type": "dict"},
        },
        required_one_of=[("restrictions", "file")],
        mutually_exclusive=[("restrictions", "file")],
        supports_check_mode=True,
        # Ansible would log the options before the secrets of the environment are hidden.
        no_log=True,
    )
    hide(module, known_secrets(module.params))
    try:
        result, warnings = run_list(module)
    except (InvalidOption, InvalidEntries, CloudflareError) as error:
        finish(
            module,
            {"failed": True, "msg": str(error), "status": FAILED, "problem_kind": error.kind},
        )
    finish(module, result, warnings)


if __name__ == "__main__":
    main()
