"""Writes small photographs and what Pillow makes of them, and a development kit's meta.mat.

python3 make_photos.py (needs pillow < 13, scipy, scikit-image: the photographs are from its package).
"""
import ctypes
import io
import pathlib
import struct
import zlib

import numpy
import scipy.io
import skimage.data
from PIL import Image

here = pathlib.Path(__file__).parent


def photo(name, size):
    image = Image.fromarray(getattr(skimage.data, name)()).convert("RGB")
    return image.resize(size, Image.Resampling.LANCZOS)


chelsea, coffee, rocket = photo("chelsea", (113, 75)), photo("coffee", (120, 80)), photo("rocket", (128, 85))
astronaut = photo("astronaut", (96, 97))
chelsea.save(here / "chelsea.jpg", quality=88)                       # 4:2:0, Pillow's default
coffee.save(here / "coffee.jpg", quality=88, subsampling=1)          # 4:2:2
rocket.save(here / "rocket.jpg", quality=88, progressive=True)
astronaut.save(here / "astronaut.jpg", quality=88, subsampling=0)    # 4:4:4
coffee.convert("L").save(here / "coffee-grey.jpg", quality=88)
coffee.convert("CMYK").save(here / "coffee-cmyk.jpg", quality=88)    # Adobe, transform 0


def ycck(image, path):
    """Four inks as luminance, two colours and black, inverted as Adobe's programs write them."""
    library = ctypes.CDLL("libturbojpeg.so.0")
    library.tjInitCompress.restype = ctypes.c_void_p
    ink = (255 - numpy.asarray(image.convert("CMYK"))).tobytes()
    buffer, length = ctypes.POINTER(ctypes.c_ubyte)(), ctypes.c_ulong()
    library.tjCompress2(
        ctypes.c_void_p(library.tjInitCompress()), ink, image.width, 0, image.height, 11,   # TJPF_CMYK
        ctypes.byref(buffer), ctypes.byref(length), 1, 88, 0)                               # TJSAMP_422
    path.write_bytes(ctypes.string_at(buffer, length.value))


ycck(coffee, here / "coffee-ycck.jpg")                               # Adobe, transform 2
exif = Image.Exif()
exif[0x0112] = 6
chelsea.save(here / "chelsea-rotated.jpg", quality=88, exif=exif)
small = coffee.resize((40, 27), Image.Resampling.LANCZOS)
small.save(here / "png-in-jpeg-clothes.jpg", format="PNG")           # as n02105855_2933.JPEG
small.convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(here / "palette.png")
small.convert("L").save(here / "grey.png")
alpha = small.copy()
alpha.putalpha(small.convert("L"))
alpha.save(here / "alpha.png")


def png16(path, samples):
    """16 bits a channel, which Pillow reads but does not write."""
    height, width, channels = samples.shape

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    head = struct.pack(">IIBBBBB", width, height, 16, 2 if channels == 3 else 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b""))


deep = numpy.asarray(small).astype(numpy.uint16) * 257
png16(here / "deep.png", numpy.maximum(deep, 90) - 90)

# What Pillow decodes, as raw RGB bytes.
for name in ["chelsea.jpg", "coffee.jpg", "rocket.jpg", "astronaut.jpg", "coffee-grey.jpg", "coffee-cmyk.jpg", "coffee-ycck.jpg",
             "png-in-jpeg-clothes.jpg", "palette.png", "grey.png", "alpha.png", "deep.png"]:
    with Image.open(here / name) as image:
        (here / f"{name}.rgb").write_bytes(image.convert("RGB").tobytes())

# What crop and resize make of them, as raw RGB bytes: torchvision's order, crop first.
for name, box, size in [("chelsea", (0, 0, 113, 75), 48), ("coffee", (11, 7, 97, 66), 32), ("rocket", (30, 20, 70, 60), 56),
                        ("astronaut", (3, 1, 94, 92), 24), ("astronaut", (40, 40, 64, 64), 24)]:
    result = Image.open(here / f"{name}.jpg").convert("RGB").crop(box).resize((size, size), Image.Resampling.BICUBIC)
    (here / f"{name}-{'-'.join(map(str, box))}-{size}.rgb").write_bytes(result.tobytes())

# The development kit: four classes and what two of them are kinds of.
fields = ["ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height", "num_train_images"]
classes = [("n03000684", "chain saw, chainsaw"), ("n01443537", "goldfish, Carassius auratus"),
           ("n02105855", "Shetland sheepdog, Shetland sheep dog, Shetland"), ("n01440764", "tench, Tinca tinca")]
rows = [(float(number), name, words, "a gloss", 0.0, numpy.zeros((0,)), 0.0, 6.0)
        for number, (name, words) in enumerate(classes, 1)]
rows.append((5.0, "n02512053", "fish", "a gloss", 2.0, numpy.array([2.0, 4.0]), 3.0, 0.0))
synsets = numpy.array(rows, dtype=[(field, object) for field in fields]).reshape(-1, 1)
scipy.io.savemat(here / "meta.mat", {"synsets": synsets}, do_compression=True)
scipy.io.savemat(here / "meta-plain.mat", {"synsets": synsets}, do_compression=False)
