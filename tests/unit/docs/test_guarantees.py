# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tests verify each promise of the page of guarantees."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "docsite" / "rst" / "guarantees.rst"
LONG_RUN = "sending_domain_restrictions_long_run/runme.sh"

# For each promise, the names of unit tests and the files of integration tests.
VERIFIED_BY = {
    "Nothing is lost and nothing is created twice": [
        "test_faults",
        "test_soak",
        "test_concurrent_creates_with_an_unknown_outcome_are_each_made_once",
    ],
    "Running the task again finishes the work": ["test_faults", LONG_RUN],
    "A create is never retried blindly": [
        "test_a_create_with_an_unknown_outcome_is_made_exactly_once",
        "test_if_two_creates_take_effect_the_older_restriction_is_kept",
        "test_a_create_whose_response_is_lost_is_not_sent_again",
    ],
    "The task never mistakes somebody else's restriction for its own": [
        "test_somebody_elses_restriction_is_neither_adopted_nor_deleted"
    ],
    "An incomplete run leaves more protection, not less": [
        "test_no_sender_loses_protection_that_it_had_and_that_the_list_keeps",
        "test_creates_and_updates_come_first_and_deletes_last_in_batches",
        "test_nothing_is_deleted_while_creates_or_updates_are_left",
        "test_without_the_batch_call_the_result_is_the_same",
    ],
    "A failed change holds back what relies on it": [
        "test_no_sender_loses_protection_that_it_had_and_that_the_list_keeps",
        "test_what_would_take_protection_away_is_held_back_after_a_failure",
    ],
    "No mail is dropped on the way": [
        "test_no_sender_loses_protection_that_it_had_and_that_the_list_keeps",
        "test_the_first_of_two_calls_keeps_what_is_exempt_before_and_after",
    ],
    "A domain whose change failed keeps all its restrictions": [
        "test_a_domain_whose_change_failed_keeps_its_duplicates",
        "test_a_domain_that_failed_is_not_tried_again_and_keeps_its_duplicates",
    ],
    "A truncated list does not remove your protection": [
        "test_the_guard_changes_nothing_and_says_what_would_be_lost",
        "test_deleting_duplicates_of_domains_that_stay_is_no_mass_deletion",
    ],
    "An emptied column does not drop your partners' mail": [
        "test_a_limited_share_of_domains_may_lose_exclusions",
        "test_an_emptied_exclude_changes_nothing",
    ],
    "A part of the account is never taken for the whole": [
        "test_a_part_of_a_list_is_never_taken_for_the_whole",
        "test_null_is_an_empty_list_only_if_the_total_is_zero",
        "test_a_list_that_is_inconsistent_in_the_same_way_each_time_is_not_said_to_change",
    ],
    "Invalid input changes nothing": [
        "test_shared_options",
        "test_every_module_checks_the_shared_options",
        "test_restrictions",
        "test_all_invalid_entries_are_named_with_position_and_domain",
    ],
    "A name means the same in every spelling": [
        "test_domain",
        "test_spellings_have_one_canonical_form",
    ],
    "What the info module returns is a valid list": [
        "test_what_the_info_module_returns_is_a_list_that_changes_nothing"
    ],
    "Errors say what is wrong and what to do": [
        "test_faults",
        "test_a_message_is_always_below_2000_characters_and_ends_with_the_result",
    ],
    "changed is true exactly when something changed": [
        "test_faults",
        "test_a_write_that_cannot_be_looked_up_is_unknown",
        "test_a_certain_failure_does_not_settle_an_unknown_outcome",
        "test_a_write_that_was_never_confirmed_counts_as_changed",
        "test_an_update_that_changed_nothing_is_not_a_change",
    ],
    "Values that Cloudflare stores differently are named": [
        "test_a_value_that_cloudflare_changes_is_reported_and_counts_once",
        "test_updates_that_change_nothing_are_sent_once_and_reported_in_few_words",
    ],
    "Check mode predicts the result": ["test_check_mode_predicts_the_result"],
    "One failed change does not stop the others": [
        "test_a_failed_change_does_not_stop_the_others",
        "test_a_run_gives_up_after_ten_failures_in_any_number_of_slices",
    ],
    "Who sends as a domain is counted, and nothing else is kept": [
        "test_nothing_of_other_peoples_mail_is_returned_or_logged",
        "test_what_is_cut_off_is_said_in_the_rows_the_result_and_a_warning",
        "test_a_failed_search_is_said_and_does_not_fail_the_others",
    ],
    "A missing library is named": ["sending_domain_restriction_execution/tasks/main.yml"],
    "Only the API judges the credentials": [
        "test_what_stands_in_front_of_the_api_is_told_apart_from_the_api"
    ],
    "Text from the account cannot control your terminal": [
        "test_names_of_the_account_are_escaped",
        "test_names_are_readable_and_comments_are_one_line_of_text",
        "test_half_of_a_character_is_named_with_its_restriction_and_not_changed",
    ],
    "Running a slice twice is safe": [
        "test_a_slice_that_runs_twice_creates_nothing_twice",
        LONG_RUN,
    ],
    "Others can change the account meanwhile": [
        "test_each_slice_sees_what_others_added_changed_and_deleted",
        "test_a_list_that_lags_behind_leads_to_no_duplicates",
    ],
    "Ctrl-C stops the writes": [
        "test_after_ctrl_c_calls_in_flight_end_and_no_new_ones_begin",
        "test_an_unexpected_error_ends_the_run_and_keeps_its_results",
        LONG_RUN,
    ],
    "What was done is reported": [
        "test_what_earlier_slices_did_is_reported_when_a_later_one_is_cut_off",
        LONG_RUN,
    ],
    "An outage ends the run soon": [
        "test_an_outage_in_a_later_slice_ends_after_the_retries_of_one_call"
    ],
    "Waiting for the rate limit is not a failure": [
        "test_waiting_for_the_rate_limit_in_many_slices_is_not_a_failure",
        "test_a_rate_limit_without_end_ends_the_run",
        "test_a_rate_limit_of_more_than_15_minutes_is_an_error",
    ],
    "Applying an export changes nothing": [
        "test_applying_an_export_changes_nothing_but_duplicates",
        "test_what_the_list_format_cannot_represent_is_left_out_and_named",
        "playbooks/runme.sh",
    ],
    "No row and no column vanishes without a word": [
        "test_all_columns_but_misspelled_ones_can_be_ignored",
        "test_a_quote_that_swallows_rows_is_refused_with_both_lines",
        "test_a_text_that_swallows_entries_is_refused_with_both_lines",
        "test_a_file_that_may_be_cut_off_is_warned_of_and_never_pruned",
    ],
    "An export does not overwrite your work": [
        "test_an_export_overwrites_only_unedited_exports_unless_forced"
    ],
    "Drift changes nothing": ["playbooks/runme.sh"],
    "A file is only data": [
        "playbooks/runme.sh",
        "test_no_program_finds_a_formula_whatever_its_list_separator_is",
    ],
    "The playbooks do what the command line says": ["playbooks/runme.sh"],
    "No report is missing or old without an error": [
        "test_a_report_that_cannot_be_written_fails_the_task_and_keeps_the_result",
        "test_a_run_that_ends_at_once_replaces_the_report_of_an_earlier_one",
        "test_a_report_without_a_reading_says_so_instead_of_zeros",
        "test_no_two_hosts_write_one_file",
        "playbooks/runme.sh",
    ],
    "A report needs no network": [
        "test_no_text_of_others_becomes_html",
        "test_no_request_leaves_the_page_and_nothing_breaks_its_policy",
    ],
    "No secret is shown or left behind": [
        "test_a_secret_that_the_api_returns_is_shown_in_no_form",
        "sending_domain_restriction_secrets/runme.sh",
    ],
    "Credentials are not mixed": [
        "test_missing_credentials_and_a_missing_account_are_named",
    ],
    "Redirects are not followed": [
        "test_a_redirect_is_not_followed",
        "test_each_of_two_layers_alone_keeps_the_client_from_following_redirects",
    ],
    "A netrc file does not replace the credentials": [
        "test_a_netrc_file_does_not_replace_the_credentials"
    ],
    "Plain HTTP is refused": ["test_a_url_that_could_give_credentials_away_is_refused"],
    "Certificates are verified": [
        "test_an_untrusted_certificate_ends_a_call_before_any_request_is_sent",
        "test_a_ca_file_beats_requests_ca_bundle_and_no_check_beats_both",
    ],
    "Proxies see no credentials": [
        "test_the_proxy_of_the_environment_is_used_and_sees_no_credentials",
        "test_no_proxy_is_respected",
    ],
    "No option can redirect a call": [
        "test_an_account_id_other_than_32_hexadecimal_digits_is_refused",
        "test_invalid_options_are_refused",
    ],
}


def test_every_promise_is_verified():
    promises, dummy, limits = PAGE.read_text(encoding="utf-8").partition(
        "What cannot be guaranteed"
    )
    assert re.findall(r"^\* \*\*(.+)\.\*\*", promises, re.MULTILINE) == list(VERIFIED_BY)
    assert promises.count("\n* ") == len(VERIFIED_BY)
    assert limits


@pytest.mark.parametrize("name", sorted({name for names in VERIFIED_BY.values() for name in names}))
def test_a_test_that_verifies_a_promise_exists(name):
    if "/" in name:
        assert (ROOT / "tests" / "integration" / "targets" / name).is_file()
    else:
        files = (ROOT / "tests").rglob("test_*.py")
        assert any(f"\ndef {name}(" in path.read_text(encoding="utf-8") for path in files)
