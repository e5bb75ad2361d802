#!/usr/bin/env bash
# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Looks for secrets in everything that tasks show and leave behind, at the highest verbosity.

set -eu -o pipefail

. ../setup_account/account.sh

async_dir=${PWD}/async
written=${PWD}/written

for source in "token as an option" "key in the environment"; do
    echo "The secret: ${source}"
    unset CLOUDFLARE_API_TOKEN CLOUDFLARE_EMAIL CLOUDFLARE_API_KEY OPTION_TOKEN
    account '{"latency": 0.1}'
    if [ "${source}" = "token as an option" ]; then
        secret=${CLOUDFLARE_API_TOKEN}
        # Another credential, which no task uses, is a secret too.
        unused=${ACCOUNT_KEY}
        export OPTION_TOKEN=${secret} CLOUDFLARE_API_KEY=${unused}
    else
        unused=
        secret=${ACCOUNT_KEY}
        export CLOUDFLARE_EMAIL=${ACCOUNT_EMAIL} CLOUDFLARE_API_KEY=${secret}
    fi
    unset CLOUDFLARE_API_TOKEN

    # The search finds each form.
    python secret.py encode "${secret}" >forms
    expect "forms found" "$(python secret.py search "${secret}" forms | wc -l)" "$(wc -l <forms)"

    # Nobody packs a secret in a message.
    repeated="You sent $(head -n -1 forms | paste -sd' ')"
    account_py fault "{\"account_id\": \"${CLOUDFLARE_ACCOUNT_ID}\", \"domain\": \"refused.example\", \"times\": null,
        \"kind\": \"status\", \"status\": 400, \"code\": 1, \"message\": \"${repeated}\"}"
    account_py fault "{\"account_id\": \"${CLOUDFLARE_ACCOUNT_ID}\", \"calls\": [\"list\"], \"times\": null,
        \"kind\": \"merge\", \"set\": {\"messages\": [{\"code\": 1, \"message\": \"${repeated}\"}]}}"
    rm -rf "${async_dir}" "${written}"
    mkdir "${written}"

    # Newer versions of ansible-core show the options of a module only if asked to.
    ANSIBLE_DISPLAY_TRACEBACK=always ANSIBLE_INJECT_INVOCATION=true \
        ansible-playbook -vvvv --diff -i "${INVENTORY_PATH}" -e "@${CONFIG}" \
        -e "ansible_async_dir=${async_dir}" -e "written=${written}" play.yml >log 2>&1 || {
        tail -n 40 log
        exit 1
    }

    # Without these, there would be nothing to find.
    shown 'All tasks have run'
    shown 'Agreed \*+'
    shown 'Cloudflare: code 1: You sent \*+'
    shown '400, code 1: You sent \*+'
    shown '[0-9]+ of 60 changes done'
    shown 'Traceback \(most recent call last\)'
    shown '\+comments: '
    shown '"module_args"'
    [ "$(find "${async_dir}" -type f | wc -l)" -ge 1 ]
    not_shown '"time_slice"'
    not_shown VALUE_SPECIFIED_IN_NO_LOG_PARAMETER
    for file in report.html report.md report.json partners.yml partners.csv; do
        grep -q partner.example "${written}/${file}"
    done
    # A masked comment must not be written back.
    if grep -F '********' "${written}"/partners.*; then
        exit 1
    fi
    for hidden in ${secret} ${unused}; do
        # Promise: No secret is shown or left behind.
        found=$(python secret.py search "${hidden}" log "${async_dir}" "${written}")
        expect "lines with the secret" "${found}" ""
    done
done
