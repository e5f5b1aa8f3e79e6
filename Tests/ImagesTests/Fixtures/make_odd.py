"""JPEGs that few programs write and many read, with Pillow's pixels: python3 make_odd.py

Needs a C compiler, libjpeg's headers and Pillow (13.0 with libjpeg-turbo 3.2 made the files here).
"""
import io
import pathlib
import subprocess
import tempfile

from PIL import Image

folder = pathlib.Path(__file__).parent
photo = Image.open(folder / "chelsea.jpg").convert("RGB").resize((45, 31))
cases = {
    "sampled-1x4": ("ycc", "1x4,1x1,1x1"),
    "sampled-4x2": ("ycc", "4x2,1x1,1x1"),
    "sampled-3x1": ("ycc", "3x1,1x1,1x1"),
    "sampled-ink": ("cmyk", "2x2,1x1,1x1,2x2"),
    "sampled-odd": ("ycc", "2x2,2x1,1x2"),
}


def store(name, data):
    (folder / f"{name}.jpg").write_bytes(data)
    pixels = Image.open(io.BytesIO(data)).convert("RGB")
    (folder / f"{name}.jpg.rgb").write_bytes(pixels.tobytes())


with tempfile.TemporaryDirectory() as work:
    program = f"{work}/make_sampled"
    subprocess.run(["cc", folder / "make_sampled.c", "-ljpeg", "-o", program], check=True)
    for name, (space, sampling) in cases.items():
        pixels = photo.convert("CMYK" if space == "cmyk" else "RGB")
        size = [str(number) for number in photo.size]
        run = subprocess.run(
            [program, space, *size, sampling], input=pixels.tobytes(), capture_output=True, check=True)
        store(name, run.stdout)

# An Adobe segment whose code of the colours nobody knows: YCbCr, YCCK.
buffer = io.BytesIO()
photo.save(buffer, "JPEG", quality=85)
data = buffer.getvalue()
adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x09"
jfif = 4 + int.from_bytes(data[4:6], "big")
store("adobe-unknown", data[:2] + adobe + data[jfif:])
ycck = (folder / "coffee-ycck.jpg").read_bytes()
place = ycck.index(b"Adobe") + 11
store("adobe-unknown-ink", ycck[:place] + b"\x09" + ycck[place + 1 :])
