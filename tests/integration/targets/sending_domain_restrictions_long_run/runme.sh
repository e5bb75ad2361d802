#!/usr/bin/env bash
# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What a long run shows on the screen, and what becomes of one that is killed.

set -eu -o pipefail

here=${PWD}
config=${here}/../../integration_config.yml
control_url=$(sed -n 's/.*"emulator_control_url": "\([^"]*\)".*/\1/p' "${config}")
progress='[0-9]+ of [0-9]+ changes done, [0-9]+ left'
hold="${progress}; Cloudflare's rate limit holds the rest until [0-9:]{8}$"

account_py() {
    python ../setup_account/account.py "${control_url}" "$@"
}

account() {
    eval "$(account_py make "$1")"
}

play() {
    ansible-playbook -i "${INVENTORY_PATH}" -e "@${config}" "$@" play.yml 2>&1 | tee log
}

# Begin a long run, with the module's file in this folder, and leave it at work in the background.
play_half_way() {
    play -e number=800 -e "ansible_remote_tmp=$1" -e ansible_pipelining=false &
    until [ "$(account_py held "${CLOUDFLARE_ACCOUNT_ID}" | cut -d' ' -f1)" -ge 100 ]; do
        sleep 0.2
    done
}

shown() {
    grep -cE "^\[testhost\] $1" log || true
}

expect() {
    if [ "$2" != "$3" ]; then
        echo "$1: expected $3, got $2" >&2
        exit 1
    fi
}

echo "A long run shows what is done and what is left"
account '{"latency": 0.1}'
play -e number=600
[ "$(shown "${progress}")" -ge 1 ]
grep -q "created=600 unchanged=0 changed=True" log

echo "Check mode shows nothing of it, nor does a short run"
account '{"latency": 1}'
play -e number=600 --check
expect "lines in check mode" "$(shown "${progress}")" 0
account '{}'
play -e number=20
expect "lines of a short run" "$(shown "${progress}")" 0

echo "With no_log, nothing is shown"
account '{"latency": 0.1}'
play -e number=600 -e silent=true
expect "lines with no_log" "$(shown "${progress}")" 0

echo "When the rate limit holds the run, it shows until when, and is never refused"
account '{"quota": 60, "window": 5}'
play -e number=150
[ "$(shown "${hold}")" -ge 2 ]
expect "refused calls" "$(account_py refused "${CLOUDFLARE_ACCOUNT_ID}")" 0
grep -q "created=150 unchanged=0 changed=True" log

echo "It is shown under ansible-runner, too"
account '{"latency": 0.1}'
mkdir -p private/project private/inventory
cp play.yml private/project
cp "${INVENTORY_PATH}" private/inventory/hosts
ansible-runner run private -p play.yml --cmdline "-e number=600 -e @${config}" 2>&1 | tee log
[ "$(shown "${progress}")" -ge 1 ]
grep -q "created=600 unchanged=0 changed=True" log

echo "When the host is lost half-way, the task says what was done"
account '{"latency": 0.1}'
lost=${here}/lost
play_half_way "${lost}"
rm -rf "${lost}"
touch "${lost}"
wait || true
grep -qE '"changed": true, .*"msg": "'"${progress}"', then the module could not be run any more ' log

echo "A run that is killed half-way is finished by the next one, with nothing twice"
account '{"latency": 0.1}'
modules=${here}/killed
play_half_way "${modules}"
# Without pipelining, the name of the module's file tells its process.
pkill -KILL -f "${modules}/"
wait || true
read -r before _ <<<"$(account_py held "${CLOUDFLARE_ACCOUNT_ID}")"
[ "${before}" -lt 800 ]
play -e number=800
grep -q "unchanged=${before} changed=True" log
expect "restrictions and domains" "$(account_py held "${CLOUDFLARE_ACCOUNT_ID}")" "800 800"
play -e number=800
grep -q "created=0 unchanged=800 changed=False" log
