"""The SVG charts of the results, drawn without any library: ratios per net, curves over batch sizes and threads, errors by epoch (of Table 1)."""

import html
import math

COLOURS = {"eager": "#8c8c8c", "compile": "#4c78a8", "channels_last": "#54a24b", "compile_channels_last": "#2f4b7c",
           "bf16": "#e0863b", "bf16_compile": "#b5541c", "jax": "#b279a2"}
STYLE = ("text{font:13px system-ui,sans-serif;fill:#222} .small{font-size:11px;fill:#666} .head{font-size:15px;font-weight:600}"
         " .grid{stroke:#ddd} .one{stroke:#444} .goal{stroke:#444;stroke-dasharray:4 4} .span{stroke:#ccc;stroke-width:2}")


def text(x, y, words, anchor="start", kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{html.escape(str(words))}</text>'


def line(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def drawing(width, height, title, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">\n'
            f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n"
            f'<rect width="{width}" height="{height}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n")


def octaves(low, high):
    """Powers of two around the values, at least 1 to 2."""
    return [2.0 ** i for i in range(math.floor(math.log2(min(low, 1))), math.ceil(math.log2(max(high, 2))) + 1)]


def results_svg(ratios, titles, caption):
    """ratios: net to mode to {train_ms, eval_ms}, how many times longer a framework takes; a dot each, on a scale of octaves."""
    left, panel, gap, top, pitch = 110, 400, 50, 84, 30
    modes = [m for m in titles if any(m in r for r in ratios.values())]
    legend_rows = (len(modes) + 2) // 3
    bottom, width = top + pitch * len(ratios), left + 2 * panel + gap + 30
    parts = [text(20, 28, "How many times faster than each framework", kind="head"), text(20, 46, caption, kind="small")]
    for index, (key, what) in enumerate((("train_ms", "whole training step"), ("eval_ms", "forward pass"))):
        values = [r[m][key] for r in ratios.values() for m in r]
        ticks = octaves(min(values), max(values))
        begin = left + index * (panel + gap)
        place = lambda v: begin + panel * math.log2(v / ticks[0]) / math.log2(ticks[-1] / ticks[0])
        parts.append(text(begin, top - 12, what))
        for tick in ticks:
            parts.append(line(place(tick), top, place(tick), bottom, "one" if tick == 1 else "grid"))
            parts.append(text(place(tick), bottom + 16, f"{tick:g}x", "middle", "small"))
        for i, (row, by_mode) in enumerate(ratios.items()):
            y = top + pitch * (i + 0.5)
            if index == 0:
                parts.append(text(left - 12, y + 4, row, "end"))
            here = [place(v[key]) for v in by_mode.values()]
            parts.append(line(min(here + [place(1)]), y, max(here), y, "span"))
            for mode, v in by_mode.items():
                label = f"{row}: {v[key]:.1f} times faster than {titles[mode]}"
                parts.append(f'<circle cx="{place(v[key]):.1f}" cy="{y:.1f}" r="5.5" fill="{COLOURS[mode]}"><title>{html.escape(label)}'
                             "</title></circle>")
    for i, mode in enumerate(modes):
        x, y = left + 280 * (i % 3), bottom + 44 + 20 * (i // 3)
        parts += [f'<circle cx="{x}" cy="{y - 4}" r="5.5" fill="{COLOURS[mode]}"/>', text(x + 12, y, titles[mode])]
    return drawing(width, bottom + 44 + 20 * legend_rows, "Speed beside the frameworks", parts)


def curves_svg(curves, caption):
    """Two panels: microseconds an example over the batch, and the gain over threads beside that of the FMA peak."""
    left, panel, gap, top, height = 70, 380, 80, 84, 280
    hues = ["#4c78a8", "#e0863b", "#54a24b", "#b279a2", "#8c8c8c", "#d45087", "#2f4b7c", "#a05195", "#665191"]
    parts = [text(20, 28, "Batch sizes and threads", kind="head"), text(20, 46, caption, kind="small")]
    panels = (("microseconds an example, training step, over the batch",
               {row: [(b["batch"], 1e3 * b["train_ms"] / b["batch"]) for b in c["batch"]] for row, c in curves.items()}, False),
              ("gain over threads; dashed: the FMA peak",
               {row: [(t["threads"], c["threads"][0]["train_ms"] / t["train_ms"]) for t in c["threads"]] for row, c in curves.items()}, True))
    for index, (what, lines, peak) in enumerate(panels):
        begin, bottom = left + index * (panel + gap), top + height
        points = [p for row in lines.values() for p in row]
        xs = sorted({p[0] for p in points})
        low = 2.0 ** math.floor(math.log2(min(p[1] for p in points)))
        high = max(2.0 ** math.ceil(math.log2(max(p[1] for p in points))), 2 * low)
        across = lambda v: begin + panel * (math.log2(v / xs[0]) / math.log2(xs[-1] / xs[0]) if xs[-1] > xs[0] else 0.5)
        up = lambda v: bottom - height * math.log2(v / low) / math.log2(high / low)
        parts.append(text(begin, top - 12, what))
        for i in range(round(math.log2(high / low)) + 1):
            parts += [line(begin, up(low * 2 ** i), begin + panel, up(low * 2 ** i), "grid"),
                      text(begin - 8, up(low * 2 ** i) + 4, f"{low * 2 ** i:g}", "end", "small")]
        parts += [text(across(x), bottom + 16, x, "middle", "small") for x in xs]
        for hue, (row, along) in zip(hues * 2, lines.items()):
            parts.append(f'<polyline fill="none" stroke="{hue}" stroke-width="2" points="'
                         + " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in along) + '"/>')
            parts += [f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" fill="{hue}"/>' for x, y in along]
        if peak:
            of_peak = next(iter(curves.values()))["threads"]
            parts.append('<polyline fill="none" class="goal" points="' + " ".join(
                f"{across(t['threads']):.1f},{up(min(high, max(low, t['peak_gflops'] / of_peak[0]['peak_gflops']))):.1f}" for t in of_peak) + '"/>')
    for i, (hue, row) in enumerate(zip(hues * 2, curves)):
        x, y = left + 140 * (i % 6), top + height + 44 + 20 * (i // 6)
        parts += [f'<circle cx="{x}" cy="{y - 4}" r="5" fill="{hue}"/>', text(x + 12, y, row)]
    return drawing(left + 2 * panel + gap + 30, top + height + 50 + 20 * ((len(curves) + 5) // 6), "Batch sizes and threads", parts)


def errors_svg(panels, paper):
    """panels: title to [(name, [(epoch, error in %)], row)]; a short line of the same colour marks the paper's figure of a row."""
    left, panel, gap, top, height = 60, 420, 70, 50, 320
    hues = ["#4c78a8", "#e0863b", "#54a24b", "#b279a2", "#8c8c8c", "#d45087", "#2f4b7c", "#a05195", "#665191"]
    width, most = left + max(len(panels), 1) * (panel + gap), max([len(lines) for lines in panels.values()], default=0)
    bottom, parts = top + height, []
    for index, (what, lines) in enumerate(panels.items()):
        begin = left + index * (panel + gap)
        points = [p for _, line_of, _ in lines for p in line_of]
        low, high = 1.0 if min(p[1] for p in points) >= 1 else 0.5, 100.0
        last = max(10, math.ceil(max(p[0] for p in points) / 10) * 10)
        across = lambda epoch: begin + panel * epoch / last
        up = lambda error: bottom - height * math.log(max(error, low) / low) / math.log(high / low)
        parts.append(text(begin, top - 14, what, kind="head"))
        for tick in (0.5, 1, 2, 5, 10, 20, 50, 100):
            if tick >= low:
                parts += [line(begin, up(tick), begin + panel, up(tick), "grid"), text(begin - 8, up(tick) + 4, f"{tick:g} %", "end", "small")]
        for epoch in range(0, last + 1, max(10, last // 50 * 10)):
            parts.append(text(across(epoch), bottom + 16, epoch, "middle", "small"))
        for i, (name, line_of, row) in enumerate(lines):
            hue = hues[i % len(hues)]
            parts.append(f'<polyline fill="none" stroke="{hue}" stroke-width="1.6" points="'
                         + " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line_of) + '"/>')
            parts.append(f'<line x1="{begin + panel - 2}" y1="{up(paper[row]):.1f}" x2="{begin + panel + 12}" y2="{up(paper[row]):.1f}" stroke="{hue}" '
                         f'stroke-width="3"><title>{html.escape(f"{name}, paper: {paper[row]} % on its test split")}</title></line>')
            parts += [f'<circle cx="{begin + 200 * (i % 2) + 6}" cy="{bottom + 42 + 20 * (i // 2)}" r="5" fill="{hue}"/>',
                      text(begin + 200 * (i % 2) + 18, bottom + 46 + 20 * (i // 2), name)]
    return drawing(width, bottom + 50 + 20 * ((most + 1) // 2), "Validation error by epoch", parts)
