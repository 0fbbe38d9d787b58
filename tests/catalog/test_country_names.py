"""Countries by every name of ISO 3166, and never by letters in common."""

from __future__ import annotations

import pytest

from bench.catalog.grid import country_factor
from bench.errors import UsageError


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("USA", "USA"),
        ("us", "USA"),
        ("de", "DEU"),
        ("GER", "DEU"),
        ("Czech Republic", "CZE"),
        ("Czechia", "CZE"),
        ("Türkiye", "TUR"),
        ("Turkey", "TUR"),
        ("Côte d'Ivoire", "CIV"),
        ("Viet Nam", "VNM"),
        ("Korea, Republic of", "KOR"),
        ("South Korea", "KOR"),
        ("Russian Federation", "RUS"),
        ("UK", "GBR"),
        ("gb", "GBR"),
        ("NER", "NER"),
    ],
)
def test_a_country_has_many_names(typed: str, code: str) -> None:
    assert country_factor(typed).code == code


@pytest.mark.parametrize("typed", ["XYZ", "zz", "Kosovo", "Atlantis", "Central Czech Republic"])
def test_a_name_that_is_none_is_not_guessed_by_letters(typed: str) -> None:
    with pytest.raises(UsageError) as caught:
        country_factor(typed)
    assert "Did you mean" not in str(caught.value)
    assert "three-letter code" in str(caught.value)


def test_a_slip_of_the_finger_is() -> None:
    with pytest.raises(UsageError, match='Did you mean "Germany"'):
        country_factor("Germny")
