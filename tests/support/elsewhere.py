"""Small good files from elsewhere: a scenario of plain numbers, a row of the ML.ENERGY leaderboard."""

from __future__ import annotations

SCENARIO = """\
about: A person of 1500 g an hour against a model of 1 Wh a page.
unit: page
person:
  footprint: {value: 13.14, unit: t CO2e/yr, source: a table}
  hours: {value: 8760, unit: h/yr, source: a table}
  work: {value: 0.8, unit: h/page, source: a table}
model:
  energy: {value: 3600, unit: J/page, scope: host, source: a table}
  grid: {value: 400, unit: g CO2e/kWh, source: a table}
  pue: {value: 1.5, unit: '1', source: a table}
  prompts: {value: 2, unit: prompts/page, source: a table}
"""

IMAGE = {
    "model_id": "Efficient-Large-Model/SANA1.5_1.6B_1024px_diffusers",
    "gpu_model": "B200",
    "num_gpus": 1,
    "batch_size": 2,
    "energy_per_image_joules": 344.3,
    "batch_latency_s": 1.05,
    "image_height": 1024,
    "image_width": 1024,
    "inference_steps": 20,
    "weight_precision": "bfloat16",
}
