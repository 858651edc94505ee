"""The SMTP transport on real sockets, against servers that do what they should not."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Session
from aiosmtpd.smtp import Envelope as ServerEnvelope

from newsletter_mail.errors import (
    ConnectFailed,
    SenderRefused,
    TransportError,
    TransportTimeout,
)
from newsletter_mail.transport.smtp import SmtpTransport
from newsletter_mail.words import Envelope, Outcome, Outgoing, Stage, Verdict
from tests.integration.smtp_feeds import (
    QUICK,
    SETTINGS,
    ListFeed,
    Results,
    deliver,
    impatient,
    messages,
    run,
)
from tests.integration.smtp_servers import Script, ScriptedServer


@pytest.mark.parametrize("pipelining", ["yes", "no"])
def test_every_message_arrives_once_byte_for_byte(pipelining: str) -> None:
    outgoing = messages(500, size=5000)
    settings = replace(SETTINGS, connections=8, messages_per_connection=40)
    results, server = run(Script(pipelining=pipelining == "yes"), outgoing, settings)
    assert results.error is None
    assert results.verdicts == {Verdict.ACCEPTED: 500}
    assert {
        (received.sender, received.recipient): received.content for received in server.received
    } == {
        (message.envelope.sender, message.envelope.recipient): b"".join(message.content)
        for message in outgoing
    }
    assert len(server.received) == 500
    assert server.most_open_connections <= 9  # one may still be saying good-bye


def test_eight_lanes_share_the_work() -> None:
    results, server = run(Script(), messages(4000), replace(SETTINGS, connections=8))
    assert results.verdicts == {Verdict.ACCEPTED: 4000}
    assert Counter(server.recipients).most_common(1)[0][1] == 1
    assert len(server.received) == 4000


def test_a_message_larger_than_every_buffer_arrives_whole() -> None:
    outgoing = messages(4, size=6_000_000)
    results, server = run(Script(), outgoing)
    assert results.verdicts == {Verdict.ACCEPTED: 4}
    assert sorted(len(received.content) for received in server.received) == sorted(
        message.size for message in outgoing
    )


def test_an_ordinary_server_takes_it() -> None:
    taken: list[ServerEnvelope] = []

    class Mailbox:
        async def handle_DATA(  # noqa: N802 - aiosmtpd's name
            self, server: SMTP, session: Session, envelope: ServerEnvelope
        ) -> str:
            taken.append(envelope)
            return "250 2.0.0 Ok"

    outgoing = [
        *messages(50),
        Outgoing(50, "ref50", Envelope("b@s.test", "jörg@x.test"), ("To: ä\r\n".encode(),)),
    ]
    feed = ListFeed(outgoing)
    results = Results(feed)

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(Mailbox(), enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0
        )
        port = server.sockets[0].getsockname()[1]
        await SmtpTransport(replace(SETTINGS, port=port)).run(feed, results.report)
        server.close()

    asyncio.run(scenario())
    assert results.verdicts == {Verdict.ACCEPTED: 51}
    assert {envelope.rcpt_tos[0] for envelope in taken} == {
        message.envelope.recipient for message in outgoing
    }
    assert {envelope.content for envelope in taken} == {
        b"".join(message.content) for message in outgoing
    }


@pytest.mark.parametrize("pipelining", ["yes", "no"])
@pytest.mark.parametrize("takes_nothing", ["yes", "no"])
def test_one_in_ten_is_dead_and_one_in_ten_is_greylisted(
    pipelining: str, takes_nothing: str
) -> None:
    script = Script(
        refuse_every=10,
        defer_every=10,
        pipelining=pipelining == "yes",
        takes_nothing=takes_nothing == "yes",
    )
    results, server = run(script, messages(200))
    assert results.error is None
    assert results.verdicts == {
        Verdict.ACCEPTED: 160,
        Verdict.ADDRESS_DEAD: 20,
        Verdict.TRY_LATER: 20,
    }
    accepted = [
        f"r{key}@x.test"
        for key, outcome in results.outcomes.items()
        if outcome.verdict is Verdict.ACCEPTED
    ]
    assert sorted(server.recipients) == sorted(accepted)


@pytest.mark.parametrize("pipelining", ["yes", "no"])
def test_421_after_each_fifth_message_costs_nothing(pipelining: str) -> None:
    results, server = run(Script(closes_after=5, pipelining=pipelining == "yes"), messages(200))
    assert results.error is None
    assert results.verdicts == {Verdict.ACCEPTED: 200}
    assert len(server.received) == 200
    assert server.connections >= 40


def test_connections_are_renewed_as_asked() -> None:
    settings = replace(SETTINGS, connections=1, messages_per_connection=10)
    results, server = run(Script(), messages(95), settings)
    assert results.verdicts == {Verdict.ACCEPTED: 95}
    assert server.connections == 10
    assert server.commands.count("QUIT") == 10


def test_no_more_connections_than_messages() -> None:
    _, server = run(Script(), messages(1), replace(SETTINGS, connections=10))
    assert server.connections == 1


def test_a_server_that_takes_one_connection_gets_everything_on_it() -> None:
    results, server = run(Script(max_connections=1, delay_s=0.003), messages(100))
    assert results.error is None
    assert results.verdicts == {Verdict.ACCEPTED: 100}
    assert len(server.received) == 100


@pytest.mark.parametrize("phase", ["banner", "ehlo"])
def test_a_server_that_hangs_before_the_first_message(phase: str) -> None:
    results, _ = run(Script(hang=phase), messages(5), impatient(phase))
    assert isinstance(results.error, TransportTimeout)
    assert "did not answer the greeting within 0.2 s" in str(results.error)
    assert set(results.verdicts) == {Verdict.NOT_HANDED_OVER}


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("pipelining", ["yes", "no"])
def test_a_server_that_hangs_before_the_dot(phase: str, pipelining: str) -> None:
    script = Script(hang=phase, pipelining=pipelining == "yes")
    results, server = run(script, messages(1), impatient(phase))
    assert results.error is None
    assert results.outcomes[0].verdict is Verdict.NOT_HANDED_OVER
    assert f"did not answer {phase.upper()} within" in results.outcomes[0].reply.text
    assert server.connections == 2, "once more, at once"


def test_a_server_that_hangs_after_the_dot() -> None:
    results, server = run(Script(hang="body"), messages(1), impatient("body"))
    assert results.error is None
    assert results.outcomes[0].verdict is Verdict.NO_ANSWER
    assert results.outcomes[0].stage is Stage.BODY
    assert server.connections == 1


@pytest.mark.parametrize("phase", ["mail", "rcpt"])
def test_a_server_that_always_hangs_is_given_up(phase: str) -> None:
    settings = replace(impatient(phase), connections=1)
    results, server = run(Script(hang=phase), messages(50), settings)
    assert isinstance(results.error, TransportTimeout)
    assert server.connections == len(SETTINGS.backoff) + 1
    assert len(results.outcomes) < 8


@pytest.mark.parametrize("connections", [1, 2, 4])
@pytest.mark.parametrize("pipelining", ["yes", "no"])
@pytest.mark.parametrize("way", ["hang", "drop"])
def test_a_server_that_takes_and_never_answers_is_given_up(
    way: str, pipelining: str, connections: int
) -> None:
    script = Script(
        hang="body" if way == "hang" else "",
        drop="body" if way == "drop" else "",
        pipelining=pipelining == "yes",
        delay_s=0.002,
    )
    settings = replace(impatient("body"), connections=connections)
    results, _ = run(script, messages(200), settings)
    assert isinstance(results.error, TransportTimeout if way == "hang" else ConnectFailed)
    # What was on the wire, and one more to see whether the fault has passed.
    assert 1 < results.verdicts[Verdict.NO_ANSWER] <= connections + 1
    assert set(results.verdicts) <= {Verdict.NO_ANSWER, Verdict.NOT_HANDED_OVER}


def test_a_server_that_answers_every_second_message_is_given_up() -> None:
    settings = replace(SETTINGS, connections=4)
    results, _ = run(Script(answers_per_connection=1, delay_s=0.001), messages(300), settings)
    assert isinstance(results.error, ConnectFailed)
    assert results.verdicts[Verdict.NO_ANSWER] <= 8


@pytest.mark.parametrize("pipelining", ["yes", "no"])
def test_a_fault_that_passes_costs_what_was_on_the_wire(pipelining: str) -> None:
    settings = replace(SETTINGS, connections=4)
    script = Script(loses_first=4, pipelining=pipelining == "yes", delay_s=0.001)
    results, server = run(script, messages(100), settings)
    assert results.error is None
    assert results.verdicts == {Verdict.ACCEPTED: 96, Verdict.NO_ANSWER: 4}
    assert len(server.received) == 96


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data"])
def test_lost_before_the_dot(phase: str) -> None:
    results, server = run(Script(drop=phase), messages(1))
    assert results.outcomes[0].verdict is Verdict.NOT_HANDED_OVER
    assert server.connections == 2


def test_lost_after_the_dot() -> None:
    results, server = run(Script(drop="body"), messages(1))
    assert results.outcomes[0].verdict is Verdict.NO_ANSWER
    assert server.connections == 1


@pytest.mark.parametrize("pipelining", ["yes", "no"])
def test_lost_in_the_middle_of_the_content(pipelining: str) -> None:
    script = Script(drop_body_after=1000, pipelining=pipelining == "yes", receive_buffer=1000)
    results, server = run(script, messages(1, size=20_000_000))
    assert results.outcomes[0].verdict is Verdict.NOT_HANDED_OVER
    assert server.connections == 2


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data", "body"])
def test_a_server_that_always_says_421_is_given_up(phase: str) -> None:
    script = Script(replies={phase: b"421 4.3.2 closing\r\n"})
    results, server = run(script, messages(100), replace(SETTINGS, connections=1))
    assert isinstance(results.error, ConnectFailed)
    assert "421 4.3.2 closing" in str(results.error)
    assert results.outcomes[0].verdict is Verdict.TRY_LATER
    assert results.outcomes[0].stage is Stage(phase)
    assert len(results.outcomes) < 6
    assert server.received == []


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data", "body"])
def test_a_server_that_dies_once_costs_nothing(phase: str) -> None:
    script = Script(replies_once={phase: b"421 4.3.2 Service shutting down\r\n"})
    results, server = run(script, messages(20))
    assert results.verdicts == {Verdict.ACCEPTED: 20}
    # The one that was answered 421 after its content was received twice, and accepted once.
    assert len(server.received) == (21 if phase == "body" else 20)


@pytest.mark.parametrize(
    ("script", "error", "sentence"),
    [
        (Script(replies={"banner": b"554 5.7.1 go away\r\n"}), SenderRefused, "go away"),
        (Script(replies={"banner": b"421 4.3.2 busy\r\n"}), ConnectFailed, "busy"),
        (Script(replies={"banner": b"SSH-2.0-x\r\n"}), ConnectFailed, "does not speak SMTP"),
        (Script(replies={"banner": b"220-more\r\n" * 200}), ConnectFailed, "more than 100 lines"),
        (Script(replies={"ehlo": b"x" * 100_000}), ConnectFailed, "longer than 2048 bytes"),
        (Script(drop="banner"), ConnectFailed, "closed the connection"),
    ],
)
def test_a_way_that_is_broken(script: Script, error: type[TransportError], sentence: str) -> None:
    results, _ = run(script, messages(20))
    assert type(results.error) is error
    assert sentence in str(results.error)
    assert set(results.verdicts) <= {Verdict.NOT_HANDED_OVER}
    assert len(results.outcomes) <= 2


def test_nobody_listens() -> None:
    async def scenario() -> Results:
        server = ScriptedServer()
        await server.start()
        await server.stop()
        return await deliver(server, messages(3))

    results = asyncio.run(scenario())
    assert isinstance(results.error, ConnectFailed)
    assert "cannot connect to 127.0.0.1:" in str(results.error)
    assert "refused" in str(results.error)


def test_no_host_of_this_name() -> None:
    feed = ListFeed(messages(1))
    results = Results(feed)
    transport = SmtpTransport(replace(SETTINGS, host="nowhere.invalid", port=25, backoff=()))
    with pytest.raises(ConnectFailed, match=r"nowhere\.invalid:25: there is no host"):
        asyncio.run(transport.run(feed, results.report))
    assert results.verdicts == {Verdict.NOT_HANDED_OVER: 1}


def test_a_server_that_comes_back_in_time() -> None:
    async def scenario() -> Results:
        server = ScriptedServer()
        await server.start()
        await server.stop()
        patient = replace(SETTINGS, backoff=(0.2, 0.2, 0.2))
        delivery = asyncio.create_task(deliver(server, messages(20), patient))
        await asyncio.sleep(0.1)
        await server.start(server.port)
        results = await delivery
        await server.stop()
        return results

    results = asyncio.run(scenario())
    assert results.error is None
    assert results.verdicts == {Verdict.ACCEPTED: 20}


def test_an_empty_feed_opens_nothing() -> None:
    results, server = run(Script(), [])
    assert results.outcomes == {}
    assert server.connections == 0


def test_a_feed_that_keeps_us_waiting() -> None:
    class SlowFeed(ListFeed):
        async def next(self) -> Outgoing | None:
            await asyncio.sleep(0.01)
            return super().next_now()

        def next_now(self) -> Outgoing | None:
            return None

    async def scenario() -> tuple[Results, ScriptedServer]:
        async with ScriptedServer() as server:
            feed = SlowFeed(messages(20))
            results = Results(feed)
            await SmtpTransport(replace(SETTINGS, port=server.port)).run(feed, results.report)
            return results, server

    results, server = asyncio.run(scenario())
    assert results.verdicts == {Verdict.ACCEPTED: 20}
    assert server.connections == 1, "a connection that is free is used before another is opened"


def test_a_server_that_closes_idle_connections() -> None:
    class PausingFeed(ListFeed):
        async def next(self) -> Outgoing | None:
            await asyncio.sleep(0.1 if len(self.left) == 10 else 0)
            return super().next_now()

        def next_now(self) -> Outgoing | None:
            return None if len(self.left) == 10 else super().next_now()

    async def scenario() -> Results:
        async with ScriptedServer(Script(idle_s=0.03)) as server:
            feed = PausingFeed(messages(20))
            results = Results(feed)
            await SmtpTransport(replace(SETTINGS, port=server.port)).run(feed, results.report)
            assert server.connections > 1
            return results

    assert asyncio.run(scenario()).verdicts == {Verdict.ACCEPTED: 20}


@pytest.mark.parametrize("way", ["nobody listens", "no greeting", "lost in the middle"])
def test_a_feed_that_is_closed_gets_back_what_no_server_has(way: str) -> None:
    class ClosingFeed(ListFeed):
        def close(self) -> None:
            self.is_closed = True

    async def scenario() -> Results:
        async with ScriptedServer(Script(hang="banner" if way == "no greeting" else "")) as server:
            feed = ClosingFeed(messages(50))
            results = Results(feed)
            loop = asyncio.get_running_loop()

            def report(outgoing: Outgoing, outcome: Outcome) -> None:
                results.report(outgoing, outcome)
                if len(results.outcomes) == 5:
                    stopped.append(loop.create_task(server.stop()))
                    loop.call_later(0.05, feed.close)

            stopped = [loop.create_task(server.stop())] if way == "nobody listens" else []
            if way != "lost in the middle":
                loop.call_later(0.05, feed.close)
            # Longer than the test may take.
            settings = replace(SETTINGS, port=server.port, backoff=(60.0,) * 4)
            settings = replace(settings, timeouts=replace(QUICK, banner=60.0))
            await asyncio.wait_for(SmtpTransport(settings).run(feed, report), 20)
            assert feed.in_hand == 0
            await asyncio.gather(*stopped)
            return results

    results = asyncio.run(scenario())
    assert results.verdicts[Verdict.NOT_HANDED_OVER] > 0
    certain = {Verdict.NOT_HANDED_OVER}
    if way == "lost in the middle":
        assert results.verdicts[Verdict.ACCEPTED] >= 5
        certain |= {Verdict.ACCEPTED, Verdict.NO_ANSWER}
    assert set(results.verdicts) <= certain


class CallerError(Exception):
    pass


@pytest.mark.parametrize("where", ["next", "next_now", "report"])
def test_an_error_of_the_caller_comes_back_to_the_caller(where: str) -> None:
    class BrokenFeed(ListFeed):
        def trip(self, here: str) -> None:
            if where == here and len(self.left) == 10:
                raise CallerError

        async def next(self) -> Outgoing | None:
            self.trip("next")
            return super().next_now()

        def next_now(self) -> Outgoing | None:
            if where == "next" and len(self.left) == 10:
                return None
            self.trip("next_now")
            return super().next_now()

    async def scenario() -> Results:
        async with ScriptedServer() as server:
            feed = BrokenFeed(messages(20))
            results = Results(feed)

            def report(outgoing: Outgoing, outcome: Outcome) -> None:
                results.report(outgoing, outcome)
                feed.trip("report")

            with pytest.raises(CallerError):
                await SmtpTransport(replace(SETTINGS, port=server.port)).run(feed, report)
            assert feed.in_hand == 0
            return results

    results = asyncio.run(scenario())
    assert set(results.verdicts) <= {Verdict.ACCEPTED, Verdict.NOT_HANDED_OVER}
    assert results.verdicts[Verdict.ACCEPTED] >= 5


@pytest.mark.parametrize("pipelining", ["yes", "no"])
def test_cancelled_in_the_middle(pipelining: str) -> None:
    async def scenario() -> tuple[Results, ScriptedServer]:
        async with ScriptedServer(Script(delay_s=0.002, pipelining=pipelining == "yes")) as server:
            feed = ListFeed(messages(1000))
            results = Results(feed)
            transport = SmtpTransport(replace(SETTINGS, port=server.port))
            task = asyncio.create_task(transport.run(feed, results.report))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert feed.in_hand == 0
            return results, server

    results, server = asyncio.run(scenario())
    assert 0 < results.verdicts[Verdict.ACCEPTED] < 1000
    assert results.verdicts[Verdict.NO_ANSWER] <= 3
    certain = {
        f"r{key}@x.test"
        for key, outcome in results.outcomes.items()
        if outcome.verdict is Verdict.NOT_HANDED_OVER
    }
    assert not certain & set(server.recipients)


def test_what_a_server_cannot_take_is_not_tried() -> None:
    outgoing = [
        *messages(2),
        Outgoing(2, "ref2", Envelope("b@s.test", "jörg@x.test", True), (b"x\r\n",)),
        Outgoing(3, "ref3", Envelope("b@s.test", "big@x.test"), (b"x" * 2000 + b"\r\n",)),
    ]
    results, server = run(Script(extensions=("SIZE 1000",)), outgoing)
    assert results.outcomes[2].verdict is Verdict.ADDRESS_UNSUPPORTED
    assert results.outcomes[3].verdict is Verdict.MESSAGE_REFUSED
    assert results.verdicts[Verdict.ACCEPTED] == 2
    assert server.rcpt_count == 2


def test_a_server_that_drips_is_no_friend() -> None:
    script = Script(drip_s=0.05, replies={"mail": b"250-and more\r\n" * 90 + b"250 Ok\r\n"})
    results, _ = run(script, messages(1), impatient("mail"))
    assert results.outcomes[0].verdict is Verdict.NOT_HANDED_OVER


def test_a_slow_line_is_not_a_dead_server() -> None:
    # A reader that takes 0.8 s at least, and patience for 0.4 s without progress.
    script = Script(read_delay_s=0.01, receive_buffer=65536)
    settings = replace(SETTINGS, timeouts=replace(SETTINGS.timeouts, body=0.4))
    results, _ = run(script, messages(1, size=20_000_000), settings)
    assert results.verdicts == {Verdict.ACCEPTED: 1}


def test_every_server_refusal_of_us_is_reported() -> None:
    results, _ = run(Script(replies={"mail": b"550 5.1.7 who are you?\r\n"}), messages(5))
    assert results.verdicts == {Verdict.WE_ARE_REFUSED: 5}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("pipelining", ["yes", "no"])
def test_whatever_happens_the_report_is_true(pipelining: str, seed: int) -> None:
    script = Script(
        chaos=25, chaos_seed=seed, pipelining=pipelining == "yes", refuse_every=9, defer_every=9
    )
    settings = replace(SETTINGS, connections=8, backoff=(0.001,) * 50, messages_per_connection=30)
    results, server = run(script, messages(300), settings)
    assert results.error is None
    assert len(results.outcomes) == 300
    received = Counter(server.recipients)
    assert max(received.values()) == 1
    by_verdict: dict[Verdict, set[str]] = {verdict: set() for verdict in Verdict}
    for key, outcome in results.outcomes.items():
        by_verdict[outcome.verdict].add(f"r{key}@x.test")
    assert by_verdict[Verdict.ACCEPTED] <= received.keys()
    assert received.keys() <= by_verdict[Verdict.ACCEPTED] | by_verdict[Verdict.NO_ANSWER]
    assert len(by_verdict[Verdict.ACCEPTED]) > 100


def test_the_server_as_a_process(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    command = [sys.executable, "-m", "tests.integration.smtp_servers", "--log", str(log)]
    command += ["--refuse-every", "10", "550 5.1.1 nobody", "--421-after", "5", "--no-pipelining"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            feed = ListFeed(messages(40))
            results = Results(feed)
            asyncio.run(SmtpTransport(replace(SETTINGS, port=port)).run(feed, results.report))
        finally:
            process.kill()
    assert results.verdicts == {Verdict.ACCEPTED: 36, Verdict.ADDRESS_DEAD: 4}
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(lines) == 36
    accepted = {key for key, it in results.outcomes.items() if it.verdict is Verdict.ACCEPTED}
    assert {line["message_id"] for line in lines} == {f"<{key}@s.test>" for key in accepted}
    assert {(line["recipient"], line["sender"]) for line in lines} == {
        (f"r{key}@x.test", f"b+{key}@s.test") for key in accepted
    }
