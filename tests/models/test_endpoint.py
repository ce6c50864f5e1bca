"""Endpoint against real servers on this machine. Some 4 s, most of it the SDK's import."""

import asyncio
import contextlib
import email.utils
import gc
import json
import logging
import socket
import threading
import time
import traceback

import faults
import pytest
from aiohttp import web
from openai import AsyncOpenAI, DefaultAioHttpClient
from serving import completion, serving

from commonage.errors import SpecError
from commonage.model import MOST, Message, Reply, Trouble
from commonage.models import decide
from commonage.models.endpoint import Endpoint

SECRET = "sk-planted-0123456789abcdef"
ASKED = [Message("system", "A game of two."), Message("user", "Your move? Answer with exactly one of: cooperate, defect")]


def at(address: str, **more) -> Endpoint:
    return Endpoint("openai/gpt-x", "gpt-x", address, SECRET, **more)


def chat(address: str, messages=ASKED, *, settings=None, **more) -> Reply:
    return asyncio.run(at(address, **more).chat(messages, **(settings or {})))


def choose(address: str, options=("cooperate", "defect"), **settings) -> Reply:
    return asyncio.run(at(address).decide(ASKED, options, **settings))


def trouble(says, **more) -> Trouble:
    """What a server that answers `says` comes to."""
    with serving(lambda messages: says) as server, pytest.raises(Trouble) as caught:
        chat(server.address, **more)
    return caught.value


# chat


def test_a_request_and_its_reply():
    with serving() as server:
        reply = chat(server.address, settings={"temperature": 0.7, "top_k": 5})
    path, headers, body = server.seen[0]
    assert reply == Reply("They cooperated.\ncooperate", "stop", "", 20, 5, 8)
    assert (path, headers["Authorization"]) == ("/v1/chat/completions", f"Bearer {SECRET}")
    sent = [{"role": "system", "content": ASKED[0].text}, {"role": "user", "content": ASKED[1].text}]
    assert body == {"model": "gpt-x", "messages": sent, "temperature": 0.7, "top_k": 5}


def test_settings_go_under_the_providers_own_names():
    with serving() as server:
        chat(server.address, settings={"max_tokens": 9}, renamed={"max_tokens": "max_completion_tokens"})
    assert server.seen[0][2]["max_completion_tokens"] == 9
    assert "max_tokens" not in server.seen[0][2]


def test_tokens_that_are_not_reported_are_guessed_and_said_so():
    with serving(lambda messages: {**completion("cooperate"), "usage": None}) as server:
        reply = chat(server.address)
    assert not reply.counted
    assert (reply.tokens_in, reply.tokens_out) == (sum(len(message.text) for message in ASKED) // 4 + 1, 3)


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (completion(None), Reply("")),
        (completion(""), Reply("")),
        (completion(None, refusal="I won't."), Reply("", refusal="I won't.")),
        (completion("half", finish="length"), Reply("half", "length")),
        (completion("", finish="content_filter"), Reply("", "content_filter", "the provider's content filter")),
        (completion([{"type": "text", "text": "def"}, {"type": "text", "text": "ect"}]), Reply("defect")),
        (completion("one\x00two \ud800"), Reply("one\x00two ?")),
        (completion("so on " * 20_000), Reply("so on " * 20_000)),
    ],
)
def test_what_the_model_says_is_a_reply_even_where_it_is_nothing(answer, reply):
    with serving(lambda messages: answer) as server:
        assert chat(server.address) == reply._replace(tokens_in=20, tokens_out=5, tokens_cached=8)


def test_what_the_provider_will_not_take_is_a_refusal():
    error = {"error": {"message": "This model's maximum context length is 8 tokens.", "code": "context_length_exceeded"}}
    with serving(lambda messages: web.json_response(error, status=400)) as server:
        assert chat(server.address).refusal == "400 This model's maximum context length is 8 tokens."


# what comes in between


@pytest.mark.parametrize(
    ("kind", "status", "again", "says"),
    [
        ("429", 429, True, "by the script"),
        ("500", 500, True, "by the script"),
        ("503", 503, True, "by the script"),
        ("401", 401, False, "does not accept the key"),
        ("403", 403, False, "does not accept the key"),
        ("404", 404, False, "by the script"),
        ("dropped", 0, True, "disconnected"),
        ("cut", 0, True, "enough data"),
        ("html", 200, True, "a page of HTML"),
        ("no choices", 200, True, "without choices"),
        ("no answer", 0, True, "no answer within 0.2 s"),
    ],
)
def test_every_trouble_on_the_way(kind, status, again, says):
    with faults.serving(f'[[fault]]\nkind = "{kind}"') as server, pytest.raises(Trouble) as caught:
        chat(server.address, timeout=0.2 if kind == "no answer" else 10)
    assert (caught.value.status, caught.value.again) == (status, again)
    assert says in str(caught.value)
    assert len(server.requests) == 1  # the desk tries again, not the client


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Trouble, match=f"^nobody listens at http://127.0.0.1:{port}/v1$") as caught:
        chat(f"http://127.0.0.1:{port}/v1")
    assert (caught.value.status, caught.value.again) == (0, True)


@pytest.mark.parametrize(
    "answer",
    [
        [],
        None,
        {},
        {"choices": None},
        {"choices": [None]},
        {"choices": [{}]},
        {"choices": [{"message": None}]},
        completion(7),
        web.Response(body=b"nonsense"),
        web.Response(body=b"[" * 100_000, content_type="application/json"),
        web.Response(body=b"not gzip", headers={"Content-Encoding": "gzip"}),
        web.Response(status=204),
    ],
)
def test_a_reply_that_is_none_is_trouble(answer):
    assert trouble(answer).again


def test_a_server_that_does_not_speak_http():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_babble, args=(listening,))
        thread.start()
        with pytest.raises(Trouble):
            chat(f"http://127.0.0.1:{listening.getsockname()[1]}/v1")
        thread.join()


def _babble(listening: socket.socket) -> None:
    with contextlib.closing(listening.accept()[0]) as caller:
        caller.recv(65_536)
        caller.sendall(b"220 mail.example ESMTP\r\n\r\n")


def test_an_error_that_comes_as_a_reply():
    found = trouble({"error": {"message": "Upstream is busy", "code": 429}})
    assert (str(found), found.status, found.again) == ("429 Upstream is busy", 429, True)
    assert trouble({"error": "out of memory"}).status == 500


def test_money_that_is_gone_comes_back_by_no_waiting():
    error = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    assert not trouble(web.json_response(error, status=429)).again


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7), ("0.5", 0.5), ("soon", 0), ("-3", 0), ("inf", 0), ("nan", 0), ("Mon, 99 Jan 99999 00:00:00 GMT", 0)]
)
def test_the_seconds_of_retry_after(value, seconds):
    assert trouble(web.Response(status=429, headers={"Retry-After": value})).after == seconds


def test_the_date_of_retry_after():
    date = email.utils.formatdate(time.time() + 1_000, usegmt=True)
    assert 900 < trouble(web.Response(status=503, headers={"Retry-After": date})).after < 1_001


def test_what_a_server_says_cannot_steer_a_terminal():
    says = {"error": {"message": "busy\x1b[2J\x07 \ud800\nand so on"}}
    assert str(trouble(web.json_response(says, status=503))) == "503 busy?[2J? ? and so on"


def test_a_redirect_is_not_followed():
    with serving() as elsewhere:
        found = trouble(web.Response(status=307, headers={"Location": elsewhere.address + "/chat/completions"}))
    assert (found.status, found.again, elsewhere.seen) == (307, False, [])


def test_half_a_character_is_trouble_of_this_request_alone():
    with serving() as server, pytest.raises(Trouble, match="surrogate") as caught:
        chat(server.address, [Message("user", "\ud800")])
    assert (caught.value.status, caught.value.again) == (400, False)


def test_what_is_lacking_is_said_and_nothing_is_sent():
    with serving() as server, pytest.raises(Trouble, match="no key for groq") as caught:
        chat(server.address, lacks="no key for groq/x: set GROQ_API_KEY")
    assert (caught.value.again, server.seen) == (False, [])


# keys


def test_a_key_shows_nowhere(caplog):
    caplog.set_level(logging.DEBUG)
    shown, statuses = list[str](), iter((429, 401, 500))
    with serving(lambda messages: web.json_response({"error": {"message": f"Your key: {SECRET}"}}, status=next(statuses))) as server:
        model = at(server.address)
        for _ in range(3):
            with pytest.raises(Trouble) as caught:
                asyncio.run(model.chat(ASKED))
            shown += [str(caught.value), repr(caught.value), "".join(traceback.format_exception(caught.value))]
    shown += [repr(model), str(model), repr(vars(model)), caplog.text]
    assert [headers["Authorization"] for _, headers, _ in server.seen] == [f"Bearer {SECRET}"] * 3
    assert "429 Your key: [key]" in "".join(shown)
    assert SECRET not in "".join(shown)


def test_a_key_that_comes_back_in_a_reply_is_taken_out():
    with serving(lambda messages: completion(f"Bearer {SECRET}")) as server:
        assert chat(server.address).text == "Bearer [key]"


def test_no_key_no_header(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with serving() as server:
        asyncio.run(Endpoint("m", "m", server.address).chat(ASKED))
    assert "Authorization" not in server.seen[0][1]


def test_what_the_environment_holds_for_openai_goes_to_nobody_else(monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-mine")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway: token-of-mine")
    with serving() as server:
        chat(server.address)
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        chat(server.address)
    stranger, own = (json.dumps(headers) for _, headers, _ in server.seen)
    assert "mine" not in stranger
    assert "token-of-mine" in own


@pytest.mark.parametrize(
    "address", ["", "localhost:8000", "ftp://x/v1", "http://host:port/v1", "http://user:pass@host/v1", "https://host/v1?key=abc"]
)
def test_an_address_that_is_none_or_holds_a_secret(address):
    with pytest.raises(SpecError) as caught:
        at(address)
    assert "pass" not in str(caught.value).replace("password", "")


def test_a_key_that_no_header_can_carry_is_not_repeated():
    with pytest.raises(SpecError, match="no header can carry") as caught:
        Endpoint("m", "m", "http://127.0.0.1:1/v1", f"{SECRET}\n\u20ac")
    assert SECRET not in str(caught.value)


# connections


def test_one_client_for_a_loop_and_nothing_left_open():
    async def many(model: Endpoint) -> int:
        replies = await asyncio.gather(*(model.chat(ASKED) for _ in range(100)))
        for _ in range(20):
            await model.chat(ASKED)
        return len(replies)

    with serving() as server:
        model = at(server.address)
        assert [asyncio.run(many(model)) for _ in range(2)] == [100, 100]  # the second loop has a client of its own
    gc.collect()  # what was left open would warn now, and a warning is an error
    assert len(server.seen) == 240
    assert len(server.connections) <= 200


def test_a_closed_model_opens_again():
    async def thrice(model: Endpoint) -> None:
        await model.chat(ASKED)
        await model.close()
        await model.close()
        await model.chat(ASKED)

    with serving() as server:
        asyncio.run(thrice(at(server.address)))
    assert len(server.seen) == 2


# decide


def test_labels_give_the_probabilities_of_the_options():
    with serving(likes={"cooperate": 3.0, "defect": 1.0}.__getitem__) as server:
        reply = choose(server.address, route="labels")
    body = server.seen[0][2]
    assert reply.p == pytest.approx((0.75, 0.25))
    assert reply.mass == pytest.approx(1.0)
    assert (body["max_tokens"], body["temperature"], body["top_logprobs"]) == (1, 1, MOST)
    assert (body["top_k"], body["min_p"]) == (0, 0)  # a server of one's own; a provider would refuse them
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert (reply.tokens_in, reply.tokens_out, reply.tokens_cached) == (40, 10, 16)  # of both requests


def test_a_liking_for_the_first_label_cancels_and_is_logged():
    with serving(first=3.0) as server:
        reply = choose(server.address, route="labels")
    kept = json.loads(reply.text)
    assert reply.p == pytest.approx((0.5, 0.5))
    assert sorted(kept["orders"]) == [[0, 1], [1, 0]]
    assert [p[order[0]] for order, p in zip(kept["orders"], kept["p"], strict=True)] == [0.75, 0.75]
    assert (kept["route"], kept["mass"]) == ("labels", [1.0, 1.0])


@pytest.mark.parametrize("route", ["labels", "decisions"])
def test_what_was_sent_can_be_shown_again(route):
    with serving(routes=("chat/completions", "decisions")) as server:
        reply = choose(server.address, ("a", "b", "c"), route=route)
    shown = [[message.text for message in conversation] for conversation in decide.sent(ASKED, reply.text)]
    if route == "labels":
        assert shown == [[message["content"] for message in body["messages"]] for _, _, body in server.seen]
    else:
        questions = [body["questions"][0] for _, _, body in server.seen]
        listed = ["\n".join([one["instructions"], *(choice["value"] for choice in one["choices"])]) for one in questions]
        assert shown == [[ASKED[0].text, ASKED[1].text, question] for question in listed]


def test_probability_off_the_labels_is_kept_and_too_much_of_it_a_refusal():
    with serving(off=0.3) as server:
        assert choose(server.address, route="labels").mass == pytest.approx(0.7)
        strict = choose(server.address, route="labels", least_mass=0.9)
    assert (strict.p, strict.refusal) == ((), "only 0.70 of the probability lay on the labels; at least 0.9 is asked")
    with serving(off=1.0) as server:
        assert choose(server.address, route="labels", least_mass=0.0).refusal.startswith("only 0.00")


def test_a_server_without_log_probabilities_cannot_decide():
    with serving() as server:
        server.labels = lambda question: []
        with pytest.raises(Trouble, match="verb=chat") as caught:
            choose(server.address)
    assert not caught.value.again


@pytest.mark.parametrize("route", ["decisions", "systemone"])
def test_a_decision_endpoint_is_found_and_taken(route):
    with serving(likes={"cooperate": 3.0, "defect": 1.0}.__getitem__, routes=("chat/completions", route)) as server:
        reply = choose(server.address)
    assert reply.p == pytest.approx((0.75, 0.25))
    assert (json.loads(reply.text)["route"], str(reply.mass)) == (route, "nan")
    assert reply.tokens_in == {"decisions": 60, "systemone": 80}[route]


def test_a_decision_is_asked_as_the_sdk_asks_it():
    question = {"type": "choice", "instructions": decide.ASK, "choices": [{"value": "a"}, {"value": "b"}]}

    async def by_the_sdk(address: str):
        async with AsyncOpenAI(base_url=address, api_key=SECRET, http_client=DefaultAioHttpClient()) as client:
            return await client.decisions.create(model="gpt-x", input=decide.chat_messages(ASKED), questions=[question])

    with serving(routes=("decisions",)) as server:
        answer = asyncio.run(by_the_sdk(server.address)).answers[0]
        asyncio.run(at(server.address).decide(ASKED, ("a", "b")))
    theirs, *ours = [body for _, _, body in server.seen]
    assert [one.probability for one in answer.probabilities] == [0.5, 0.5]  # so the server speaks the protocol
    assert theirs in ours


def test_a_conversation_goes_to_systemone_as_one():
    talk = [*ASKED, Message("assistant", "defect"), Message("user", "And now?")]
    with serving(routes=("systemone",)) as server:
        asyncio.run(at(server.address).decide(talk, ("a", "b"), route="systemone"))
        choose(server.address, route="systemone")
    assert [turn["role"] for turn in server.seen[0][2]["state"]] == ["system", "user", "assistant", "user"]
    assert server.seen[-1][2]["state"] == f"{ASKED[0].text}\n\n{ASKED[1].text}"


def test_the_route_is_looked_for_once():
    async def many(model: Endpoint) -> None:
        await asyncio.gather(*(model.decide(ASKED, ("a", "b")) for _ in range(20)))

    with serving() as server:
        asyncio.run(many(at(server.address)))
    paths = [path.removeprefix("/v1/") for path, _, _ in server.seen]
    assert (paths.count("decisions"), paths.count("systemone"), paths.count("chat/completions")) == (1, 1, 40)


def test_trouble_while_looking_is_no_answer_about_the_route():
    with faults.serving('[[fault]]\nkind = "500"') as server, pytest.raises(Trouble) as caught:
        choose(server.address)
    assert caught.value.status in (404, 500)
    with serving(routes=("decisions",)) as server:
        server.decisions = lambda body: web.json_response({}, status=503)
        with pytest.raises(Trouble, match="503"):
            choose(server.address)
    assert [path for path, _, _ in server.seen] == ["/v1/decisions"]


def test_a_declined_question_is_a_refusal():
    with serving(routes=("decisions",)) as server:
        server.decisions = lambda body: {"model": "m", "answers": [{"type": "refusal", "name": None}]}
        assert choose(server.address).refusal == "it declined to answer"


@pytest.mark.parametrize("p", [{"cooperate": 0.0}, {"cooperate": -1.0, "defect": 2.0}, {"other": 1.0}, {"cooperate": "all"}, []])
def test_probabilities_that_are_none_are_trouble(p):
    with serving(routes=("systemone",)) as server:
        server.systemone = lambda body: {"answers": {"choice": {"probabilities": p}}}
        with pytest.raises(Trouble, match="without probabilities"):
            choose(server.address, route="systemone")


@pytest.mark.parametrize("options", [(), ("only",), ("a", "a"), tuple(map(str, range(MOST + 1)))])
def test_options_that_cannot_be_told_apart(options):
    with pytest.raises(SpecError, match="2 to 20 different options"):
        choose("http://127.0.0.1:1/v1", options)


def test_twenty_options_and_an_unknown_route():
    options = tuple(f"{i} tons" for i in range(MOST))
    with serving(likes=lambda option: float(option.split()[0])) as server:
        assert choose(server.address, options).p == pytest.approx([i / 190 for i in range(MOST)])
    with pytest.raises(SpecError, match="route='guess'"):
        choose("http://127.0.0.1:1/v1", route="guess")
    with pytest.raises(SpecError, match="orders=0"):
        choose("http://127.0.0.1:1/v1", orders=0)


def test_orders_are_seeded_and_balanced():
    options = ["a", "b", "c", "d"]
    every = decide.orders(options, 8, seed=3)
    assert every == decide.orders(options, 8, seed=3)
    assert len({decide.orders(options, 1, seed=s)[0][0] for s in range(20)}) == 4
    assert all(sorted(order) == [0, 1, 2, 3] for order in every)
    assert [sorted(order[place] for order in every) for place in range(4)] == [[0, 0, 1, 1, 2, 2, 3, 3]] * 4
    assert decide.orders(options, 2)[1] == decide.orders(options, 2)[0][::-1]
    assert len(decide.orders(["a", "b"], 6)) == 2
