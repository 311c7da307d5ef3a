"""Small pages in Russian that need no JavaScript."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from evpower.simulator.providers.surroundings.wire import HttpReply

STYLE = (
    "body{font-family:sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}td,th{padding:.4rem .8rem;"
    "text-align:left}form{display:inline}button{padding:.4rem 1rem}label{display:block;margin:.5rem 0}"
)
HTML = "text/html; charset=utf-8"


def page(title: str, body: str, status: int = 200) -> HttpReply:
    """A whole page; `body` is HTML already."""
    text = (
        f'<!DOCTYPE html><html lang="ru"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>{body}</body></html>"
    )
    return HttpReply(status, text.encode(), HTML, (("Cache-Control", "no-store"),))


def see(address: str) -> HttpReply:
    """Go and look there, after a form was posted."""
    return HttpReply(303, headers=(("Location", address),))


def button(action: str, text: str, fields: Mapping[str, str] | None = None) -> str:
    """A form that is one button."""
    hidden = "".join(hidden_field(name, value) for name, value in (fields or {}).items())
    return f'<form method="post" action="{escape(action)}">{hidden}<button>{escape(text)}</button></form> '


def hidden_field(name: str, value: str) -> str:
    """A field the person does not see."""
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


def text_field(name: str, label: str, value: str = "") -> str:
    """A field the person fills in."""
    return f'<label>{escape(label)} <input name="{escape(name)}" value="{escape(value)}" autocomplete="off"></label>'


def som(amount_tyiyn: int) -> str:
    """A sum as people read it."""
    return f"{amount_tyiyn // 100}.{amount_tyiyn % 100:02} сом"
