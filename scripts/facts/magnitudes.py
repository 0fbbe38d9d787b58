"""Least and most that a number of each unit can be in this project."""

from __future__ import annotations

FACTORS: dict[str, tuple[float, float]] = {
    "1": (-0.5, 3.0),
    "words/h": (50.0, 10_000.0),
    "words/page": (100.0, 1000.0),
    "tokens/page": (200.0, 1000.0),
    "words/query": (10.0, 5000.0),
    "prompts/thread": (1.0, 20.0),
    "h/image": (0.1, 200.0),
    "h/video_minute": (0.1, 50.0),
    "h/motion_graphics_minute": (10.0, 1000.0),
    "h/animation_minute": (10.0, 1000.0),
    "h/music_minute": (0.1, 50.0),
    "h/voice_hour": (1.0, 50.0),
    "min/page_read_aloud": (1.0, 60.0),
    "min/programming_task": (5.0, 1000.0),
    "h/yr": (1000.0, 8784.0),
    "t CO2e/yr": (0.5, 50.0),
    "W": (1.0, 1000.0),
    "kWh/day": (0.001, 100.0),
    "kWh/yr": (100.0, 100_000.0),
    "kWh": (100.0, 1_000_000.0),
    "g CO2e/kWh": (5.0, 1200.0),
    "g CO2/kWh": (5.0, 1200.0),
    "g CO2e/image": (0.01, 100.0),
    "g CO2e/exaflop": (0.01, 100.0),
    "L/kWh": (0.05, 20.0),
    "kg CO2e": (1.0, 10_000.0),
    "t CO2e": (1.0, 100_000.0),
    "t CO2e/day": (0.1, 10_000.0),
    "yr": (1.0, 10.0),
    "queries/day": (1000.0, 1e10),
    "requests": (1000.0, 1e9),
    "days": (1.0, 3650.0),
    "MWh": (10.0, 1e6),
    "tokens/week": (1e9, 1e16),
    "USD/kWh": (0.01, 1.0),
    "GW": (1.0, 1000.0),
}
"""Of factors, quantities and the paper's inputs."""

PUBLISHED_J: dict[str, tuple[float, float]] = {
    "output": (0.01, 100.0),
    "token": (0.01, 100.0),
    "query": (0.1, 1e6),
    "prompt": (10.0, 1e5),
    "request": (10.0, 1e5),
    "response": (10.0, 1e5),
    "page": (10.0, 1e5),
    "image": (0.1, 2e5),
    "video": (500.0, 1e7),
    "clip": (100.0, 1e7),
}
"""Joules of one, of published figures; the word before the first `_` of a unit counts."""
