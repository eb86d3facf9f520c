#!/usr/bin/env python3
"""Makes the odd picture files beside this script and expected.tsv, the table of what reading each must give.

Needs Pillow and NumPy. Every picture is four plain quadrants (red, green, blue, yellow) or what its kind can hold of them.
Columns: file, result (ok or an error code's name), width, height, notes, tolerance, colours of the four quadrants' centres.
"""
import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]
WHITE = (255, 255, 255)
table = []


def quadrants(width=48, height=32, colours=COLOURS, channels=3):
    a = np.zeros((height, width, channels), np.uint8)
    top, left = height // 2, width // 2
    for (ys, xs), c in zip([(slice(0, top), slice(0, left)), (slice(0, top), slice(left, None)),
                            (slice(top, None), slice(0, left)), (slice(top, None), slice(left, None))], colours):
        a[ys, xs] = c
    return a


def put(name, data, result="ok", size=(48, 32), notes="-", tolerance=0, colours=COLOURS):
    (OUT / name).write_bytes(data)
    row = [name, result]
    if result == "ok":
        row += [str(size[0]), str(size[1]), notes, str(tolerance)] + ["%02x%02x%02x" % c for c in colours]
    table.append("\t".join(row))


def pil(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def grey(c):
    return (round(0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2]),) * 3


# ---- PNG, written here to have every kind ----

def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def pack_rows(samples, depth):
    """[h, w, channels] of integers -> filtered rows (filter 0)."""
    rows = b""
    if samples.size == 0:
        return rows
    for row in samples.reshape(samples.shape[0], -1):
        if depth == 16:
            rows += b"\0" + row.astype(">u2").tobytes()
        elif depth == 8:
            rows += b"\0" + row.astype(np.uint8).tobytes()
        else:
            bits = ((row[:, None] >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8).reshape(-1)
            rows += b"\0" + np.packbits(bits).tobytes()
    return rows


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(samples, depth, colour, before=b"", interlace=0, idat=None, size=None, end=True):
    h, w = samples.shape[:2]
    if size:
        w, h = size
    if idat is None:
        rows = b"".join(pack_rows(samples[y::dy, x::dx], depth) for x, y, dx, dy in ADAM7) if interlace else pack_rows(samples, depth)
        idat = zlib.compress(rows, 9)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, colour, 0, 0, interlace)) + before
            + (chunk(b"IDAT", idat) if idat else b"") + (chunk(b"IEND", b"") if end else b""))


def indices(width=48, height=32):
    return quadrants(width, height, [(0,), (1,), (2,), (3,)], 1).astype(int)


PALETTE = chunk(b"PLTE", bytes(v for c in COLOURS for v in c))


def make_png():
    rgb = quadrants().astype(int)
    bw = [(0, 0, 0), WHITE, WHITE, (0, 0, 0)]
    put("grey-1.png", png(quadrants(colours=[(0,), (1,), (1,), (0,)], channels=1).astype(int), 1, 0), colours=bw)
    for depth in (2, 4, 8, 16):
        top = (1 << depth) - 1
        levels = [0, top // 3, 2 * top // 3, top]
        seen = [(v >> 8 if depth == 16 else v * (255 // top),) * 3 for v in levels]
        put(f"grey-{depth}.png", png(quadrants().astype(int)[:, :, :1] * 0 + np.array(levels)[indices()], depth, 0), colours=seen)
    for depth in (1, 2, 4, 8):
        n = indices() if depth > 1 else indices() % 2
        put(f"palette-{depth}.png", png(n, depth, 3, PALETTE if depth > 1 else chunk(b"PLTE", bytes([255, 0, 0, 0, 255, 0]))),
            colours=COLOURS if depth > 1 else [COLOURS[0], COLOURS[1], COLOURS[0], COLOURS[1]])
    put("palette-clear.png", png(indices(), 8, 3, PALETTE + chunk(b"tRNS", bytes([255, 0, 128]))),
        colours=[COLOURS[0], WHITE, (127, 127, 255), COLOURS[3]])
    put("rgb-8.png", png(rgb, 8, 2))
    put("rgb-16.png", png(rgb * 257, 16, 2))
    put("rgb-key.png", png(rgb, 8, 2, chunk(b"tRNS", struct.pack(">HHH", 0, 255, 0))), colours=[COLOURS[0], WHITE, COLOURS[2], COLOURS[3]])
    alpha = np.concatenate([rgb, np.array([255, 0, 128, 51])[indices()]], axis=2)
    laid = [COLOURS[0], WHITE, (127, 127, 255), (255, 255, 204)]
    put("rgba-8.png", png(alpha, 8, 6), colours=laid)
    put("rgba-16.png", png(alpha * 257, 16, 6), colours=laid)
    ga = np.concatenate([np.array([0, 0, 0, 255])[indices()], np.array([255, 0, 128, 51])[indices()]], axis=2)
    seen = [(0, 0, 0), WHITE, (127,) * 3, WHITE]
    put("grey-alpha-8.png", png(ga, 8, 4), colours=seen)
    put("grey-alpha-16.png", png(ga * 257, 16, 4), colours=seen)
    put("interlaced.png", png(rgb, 8, 2, interlace=1))
    put("interlaced-grey-1.png", png(quadrants(colours=[(0,), (1,), (1,), (0,)], channels=1).astype(int), 1, 0, interlace=1), colours=bw)
    put("interlaced-1x1.png", png(rgb[:1, :1], 8, 2, interlace=1), size=(1, 1), colours=[COLOURS[0]] * 4)
    put("one-pixel.png", png(rgb[:1, :1], 8, 2), size=(1, 1), colours=[COLOURS[0]] * 4)
    put("wide-8000x3.png", png(quadrants(8000, 3).astype(int), 8, 2), size=(8000, 3))
    put("tall-3x8000.png", png(quadrants(3, 8000).astype(int), 8, 2), size=(3, 8000))
    put("orientation-6.png", png(np.rot90(rgb, 1), 8, 2, chunk(b"eXIf", exif(6))))
    put("exif-broken.png", png(rgb, 8, 2, chunk(b"eXIf", b"II*\0\xff\xff\xff\x7f")))
    put("animated.png", png(rgb, 8, 2, chunk(b"acTL", struct.pack(">II", 2, 0))), notes="first-frame")
    good = png(rgb, 8, 2)
    put("cut-half.png", good[:len(good) // 2], "media")
    put("cut-header.png", good[:20], "media")
    put("no-end.png", png(rgb, 8, 2, end=False), "media")
    put("no-data.png", png(rgb, 8, 2, idat=b""), "media")
    put("no-palette.png", png(indices(), 8, 3), "media")
    put("few-rows.png", png(rgb, 8, 2, idat=zlib.compress(pack_rows(rgb[:20], 8))), "media")
    put("damaged.png", good[:60] + bytes([good[60] ^ 1]) + good[61:], "media")
    put("bad-filter.png", png(rgb, 8, 2, idat=zlib.compress(b"\x09" + pack_rows(rgb, 8)[1:])), "media")
    put("bad-depth.png", png(rgb, 3, 2, idat=zlib.compress(b"\0" * 6000)), "media")
    put("zero-width.png", png(rgb, 8, 2, size=(0, 32)), "media")
    put("bomb-size.png", png(rgb, 8, 2, size=(60000, 60000)), "no-memory")
    put("bomb-inflate.png", png(rgb, 8, 2, idat=zlib.compress(b"\0" * 48_000_000, 9)), "no-memory")
    put("apple.png", png(rgb, 8, 2).replace(b"\x1a\n", b"\x1a\n" + chunk(b"CgBI", b"\x50\0\x20\2"), 1), "unsupported")
    put("really-a-jpeg.png", pil(Image.fromarray(quadrants()), "JPEG", quality=95), tolerance=6)
    put("really-a-png.jpg", good)
    put("text.png", b"This is no picture, whatever its name says.\n", "media")
    put("empty.png", b"", "media")
    put("one-byte.png", b"\x89", "media")


# ---- JPEG ----

def exif(orientation, big=False):
    e = ">" if big else "<"
    return (b"MM\0*" if big else b"II*\0") + struct.pack(e + "IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def with_exif(jpeg, tiff):
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def segments(jpeg):
    """[(marker, start, end)] up to the first scan."""
    at, found = 2, []
    while True:
        marker, length = jpeg[at + 1], struct.unpack(">H", jpeg[at + 2:at + 4])[0]
        found.append((marker, at, at + 2 + length))
        if marker == 0xda:
            return found
        at += 2 + length


def segment(jpeg, wanted):
    return next((s, e) for m, s, e in segments(jpeg) if m == wanted)


def patch(jpeg, at, value):
    return jpeg[:at] + value + jpeg[at + len(value):]


def make_jpeg():
    upright = Image.fromarray(quadrants())
    stored = {1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
              5: lambda a: a.transpose(1, 0, 2), 6: lambda a: np.rot90(a, 1), 7: lambda a: a[::-1, ::-1].transpose(1, 0, 2), 8: lambda a: np.rot90(a, -1)}
    for n, turn in stored.items():
        image = Image.fromarray(np.ascontiguousarray(turn(quadrants())))
        put(f"orientation-{n}.jpg", with_exif(pil(image, "JPEG", quality=95), exif(n, big=n % 2 == 0)), tolerance=6)
    good = pil(upright, "JPEG", quality=95)
    put("orientation-9.jpg", with_exif(good, exif(9)), tolerance=6)
    put("exif-cut.jpg", with_exif(good, exif(6)[:12]), tolerance=6)
    for name, sampling in (("444", 0), ("422", 1), ("420", 2)):
        put(f"sampling-{name}.jpg", pil(upright, "JPEG", quality=95, subsampling=sampling), tolerance=6)
    put("progressive.jpg", pil(upright, "JPEG", quality=95, progressive=True), tolerance=6)
    put("restart.jpg", pil(upright, "JPEG", quality=95, restart_marker_rows=1), tolerance=6)
    put("grey.jpg", pil(upright.convert("L"), "JPEG", quality=95), tolerance=6, colours=[grey(c) for c in COLOURS])
    put("rgb.jpg", pil(upright, "JPEG", quality=95, keep_rgb=True), tolerance=6)
    put("one-pixel.jpg", pil(Image.new("RGB", (1, 1), COLOURS[0]), "JPEG", quality=95), size=(1, 1), tolerance=6, colours=[COLOURS[0]] * 4)
    put("wide-8000x3.jpg", pil(Image.fromarray(quadrants(8000, 3)), "JPEG", quality=100, subsampling=0), size=(8000, 3), tolerance=12)
    put("trailing.jpg", good + b"\0" * 100, tolerance=6)
    # Adobe CMYK holds 255 - ink; Pillow writes it so. YCCK is CMY turned to YCC, K as it is.
    cmyk = pil(upright.convert("CMYK"), "JPEG", quality=98)
    put("cmyk.jpg", cmyk, notes="cmyk", tolerance=6)
    stored_cmy = np.asarray(upright)   # 255 - ink, which is light
    ycc = np.asarray(Image.fromarray(255 - stored_cmy).convert("YCbCr"))
    four = np.concatenate([255 - ycc, np.zeros_like(ycc[:, :, :1])], axis=2)  # Pillow inverts when writing
    ycck = pil(Image.frombytes("CMYK", (48, 32), four.tobytes()), "JPEG", quality=98)
    put("ycck.jpg", patch(ycck, segment(ycck, 0xee)[0] + 15, b"\2"), notes="cmyk", tolerance=8)
    start, end = segment(cmyk, 0xee)
    put("cmyk-unmarked.jpg", cmyk[:start] + cmyk[end:], "unsupported")
    sof, sof_end = segment(good, 0xc0)
    put("twelve-bit.jpg", patch(good, sof + 4, b"\x0c"), "unsupported")
    put("lossless.jpg", patch(good, sof + 1, b"\xc3"), "unsupported")
    put("arithmetic.jpg", patch(good, sof + 1, b"\xc9"), "unsupported")
    put("two-frames.jpg", good[:sof_end] + good[sof:sof_end] + good[sof_end:], "media")
    put("zero-height.jpg", patch(good, sof + 5, b"\0\0"), "media")
    put("bomb-size.jpg", patch(good, sof + 5, struct.pack(">HH", 65500, 65500)), "no-memory")
    many = pil(upright, "JPEG", quality=50, progressive=True)
    first = segment(many, 0xda)[0]
    second = many.index(b"\xff\xda", first + 2)
    put("bomb-scans.jpg", many[:second] + many[first:second] * 300 + many[second:], "media")
    put("cut-half.jpg", good[:len(good) // 2], "media")
    put("cut-header.jpg", good[:100], "media")
    put("no-end.jpg", good[:-2], "media")
    put("no-scan.jpg", good[:segment(good, 0xda)[0]] + b"\xff\xd9", "media")
    put("no-tables.jpg", good[:2] + good[sof:sof_end] + good[segment(good, 0xda)[0]:], "media")
    dht = segment(good, 0xc4)[0]
    put("huffman-overflow.jpg", patch(good, dht + 5, b"\xff" * 16), "media")
    put("only-start.jpg", b"\xff\xd8\xff", "media")


# ---- GIF, BMP and foreigners ----

def make_gif():
    image = Image.fromarray(quadrants()).convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    good = pil(image, "GIF")
    other = Image.fromarray(quadrants(colours=COLOURS[::-1])).convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    put("still.gif", good)
    put("interlaced.gif", pil(image, "GIF", interlace=1))
    put("animated.gif", pil(image, "GIF", save_all=True, append_images=[other], duration=100), notes="first-frame")
    hole = Image.fromarray(indices()[:, :, 0].astype(np.uint8), "P")
    hole.putpalette([v for c in COLOURS for v in c])
    put("clear.gif", pil(hole, "GIF", transparency=1), colours=[COLOURS[0], WHITE, COLOURS[2], COLOURS[3]])
    put("cut.gif", good[:len(good) - 20], "media")
    put("cut-header.gif", good[:10], "media")


def make_bmp():
    image = Image.fromarray(quadrants())
    good = pil(image, "BMP")
    put("rgb-24.bmp", good)
    put("palette-8.bmp", pil(image.convert("P", palette=Image.Palette.ADAPTIVE, colors=4), "BMP"))
    put("grey-1.bmp", pil(Image.fromarray(quadrants(colours=[(0,), (255,), (255,), (0,)], channels=1)[:, :, 0]).convert("1"), "BMP"),
        colours=[(0, 0, 0), WHITE, WHITE, (0, 0, 0)])
    flipped = pil(image.transpose(Image.Transpose.FLIP_TOP_BOTTOM), "BMP")
    put("top-down.bmp", patch(flipped, 22, struct.pack("<i", -32)))
    put("rgba-32.bmp", pil(Image.fromarray(quadrants(colours=[c + (255,) for c in COLOURS], channels=4), "RGBA"), "BMP"))
    put("cut.bmp", good[:-100], "media")
    put("cut-header.bmp", good[:20], "media")
    put("run-length.bmp", patch(good, 30, b"\1"), "unsupported")
    put("bomb-size.bmp", patch(good, 18, struct.pack("<ii", 60000, 60000)), "media")


def make_foreign():
    image = Image.fromarray(quadrants())
    put("picture.webp", pil(image, "WEBP", lossless=True), "unsupported")
    put("picture.tiff", pil(image.resize((4, 4)), "TIFF"), "unsupported")
    put("picture.ppm", pil(image.resize((4, 4)), "PPM"), "unsupported")
    put("picture.svg", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>\n', "unsupported")
    put("picture.avif", b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", "unsupported")
    put("picture.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "unsupported")
    put("picture.jxl", b"\xff\x0a\x7f\x10\0", "unsupported")
    put("picture.jp2", b"\0\0\0\x0cjP  \r\n\x87\n", "unsupported")
    put("picture.psd", b"8BPS\0\1" + b"\0" * 20, "unsupported")
    put("webp-named.jpg", pil(image, "WEBP", lossless=True), "unsupported")


if __name__ == "__main__":
    make_png()
    make_jpeg()
    make_gif()
    make_bmp()
    make_foreign()
    (OUT / "expected.tsv").write_text("\n".join(table) + "\n")
    print(len(table), "files,", sum((OUT / r.split("\t")[0]).stat().st_size for r in table), "bytes")
