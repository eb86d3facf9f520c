#!/usr/bin/env python3
"""Makes the samples that a person is offered to try: a chart and a voice note.

Usage: make.py FOLDER      needs rsvg-convert, espeak-ng and sndfile-convert
"""
import pathlib
import subprocess
import sys
import tempfile

TEXT = ("Hello! This is a short voice note. The museum opens at nine in the morning, "
        "and the last train back leaves at half past six. Please bring two umbrellas.")

# Invented figures: cups sold by a small cafe.
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun"]
SERIES = [("Coffee", "#986a44", [420, 435, 410, 380, 330, 290]),
          ("Lemonade", "#e5a50a", [60, 70, 120, 190, 310, 420])]
WIDTH, HEIGHT, LEFT, TOP, BOTTOM, MOST = 760, 480, 70, 80, 60, 500


def chart():
    plot = HEIGHT - TOP - BOTTOM
    step = (WIDTH - LEFT - 30) / len(MONTHS)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif">',
           '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="{LEFT}" y="34" font-size="22" font-weight="bold" fill="#241f31">Cups sold per month</text>']
    for value in range(0, MOST + 1, 100):
        y = TOP + plot * (1 - value / MOST)
        out.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - 30}" stroke="#d0cfcc"/>'
                   f'<text x="{LEFT - 10}" y="{y + 5:.1f}" font-size="14" text-anchor="end" fill="#3d3846">{value}</text>')
    for i, month in enumerate(MONTHS):
        x = LEFT + step * i
        for k, (_, color, values) in enumerate(SERIES):
            height = plot * values[i] / MOST
            out.append(f'<rect x="{x + 12 + k * 42:.1f}" y="{TOP + plot - height:.1f}" width="38" height="{height:.1f}" '
                       f'fill="{color}"/>')
        out.append(f'<text x="{x + step / 2:.1f}" y="{HEIGHT - 30}" font-size="16" text-anchor="middle" '
                   f'fill="#3d3846">{month}</text>')
    for k, (name, color, _) in enumerate(SERIES):
        x = WIDTH - 270 + 130 * k
        out.append(f'<rect x="{x}" y="22" width="16" height="16" fill="{color}"/>'
                   f'<text x="{x + 24}" y="36" font-size="16" fill="#3d3846">{name}</text>')
    return "\n".join(out + ["</svg>"])


def main(folder):
    folder = pathlib.Path(folder)
    subprocess.run(["rsvg-convert", "-o", folder / "sample-chart.png"], input=chart().encode(), check=True)
    with tempfile.TemporaryDirectory() as scratch:
        spoken = pathlib.Path(scratch) / "spoken.wav"
        subprocess.run(["espeak-ng", "-v", "en-gb", "-s", "150", "-w", spoken, TEXT], check=True)
        subprocess.run(["sndfile-convert", "-vorbis", spoken, folder / "sample-voice-note.ogg"], check=True)


main(sys.argv[1])
