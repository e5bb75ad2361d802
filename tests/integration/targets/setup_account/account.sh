#!/usr/bin/env bash
# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What the scripts of other targets source.

CONFIG=${PWD}/../../integration_config.yml
CLOUDFLARE_BASE_URL=$(sed -n 's/.*"emulator_url": "\([^"]*\)".*/\1/p' "${CONFIG}")
export CONFIG CLOUDFLARE_BASE_URL NO_PROXY=127.0.0.1

account_py() {
    python ../setup_account/account.py \
        "$(sed -n 's/.*"emulator_control_url": "\([^"]*\)".*/\1/p' "${CONFIG}")" "$@"
}

# Create an account with these options, and use it from here on.
account() {
    read -r CLOUDFLARE_ACCOUNT_ID CLOUDFLARE_API_TOKEN ACCOUNT_EMAIL ACCOUNT_KEY \
        <<<"$(account_py create "$1")"
    export CLOUDFLARE_ACCOUNT_ID CLOUDFLARE_API_TOKEN ACCOUNT_EMAIL ACCOUNT_KEY
}

# Print how many restrictions the account has, and for how many domains.
count() {
    account_py count "${CLOUDFLARE_ACCOUNT_ID}"
}

expect() {
    if [ "$2" != "$3" ]; then
        echo "$1: expected $3, got $2" >&2
        exit 1
    fi
}

# The file `log` has a line that matches.
shown() {
    if ! grep -qE -- "$1" log; then
        echo "not shown: $1" >&2
        exit 1
    fi
}

# The same for a warning, which old versions of Ansible wrap.
warned() {
    if ! tr '\n' ' ' <log | grep -E -- "$1" >/dev/null; then
        echo "not shown: $1" >&2
        exit 1
    fi
}

not_shown() {
    if grep -E -- "$1" log; then
        echo "shown: $1" >&2
        exit 1
    fi
}

fails() {
    if "$@"; then
        echo "this should have failed: $*" >&2
        exit 1
    fi
}
