# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures for all unit tests."""

from __future__ import annotations

import functools
import importlib
import os

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils import _options
from emulator.harness import Emulator
from fake_time import FakeTime
from hypothesis import HealthCheck, settings

# ansible-core before 2.16 expects this attribute, which only its own importer sets.
importlib.import_module("ansible_collections.cloudflare_email.security")._collection_meta = {}

any_machine = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", any_machine, derandomize=True, max_examples=50)
settings.register_profile("thorough", any_machine, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

_summary = pytest.StashKey()


def pytest_configure(config):
    config.stash[_summary] = []


def pytest_terminal_summary(terminalreporter, config):
    for line in config.stash[_summary]:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def add_to_summary(pytestconfig):
    """Print a line after all tests."""
    return pytestconfig.stash[_summary].append


@pytest.fixture(scope="session")
def emulator():
    with Emulator() as running:
        yield running


@pytest.fixture
def account(emulator):
    """A new account for each test."""
    return emulator.create_account()


@pytest.fixture
def fake_time():
    return FakeTime()


@pytest.fixture
def no_waiting(fake_time, monkeypatch):
    """Make modules in this process wait for responses only, not for backoffs or rate limits."""
    client = functools.partial(
        _options.CloudflareClient, sleep=fake_time.sleep, clock=fake_time.clock
    )
    monkeypatch.setattr(_options, "CloudflareClient", client)
    retry = functools.partial(_options.RetryPolicy, jitter=lambda: 0.0)
    monkeypatch.setattr(_options, "RetryPolicy", retry)
