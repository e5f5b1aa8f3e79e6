"""Writes the image fixtures with Pillow: python3 make_fixtures.py (needs pillow < 13)."""
import json
import pathlib
import random

from PIL import Image

here = pathlib.Path(__file__).parent
random.seed(1)


def picture(width, height):
    """Smooth colours with some texture, like a photograph."""
    image = Image.new("RGB", (width, height))
    image.putdata([
        ((x * 255) // width, (y * 255) // height,
         ((x * y) // 3 + random.randrange(40)) % 256)
        for y in range(height) for x in range(width)
    ])
    return image


color = picture(37, 29)
color.save(here / "color.jpg", quality=92, subsampling=0)
color.save(here / "progressive.jpg", quality=92, subsampling=0, progressive=True)
color.convert("L").save(here / "grey.jpg", quality=92)
color.convert("CMYK").save(here / "cmyk.jpg", quality=92)
decoded = {
    name: list(Image.open(here / f"{name}.jpg").convert("RGB").tobytes())
    for name in ["color", "progressive", "grey"]
}
(here / "decode.json").write_text(json.dumps(decoded))

cases = []
for width, height, box, size in [
    (37, 29, (0, 0, 37, 29), 16), (37, 29, (3, 5, 23, 25), 32), (60, 41, (7, 2, 55, 38), 11),
    (16, 16, (0, 0, 16, 16), 24), (50, 50, (10, 10, 30, 30), 20),
]:
    source = picture(width, height)
    # torchvision's order: crop first, then resize, so nothing outside the box is read.
    result = source.crop(box).resize((size, size), Image.Resampling.BICUBIC)
    cases.append({
        "width": width, "height": height, "box": box, "size": size,
        "source": list(source.tobytes()), "result": list(result.tobytes()),
    })
(here / "resize.json").write_text(json.dumps(cases))
