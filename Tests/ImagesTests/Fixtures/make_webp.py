"""Writes WebP files, pictures with transparency and with orientations, and what Pillow makes of them.

python3 make_webp.py (needs pillow; reads the photographs of make_photos.py).
"""
import pathlib
import struct
import zlib

from PIL import Image, ImageOps

here = pathlib.Path(__file__).parent
chelsea = Image.open(here / "chelsea.jpg").convert("RGB")
small = chelsea.resize((40, 27), Image.Resampling.LANCZOS)
alpha = small.copy()
alpha.putalpha(small.convert("L").resize((40, 27)).point(lambda value: max(0, min(255, 2 * value - 128))))

chelsea.save(here / "photo.webp", quality=80)
small.save(here / "lossless.webp", lossless=True)
alpha.save(here / "alpha.webp", quality=80)
alpha.save(here / "alpha-lossless.webp", lossless=True, exact=True)
small.save(here / "animated.webp", save_all=True, append_images=[small.rotate(180)], duration=100)
alpha.save(here / "transparent.png")
small.convert("P", palette=Image.Palette.ADAPTIVE, colors=16).save(here / "palette-transparent.png", transparency=3)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    part = small.crop((7, 5, 12, 8))
    part.save(here / f"oriented-{orientation}.webp", lossless=True, exif=exif)
    part.save(here / f"oriented-{orientation}.png", exif=exif)


def interlaced(path, image):
    """Adam7, which Pillow reads but does not write."""
    width, height = image.size
    pixels = image.load()

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b""
    for x0, y0, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
        for y in range(y0, height, dy):
            row = b"".join(bytes(pixels[x, y]) for x in range(x0, width, dx))
            rows += b"\0" + row if row else b""
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1))
        + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


interlaced(here / "interlaced.png", small)

# What Pillow decodes, as raw RGB bytes; transparency left out, and on each background.
for name in ["photo.webp", "lossless.webp", "alpha.webp", "alpha-lossless.webp", "transparent.png",
             "palette-transparent.png", "interlaced.png"]:
    with Image.open(here / name) as image:
        (here / f"{name}.rgb").write_bytes(image.convert("RGB").tobytes())
        if "alpha" in name or "transparent" in name:
            colors = image.convert("RGBA")
            for word, value in [("white", 255), ("black", 0), ("grey", 128)]:
                ground = Image.new("RGB", colors.size, (value,) * 3)
                ground.paste(colors, mask=colors.getchannel("A"))
                (here / f"{name}.{word}").write_bytes(ground.tobytes())
for name in [f"oriented-{number}.{kind}" for number in range(1, 9) for kind in ("webp", "png")] + ["chelsea-rotated.jpg"]:
    with Image.open(here / name) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
        (here / f"{name}.upright").write_bytes(struct.pack("<HH", *upright.size) + upright.tobytes())
