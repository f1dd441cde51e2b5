"""The picture for the README: reference, this project, floor, side by side, as SVG by hand."""
import report

# Which figures are shown, and in what words.
SHOWN = [
    ("smtpd.instructions.quit", "stranger says QUIT, M instructions"),
    ("smtpd.instructions.tls", "TLS 1.3 session, M instructions"),
    ("smtpd.byte.plain", "instructions a byte, plain"),
    ("smtpd.byte.tls", "instructions a byte, TLS"),
    ("smtpd.calls.plain", "system calls a MB, plain"),
    ("smtpd.dirty.plain", "private memory, plain, KB"),
    ("smtpd.wall.loopback", "TLS session on loopback, ms"),
    ("remote.instructions.plain", "plain delivery, M instructions"),
    ("remote.instructions.tls", "TLS 1.3 delivery, M instructions"),
    ("remote.byte.tls", "instructions a byte, TLS"),
    ("remote.records", "TLS records for 5 MB"),
    ("remote.flights.tls.100", "flights for 100 recipients, TLS"),
]
LABELS, BARS, WIDTH = 250, 380, 720  # where bars begin, how long the longest is, the whole
BAR, GROUP, TOP = 9, 40, 56
HEADING = 28
COLOURS = {"reference": "#b8bec8", "ours": "#1f6feb", "floor": "#7bc47f"}
NAMES = {"reference": "netqmail + TLS patch", "ours": "this project", "floor": "floor"}


def svg(described, ours):
    """Bars are in proportion to the reference's within each group; less is better."""
    figures = {figure["key"]: figure for figure in described}
    body, y, heading = legend(), TOP, None
    for key, words in SHOWN:
        if key not in ours:
            continue
        program = "qmail-" + key.split(".")[0]
        if program != heading:
            body.append(text(12, y + 16, program, "font-weight='bold'"))
            heading, y = program, y + HEADING
        body += group(y, words, {"reference": figures[key].get("reference"), "ours": ours[key],
                                 "floor": figures[key].get("floor")})
        y += GROUP
    return "\n".join([
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{y}' "
        f"viewBox='0 0 {WIDTH} {y}' font-family='sans-serif' font-size='12' fill='#24292f'>",
        f"<rect width='{WIDTH}' height='{y}' fill='#ffffff'/>", *body, "</svg>", ""])


def legend():
    parts = [text(12, 22, "What a session and a byte cost (less is better)",
                  "font-size='15' font-weight='bold'")]
    x = LABELS
    for kind, name in NAMES.items():
        parts += [bar(x, 36, 12, COLOURS[kind]), text(x + 18, 45, name)]
        x += 50 + 6 * len(name)
    return parts


def group(y, words, values):
    parts = [text(LABELS - 12, y + 18, words, "text-anchor='end'")]
    longest = max(value for value in values.values() if value is not None)
    for number, kind in enumerate(NAMES):
        if values[kind] is None:
            continue
        length = max(1.5, BARS * values[kind] / longest)
        top = y + number * (BAR + 1)
        parts.append(bar(LABELS, top, length, COLOURS[kind]))
        parts.append(text(LABELS + length + 5, top + 8, report.number(values[kind]),
                          "font-size='9'"))
    return parts


def bar(x, y, width, colour):
    return f"<rect x='{x}' y='{y}' width='{width:.1f}' height='{BAR}' fill='{colour}'/>"


def text(x, y, words, more=""):
    return f"<text x='{x:.0f}' y='{y:.0f}' {more}>{words}</text>"
