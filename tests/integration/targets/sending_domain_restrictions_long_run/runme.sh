#!/usr/bin/env bash
# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What a long run shows, and what happens to one that is cut short.

set -eu -o pipefail

. ../setup_account/account.sh

progress='^\[testhost\] [0-9]+ of [0-9]+ changes done'
done_so_far='"changed": true, .*"msg": ".*\. Result: [0-9]+ created\. Run again'

play() {
    ansible-playbook -i "${INVENTORY_PATH}" -e "@${CONFIG}" "$@" play.yml 2>&1 | tee log
}

# Begin a run in the background, in a process group of its own, and wait for its first progress line.
play_half_way() {
    : >log
    setsid env --default-signal=INT \
        ansible-playbook -i "${INVENTORY_PATH}" -e "@${CONFIG}" "$@" play.yml >log 2>&1 &
    group=$!
    until [ "$(count | cut -d' ' -f1)" -ge 450 ]; do
        sleep 0.2
    done
}

expect_no_more_writes() {
    read -r before _ <<<"$(count)"
    sleep 2
    expect "restrictions after the end" "$(count | cut -d' ' -f1)" "${before}"
    [ "${before}" -lt 2000 ]
}

echo "A long run shows its progress"
account '{"latency": 0.1}'
play -e number=500
shown "${progress}$"
shown '500 created'

echo "Check mode, a short run and one with no_log show none"
account '{"latency": 1}'
play -e number=500 --check
not_shown "${progress}"
account '{}'
play -e number=20
not_shown "${progress}"
account '{"latency": 0.1}'
play -e number=500 -e silent=true
not_shown "${progress}"

echo "It shows until when it waits for the rate limit, and is never refused"
account '{"quota": 60, "window": 5}'
play -e number=150
shown "${progress}, waiting for Cloudflare's rate limit until [0-9:]{8}"
expect "refused calls" "$(account_py refused "${CLOUDFLARE_ACCOUNT_ID}")" 0
shown '150 created'

echo "Progress is shown under ansible-runner, too"
account '{"latency": 0.1}'
mkdir -p private/project private/inventory
cp play.yml private/project
cp "${INVENTORY_PATH}" private/inventory/hosts
ansible-runner run private -p play.yml --cmdline "-e number=500 -e @${CONFIG}" 2>&1 | tee log
shown "${progress}"

echo "The result of the second time slice is lost, and ssh runs it again: nothing is created twice"
account '{"latency": 0.1}'
RUNS_FILE=${PWD}/runs LOST_RUN=2 ANSIBLE_SSH_RETRIES=2 play -e number=900 \
    -e ansible_connection=ssh -e ansible_host=localhost -e "ansible_ssh_executable=${PWD}/ssh"
[ "$(wc -l <runs)" -gt 2 ]
expect "restrictions and domains" "$(count)" "900 900"

echo "After Ctrl-C nothing more is written"
account '{"latency": 0.1, "quota": 10000}'
play_half_way -e number=2000 -e silent=true
kill -INT -- "-${group}"
wait "${group}" || true
expect_no_more_writes

echo "A task that its timeout stops returns what it has done"
account '{"latency": 0.1, "quota": 10000}'
fails play -e number=2000 -e limit=7
shown "${done_so_far}"

echo "So does one whose host is lost"
account '{"latency": 0.1, "quota": 10000}'
lost=${PWD}/lost
play_half_way -e number=2000 -e "ansible_remote_tmp=${lost}" -e ansible_pipelining=false
rm -rf "${lost}"
touch "${lost}"
wait "${group}" || true
shown "${done_so_far}"

echo "So does one whose module is killed, and the next run finishes it"
account '{"latency": 0.1, "quota": 10000}'
modules=${PWD}/killed
play_half_way -e number=1000 -e "ansible_remote_tmp=${modules}" -e ansible_pipelining=false
# Without pipelining, the name of the module's file identifies its process.
pkill -KILL -f "${modules}/"
wait "${group}" || true
shown "${done_so_far}"
expect_no_more_writes
play -e number=1000
shown "$((1000 - before)) created, ${before} unchanged"
expect "restrictions and domains" "$(count)" "1000 1000"
