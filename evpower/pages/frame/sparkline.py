"""A figure of the last hours as a small drawing: an SVG in the page, so that it needs no script (§3.4)."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

WIDTH, HEIGHT = 96, 20


def sparkline(values: Sequence[float | None], label: str, most: float | None = None) -> Markup:
    """A line from the oldest to the newest; a gap where a value is None. `most` is the top, else the highest value."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return Markup("")
    top = (max(known) if most is None else most) or 1
    step = WIDTH / (len(values) - 1)
    path, is_drawn = list[str](), False
    for place, value in enumerate(values):
        if value is not None:
            path.append(f"{'L' if is_drawn else 'M'}{place * step:.1f} {HEIGHT - 1 - (HEIGHT - 2) * value / top:.1f}")
        is_drawn = value is not None
    return Markup(
        f'<svg class="spark" role="img" aria-label="{escape(label)}" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}"><path d="{"".join(path)}" fill="none" stroke="currentColor"/></svg>'
    )
