#!/usr/bin/env bash
# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Looks for the secret itself in all that tasks show and leave behind, at the highest verbosity.

set -eu -o pipefail

config=${PWD}/../../integration_config.yml
control_url=$(sed -n 's/.*"emulator_control_url": "\([^"]*\)".*/\1/p' "${config}")
async_dir=${PWD}/async

account_py() {
    python ../setup_account/account.py "${control_url}" "$@"
}

# Write the secret as it is, URL-encoded, and in base64 wherever it begins in what is encoded, to the
# file `said`, and to `forms` what of that is the same whatever surrounds it.
write_forms() {
    python - "$1" <<'PYTHON'
import base64
import sys
import urllib.parse

secret = sys.argv[1]
plain = [secret, urllib.parse.quote(secret, safe="")]
encoded = [base64.b64encode(f"{before}{secret}:x".encode()).decode() for before in ("", ":", "u:")]
with open("said", "w") as said, open("forms", "w") as forms:
    said.write(" ".join(plain + encoded))
    forms.writelines(line + "\n" for line in plain + [text[4:-8] for text in encoded])
PYTHON
}

expect_shown() {
    if ! grep -qE -- "$1" output; then
        echo "not shown, so nothing is proved: $1" >&2
        exit 1
    fi
}

for source in "token as an option" "key in the environment"; do
    echo "The secret: ${source}"
    unset CLOUDFLARE_API_TOKEN CLOUDFLARE_EMAIL CLOUDFLARE_API_KEY OPTION_TOKEN
    eval "$(account_py make '{"latency": 0.1}')"
    if [ "${source}" = "token as an option" ]; then
        secret=${CLOUDFLARE_API_TOKEN}
        export OPTION_TOKEN=${secret}
    else
        secret=${api_key}
        export CLOUDFLARE_EMAIL=${api_email} CLOUDFLARE_API_KEY=${secret}
    fi
    unset CLOUDFLARE_API_TOKEN
    write_forms "${secret}"
    repeated="You sent $(cat said)"
    account_py fault "{\"account_id\": \"${CLOUDFLARE_ACCOUNT_ID}\", \"domain\": \"refused.example\", \"times\": null,
        \"kind\": \"status\", \"status\": 400, \"code\": 1, \"message\": \"${repeated}\"}"
    account_py fault "{\"account_id\": \"${CLOUDFLARE_ACCOUNT_ID}\", \"calls\": [\"list\"], \"times\": null,
        \"kind\": \"merge\", \"set\": {\"messages\": [{\"code\": 1, \"message\": \"${repeated}\"}]}}"
    rm -rf "${async_dir}"

    ANSIBLE_DISPLAY_TRACEBACK=always ansible-playbook -vvvv --diff -i "${INVENTORY_PATH}" \
        -e "@${config}" -e "ansible_async_dir=${async_dir}" play.yml >output 2>&1 || {
        grep -vFf forms output | tail -n 40
        exit 1
    }

    expect_shown 'All tasks have run'
    expect_shown 'Agreed \*+'
    expect_shown 'You sent \*+'
    expect_shown '[0-9]+ of 60 changes done'
    expect_shown 'Traceback \(most recent call last\)'
    expect_shown '"after": .*|\+.*comments'
    [ "$(find "${async_dir}" -type f | wc -l)" -ge 1 ]
    if grep -rFf forms output "${async_dir}" >leaks; then
        echo "the secret is shown, or left behind, in $(wc -l <leaks) lines; there it was:" >&2
        sed -E "s/$(paste -sd'|' forms)/<THE SECRET>/g" leaks | cut -c1-400 >&2
        exit 1
    fi
done
