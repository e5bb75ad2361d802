# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tests verify each promise of the page of guarantees."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "docsite" / "rst" / "guarantees.rst"
PROMISES, dummy, LIMITS = PAGE.read_text(encoding="utf-8").partition("What cannot be guaranteed")

ACTION = "unit/plugins/action/test_sending_domain_restrictions.py::"
UTILS = "unit/plugins/module_utils/"
MODULES = "unit/plugins/modules/"
PLURAL = MODULES + "test_sending_domain_restrictions.py::"
TARGETS = "integration/targets/"
LONG_RUN = TARGETS + "sending_domain_restrictions_long_run/runme.sh"
TLS_AND_PROXY = UTILS + "test_client_tls_and_proxy.py::"

VERIFIED_BY = {
    "Nothing is lost and nothing is created twice": [
        MODULES + "test_faults.py::test_faults",
        MODULES + "test_soak.py::test_soak",
        PLURAL + "test_concurrent_creates_with_an_unknown_outcome_are_each_made_once",
    ],
    "Running the task again finishes the work": [MODULES + "test_faults.py::test_faults", LONG_RUN],
    "A create is never retried blindly": [
        UTILS
        + "test_restrictions_api.py::test_a_create_with_an_unknown_outcome_is_made_exactly_once",
        UTILS + "test_restrictions_api.py::test_of_two_late_creates_the_older_one_is_kept",
    ],
    "What somebody else created is never taken for the task's own": [
        UTILS
        + "test_restrictions_api.py::test_somebody_elses_restriction_is_neither_adopted_nor_deleted"
    ],
    "Creates and updates come first, deletes last": [
        UTILS + "test_apply.py::test_creates_and_updates_come_first_and_deletes_last_in_batches",
        PLURAL + "test_without_the_batch_call_the_result_is_the_same",
    ],
    "A domain whose change failed keeps all its restrictions": [
        UTILS + "test_apply.py::test_a_domain_whose_change_failed_keeps_its_duplicates",
        ACTION + "test_a_domain_that_failed_is_not_tried_again_and_keeps_its_duplicates",
    ],
    "A truncated list does not disarm you": [
        PLURAL + "test_the_guard_changes_nothing_and_says_what_would_be_lost",
        UTILS + "test_plan.py::test_deleting_duplicates_of_domains_that_stay_is_no_mass_deletion",
    ],
    "Invalid input changes nothing": [
        MODULES + "test_bad_input.py",
        UTILS + "test_entries.py::test_all_invalid_entries_are_named_with_position_and_domain",
    ],
    "A name means the same in every spelling": [
        UTILS + "test_domain_name.py::test_spellings_have_one_canonical_form",
        MODULES + "test_bad_input.py::test_domain",
    ],
    "What the info module returns is a valid list": [
        PLURAL + "test_what_the_info_module_returns_can_be_given_as_it_is"
    ],
    "Errors say what is wrong and what to do": [
        MODULES + "test_faults.py::test_faults",
        UTILS
        + "test_messages.py::test_a_message_is_always_below_2000_characters_and_ends_with_the_result",
    ],
    "changed is true exactly if something changed": [
        MODULES + "test_faults.py::test_faults",
        UTILS + "test_restrictions_api.py::test_a_write_that_cannot_be_looked_up_is_uncertain",
        ACTION + "test_a_write_that_was_never_confirmed_counts_as_changed",
    ],
    "Check mode predicts the result": [PLURAL + "test_check_mode_predicts_the_result"],
    "One failed change does not stop the others": [
        UTILS + "test_apply.py::test_a_failed_change_does_not_stop_the_others",
        PLURAL + "test_a_run_gives_up_after_ten_failures_in_any_number_of_slices",
    ],
    "A missing library is named": [TARGETS + "sending_domain_restriction_execution/tasks/main.yml"],
    "A slice that runs twice changes nothing twice": [
        ACTION + "test_a_slice_that_the_connection_repeats_creates_nothing_twice",
        LONG_RUN,
    ],
    "Colleagues can work on the account meanwhile": [
        ACTION + "test_each_slice_sees_what_others_added_changed_and_deleted",
        ACTION + "test_a_list_that_lags_behind_leads_to_no_duplicates",
    ],
    "Ctrl-C stops the writes": [
        UTILS + "test_apply.py::test_after_ctrl_c_calls_in_flight_end_and_no_other_one_begins",
        UTILS + "test_apply.py::test_an_unexpected_error_ends_the_run_and_keeps_its_results",
        LONG_RUN,
    ],
    "What was done is reported": [
        ACTION + "test_what_earlier_slices_did_is_reported_when_a_later_one_is_cut_off",
        LONG_RUN,
    ],
    "An outage ends the run soon": [
        ACTION + "test_an_outage_in_a_later_slice_ends_after_the_retries_of_one_call"
    ],
    "Waiting for the rate limit is not a failure": [
        PLURAL + "test_waiting_in_many_slices_is_not_failing",
        PLURAL + "test_a_rate_limit_that_never_ends_ends_the_run",
        UTILS + "test_client.py::test_a_wait_of_more_than_15_minutes_is_not_begun",
    ],
    "No secret is shown or left behind": [
        TARGETS + "sending_domain_restriction_secrets/runme.sh",
        MODULES + "test_secrets.py::test_a_secret_that_the_api_returns_is_shown_in_no_form",
    ],
    "Redirects are not followed": [UTILS + "test_client.py::test_a_redirect_is_not_followed"],
    "A netrc file does not replace the credentials": [
        TLS_AND_PROXY + "test_a_netrc_file_does_not_replace_the_credentials"
    ],
    "Plain HTTP is refused": [
        UTILS + "test_options.py::test_a_url_that_could_give_credentials_away_is_refused"
    ],
    "Certificates are verified": [
        TLS_AND_PROXY + "test_an_untrusted_certificate_ends_a_call_before_any_request_is_sent",
        TLS_AND_PROXY + "test_a_ca_file_beats_requests_ca_bundle_and_no_check_beats_both",
    ],
    "Proxies see no credentials": [
        TLS_AND_PROXY
        + "test_the_proxy_of_the_environment_carries_all_calls_and_sees_no_credential",
        TLS_AND_PROXY + "test_no_proxy_is_respected",
    ],
    "No option can redirect a call": [
        UTILS + "test_options.py::test_an_account_id_other_than_32_hexadecimal_digits_is_refused",
        UTILS
        + "test_restriction.py::test_a_restriction_that_cannot_exist_is_refused_with_a_sentence",
    ],
}


def test_every_promise_is_verified_by_tests():
    promises = re.findall(r"^\* \*\*(.+)\.\*\*", PROMISES, re.MULTILINE)
    assert promises == list(VERIFIED_BY)
    assert len(promises) == PROMISES.count("\n* ")
    assert LIMITS


@pytest.mark.parametrize(
    "named", sorted({name for names in VERIFIED_BY.values() for name in names})
)
def test_a_test_that_verifies_a_promise_exists(named):
    path, dummy, test = named.partition("::")
    text = (ROOT / "tests" / path).read_text(encoding="utf-8")
    assert not test or f"\ndef {test}(" in text
