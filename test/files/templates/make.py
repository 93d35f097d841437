"""Writes expected.jsonl beside it: what transformers 5.24 and Jinja 3.1.6 make of the templates here.

The first line holds the clock, the special tokens and the chats. Each other line is a template with its
results: of a construct with the chat "named", of a whole one with every chat, with and without the generation
prompt. A result is the text, or null where transformers refuses. Needs transformers and jinja2: `python make.py`.
"""

import datetime
import json
from pathlib import Path

import transformers.utils.chat_template_utils as hf

from constructs import constructs
from wholes import wholes

NOW = datetime.datetime(2024, 2, 3, 14, 5, 6)


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


hf.datetime = Clock

call = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Öl", "days": 2, "why": None}}}
user = lambda text: {"role": "user", "content": text}
reply = lambda text, **more: {"role": "assistant", "content": text, **more}
system = {"role": "system", "content": "  Be \"brief\".\n"}

chats = {
    "one": [user("hi")],
    "system": [system, user("hi")],
    "two": [user("hi"), reply("Hello."), user("Who's there?")],
    "all": [system, user(" a "), reply(" b "), user("c\n"), reply("d")],
    "users": [user("a"), user("b")],
    "ends": [user("hi"), reply("Hello.")],
    "begins": [reply("Hello."), user("hi")],
    "tool": [user("weather?"), reply("", tool_calls=[call]), {"role": "tool", "tool_call_id": "c1", "name": "get_weather", "content": "rain"}],
    "tools": [user("weather?"), reply(None, tool_calls=[call, call]), {"role": "tool", "content": "rain"}, {"role": "tool", "content": "sun"}, reply("Both."), user("thanks")],
    "text call": [user("w"), reply("x", tool_calls=[{"type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}}]), {"role": "tool", "content": "3"}],
    "thinks": [user("1+1"), reply("2", reasoning_content="One and one.\n"), user("2+2")],
    "thought": [user("1+1"), reply("<think>\nhm\n</think>\n\n2"), user("2+2"), reply("<think>ah</think>4")],
    "gpt": [user("1+1"), reply("2", thinking="hm"), user("more")],
    "parts": [{"role": "user", "content": [{"type": "text", "text": "look "}, {"type": "image", "url": "a.png"}, {"type": "text", "text": "here"}]}],
    "named": [{"role": "user", "name": "Ann", "content": "hi"}, {"role": "user", "name": "bob", "content": "ho", "score": 0.5, "n": 3, "on": True}],
    "odd": [user("{{ bos_token }} {% if x %} <b>&'\"\\ 😀é\u0085\ufeff\t"), reply("\u2028x\u00a0")],
    "strange": [{"role": "developer", "content": "Do."}, user("")],
}
special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


def result(template, chat, prompt):
    try:
        messages = hf._normalize_chat_messages(chat)
        rendered, _ = hf.render_jinja_template([messages], chat_template=template, add_generation_prompt=prompt, **special)
        return rendered[0]
    except Exception:
        return None


def tried(cases, names, prompts):
    return [
        {"template": template, "results": [result(template, chats[name], prompt) for name in names for prompt in prompts]}
        for template in cases
    ]


about = {"now": [2024, 1, 3, 14, 5, 6], "special": special, "chats": chats}
small = tried(constructs, ["named"], [True])
whole = tried(wholes, chats, [True, False])
lines = [about, *({"construct": case} for case in small), *({"whole": case} for case in whole)]
Path(__file__).with_name("expected.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
results = [each for case in small + whole for each in case["results"]]
print(len(results), "results,", results.count(None), "of them refusals")
