# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every call × every fault × once and for ever, with whole modules over real sockets.

Whatever goes wrong: the run ends, in the wanted state or in one sentence to act on; each domain is
as wanted or as it was, nothing is there twice and nothing is lost; `changed` tells the truth; and the
same task finishes the work once the fault is gone.
"""

from __future__ import annotations

import json
import re
import socket
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from in_process import run_module
from tls_and_proxy import TlsFront, refusing_port

HOST = "api.example"
SECONDS_TO_HANG = 1.0
TIMEOUT = 0.3

# What a fault does to a run when it stays.
HARMLESS, FATAL = "harmless", "fatal"


class Fault(NamedTuple):
    """`answer` is for the emulator; `connection` says where new connections lead instead.

    `says` is to be found in the sentence that a run ends with.
    """

    name: str
    says: str
    answer: dict[str, Any] = {}
    connection: str = ""
    moments: tuple[str, ...] = ("before", "after")
    calls: tuple[str, ...] = ("list", "get", "create", "update", "delete", "batch")
    once: int = 1  # how often a fault comes that goes away
    lasting: str = FATAL
    is_final: bool = False  # not worth a second try


def answer(kind, **values):
    return {"kind": kind, **values}


BEFORE, AFTER = ("before",), ("after",)
READS = ("list", "get")
NEED_A_RESULT = ("list", "get", "create", "update")

FAULTS = [
    Fault(
        "refused connection",
        "could not connect to api.example.*refused",
        connection="refused",
        moments=BEFORE,
    ),
    Fault(
        "DNS failure",
        "could not connect to api.example.*Name or service not known",
        connection="unknown name",
        moments=BEFORE,
    ),
    Fault(
        "TLS failure: no TLS",
        "could not connect to api.example.*SSL",
        connection="no TLS",
        moments=BEFORE,
    ),
    Fault(
        "TLS failure: unknown CA",
        "the certificate of api.example is not trusted",
        connection="unknown CA",
        moments=BEFORE,
        is_final=True,
    ),
    Fault("dropped before it was read", "was lost", connection="drops", moments=BEFORE),
    Fault("dropped connection", "was lost", answer("drop")),
    Fault(
        "hang beyond timeout",
        "api.example did not respond within 0.3 seconds",
        answer("hang", seconds=SECONDS_TO_HANG),
    ),
    Fault("500", "Cloudflare returned 500", answer("status", status=500)),
    Fault(
        "502",
        "Cloudflare returned 502.*Bad gateway",
        answer("status", status=502, message="Bad gateway"),
    ),
    Fault("503", "Cloudflare returned 503", answer("status", status=503)),
    Fault("504", "Cloudflare returned 504", answer("status", status=504)),
    Fault("408", "Cloudflare returned 408", answer("status", status=408)),
    Fault(
        "429 with Retry-After",
        "rate limit",
        answer("status", status=429, code=10429, headers={"Retry-After": "2"}),
        moments=BEFORE,
    ),
    Fault("429 without", "rate limit", answer("status", status=429, code=971), moments=BEFORE),
    Fault(
        "429 and no header at all",
        "rate limit",
        answer("status", status=429, headers={"Ratelimit": "", "Ratelimit-Policy": ""}),
        moments=BEFORE,
    ),
    Fault(
        "403 without a code",
        "did not accept the API token",
        answer("status", status=403),
        moments=BEFORE,
        once=2,
    ),
    Fault(
        "redirect",
        "a redirect .307.",
        answer("redirect", status=307, location="//evil.example/\\["),
        is_final=True,
    ),
    Fault("HTML with 200", "200 with text/html", answer("html", status=200)),
    Fault("HTML with 503", "503 with text/html", answer("html", status=503)),
    Fault("HTML with 403", "403 with text/html", answer("html", status=403)),
    Fault("HTML with 404", "404 with text/html", answer("html", status=404), is_final=True),
    Fault("empty with 400", "400 with an empty body", answer("empty", status=400), is_final=True),
    Fault("empty body", "200 with an empty body", answer("empty", status=200)),
    Fault("no content", "204 with an empty body", answer("empty", status=204)),
    Fault("cut-off JSON", "instead of Cloudflare", answer("cut_off_json")),
    # requests 2.25 takes what came for all.
    Fault("cut-off body", "was lost|instead of Cloudflare", answer("cut_off_body")),
    Fault(
        "JSON of another shape: list",
        "200 with application/json instead of Cloudflare",
        answer("json", status=200, body=[]),
    ),
    Fault(
        "JSON of another shape: text",
        "200 with application/json instead of Cloudflare",
        answer("json", status=200, body="ok"),
    ),
    Fault(
        "JSON of another shape: object",
        "JSON without the result",
        answer("json", status=200, body={"ok": True}),
    ),
    Fault(
        "JSON of another shape: errors",
        "500",
        answer("json", status=500, body={"errors": {"code": 1}}),
    ),
    Fault(
        "result of another shape",
        "an unexpected result",
        answer("merge", set={"result": 7}),
        moments=AFTER,
        calls=NEED_A_RESULT,
    ),
    Fault(
        "result for somebody else",
        "an unexpected result",
        answer("merge", set={"result": {"id": "0" * 32, "domain": "else.example"}}),
        moments=AFTER,
        calls=NEED_A_RESULT,
    ),
    Fault(
        "result: null",
        "an unexpected result",
        answer("merge", set={"result": None}),
        moments=AFTER,
        calls=NEED_A_RESULT,
    ),
    Fault(
        "missing result_info",
        "",
        answer("merge", remove=["result_info"]),
        moments=AFTER,
        lasting=HARMLESS,
    ),
    Fault(
        "a page that repeats",
        "the list kept changing",
        answer("repeat"),
        calls=("list",),
        moments=BEFORE,
        once=2,
    ),
    Fault(
        "unknown fields",
        "",
        answer("merge", set={"beta": [{"x": 1}]}),
        moments=AFTER,
        lasting=HARMLESS,
    ),
    Fault(
        "unknown fields of a restriction",
        "",
        answer("extend"),
        calls=("list",),
        moments=AFTER,
        lasting=HARMLESS,
    ),
    Fault(
        "messages on success",
        "",
        answer("merge", set={"messages": [{"code": 1, "message": "Soon gone"}, "Hi"]}),
        moments=AFTER,
        lasting=HARMLESS,
    ),
]

PARTNER = {"domain": "partner.example", "exclude": ["a.partner.example"], "comments": "TLS agreed"}
OUTDATED = {"domain": "Partner.example", "exclude": [], "comments": "Before"}
BYSTANDER = {"domain": "bystander.example", "exclude": ["x.bystander.example"], "comments": None}
COMPANION = {"domain": "companion.example"}
ABSENT = {"domain": "partner.example", "state": "absent"}


class Work(NamedTuple):
    """What the account holds, what a task wants, and what the account holds then."""

    held: list
    wish: dict
    wanted: list


WORK = {
    "list": Work([], PARTNER, [PARTNER]),
    "create": Work([], PARTNER, [PARTNER]),
    "update": Work([OUTDATED], PARTNER, [PARTNER]),
    "delete": Work([OUTDATED], ABSENT, []),
    "batch": Work([OUTDATED, PARTNER], ABSENT, []),
}


class Network:
    """Leads each new connection to the API where the script says; in the place of `getaddrinfo`."""

    def __init__(self, ports):
        self._ports = ports
        self._look_up = socket.getaddrinfo
        self.faulty, self.skip, self.times, self.hits = "", 0, 0, 0

    def fail(self, faulty, skip, times):
        self.faulty, self.skip, self.times = faulty, skip, times

    def getaddrinfo(self, host, *args, **kwargs):
        if host != HOST:
            return self._look_up(host, *args, **kwargs)
        way = "good"
        if self.skip:
            self.skip -= 1
        elif self.times:
            self.times -= 1
            self.hits += 1
            way = self.faulty
        if way == "unknown name":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        address = ("127.0.0.1", self._ports[way])
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)]


@pytest.fixture(scope="module")
def ports(emulator, contexts):
    """The ports that a connection may lead to."""
    plain = urlsplit(emulator.url).port
    fronts = {name: TlsFront(plain, contexts[name]) for name in ("good", "unknown CA")}
    fronts["drops"] = TlsFront(refusing_port(), contexts["good"])
    yield {
        **{name: front.port for name, front in fronts.items()},
        "no TLS": plain,
        "refused": refusing_port(),
    }
    for front in fronts.values():
        front.__exit__()


@pytest.fixture
def network(ports, monkeypatch):
    network = Network(ports)
    monkeypatch.setattr(socket, "getaddrinfo", network.getaddrinfo)
    return network


@pytest.fixture
def options(account, ca, network, in_no_time):
    """The options that all tasks share."""
    return {
        "account_id": account.id,
        "api_token": account.tokens["write"],
        "api_url": f"https://{HOST}/client/v4",
        "ca_path": ca.path,
        "retries": 2,
    }


CALLS_OF = {
    "sending_domain_restriction": ("list", "create", "update", "delete", "batch"),
    "sending_domain_restrictions": ("list", "create", "update", "delete", "batch"),
    "sending_domain_restriction_info": ("list", "get"),
}


def combinations():
    for module, calls in CALLS_OF.items():
        for fault in FAULTS:
            for call in filter(fault.calls.__contains__, calls):
                for moment in fault.moments[:1] if call in READS else fault.moments:
                    for how_often in ("once", "lasting"):
                        name = f"{module}, {call}: {fault.name} {moment}, {how_often}"
                        yield pytest.param(module, call, fault, moment, how_often, id=name)


def break_it(fault, call, moment, times, account, network, held):
    if fault.connection:
        # A connection that is kept alive can't be refused.
        account.fault(calls=["list"], kind="merge", headers={"Connection": "close"}, times=None)
        network.fail(fault.connection, 0 if call in READS else 1, times or 10**6)
        return
    answer = {"moment": moment, **fault.answer}
    if answer["kind"] in ("repeat", "extend"):
        more = {"beta": {"x": [1]}} if answer["kind"] == "extend" else {}
        records = [{**record, **more} for record in held]
        total = len(records) * (1 if more else 2)
        body = {"success": True, "result": records, "result_info": {"total_count": total}}
        answer = {"kind": "json", "status": 200, "body": body}
    account.fault(calls=[call], times=times, **answer)


def comes_right(fault, call, moment, how_often):
    """Whether the run is to end in the wanted state, fault or not."""
    if fault.lasting == HARMLESS or (moment == "after" and call not in READS):
        return True
    return how_often == "once" and not fault.is_final


def is_uncertain(fault, call, how_often):
    """Whether nobody can tell the outcome: a write may have got through, and nothing can be read."""
    return fault.connection == "drops" and call not in READS and how_often == "lasting"


def managed(records):
    return sorted(
        (
            record["domain"].lower(),
            sorted(record.get("exclude") or []),
            record.get("comments") or "",
        )
        for record in records
    )


def of_partner(restrictions):
    return [entry for entry in restrictions if entry[0] == "partner.example"]


SENTENCE = re.compile(
    r".+; (?:try again|check|run again|if a proxy).*"
    r" \((?:the connection to \S+ was lost, )?(?:GET|POST|PATCH|DELETE) …/sending_domain_restrictions\S*(?:: .+)?\)",
    re.S,
)


def check_sentence(message, says):
    assert SENTENCE.search(message)
    assert re.search(says, message)
    assert "\n" not in message
    assert "Traceback" not in message
    assert not re.search(r"0x[0-9a-f]{6}|object at|<class", message)


@pytest.fixture(scope="module")
def messages(tell):
    """The message of each combination."""
    messages = []
    yield messages
    tell(
        f"{len(messages)} combinations of module, call, fault, moment and duration; the longest"
        f" message has {max(map(len, messages))} characters"
    )


@pytest.mark.parametrize(("module", "call", "fault", "moment", "how_often"), list(combinations()))
def test_faults(account, options, network, messages, module, call, fault, moment, how_often):
    work = WORK.get(call, WORK["list"])
    held = account.seed([BYSTANDER, COMPANION, *work.held])
    if module == "sending_domain_restriction":
        options.update(work.wish)
    elif module == "sending_domain_restrictions":
        options["restrictions"] = [COMPANION, work.wish]
    elif call == "get":
        options["id"] = held[0]["id"]
    if "hang" in fault.name:
        options["timeout"] = TIMEOUT
    reads_only = module == "sending_domain_restriction_info"
    wanted = managed([BYSTANDER, COMPANION, *([] if reads_only else work.wanted)])
    times = fault.once if how_often == "once" else None
    break_it(fault, call, moment, times, account, network, held)

    result = run_module(module, options)

    now_held = account.restrictions()
    assert network.hits or any(entry["fault"] for entry in account.requests())
    uncertain = is_uncertain(fault, call, how_often)
    assert ("could not confirm" in result.get("msg", "")) == uncertain
    assert result.get("changed", False) == (managed(now_held) != managed(held) or uncertain)
    assert now_held[:2] == held[:2]
    assert bool(result.get("failed")) != comes_right(fault, call, moment, how_often)
    if result.get("failed"):
        assert managed(now_held) == managed(held)
        check_sentence(result["msg"], fault.says)
    else:
        assert managed(now_held) == wanted
    if reads_only and not result.get("failed"):
        found = result["sending_domain_restrictions"]
        assert [record["id"] for record in found] == [
            record["id"] for record in (held[:1] if call == "get" else held[:2])
        ]
    assert account.tokens["write"] not in json.dumps(result)

    account.clear_faults()
    network.fail("", 0, 0)
    healed = run_module(module, options)
    assert not healed.get("failed"), healed["msg"]
    assert managed(account.restrictions()) == wanted
    assert healed["changed"] == (managed(now_held) != wanted)
    assert not run_module(module, options)["changed"]
    messages.append(result["msg"])
    assert len(result["msg"]) < 2000
