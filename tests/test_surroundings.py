"""A developer's own settings change no test."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.processes import ROOT

SETTINGS = {
    "CUDA_VISIBLE_DEVICES": "7",
    "HF_HOME": "/nowhere",
    "HUGGING_FACE_HUB_TOKEN": "a-token-of-a-person",
    "TRANSFORMERS_OFFLINE": "1",
    "CODECARBON_COUNTRY_ISO_CODE": "FRA",
    "codecarbon_log_level": "debug",
    "SLURM_JOB_ID": "12",
    "JOULEBENCH_TEST_FAULT": "kill-at:1",
    "JOULEBENCH_STANDIN": "/nowhere/control",
}
AT_IMPORT = dict(os.environ)


def test_no_setting_is_there() -> None:
    """Of all but CUDA, not even while modules are imported, which is when the hub's client reads its own."""
    assert not SETTINGS.keys() & os.environ.keys()
    assert not (SETTINGS.keys() - {"CUDA_VISIBLE_DEVICES"}) & AT_IMPORT.keys()


@pytest.mark.gpu
def test_the_cards_of_a_job_stay_for_tests_on_a_real_card() -> None:
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == AT_IMPORT.get("CUDA_VISIBLE_DEVICES")
    assert "HF_HOME" not in os.environ


def test_settings_from_outside_reach_no_test() -> None:
    """The two tests above, where every setting is there."""
    tests = (test_no_setting_is_there, test_the_cards_of_a_job_stay_for_tests_on_a_real_card)
    command = [sys.executable, "-m", "pytest", "-q", *(f"{__file__}::{each.__name__}" for each in tests)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | SETTINGS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
