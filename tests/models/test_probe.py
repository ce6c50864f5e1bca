"""What a probe finds out about servers of known habits. Under two seconds."""

import asyncio
import json

from aiohttp import web
from serving import Server, completion, serving

from commonage.models.endpoint import Endpoint
from commonage.models.fake import Fake
from commonage.models.probe import REQUESTS, probe, told


def found(server: Server) -> dict:
    result = asyncio.run(probe(Endpoint("local/m", "m", server.address)))
    assert json.loads(json.dumps(result)) == result
    assert len(server.seen) <= REQUESTS
    return result


def first_listed(messages: list[dict[str, str]]) -> dict:
    """Says the word that is listed first."""
    return completion(messages[-1]["content"].rpartition(": ")[2].split(", ")[0])


def test_a_server_that_can_everything():
    def says(messages):
        return completion('{"colour": "blue"}') if "colour" in messages[-1]["content"] else first_listed(messages)

    with serving(says, first=3.0) as server:
        result = found(server)
    assert (result["verbs"], result["decide_route"]) == (["chat", "decide"], "labels")
    assert (result["logprobs"], result["json_schema"]) == (True, True)
    assert (result["order_bias"]["verb"], result["order_bias"]["first"], result["order_bias"]["n"]) == ("decide", 0.75, 16)
    assert result["order_bias"]["low"] < 0.75 < result["order_bias"]["high"]
    assert (result["tokens"], result["price"], result["trouble"]) == ({"in": 20, "out": 5, "reported": True}, [0.0, 0.0, None], {})
    assert "first of two       0.75 [0.51, 0.90] of 16 by decide" in told(result)


def test_a_server_that_takes_a_schema_and_ignores_it():
    for says in (first_listed, lambda messages: completion('{"color": "blue"}'), lambda messages: completion('{"colour": 7}')):
        with serving(says) as server:
            result = found(server)
        assert any("response_format" in body for _, _, body in server.seen)
        assert result["json_schema"] is False


def test_without_log_probabilities_the_bias_is_that_of_chat():
    with serving(first_listed) as server:
        server.labels = lambda question: []
        result = found(server)
    assert (result["verbs"], result["logprobs"], result["decide_route"]) == (["chat"], False, None)
    assert (result["order_bias"]["first"], result["order_bias"]["verb"]) == (1.0, "chat")
    assert result["order_bias"]["low"] > 0.5
    assert "verb=chat" in result["trouble"]["decide"]


def test_a_decision_endpoint_and_labels_beside_it():
    with serving(first_listed, routes=("chat/completions", "systemone"), off=0.7) as server:
        result = found(server)
    assert (result["decide_route"], result["logprobs"]) == ("systemone", True)
    assert result["label_mass"] == 0.3


def test_a_server_that_lets_nobody_in():
    with serving(lambda messages: web.json_response({"error": {"message": "no"}}, status=401)) as server:
        result = found(server)
    assert (result["verbs"], result["order_bias"], result["tokens"], len(server.seen)) == ([], None, None, 1)
    assert "does not accept the key" in told(result)


def test_the_fake_is_stamped():
    result = asyncio.run(probe(Fake()))
    assert result["verbs"] == ["chat", "decide"]
    assert told(result).startswith("fake   TEST MODEL\n")
    assert result["order_bias"]["low"] < 0.5 < result["order_bias"]["high"]
