#!/usr/bin/python
# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sending_domain_restrictions_export
short_description: Write the sending domains that must use TLS in Cloudflare Email Security to a file
version_added: 0.1.0
author:
  - Contributors to the cloudflare_email.security collection (!UNKNOWN)
description:
  - Writes the I(sending domain restrictions) of an account, which the dashboard calls I(Partner domain TLS), to a YAML
    or CSV file on the controller. Applying the file with
    M(cloudflare_email.security.sending_domain_restrictions) changes nothing as long as the account stays the same.
  - Names are canonical and sorted, and there are no times, so that git diffs are small. An C(id) is written only where
    C(exclude) contains names outside the domain.
  - Several restrictions for one domain become one entry, which requires as much TLS as all of them together. Single
    labels and names that DNS does not allow are left out, because the list format cannot represent them. The task warns
    about both.
  - A C(comments) or C(exclude) that the format cannot represent, such as a comment with control characters, is omitted,
    in CSV as the cell C((unchanged)). Applying the file does not change it. The task names the domains in a warning.
  - On a controller without the Python library C(idna), Unicode names are written unchanged, with the C(id).
extends_documentation_fragment:
  - cloudflare_email.security._account
  - cloudflare_email.security._attributes
attributes:
  action:
    description: The account is read on the target. An action plugin writes the file on the controller.
    support: full
  check_mode:
    description: Reads the account and predicts whether the file would change, without writing it.
  diff_mode:
    description: Shows what changes in the file.
options:
  path:
    description:
      - The file to write, on the controller. The extension decides between YAML (C(.yml), C(.yaml)) and CSV (C(.csv),
        C(.tsv), separated by tabs). A relative path starts at the playbook's directory.
      - In YAML, findings about the account, such as duplicates, are listed as comments at the top. Names with A-labels
        are followed by their Unicode form as a comment.
    type: path
    required: true
  force:
    description:
      - Whether to overwrite a file that is not an unedited YAML export of the same account. Such an export,
        recognized by its first line, is always overwritten, and so is a file in which only line endings would change.
      - An export removes your own columns from a CSV file, such as C(Owner). The error without O(force), and the
        warning with it, name them.
    type: bool
    default: false
  separator:
    description:
      - What separates the columns of a CSV file. In countries that write numbers with a decimal comma, spreadsheets
        expect V(semicolon). All tasks read both. Other formats refuse V(semicolon).
    type: str
    choices: [comma, semicolon]
    default: comma
  directory:
    description: The directory on the controller that a relative O(path) starts at, instead of the playbook's directory.
    type: path
seealso:
  - module: cloudflare_email.security.sending_domain_restrictions
    description: Apply the file.
  - module: cloudflare_email.security.sending_domain_restriction_info
    description: Read the restrictions of an account.
  - ref: From the dashboard to git <ansible_collections.cloudflare_email.security.docsite.dashboard_to_git>
    description: A guide in this collection.
"""

EXAMPLES = r"""
- name: Write the restrictions of the account to a file for git
  cloudflare_email.security.sending_domain_restrictions_export:
    path: partners.yml

- name: Write them to a spreadsheet, and overwrite an earlier one
  cloudflare_email.security.sending_domain_restrictions_export:
    path: partners.csv
    force: true
"""

RETURN = r"""
msg:
  description: How many restrictions were written, or what went wrong.
  returned: always
  type: str
  sample: 180 restrictions written to partners.yml
path:
  description: The absolute path of the file.
  returned: success
  type: str
  sample: /home/me/partners.yml
left_out:
  description: The domains whose restrictions are not in the file, because the list format cannot represent them.
  returned: success
  type: list
  elements: str
  sample: []
findings:
  description: Possible problems, as M(cloudflare_email.security.sending_domain_restriction_info) returns them.
  returned: success
  type: list
  elements: dict
  sample: []
"""
