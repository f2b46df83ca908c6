"""One question to a language model, over the chat protocol that OpenAI, DeepSeek, vLLM and Ollama share."""

import http.client
import json
import urllib.error
import urllib.request

import msgspec

from linewatch.core.errors import EndpointError, UsageError

# A reasoning model may think for minutes before its first byte.
_TIMEOUT_S = 300.0
_LONGEST_ANSWER = 4 * 2**20


class _Message(msgspec.Struct):
    content: str


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: list[_Choice]


def ask(endpoint: str, model: str, system: str, task: str, key: str | None = None) -> str:
    """The answer of `model` to `task`.

    endpoint: address up to /v1, as in http://localhost:11434/v1. system: who the model is to be. key: API key, if any.
    Raises UsageError when the address is none, EndpointError when it cannot be reached, refuses, or speaks otherwise.
    """
    if not endpoint.startswith(("http://", "https://")):
        raise UsageError("endpoint", "must start with http:// or https://", endpoint)
    address = f"{endpoint.rstrip('/')}/chat/completions"
    messages = [{"role": "system", "content": system}, {"role": "user", "content": task}]
    body = json.dumps({"model": model, "messages": messages, "stream": False}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    if key is not None:
        # A redirect to another host must not carry the key there.
        request.add_unredirected_header("Authorization", f"Bearer {key}")
    return _content(address, _sent(address, request))


def _sent(address: str, request: urllib.request.Request) -> bytes:
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
            answer: bytes = response.read(_LONGEST_ANSWER + 1)
    except urllib.error.HTTPError as exc:
        with exc:
            said = exc.read(200).decode(errors="replace").strip()
        raise EndpointError(address, f"answers {exc.code} {exc.reason}: {said}") from exc
    except urllib.error.URLError as exc:
        raise EndpointError(address, f"cannot be reached: {exc.reason}") from exc
    except (OSError, ValueError, http.client.HTTPException) as exc:
        raise EndpointError(address, f"broke off: {exc or type(exc).__name__}") from exc
    if len(answer) > _LONGEST_ANSWER:
        raise EndpointError(address, f"answers with more than {_LONGEST_ANSWER} bytes")
    return answer


def _content(address: str, answer: bytes) -> str:
    try:
        completion = msgspec.json.decode(answer, type=_Completion)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise EndpointError(address, f"does not speak the chat protocol: {exc}") from exc
    if not completion.choices:
        raise EndpointError(address, "answers with no choices")
    return completion.choices[0].message.content
