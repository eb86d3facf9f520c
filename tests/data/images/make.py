#!/usr/bin/env python3
"""Makes the odd picture files beside this script and expected.tsv, the table of what reading each must give.

Needs Pillow, pillow-heif and NumPy. Every picture is four plain quadrants (red, green, blue, yellow) or what its kind can hold of them.
Columns: file, result (ok or an error code's name), width, height, notes, tolerance, colours of the four quadrants' centres.
"""
import io
import re
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]
WHITE = (255, 255, 255)
table = []
pillow_heif.register_heif_opener()


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
    # Data that end in the middle, closed as if they were whole.
    noise = np.random.default_rng(5).integers(0, 256, (128, 192, 3), dtype=np.uint8)
    noisy = pil(Image.fromarray(noise), "JPEG", quality=60)
    scan = segment(noisy, 0xda)[1]
    put("cut-closed.jpg", noisy[:(scan + len(noisy)) // 2] + b"\xff\xd9", "media")
    rows = pil(Image.fromarray(noise), "JPEG", quality=60, restart_marker_rows=1)
    third = rows.index(b"\xff\xd2")
    put("cut-restart.jpg", rows[:third - 400] + rows[third:], "media")
    scans = pil(Image.fromarray(noise[:32, :32]), "JPEG", quality=60, progressive=True)
    last = [match.start() for match in re.finditer(b"\xff\xda", scans)][-3]
    put("cut-closed-progressive.jpg", scans[:last] + b"\xff\xd9", "media")
    put("no-scan.jpg", good[:segment(good, 0xda)[0]] + b"\xff\xd9", "media")
    put("no-tables.jpg", good[:2] + good[sof:sof_end] + good[segment(good, 0xda)[0]:], "media")
    dht = segment(good, 0xc4)[0]
    put("huffman-overflow.jpg", patch(good, dht + 5, b"\xff" * 16), "media")
    put("only-start.jpg", b"\xff\xd8\xff", "media")
    # Longest codes, each with the longest number behind it; data end within the second.
    put("cut-code.jpg", plain_jpeg(256, 1, {1: 15}, {16: 15}, "0" * 32), "media")
    # Greatest differences by the greatest quantiser: more than 32 bits hold, of which the last 16 are right.
    put("great-sums.jpg", plain_jpeg(16, 65535, {1: 15}, {1: 0}, ("0" + "1" * 15 + "0") * 2), size=(16, 8), tolerance=1,
        colours=[(0, 0, 0), (128, 128, 128)] * 2)


def plain_jpeg(width, quantiser, dc, ac, bits):
    """A grey row of blocks. dc, ac: length of a code of zeros -> its symbol. bits: the coded data."""
    def part(marker, body):
        return struct.pack(">BBH", 0xff, marker, len(body) + 2) + body

    def huffman(number, codes):
        return part(0xc4, bytes([number, *(int(n in codes) for n in range(1, 17)), *codes.values()]))

    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    return (b"\xff\xd8" + part(0xdb, b"\x10" + struct.pack(">H", quantiser) * 64)
            + part(0xc0, struct.pack(">BHHBBBB", 8, 8, width, 1, 1, 0x11, 0)) + huffman(0, dc) + huffman(0x10, ac)
            + part(0xda, bytes([1, 1, 0, 0, 63, 0])) + data + b"\xff\xd9")


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


# ---- TGA, PSD, PNM ----

def tga(pixels, bits=24, kind=2, attributes=0, flags=0x20, before=b"", map_info=bytes(5), palette=b""):
    """Rows as they are stored; flags 0x20: from the top, 0x10: from the right."""
    h, w = pixels.shape[:2]
    return (bytes([len(before), 1 if palette else 0, kind]) + map_info + struct.pack("<HHHHBB", 0, 0, w, h, bits, flags | attributes)
            + before + palette + pixels.tobytes())


def tga_runs(rows):
    """Packets of runs within rows, alternately as runs and as single pixels."""
    out, turn = b"", False
    for row in rows:
        x = 0
        while x < len(row):
            n = 1
            while x + n < len(row) and n < 128 and (row[x + n] == row[x]).all():
                n += 1
            turn = not turn
            out += bytes([0x7f + n]) + row[x].tobytes() if turn else bytes([n - 1]) + row[x:x + n].tobytes()
            x += n
    return np.frombuffer(out, np.uint8)


def make_tga():
    rgb = quadrants()
    bgr = np.ascontiguousarray(rgb[:, :, ::-1])
    good = tga(bgr)
    put("rgb-24.tga", good)
    put("bottom-up.tga", tga(bgr[::-1], flags=0))
    put("right-to-left.tga", tga(np.ascontiguousarray(bgr[:, ::-1]), flags=0x30))
    put("with-id.tga", tga(bgr, before=b"an odd name"))
    put("grey-8.tga", tga(np.array([0, 85, 170, 255], np.uint8)[indices()], 8, 3), colours=[(v,) * 3 for v in (0, 85, 170, 255)])
    bgra = np.concatenate([bgr, np.array([255, 0, 128, 51], np.uint8)[indices()]], axis=2)
    put("rgba-32.tga", tga(bgra, 32, attributes=8), colours=[COLOURS[0], WHITE, (127, 127, 255), (255, 255, 204)])
    put("empty-alpha-32.tga", tga(np.concatenate([bgr, bgr[:, :, :1] * 0], axis=2), 32))
    short = np.array([0x7c00, 0x03e0, 0x001f, 0x7fe0], "<u2")[indices()]
    put("rgb-16.tga", tga(short, 16))
    colours = bytes(v for c in COLOURS for v in c[::-1])
    index = indices().astype(np.uint8)
    put("palette.tga", tga(index, 8, 1, map_info=struct.pack("<HHB", 0, 4, 24), palette=colours))
    put("palette-offset.tga", tga(index, 8, 1, map_info=struct.pack("<HHB", 2, 4, 24), palette=colours), "unsupported")
    head = bytearray(good[:18])
    head[2] = 10
    runs = tga_runs(bgr).tobytes()
    put("runs.tga", bytes(head) + runs)
    put("cut-runs.tga", bytes(head) + runs[:-5], "media")
    put("cut.tga", good[:-100], "media")
    put("cut-header.tga", good[:17], "media")
    put("bomb-size.tga", patch(good, 12, struct.pack("<HH", 65535, 65535)), "media")
    put("bomb-runs.tga", patch(bytes(head), 12, struct.pack("<HH", 65535, 65535)) + runs, "media")
    put("interleaved.tga", patch(good, 17, b"\x60"), "media")
    put("one-pixel.tga", tga(bgr[:1, :1]), size=(1, 1), colours=[COLOURS[0]] * 4)


def pack_bits(row):
    """A row as PackBits: runs of up to 128."""
    out, x = b"", 0
    while x < len(row):
        n = 1
        while x + n < len(row) and n < 128 and row[x + n] == row[x]:
            n += 1
        out += bytes([257 - n if n > 1 else 0, row[x]])
        x += n
    return out


def psd(planes, depth=8, mode=3, runs=False, resources=b"", version=1):
    n, h, w = planes.shape
    head = b"8BPS" + struct.pack(">H6xHIIHH", version, n, h, w, depth, mode)
    sections = struct.pack(">I", 0) + struct.pack(">I", len(resources)) + resources + struct.pack(">I", 0)
    if not runs:
        return head + sections + b"\0\0" + planes.astype(">u2" if depth == 16 else np.uint8).tobytes()
    rows = [pack_bits(row) for plane in planes for row in plane]
    return head + sections + b"\0\1" + b"".join(struct.pack(">H", len(row)) for row in rows) + b"".join(rows)


def make_psd():
    planes = quadrants().transpose(2, 0, 1).astype(int)
    good, packed = psd(planes), psd(planes, runs=True)
    put("rgb-8.psd", good)
    put("rgb-16.psd", psd(planes * 257, 16))
    put("runs.psd", packed)
    alpha = np.concatenate([planes, np.array([255, 0, 255, 0])[indices()].transpose(2, 0, 1)])
    put("rgba-8.psd", psd(alpha), colours=[COLOURS[0], WHITE, COLOURS[2], WHITE])
    # Darker than a white matte lets them be.
    matte = np.concatenate([planes, np.array([255, 128, 1, 0])[indices()].transpose(2, 0, 1)])
    put("matte.psd", psd(matte), colours=[*COLOURS[:3], WHITE])
    put("matte-runs.psd", psd(matte, runs=True), colours=[*COLOURS[:3], WHITE])
    def info(merged):
        return b"8BIM" + struct.pack(">HHI", 1057, 0, 6) + struct.pack(">IBB", 1, merged, 0)
    put("merged.psd", psd(planes, resources=info(1)))
    put("layers-only.psd", psd(planes, resources=info(0)), "unsupported")
    put("cmyk.psd", psd(alpha, mode=4), "unsupported")
    put("large-version.psd", psd(planes, version=2), "unsupported")
    put("cut.psd", good[:-100], "media")
    put("cut-runs.psd", packed[:-10], "media")
    put("cut-header.psd", good[:25], "media")
    put("cut-sections.psd", patch(good, 30, b"\xff\xff\xff\xff"), "media")
    put("bomb-size.psd", patch(good, 14, struct.pack(">II", 60000, 60000)), "media")
    put("bomb-channels.psd", patch(good, 12, struct.pack(">H", 60000)), "media")


def make_pnm():
    rgb = quadrants()
    good = b"P6\n48 32\n255\n" + rgb.tobytes()
    put("rgb.ppm", good)
    put("comments.ppm", b"P6 # why not\n# so wide\n48\t32 # so high\n255\n" + rgb.tobytes())
    put("grey.pgm", b"P5\n48 32\n255\n" + np.array([0, 85, 170, 255], np.uint8)[indices()].tobytes(), colours=[(v,) * 3 for v in (0, 85, 170, 255)])
    put("grey-16.pgm", b"P5\n48 32\n65535\n" + bytes(48 * 32 * 2), "unsupported")
    put("text.ppm", b"P3\n1 1\n255\n255 0 0\n", "unsupported")
    put("bitmap.pbm", b"P4\n8 1\n\0", "unsupported")
    put("any.pam", b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nENDHDR\n\0\0\0", "unsupported")
    put("cut.ppm", good[:-100], "media")
    put("cut-header.ppm", good[:8], "media")
    put("bomb-size.ppm", b"P6\n99999999 99999999\n255\n" + rgb.tobytes(), "media")


def turned(image, kind, **options):
    """Stored lying on its side, with the note that puts it upright again: only those that heed it see the quadrants in their places."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return pil(image.transpose(Image.Transpose.ROTATE_90), kind, exif=exif, **options)


def boxes(data, start=0):
    """(offset, size, kind) of the boxes of an ISO base media file, one after the other."""
    while start < len(data):
        size, kind = struct.unpack_from(">I4s", data, start)
        yield start, size, kind
        start += size


def rotated(heif, turns):
    """The file with the property “irot” for all of its pictures: viewers turn them @turns times anti-clockwise by 90 degrees."""
    def grow(data, kind, body):
        at, size, _ = next(box for box in boxes(data) if box[2] == kind)
        inner = body(data[at + 8:at + size])
        return data[:at] + struct.pack(">I4s", len(inner) + 8, kind) + inner + data[at + size:]

    def associate(ipma):
        flags, count = struct.unpack_from(">II", ipma)
        assert flags == 0, "one byte for each property and two for each item's number"
        at, out = 8, ipma[:8]
        for _ in range(count):
            end = at + 3 + ipma[at + 2]
            out += ipma[at:at + 2] + bytes([ipma[at + 2] + 1]) + ipma[at + 3:end] + bytes([0x80 | (number + 1)])
            at = end
        return out

    def properties(iprp):
        return grow(grow(iprp, b"ipco", lambda ipco: ipco + struct.pack(">I4sB", 9, b"irot", turns)), b"ipma", associate)

    meta, size, _ = next(box for box in boxes(heif) if box[2] == b"meta")
    iprp, _, _ = next(box for box in boxes(heif[:meta + size], meta + 12) if box[2] == b"iprp")
    ipco, length, _ = next(box for box in boxes(heif[:meta + size], iprp + 8) if box[2] == b"ipco")
    number = len(list(boxes(heif[:ipco + length], ipco + 8)))
    inner = heif[meta + 12:meta + size]
    grown = grow(inner, b"iprp", properties)
    added = len(grown) - len(inner)
    grown = moved(grown, added)
    return heif[:meta] + struct.pack(">I4sI", len(grown) + 12, b"meta", 0) + grown + heif[meta + size:]


def moved(meta, by):
    """The items' places in the file (iloc of version 0 or 1 with offsets of 4 bytes), @by bytes later."""
    iloc, _, _ = next(box for box in boxes(meta) if box[2] == b"iloc")
    version = meta[iloc + 8]
    assert version in (0, 1) and meta[iloc + 12] == 0x44, "offsets and lengths of four bytes"
    base = meta[iloc + 13] >> 4
    out, at = bytearray(meta), iloc + 16
    for _ in range(struct.unpack_from(">H", meta, iloc + 14)[0]):
        method = struct.unpack_from(">H", meta, at + 2)[0] & 15 if version == 1 else 0
        at += (6 if version == 1 else 4) + base
        extents = struct.unpack_from(">H", meta, at)[0]
        at += 2
        for _ in range(extents):
            if method == 0:
                struct.pack_into(">I", out, at, struct.unpack_from(">I", meta, at)[0] + by)
            at += 8
    return bytes(out)


def make_foreign():
    """Kinds that other decoders read: the window through gdk-pixbuf, the engine not. Their lower right quadrant is clear where they can."""
    image = Image.fromarray(quadrants())
    clear = Image.fromarray(quadrants(colours=[(*c, 255) for c in COLOURS[:3]] + [(0, 0, 0, 0)], channels=4))
    svg = "".join(f'<rect x="{x}" y="{y}" width="24" height="16" fill="#{r:02x}{g:02x}{b:02x}"/>'
                  for (x, y), (r, g, b) in zip([(0, 0), (24, 0), (0, 16)], COLOURS))
    put("picture.webp", pil(clear, "WEBP", lossless=True, exact=True), "unsupported")
    put("picture.tiff", pil(clear, "TIFF", compression="tiff_deflate"), "unsupported")
    put("picture.svg", f'<svg xmlns="http://www.w3.org/2000/svg" width="48" height="32">{svg}</svg>\n'.encode(), "unsupported")
    put("picture.avif", pil(image, "AVIF", quality=90, subsampling="4:4:4"), "unsupported")
    put("picture.heic", pil(image, "HEIF", quality=90, chroma=444), "unsupported")
    put("turned.tiff", turned(image, "TIFF", compression="tiff_deflate"), "unsupported")
    put("turned.avif", turned(image, "AVIF", quality=90, subsampling="4:4:4"), "unsupported")
    lying = pil(image.transpose(Image.Transpose.ROTATE_90), "HEIF", quality=90, chroma=444)
    put("turned.heic", rotated(lying, 3), "unsupported")
    put("turned-exif.heic", rotated(turned(image, "HEIF", quality=90, chroma=444), 3), "unsupported")  # as telephones do, and once is enough
    put("picture.jxl", b"\xff\x0a\x7f\x10\0", "unsupported")
    put("picture.jp2", b"\0\0\0\x0cjP  \r\n\x87\n", "unsupported")
    put("picture.psd", b"8BPS\0\1" + b"\0" * 20, "unsupported")
    put("webp-named.jpg", pil(image, "WEBP", lossless=True), "unsupported")


if __name__ == "__main__":
    make_png()
    make_jpeg()
    make_gif()
    make_bmp()
    make_tga()
    make_psd()
    make_pnm()
    make_foreign()
    (OUT / "expected.tsv").write_text("\n".join(table) + "\n")
    print(len(table), "files,", sum((OUT / r.split("\t")[0]).stat().st_size for r in table), "bytes")
