# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every call × every fault × once and lasting, with a whole module over real sockets.

The module for lists goes through all of them, and the others through as many as show that they share
its machinery.

Whatever goes wrong, the run ends in the desired state or with one actionable error message. Each domain
is in the desired state or as before, with no duplicates and nothing lost. `changed` is true exactly if
something changed, and the same task finishes the work once the fault is gone.
"""

from __future__ import annotations

import json
import re
import socket
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from in_process import run_module
from tls_and_proxy import TlsTerminator

HOST = "api.example"

READS = ("list", "get")
NEED_A_RESULT = ("list", "get", "create", "update")
ALL_CALLS = (*NEED_A_RESULT, "delete", "batch")
BEFORE, AFTER, BOTH = ("before",), ("after",), ("before", "after")


class Fault(NamedTuple):
    """A fault, and what it does to a run.

    Attributes:
        message: a pattern of the error message.
        fault: for the emulator; or, as a text, where new connections lead (see `ports`).
        moments: whether the call may take effect.
        times: how often a fault occurs that is not lasting.
        is_harmless: even if it is lasting.
        is_final: it is not worth a retry.
        hides_outcome: if it is lasting, nothing can be read after a write that may have got through.
    """

    name: str
    message: str
    fault: Any
    moments: tuple[str, ...] = BOTH
    calls: tuple[str, ...] = ALL_CALLS
    times: int = 1
    is_harmless: bool = False
    is_final: bool = False
    hides_outcome: bool = False


def status(number, **values):
    return {"kind": "status", "status": number, **values}


def html(number):
    return {"kind": "html", "status": number}


def empty(number):
    return {"kind": "empty", "status": number}


def body(value, number=200):
    return {"kind": "json", "status": number, "body": value}


def merge(**values):
    return {"kind": "merge", "set": values}


REDIRECT = {"kind": "redirect", "status": 307, "location": "//evil.example/\\["}
NO_HEADERS = {"headers": {"Ratelimit": "", "Ratelimit-Policy": ""}}
MESSAGES = [{"code": 1, "message": "Soon gone"}, "Hi"]
NO_CONNECTION = "could not connect to api.example.*"
NOT_CLOUDFLARE = "with application/json instead of Cloudflare"
UNUSABLE = "an unexpected result"

FAULTS = [
    Fault("refused connection", NO_CONNECTION + "refused", "closed port", BEFORE),
    Fault("DNS failure", NO_CONNECTION + "Name or service not known", "unknown name", BEFORE),
    Fault("TLS failure: no TLS", NO_CONNECTION + "SSL", "no TLS", BEFORE),
    Fault(
        "TLS failure: unknown CA",
        "the certificate of api.example is not trusted",
        "unknown CA",
        BEFORE,
        is_final=True,
    ),
    Fault("dropped before it was read", "was lost", "drops", BEFORE, hides_outcome=True),
    Fault("dropped connection", "was lost", {"kind": "drop"}),
    Fault("timeout", "did not respond within 30 seconds", {"kind": "hang"}),
    Fault("500", "Cloudflare returned 500", status(500)),
    Fault("502", "Cloudflare returned 502.*Bad gateway", status(502, message="Bad gateway")),
    Fault("503", "Cloudflare returned 503", status(503)),
    Fault("504", "Cloudflare returned 504", status(504)),
    Fault("408", "Cloudflare returned 408", status(408)),
    Fault("429 with Retry-After", "rate limit", status(429, headers={"Retry-After": "2"}), BEFORE),
    Fault("429 without Retry-After", "rate limit", status(429, code=971), BEFORE),
    Fault("429 without any header", "rate limit", status(429, **NO_HEADERS), BEFORE),
    Fault("403 without a code", "did not accept the API token", status(403), BEFORE, times=2),
    Fault("redirect", "a redirect .307.", REDIRECT, is_final=True),
    Fault("HTML with 200", "200 with text/html", html(200)),
    Fault("HTML with 503", "503 with text/html", html(503)),
    Fault("HTML with 403", "403 with text/html", html(403)),
    Fault("HTML with 404", "404 with text/html", html(404), is_final=True),
    Fault("empty with 400", "400 with an empty body", empty(400), is_final=True),
    Fault("empty with 200", "200 with an empty body", empty(200)),
    Fault("empty with 204", "204 with an empty body", empty(204)),
    Fault("cut-off JSON", "instead of Cloudflare", {"kind": "cut_off_json"}),
    # requests 2.25 does not notice that the body is incomplete.
    Fault("cut-off body", "was lost|instead of Cloudflare", {"kind": "cut_off_body"}),
    Fault("JSON list", f"200 {NOT_CLOUDFLARE}", body([])),
    Fault("JSON text", f"200 {NOT_CLOUDFLARE}", body("ok")),
    Fault("JSON object", f"200 {NOT_CLOUDFLARE}", body({"ok": True})),
    Fault("errors that are not a list", "500", body({"errors": {"code": 1}}, 500)),
    Fault("result of another type", UNUSABLE, merge(result=7), AFTER, NEED_A_RESULT),
    Fault(
        "result for another restriction",
        UNUSABLE,
        merge(result={"id": "0" * 32, "domain": "else.example"}),
        AFTER,
        NEED_A_RESULT,
    ),
    Fault("result: null", UNUSABLE, merge(result=None), AFTER, NEED_A_RESULT),
    Fault(
        "missing result_info",
        "",
        {"kind": "merge", "remove": ["result_info"]},
        AFTER,
        is_harmless=True,
    ),
    Fault(
        "repeated page",
        "are repeated, as if the parameter page was ignored",
        {"kind": "repeat"},
        BEFORE,
        ("list",),
        times=2,
    ),
    Fault("unknown fields", "", merge(beta=[{"x": 1}]), AFTER, is_harmless=True),
    Fault(
        "unknown fields of a restriction",
        "",
        {"kind": "extend"},
        AFTER,
        ("list",),
        is_harmless=True,
    ),
    Fault("messages on success", "", merge(messages=MESSAGES), AFTER, is_harmless=True),
]

PARTNER = {"domain": "partner.example", "exclude": ["a.partner.example"], "comments": "TLS agreed"}
OUTDATED = {"domain": "Partner.example", "exclude": [], "comments": "Before"}
BYSTANDER = {"domain": "bystander.example", "exclude": ["x.bystander.example"], "comments": None}
COMPANION = {"domain": "companion.example"}
ABSENT = {"domain": "partner.example", "state": "absent"}

# For each call: what the account has, the entry of the task, and what the account should have.
WORK = {
    "list": ([], PARTNER, [PARTNER]),
    "get": ([], PARTNER, []),
    "create": ([], PARTNER, [PARTNER]),
    "update": ([OUTDATED], PARTNER, [PARTNER]),
    "delete": ([OUTDATED], ABSENT, []),
    "batch": ([OUTDATED, PARTNER], ABSENT, []),
}


class Network:
    """Replaces `getaddrinfo`, to lead connections to `HOST` to the port that a test chooses."""

    def __init__(self, ports):
        self._ports = ports
        self._look_up = socket.getaddrinfo
        self.fail("", 0, 0)
        self.hits = 0

    def fail(self, port, skip, times):
        """Lead `times` connections to `port`, after `skip` good ones."""
        self._port, self._skip, self._times = port, skip, times

    def getaddrinfo(self, host, *args, **kwargs):
        if host != HOST:
            return self._look_up(host, *args, **kwargs)
        port = "good"
        if self._skip:
            self._skip -= 1
        elif self._times:
            self._times -= 1
            self.hits += 1
            port = self._port
        if port == "unknown name":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        address = ("127.0.0.1", self._ports[port])
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)]


@pytest.fixture(scope="module")
def ports(emulator, contexts, closed_port):
    """The ports that a connection may lead to, by name."""
    plain = urlsplit(emulator.url).port
    servers = {name: TlsTerminator(plain, contexts[name]) for name in ("good", "unknown CA")}
    servers["drops"] = TlsTerminator(closed_port, contexts["good"])
    ports = {name: server.port for name, server in servers.items()}
    yield {**ports, "no TLS": plain, "closed port": closed_port}
    for server in servers.values():
        server.__exit__()


@pytest.fixture
def network(ports, monkeypatch):
    network = Network(ports)
    monkeypatch.setattr(socket, "getaddrinfo", network.getaddrinfo)
    return network


SINGLE, PLURAL, INFO = (
    "sending_domain_restriction",
    "sending_domain_restrictions",
    "sending_domain_restriction_info",
)
WRITING = ("list", "create", "update", "delete", "batch")


class Case(NamedTuple):
    """A module, one of its calls, and a fault of this call."""

    module: str
    call: str
    fault: Fault
    moment: str
    is_lasting: bool

    def __str__(self):
        duration = "lasting" if self.is_lasting else "once"
        return f"{self.module}, {self.call}: {self.fault.name} {self.moment}, {duration}"

    @property
    def should_succeed(self):
        takes_effect = self.moment == "after" and self.call not in READS
        once = not self.is_lasting and not self.fault.is_final
        return self.fault.is_harmless or takes_effect or once

    @property
    def outcome_unknown(self):
        return self.fault.hides_outcome and self.is_lasting and self.call not in READS


def cases():
    """All combinations for the list; for the other modules, what shows that they do the same."""
    for number, fault in enumerate(FAULTS):
        calls = [call for call in WRITING if call in fault.calls]
        modules = {PLURAL: calls, SINGLE: [calls[number % len(calls)]]}
        if fault.name == "500":
            modules[INFO] = READS
        for module, calls in modules.items():
            for call in calls:
                for moment in fault.moments[:1] if call in READS else fault.moments:
                    yield Case(module, call, fault, moment, is_lasting=False)
                    yield Case(module, call, fault, moment, is_lasting=True)


class World:
    """An account, a task that makes the call of a case, and the fault of this call.

    Attributes:
        before: the restrictions before the task.
        desired: what the account should have after it.
        listed: the IDs of the restrictions that the info module should return.
    """

    def __init__(self, case, account, options, network, faults):
        self.account = account
        self._case, self._options, self._network, self._faults = case, options, network, faults
        before, entry, after = WORK[case.call]
        self.before = account.seed([BYSTANDER, COMPANION, *before])
        self.desired = managed([BYSTANDER, COMPANION, *([] if case.module == INFO else after)])
        self.listed = []
        if case.module == PLURAL:
            options["restrictions"] = [COMPANION, entry]
        elif case.module == SINGLE:
            options.update(entry)
        else:
            known = self.before[:1] if case.call == "get" else self.before
            self.listed = [record["id"] for record in known]
            options.update({"id": self.listed[0]} if case.call == "get" else {})

    def begin_fault(self):
        call, fault = self._case.call, self._case.fault.fault
        times = None if self._case.is_lasting else self._case.fault.times
        if isinstance(fault, str):
            # A connection that is kept alive can't be refused.
            header = {"kind": "merge", "headers": {"Connection": "close"}}
            self._faults.add(calls=["list"], times=None, **header)
            self._network.fail(fault, 0 if call in READS else 1, times or 10**6)
            return
        fault = {"moment": self._case.moment, **fault}
        if fault["kind"] in ("repeat", "extend"):
            more = {"beta": {"x": [1]}} if fault["kind"] == "extend" else {}
            total = len(self.before) * (1 if more else 2)
            records = [{**record, **more} for record in self.before]
            info = {"total_count": total, "per_page": 1000}
            fault = body({"success": True, "result": records, "result_info": info})
        self._faults.add(calls=[call], times=times, **fault)

    def end_fault(self):
        """End the fault; returns whether it occurred."""
        self._faults.clear()
        self._network.fail("", 0, 0)
        requests = self.account.requests()
        return self._network.hits or any(request["fault"] for request in requests)

    def run(self):
        return run_module(self._case.module, self._options)


@pytest.fixture
def world(case, account, options, ca, network, faults):
    if isinstance(case.fault.fault, str):
        options.update(api_url=f"https://{HOST}/client/v4", ca_path=ca.path)
    return World(case, account, options, network, faults)


def managed(records):
    return sorted(
        (
            record["domain"].lower(),
            sorted(record.get("exclude") or []),
            record.get("comments") or "",
        )
        for record in records
    )


MESSAGE = re.compile(
    r".+; (?:try again|check|run again|if a proxy).*"
    r" \((?:the connection to \S+ was lost, )?(?:GET|POST|PATCH|DELETE) …/sending_domain_restrictions\S*(?:: .+)?\)",
    re.S,
)


def check_message(message, pattern):
    assert MESSAGE.search(message)
    assert re.search(pattern, message)
    assert "\n" not in message
    assert "Traceback" not in message
    assert not re.search(r"0x[0-9a-f]{6}|object at|<class", message)


@pytest.fixture(scope="module")
def messages(add_to_summary):
    """The message of each combination."""
    messages = []
    yield messages
    add_to_summary(
        f"{len(messages)} combinations of module, call, fault, moment and duration; the longest"
        f" message has {max(map(len, messages))} characters"
    )


@pytest.mark.promise("Nothing is lost and nothing is created twice")
@pytest.mark.promise("Running the task again finishes the work")
@pytest.mark.promise("Errors say what is wrong and what to do")
@pytest.mark.promise("changed is true exactly when something changed")
@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_nothing_is_lost_or_created_twice_whatever_call_fails(case, world, messages):
    world.begin_fault()
    result = world.run()
    assert world.end_fault()

    current = world.account.restrictions()
    is_altered = managed(current) != managed(world.before)
    assert current[:2] == world.before[:2]
    assert ("could not confirm" in result.get("msg", "")) == case.outcome_unknown
    assert result.get("changed", False) == (is_altered or case.outcome_unknown)
    assert bool(result.get("failed")) != case.should_succeed
    if result.get("failed"):
        assert not is_altered
        check_message(result["msg"], case.fault.message)
    else:
        assert managed(current) == world.desired
        listed = result.get("sending_domain_restrictions", [])
        assert [record["id"] for record in listed] == world.listed
    assert world.account.tokens["write"] not in json.dumps(result)
    assert len(result["msg"]) < 2000
    messages.append(result["msg"])

    again = world.run()
    assert not again.get("failed"), again["msg"]
    assert managed(world.account.restrictions()) == world.desired
    assert again["changed"] == (managed(current) != world.desired)
    assert not world.run()["changed"]
