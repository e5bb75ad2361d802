#!/usr/bin/env bash
# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What a long run shows, and what happens to one that is cut short.

set -eu -o pipefail

. ../setup_account/account.sh

progress='^\[testhost\] [0-9]+ of [0-9]+ changes done'
done_so_far='"changed": true, .*"msg": ".*\. Result: [0-9]+ newly requires? TLS \([0-9]+ created\)\. Run again'

play() {
    ansible-playbook -i "${INVENTORY_PATH}" -e "@${CONFIG}" "$@" play.yml 2>&1 | tee log
}

# Begin a run in the background, in a process group of its own, and wait for its second time slice:
# with 10 workers and a latency of 0.1 seconds, the first one cannot get as far. Without pipelining,
# the names of the files in `modules` identify the processes of modules.
play_half_way() {
    modules=${PWD}/$1
    shift
    : >log
    setsid env --default-signal=INT \
        ansible-playbook -i "${INVENTORY_PATH}" -e "@${CONFIG}" -e "ansible_remote_tmp=${modules}" \
        -e ansible_pipelining=false "$@" play.yml >log 2>&1 &
    group=$!
    until [ "$(restrictions)" -ge 450 ]; do
        sleep 0.2
    done
}

restrictions() {
    count | cut -d' ' -f1
}

wait_while() {
    while "$@" >/dev/null; do
        sleep 0.1
    done
}

# Wait until nothing can be written any more.
wait_for_modules() {
    wait_while pgrep -f "${modules}/"
    wait_while is_pending
}

is_pending() {
    [ "$(account_py pending "${CLOUDFLARE_ACCOUNT_ID}")" != 0 ]
}

echo "A long run shows its progress"
account '{"latency": 0.1}'
play -e number=500
shown "${progress}$"
shown '500 created'

echo "It shows until when it waits for the rate limit, and is never refused"
account '{"quota": 20, "window": 15}'
play -e number=30
shown "${progress}, waiting for Cloudflare's rate limit until [0-9:]{8}"
expect "refused calls" "$(account_py refused "${CLOUDFLARE_ACCOUNT_ID}")" 0
shown '30 created'

echo "Progress is shown under ansible-runner, too"
account '{"latency": 0.1}'
mkdir -p private/project private/inventory
cp play.yml private/project
cp "${INVENTORY_PATH}" private/inventory/hosts
ansible-runner run private -p play.yml --cmdline "-e number=500 -e @${CONFIG}" 2>&1 | tee log
shown "${progress}"

# Promise: Running a slice twice is safe.
echo "The result of the second time slice is lost, and ssh runs it again: nothing is created twice"
account '{"latency": 0.1}'
RUNS_FILE=${PWD}/runs LOST_RUN=2 ANSIBLE_SSH_RETRIES=2 play -e number=900 \
    -e ansible_connection=ssh -e ansible_host=localhost -e "ansible_ssh_executable=${PWD}/ssh"
[ "$(wc -l <runs)" -gt 2 ]
expect "restrictions and domains" "$(count)" "900 900"

slow='{"latency": 0.1, "quota": 1000000}'

# Promise: Ctrl-C stops the writes.
echo "After Ctrl-C nothing more is written; with no_log no progress was shown"
account "${slow}"
play_half_way interrupted -e number=10000 -e silent=true
kill -INT -- "-${group}"
wait "${group}" || true
wait_while pgrep -f "ansible_remote_tmp=${modules} "
before=$(restrictions)
wait_for_modules
# Each of the ten workers may be at a call.
[ "$(restrictions)" -le "$((before + 10))" ]
not_shown "${progress}"

# Promise: What was done is reported.
echo "A task that its timeout stops returns what it has done"
account "${slow}"
play_half_way timed_out -e number=10000 -e limit=3600
# As the timer of Ansible does.
pkill -ALRM -P "${group}"
wait "${group}" || true
shown "${done_so_far}"

echo "So does one whose host is lost"
account "${slow}"
play_half_way lost -e number=10000
rm -rf "${modules}"
touch "${modules}"
wait "${group}" || true
shown "${done_so_far}"

# Promise: Running the task again finishes the work.
echo "So does one whose module is killed, and the next run finishes it"
account "${slow}"
play_half_way killed -e number=5000
until pkill -KILL -f "${modules}/"; do
    sleep 0.1
done
wait "${group}" || true
shown "${done_so_far}"
wait_for_modules
before=$(restrictions)
account_py change "${CLOUDFLARE_ACCOUNT_ID}" '{"latency": 0}'
play -e number=5000
shown "$((5000 - before)) created, ${before} unchanged"
expect "restrictions and domains" "$(count)" "5000 5000"
