"""Input pictures, masks and styles, drawn here: the same for one size and number, licensed as the project.

source(1024, 768, number=3)      # a landscape: sky, sun, hills, a house
mask(1024, 768)                  # white where an inpainting model paints
style(512, 512)                  # coloured brush strokes
opened(Path("style.jpg"))        # a picture of one's own
"""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image, ImageDraw

from bench.errors import EngineError

Rgb = tuple[int, int, int]
SKIES: tuple[Rgb, ...] = ((120, 170, 230), (240, 160, 110), (90, 100, 150), (190, 215, 235))
HILLS: tuple[Rgb, ...] = ((70, 120, 70), (100, 95, 60), (60, 100, 110))
WALL: Rgb = (200, 80, 60)
STROKES: tuple[Rgb, ...] = ((30, 60, 140), (240, 190, 40), (20, 120, 110), (235, 235, 210), (170, 50, 40))


def source(width: int, height: int, number: int = 0) -> Image.Image:
    """A landscape; numbers differ in sky, sun and hills."""
    picture = Image.new("RGB", (width, height), SKIES[number % len(SKIES)])
    draw = ImageDraw.Draw(picture)
    side = min(width, height)
    sun_x, sun_y = width * (0.2 + 0.15 * (number % 5)), height * 0.22
    draw.ellipse(_around(sun_x, sun_y, side * 0.08), fill=(255, 235, 150))
    for layer, colour in enumerate(HILLS):
        base, swing = height * (0.5 + 0.13 * layer), height * 0.08
        waves = 2 + layer + number % 3
        ridge = [
            (x, base + swing * math.sin(2 * math.pi * waves * x / width + number + layer))
            for x in range(0, width + 8, 8)
        ]
        draw.polygon([*ridge, (width + 8, height), (0, height)], fill=colour)
    left, top = width * 0.55, height * 0.6
    draw.rectangle((left, top, left + side * 0.2, top + side * 0.16), fill=WALL)
    roof = [(left, top), (left + side * 0.2, top), (left + side * 0.1, top - side * 0.1)]
    draw.polygon(roof, fill=(90, 50, 45))
    return picture


def mask(width: int, height: int) -> Image.Image:
    """White in an ellipse in the middle, a fifth of the area; black around it."""
    picture = Image.new("L", (width, height), 0)
    half_x, half_y = width * 0.25, height * 0.25
    box = (width / 2 - half_x, height / 2 - half_y, width / 2 + half_x, height / 2 + half_y)
    ImageDraw.Draw(picture).ellipse(box, fill=255)
    return picture


def style(width: int, height: int) -> Image.Image:
    """Swirls of thick strokes in few colours."""
    picture = Image.new("RGB", (width, height), STROKES[0])
    draw = ImageDraw.Draw(picture)
    step, thick = max(4, min(width, height) // 16), max(2, min(width, height) // 40)
    for row, y in enumerate(range(0, height + step, step)):
        for column, x in enumerate(range(0, width + step, step)):
            turn = math.sin(x / (width + 1) * 6) + math.cos(y / (height + 1) * 5)
            end = (x + step * math.cos(turn * 2), y + step * math.sin(turn * 2))
            draw.line([(x, y), end], fill=STROKES[(row * 3 + column * 2) % len(STROKES)], width=thick)
    return picture


def opened(file: Path) -> Image.Image:
    """The picture in a file. Raises EngineError if it is not a picture."""
    try:
        with Image.open(file) as picture:
            return picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a picture"
        raise EngineError(
            f"The style picture {file} cannot be used: {reason}.",
            "Give a PNG or JPEG file with --style-picture, or leave it out.",
            missing=True,
        ) from error


def _around(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return (x - radius, y - radius, x + radius, y + radius)
