"""The benchmark's table, for people."""


def table(described, ours, baseline):
    """One line for each figure that was measured: what it is, target, the reference's and the
    floor's (reference.json), the baseline's if there is one, ours, if the target is met."""
    rows = [["", "target", "reference", "floor", *(["baseline"] if baseline else []), "ours", ""]]
    for figure in described:
        key = figure["key"]
        if key not in ours:
            continue
        row = [figure["what"]]
        row += [number(figure.get(column)) for column in ("target", "reference", "floor")]
        row += [number(baseline.get(key))] if baseline else []
        row += [f"{number(ours[key])} {figure['unit']}".rstrip(), verdict(figure, ours[key])]
        rows.append(row)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1])]
        lines.append("  ".join(cells + [row[-1]]).rstrip())
    for figure in described:
        if "note" in figure and verdict(figure, ours.get(figure["key"], 0)) == "MISSED":
            lines.append(f"{figure['what']}: {figure['note']}")
    return "\n".join(lines)


def number(value):
    if value is None:
        return "-"
    if value >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.3g}"


def verdict(figure, value):
    if "target" not in figure:
        return ""
    if figure.get("more_is_better"):
        return "met" if value >= figure["target"] else "MISSED"
    return "met" if value <= figure["target"] else "MISSED"
