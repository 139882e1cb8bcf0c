"""picture.py BUILD > docs/terminal.svg: the README's picture, from what a terminal really showed.

Types the commands below into a shell in tmux, with BUILD/apps/dgram in its PATH, and draws the screen.
"""
import html
import os
import re
import subprocess
import sys
import tempfile
import time

COLUMNS, ROWS = 94, 26
COMMANDS = [
    "dgram respond 127.0.0.1:7400 upper='tr a-z A-Z' &",
    "dgram relay 127.0.0.1:7402 127.0.0.1:7400 --loss 40% --seed 14 &",
    "dgram request --explain 127.0.0.1:7402/upper 'is anybody there?'",
    "dgram request 127.0.0.1:7401/upper 'and here?'; echo $?",
    "dgram request -T 1s 127.0.0.1:7403/upper 'or here?'; echo $?",
]
SILENT = "import socket, time; s = socket.socket(2, 2); s.bind(('127.0.0.1', 7403)); time.sleep(60)"
COLOURS = {"31": "#f47067", "32": "#8ddb8c", "33": "#f69d50", "34": "#6cb6ff", "35": "#dcbdfb", "36": "#76e3ea"}


def screen(build):
    """The rows of the screen, with their escape sequences."""
    with tempfile.TemporaryDirectory() as home:
        tmux = ["tmux", "-f", "/dev/null", "-S", f"{home}/tmux"]
        env = {**os.environ, "PATH": f"{os.path.abspath(build)}/apps:{os.environ['PATH']}", "HOME": home}
        subprocess.run([*tmux, "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS + 1),
                        "env 'PS1=$ ' 'PROMPT_COMMAND=sleep 0.5' bash --noprofile --norc +m"], env=env, check=True)
        silent = subprocess.Popen([sys.executable, "-c", SILENT])
        try:
            time.sleep(1)
            for command in COMMANDS:
                subprocess.run([*tmux, "send-keys", "-l", command], check=True)
                subprocess.run([*tmux, "send-keys", "Enter"], check=True)
                time.sleep(2)
            shown = subprocess.run([*tmux, "capture-pane", "-e", "-p"], text=True, capture_output=True, check=True)
        finally:
            silent.kill()
            silent.wait()
            subprocess.run([*tmux, "kill-server"], check=True)
    rows = shown.stdout.rstrip("\n").split("\n")
    return [row for row in rows if not re.fullmatch(r"\[\d+\] \d+", row)]


def spans(row):
    """The row as SVG text, its colours and its bold kept."""
    style, out = "", []
    for part in re.split(r"(\x1b\[[\d;]*m)", row):
        codes = re.fullmatch(r"\x1b\[([\d;]*)m", part)
        if codes:
            wanted = codes[1].split(";")
            colour = next((COLOURS[code] for code in wanted if code in COLOURS), None)
            style = (f' fill="{colour}"' if colour else "") + (' font-weight="bold"' if "1" in wanted else "")
        elif part:
            out.append(f"<tspan{style}>{html.escape(part)}</tspan>")
    return "".join(out)


def picture(rows):
    width, line, margin = COLUMNS * 8.43 + 32, 19, 16
    height = len(rows) * line + 2 * margin
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" '
           f'font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="14">')
    yield "<title>A terminal: dgram asks through a lossy path, a closed port and a silent one</title>"
    yield f'<rect width="100%" height="{height}" rx="8" fill="#22272e"/>'
    for number, row in enumerate(rows):
        style = 'fill="#cdd9e5" font-weight="bold"' if row.startswith("$") else 'fill="#adbac7"'
        yield f'<text xml:space="preserve" x="16" y="{margin + 14 + number * line}" {style}>{spans(row)}</text>'
    yield "</svg>"


if __name__ == "__main__":
    shown = screen(sys.argv[1])
    while shown and shown[-1].strip() in ("", "$"):
        shown.pop()
    print("\n".join(picture(shown)))
