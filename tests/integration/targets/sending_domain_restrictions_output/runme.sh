#!/usr/bin/env bash
# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Compares what people and programs see with what it should be.

set -eu -o pipefail

. ../setup_account/account.sh

# Run the play; what it prints goes into the files `out` and `log` (stderr), without what differs in each run.
play() {
    ansible-playbook -i "${INVENTORY_PATH}" -e "@${CONFIG}" "$@" play.yml >out 2>log || echo failed >>out
}

# Compare stdout with an expected text: only the diff of the task and its result.
compare() {
    sed -n '/^TASK/,/^PLAY RECAP/p' out | sed -E '1d; /^PLAY RECAP/d; /^(changed|fatal):/d; /^$/d' | diff -u "$1" -
}

python lists.py
account "$(cat account.json)"

echo "A plan of 200 changes is one fact a line, creates and updates first, then deletes"
play -e @list.json --check --diff
compare plan.txt
shown '^\[testhost\] 48 to create, 60 to update, 92 to delete, 1 unchanged$'

echo "The guard shows the plan, and then says what it refuses"
play -e @list.json -e max_delete_percent=30 --check --diff
sed -E '/^\[testhost\]/,$d; /^$/d' log | diff -u plan.txt - >&2
grep -q '91 of the 152 domains on the account would lose their last restriction .partner059.example, partner060' out

echo "An outage is one short message, and a list for programs"
python lists.py 200 >outage.json
account '{}'
account_py fault "{\"account_id\": \"${CLOUDFLARE_ACCOUNT_ID}\", \"calls\": [\"create\"], \"times\": null,
    \"kind\": \"status\", \"status\": 503}"
ANSIBLE_STDOUT_CALLBACK=json_lines play -e @outage.json
python - <<'PYTHON'
import json

with open("out") as file:
    result = json.loads(file.readline())
assert len(result["msg"]) < 2000, result["msg"]
assert result["msg"].startswith("Cloudflare returned"), result["msg"]
assert len({failure["domain"] for failure in result["failures"]}) == 200
PYTHON

echo "A program can read the result of a long run from stdout"
python lists.py 500 >long.json
account '{"latency": 0.1}'
ANSIBLE_STDOUT_CALLBACK=json_lines play -e @long.json
python -c 'import json; assert len(json.load(open("out"))["created"]) == 500'
shown '^\[testhost\] [0-9]+ of 500 changes done$'
shown '^\[testhost\] 500 created$'
