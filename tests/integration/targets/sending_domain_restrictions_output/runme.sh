#!/usr/bin/env bash
# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What people see: the screens of some runs are compared with text files of this directory.

set -eu -o pipefail

. ../setup_account/account.sh

play() {
    ansible-playbook -i "${INVENTORY_PATH}" -e "@${CONFIG}" "$@" play.yml
}

# Print the JSON of so many restrictions; a number replaces each `&`.
restrictions() {
    seq "$1" | sed "s/.*/$2,/"
}

# Run the play, and compare its screen with the file $1. Each version of ansible-core shows a failed
# task in its own way, so that is left out.
expect_screen() {
    echo "The screen is that of $1"
    play "${@:2}" >log 2>&1 || { cat log; exit 1; }
    sed -E -e '/^\[ERROR\]/,/^fatal/{/^fatal/!d}' -e 's/^(fatal: .*FAILED!) =>.*/\1/' log | diff -u "$1" -
}

agreed=$(restrictions 2 '{"domain": "agreed&.example", "exclude": ["news.agreed&.example"]}')
left=$(restrictions 2 '{"domain": "left&.example"}')
id=11111111-1111-4111-8111-11111111111
account "{\"restrictions\": [${agreed} ${left} {\"domain\": \"stay.example\"},
    {\"domain\": \"twice.example\", \"id\": \"${id}1\"}, {\"domain\": \"Twice.example.\", \"id\": \"${id}2\"},
    {\"domain\": \"xn--strae-oqa.example\", \"exclude\": [\"a.xn--strae-oqa.example\"], \"comments\": \"Two\\nlines\"}]}"
expect_screen plan.txt --check --diff -e changes=10

account "{\"restrictions\": [$(restrictions 11 '{"domain": "left&.example"}') {\"domain\": \"stay.example\"}]}"
expect_screen guard.txt --check --diff -e changes=12 \
    -e '{"desired": [{"domain": "stay.example"}, {"domain": "new.example"}]}'

echo "With a callback that prints JSON, the progress of a long run does not get in its way"
account '{"latency": 0.1}'
ANSIBLE_CALLBACK_PLUGINS=${PWD}/callback_plugins ANSIBLE_STDOUT_CALLBACK=one_document \
    play -e new=169 -e changes=174 -e workers=2 >document.json 2>log
expect "message" "$(python -c 'import json; print(json.load(open("document.json"))["Apply the list"]["msg"])')" \
    '174 newly require TLS (174 created)'
shown '^\[testhost\] [0-9]+ of 174 changes done$'
