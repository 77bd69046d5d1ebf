"""Proxies and certificates of the environment, and keys that go nowhere by plain http."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.agents.models.addresses import address_fault
from holdfast.agents.models.keys import ApiKey, key_fault
from holdfast.agents.models.served.endpoint import Endpoint, EndpointLimits
from holdfast.agents.models.served.failures import EndpointError
from holdfast.agents.models.served.model import ServedChatModel
from holdfast.agents.models.served.network import check_network, proxy_for
from holdfast.agents.protocols import GenerationRequest, Message
from holdfast.core.errors import InputError
from tests.servers.raw_server import CERTIFICATE, Proxy, RawServer, response

REQUEST = GenerationRequest("c", (Message("user", "I feel torn."),), seed=1)
LIMITS = EndpointLimits(timeout_s=10)
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*VARIABLES, "SSL_CERT_FILE", "SSL_CERT_DIR", "HOLDFAST_KEY_HOSTS", "OPENAI_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)


def served(url: str, key: str | None = None) -> ServedChatModel:
    return ServedChatModel(Endpoint(url, ApiKey(key), LIMITS), "m")


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_a_proxy_is_asked_for_http_addresses(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Proxy(0) as proxy:
        monkeypatch.setenv(variable, proxy.url.replace("http://", "http://me:s3cr%40t@"))
        asked = served("http://model.test:8000/v1")
        assert (await asked.generate(REQUEST)).text == "I am so sorry."
        (request,) = proxy.requests
    assert request.path == "http://model.test:8000/v1/chat/completions"
    assert request.headers["proxy-authorization"] == "Basic bWU6czNjckB0"  # me:s3cr@t


async def test_a_proxy_tunnels_https_and_never_sees_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-CANARY-0123456789")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    async with RawServer(tls=True) as server, Proxy(server.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("http://", "http://me:secret@"))
        assert (await served("https://model.test/v1", "MY_KEY").generate(REQUEST)).text == "I am so sorry."
        (tunnel,), (request,) = proxy.requests, server.requests
    assert (tunnel.method, tunnel.path) == ("CONNECT", "model.test:443")
    assert tunnel.headers["proxy-authorization"].startswith("Basic ")
    assert "authorization" not in tunnel.headers
    assert request.headers["authorization"] == "Bearer sk-CANARY-0123456789"
    assert "proxy-authorization" not in request.headers


@pytest.mark.parametrize("kept", ["127.0.0.1", "*", "other.test,127.0.0.0/8", "127.0.0.1:{port}"])
async def test_what_no_proxy_names_is_reached_without(kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with RawServer() as server, Proxy(0) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", kept.format(port=server.port))
        assert (await served(server.base_url).generate(REQUEST)).text
        assert (len(server.requests), len(proxy.requests)) == (1, 0)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
async def test_a_bundle_of_the_environment_is_trusted(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with RawServer(tls=True) as server:
        with pytest.raises(EndpointError, match=r"certificate \(self-signed certificate"):
            await served(server.base_url).generate(REQUEST)
        monkeypatch.setenv(variable, str(CERTIFICATE))
        assert (await served(server.base_url).generate(REQUEST)).text == "I am so sorry."


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_bundle_that_is_none_is_named(variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "absent.pem"))
    with pytest.raises(InputError, match=rf"{variable} names '.*absent.pem', which does not exist"):
        check_network("https://model.test/v1", None)
    (tmp_path / "absent.pem").write_text("no certificate")
    with pytest.raises(InputError, match=rf"{variable} names '.*absent.pem', which holds no certificates"):
        check_network("https://model.test/v1", None)


async def test_a_proxy_that_is_gone_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:hunter2secret@127.0.0.1:9")
    with pytest.raises(EndpointError) as caught:
        await served("http://model.test/v1").generate(REQUEST)
    assert "(connection refused: 127.0.0.1:9 through the proxy http://127.0.0.1:9 of HTTP_PROXY)" in str(caught.value)
    assert "set NO_PROXY=model.test" in str(caught.value)
    assert "hunter2" not in str(caught.value)


async def test_an_http_proxy_sees_no_more_than_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-CANARY-0123456789")
    async with Proxy(0) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        await served("http://localhost:1/v1", "MY_KEY").generate(REQUEST)
        (request,) = proxy.requests
    assert request.headers["authorization"] == "Bearer sk-CANARY-0123456789"
    assert "proxy-authorization" not in request.headers


@pytest.mark.parametrize("status", [403, 407, 502])
async def test_a_proxy_that_refuses_is_named(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async with RawServer(lambda request, number: response(status, b"no")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(
            EndpointError, match=rf"proxy \(.*\({status}\) through the proxy http://127.0.0.1:\d+ of HT"
        ):
            await served("https://model.test/v1").generate(REQUEST)


@pytest.mark.parametrize("address", ["socks5://127.0.0.1:1080", "ftp://x", "http://x:99999999", "http://"])
def test_a_proxy_that_cannot_be_used_is_named(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(InputError, match="HTTPS_PROXY names no proxy that speaks HTTP"):
        proxy_for("https://model.test/v1")
    monkeypatch.setenv("NO_PROXY", "model.test")
    assert proxy_for("https://model.test/v1") is None


@pytest.mark.parametrize(
    ("variable", "url", "may"),
    [
        ("MY_KEY", "https://api.example.com/v1", True),
        ("TOGETHER_API_KEY", "https://api.together.xyz/v1", True),
        ("HF_TOKEN", "https://router.huggingface.co/v1", True),
        ("AWS_SECRET_ACCESS_KEY", "https://api.example.com/v1", False),
        ("GITHUB_TOKEN", "https://api.example.com/v1", False),
        ("GITHUB_TOKEN", "https://models.github.ai/inference", True),
        ("HOME", "https://api.example.com/v1", False),
        ("DB_PASSWORD", "https://api.example.com/v1", False),
        ("MY_KEY", "http://api.example.com/v1", False),
        ("MY_KEY", "http://10.0.0.7:8000/v1", False),
        ("MY_KEY", "http://localhost.example.com/v1", False),
        ("MY_KEY", "HTTPS://api.example.com/v1", True),
        ("MY_KEY", "HTTP://api.example.com/v1", False),
        ("HOME", "http://localhost:8000/v1", True),
        ("MY_KEY", "http://127.0.0.1:8000/v1", True),
        ("MY_KEY", "http://[::1]:8000/v1", True),
        ("MY_KEY", "http://127.0.0.1.nip.io/v1", False),
    ],
)
def test_where_a_key_may_go(variable: str, url: str, may: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (key_fault(variable, url) is None) == may
    if not may:
        monkeypatch.setenv("HOLDFAST_KEY_HOSTS", "10.0.0.7, api.example.com,localhost.example.com,127.0.0.1.nip.io")
        assert key_fault(variable, url) is None


def test_a_key_passes_no_foreign_proxy_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-CANARY-0123456789")
    monkeypatch.setenv("ALL_PROXY", "http://proxy.corp:3128")
    for url in ("http://localhost:8000/v1", "http://api.example.com/v1"):
        with pytest.raises(InputError, match=r"MY_KEY would pass the proxy http://proxy.corp:3128 unencrypted"):
            check_network(url, "MY_KEY")
    assert check_network("https://api.example.com/v1", "MY_KEY") is not None
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:3128")
    assert check_network("http://localhost:8000/v1", "MY_KEY") is not None
    assert check_network("http://api.example.com/v1", None) is not None


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("localhost:8000", "must begin with http:// or https://; write http://localhost:8000/v1"),
        ("localhost:8000/v1/", "write http://localhost:8000/v1"),
        ("gpu01", "write http://gpu01/v1"),
        ("10.0.0.7:8000/api/v3", "write http://10.0.0.7:8000/api/v3"),
        ("ws://x/v1", "must begin with http:// or https://"),
        ("http:/localhost:8000", "must begin with http://"),
        ("http://localhost:8000/v1/chat/completions", "ends too late: /chat/completions is added to it; write http"),
        ("https://api.example.com/v1/models/", "write https://api.example.com/v1"),
        ("http://", "is no address"),
        ("http://x:port/v1", "is no address"),
        ("http://x:99999/v1", "is no address"),
        ("http://[::1/v1", "is no address"),
        ("http://a b/v1", "is no address"),
        ("http://me@x/v1", "a user name or password stands in the address"),
        ("https://me:CANARY@x/v1", "keys are taken from the environment only"),
        ("https://x/v1?api_key=CANARY", "a query"),
        ("https://x/v1?CANARY", "a query"),
        ("https://x/v1#CANARY", "fragment"),
        ("x/v1?api_key=CANARY", "hold no key"),
        ("me:CANARY@x:99999999", "hold no key"),
        ("https://me:CANARY@x:99999999", "what stands here is no address"),
    ],
)
def test_an_address_that_is_none_says_what_to_write(url: str, says: str) -> None:
    fault = address_fault(url)
    assert fault is not None
    assert says in fault
    assert "CANARY" not in fault


@pytest.mark.parametrize(
    "url", ["http://localhost:8000/v1", "https://api.x.ai/v1/", "http://[::1]:8080", "https://münchen.example/v1"]
)
def test_an_address_is_an_address(url: str) -> None:
    assert address_fault(url) is None
