#!/usr/bin/env bash
# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The playbooks and the role, as users call them: from an account to a file and back.

set -eu -o pipefail

. ../setup_account/account.sh

collection=cloudflare_email.security

# Run a playbook of the collection; its output goes to the screen and into the file `log`.
play() {
    ansible-playbook "${collection}.$1" "${@:2}" 2>&1 | tee log
}

# Create a restriction that is not in the file.
colleague() {
    ansible localhost -m "${collection}.sending_domain_restriction" -a "domain=$1" \
        -e '{"ansible_python_interpreter": "{{ ansible_playbook_python }}"}' >/dev/null
}

for format in csv yml; do
    # Promise: Applying an export changes nothing.
    # Promise: A file is only data.
    echo "${format}: applying an export changes nothing, whatever the account has"
    account "$(cat account.json)"
    play export -e "restrictions_file=all.${format}"
    shown 'changed=1'
    play apply -e "restrictions_file=all.${format}" -e prune=true
    shown 'changed=0'
done
play drift -e restrictions_file=all.yml -e prune=true
shown 'changed=0'

# Promise: Drift changes nothing.
echo "Drift fails with a summary, and changes nothing"
colleague theirs.example
play drift -e restrictions_file=all.yml
shown 'The account has the 7 restrictions of all.*and 1 other: theirs.example'
shown 'changed=0'
fails play drift -e restrictions_file=all.yml -e prune=true \
    -e report_html=drift.html -e report_markdown=drift.md -e report_json=drift.json
shown "The account differs from all.yml. Only on the account: theirs.example .created "
expect "lines with counts" "$(grep -c 'to delete' log)" 0
grep -qiF '<!doctype html>' drift.html
grep -qF 'theirs.example' drift.md
grep -qF '"status": "drift"' drift.json

echo "An export overwrites an edited file only with force"
play export -e restrictions_file=all.yml
grep -qF theirs.example all.yml
echo '# edited' >>all.yml
before=$(cat all.yml)
colleague second.example
fails play export -e restrictions_file=all.yml
shown 'set force to overwrite it'
[ "$(cat all.yml)" = "${before}" ]
play export -e restrictions_file=all.yml -e force=true
grep -qF second.example all.yml

# Promise: A limit on affected messages holds before the first change.
echo "A preview names who would need TLS, and a limit stops the run, also if it is 0"
account '{"messages": [{"envelope_from": "bounce@news.partner.example", "times": 412}]}'
play senders -e domains=partner.example,other.example -e days=90
shown '1 name at or below 2 domains sent 412 messages in 90 days'
shown 'news.partner.example: 412 messages in 90 days, last on .*, does not need TLS today'
printf 'domain\npartner.example\n' >partners.csv
impact=(-e restrictions_file=partners.csv -e impact_days=30)
play apply "${impact[@]}" --check
shown 'news.partner.example: 412 messages in 30 days, last on 20..-..-.., would need TLS'
fails play apply "${impact[@]}" -e max_affected_messages=0
shown '.news.partner.example 412., more than max_affected_messages .0. allows'
printf 'domain,exclude\npartner.example,news.partner.example\n' >partners.csv
play apply "${impact[@]}" -e max_affected_messages=0
shown '1 created.*; no affected sender found in 30 days'

echo "A spreadsheet is applied, and each bad row is named with its line before anything is sent"
account '{}'
printf '\xef\xbb\xbfdomain;exclude;comments;state\r\na.example;"x.a.example\ny.a.example";"two\r\nlines";\r\n' >list.csv
printf 'b.example;;;absent\r\n' >>list.csv
play apply -e restrictions_file=list.csv
shown '1 created'
printf 'com;;;\r\nc.example;x.d.example;;\r\n' >>list.csv
fails play apply -e restrictions_file=list.csv
shown 'list.csv line 6 .com.: '
shown 'list.csv line 7 .c.example.: '

printf 'domain\na.example\n' >one.csv

echo "Columns are ignored, and a column of exclusions not without a warning"
printf 'domain,Owner,Job title\nd.example,Ann,x.d.example\n' >own.csv
play apply -e restrictions_file=own.csv -e '{"ignore_columns": ["Owner", "Job title"]}' --check
warned "the ignored column 'Job title' contains 'x.d.example'"

echo "What is wrong on the command line is said in one sentence"
fails play apply
shown 'restrictions_file is not set, or is not a path; add -e restrictions_file='
fails play export -e 'restrictions_file=my list.yml'
shown 'Ansible cuts restrictions_file at a space'
fails play apply -e restrictions_file=one.csv -e max_affected_messages=
shown "max_affected_messages is ''; use a whole number, or unlimited"
not_shown argument_spec_data
fails play export -e restrictions_file=new.csv -e force=ja
shown "force is 'ja'; use true or false"
play apply -e restrictions_file=one.csv --check -e concurrency=5 \
    -e '{"prune": 1, "impact_days": 0, "max_affected_messages": "unlimited"}'
fails env -u CLOUDFLARE_API_TOKEN ansible-playbook "${collection}.apply" -e restrictions_file=list.csv >log 2>&1
shown 'credentials are missing; set api_token'

# Promise: A typo on the command line does not turn off a guard.
echo "A mistaken name on the command line is refused, wherever Ansible reads it"
echo '{"max_affected_mesages": 0}' >typo.json
echo password >password
ansible-vault encrypt --vault-password-file password --output typo.yml typo.json
for typo in max_affected_mesages=0 @typo.yml; do
    fails play apply --vault-password-file password -e restrictions_file=one.csv -e "${typo}"
    shown 'max_affected_mesages is not a variable of this playbook; did you mean max_affected_messages?'
done
fails play drift -e restrictions_file=one.csv -e prume=true
shown 'did you mean prune?'

# Promise: No report is missing or old without an error.
echo "A report is written, refused or not wanted, but never silently missing"
account '{}'
play apply -e restrictions_file=one.csv -e report_html=no -e '{"report_markdown": false, "report_json": null}' --check
not_shown 'report: '
# The name is too long, which is noticed only when the report is written.
long=$(printf '%0300d' 0)
fails play apply -e restrictions_file=one.csv -e "report_markdown=${long}.md"
shown 'the report could not be written.*1 created'

echo "The guard stops an apply with a short message"
account "{\"restrictions\": [$(seq -s, -f '{"domain": "d%g.example"}' 12)]}"
echo 'sending_domain_restrictions: []' >empty.yml
fails play apply -e restrictions_file=empty.yml -e prune=true
shown 'more than max_delete_percent .30. allows'
not_shown '"deleted"'

# Promise: The playbooks do what the command line says.
echo "Variables of an inventory do not change what a playbook does"
account '{"restrictions": [{"domain": "stays.example"}]}'
export ANSIBLE_CONFIG=${PWD}/hostile/ansible.cfg
play apply -i hostile/hosts -e restrictions_file=one.csv
shown '1 created'
expect "restrictions and domains" "$(count)" "2 2"
play drift -i hostile/hosts -e restrictions_file=one.csv
shown 'The account has the 1 restriction of one.csv, and 1 other: stays.example'
fails play export -i hostile/hosts -e restrictions_file=one.csv
shown 'set force to overwrite it'
unset ANSIBLE_CONFIG

echo "An inline vault value works as a token"
account '{"restrictions": [{"domain": "a.example"}]}'
{
    echo ---
    echo -n "${CLOUDFLARE_API_TOKEN}" |
        ansible-vault encrypt_string --vault-password-file password --stdin-name api_token
} >secrets.yml
token=${CLOUDFLARE_API_TOKEN}
unset CLOUDFLARE_API_TOKEN
for name in export apply; do
    play "${name}" -e @secrets.yml --vault-password-file password -e restrictions_file=vault.yaml -vvv
    not_shown "${token}"
done
ansible-playbook vault.yml --vault-password-file password -vvv >log
not_shown "${token}"
shown 'unreachable=0.*failed=0'

echo "The account and the token of the role replace those of module_defaults"
account '{}'
ansible-playbook module_defaults.yml -e "other_id=wrong other_token=wrong" \
    -e "sending_domain_restrictions_account_id=${CLOUDFLARE_ACCOUNT_ID}" \
    -e "sending_domain_restrictions_api_token=${CLOUDFLARE_API_TOKEN}"
expect "restrictions and domains" "$(count)" "1 1"

echo "The role uses the account of module_defaults, not that of the environment"
other=("${CLOUDFLARE_ACCOUNT_ID}" "${CLOUDFLARE_API_TOKEN}")
account '{"restrictions": [{"domain": "stays.example"}]}'
ansible-playbook module_defaults.yml -e "other_id=${other[0]} other_token=${other[1]}"
expect "restrictions and domains" "$(count)" "1 1"
CLOUDFLARE_ACCOUNT_ID=${other[0]}
expect "restrictions and domains" "$(count)" "1 1"

echo "The role works on the hosts of an inventory, one account each"
for host in one two; do
    account '{}'
    echo "${host} sending_domain_restrictions_account_id=${CLOUDFLARE_ACCOUNT_ID}" \
        "sending_domain_restrictions_api_token=${CLOUDFLARE_API_TOKEN}" \
        'ansible_connection=local ansible_python_interpreter="{{ ansible_playbook_python }}"'
done >hosts
unset CLOUDFLARE_ACCOUNT_ID CLOUDFLARE_API_TOKEN
ansible-playbook -i hosts role.yml -e expected=2 --check --diff | tee log
shown 'create shared.example .newly requires TLS. on two'
ansible-playbook -i hosts role.yml -e expected=2
grep -qF one.example report.one.md
grep -qF two.example report.two.md
