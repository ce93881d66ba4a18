import pytest

from crmsync.mappings.transforms import TRANSFORMS


@pytest.mark.parametrize(
    ("raw", "host"),
    [
        ("https://www.Acme.example/shop?x=1", "acme.example"),
        ("acme.example", "acme.example"),
        ("HTTP://acme.example:8080", "acme.example"),
        ("acme.example:8080/a", "acme.example"),
        ("mailto:buyer@acme.example", "acme.example"),
        ("buyer@acme.example", "acme.example"),
        ("//acme.example/", "acme.example"),
        ("www.müller.example.", "xn--mller-kva.example"),
        ("sub.acme.co.uk/path", "sub.acme.co.uk"),
    ],
)
def test_the_host_is_taken_from_any_address(raw: str, host: str) -> None:
    assert TRANSFORMS["domain"].read(raw) == host
    assert TRANSFORMS["domain"].read(host) == host


@pytest.mark.parametrize("raw", ["n/a", "none", "-", "acme", "http://", "a" * 300 + ".example"])
def test_what_is_no_address_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match="not a web address"):
        TRANSFORMS["domain"].read(raw)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Germany", "DE"),
        ("deutschland", "DE"),
        ("DEU", "DE"),
        ("de", "DE"),
        ("United States", "US"),
        ("U.S.A.", "US"),
        ("USA", "US"),
        ("UK", "GB"),
        ("great  britain", "GB"),
        ("Cote d'Ivoire", "CI"),
        ("Côte d’Ivoire", "CI"),
        ("Turkey", "TR"),
        ("Türkiye", "TR"),
        ("South Korea", "KR"),
        ("Korea, Republic of", "KR"),
        ("Hong Kong", "HK"),
        ("Česko", None),
        ("Atlantis", None),
        ("EU", None),
        ("Earth", None),
    ],
)
def test_countries_are_known_by_the_names_people_type(name: str, code: str | None) -> None:
    if code is not None:
        assert TRANSFORMS["country"].read(name) == code
        return
    with pytest.raises(ValueError, match="not a country"):
        TRANSFORMS["country"].read(name)


@pytest.mark.parametrize(
    ("transform", "raw", "result"),
    [
        ("trim", " a  b ", "a  b"),
        ("squash", " a  b ", "a b"),
        ("lower", "AbC", "abc"),
        ("upper", "AbC", "ABC"),
        ("digits", "DE 12-34", "1234"),
        ("negate", "TRUE", False),
        ("negate", False, True),
        ("lower", 12, 12),
    ],
)
def test_small_transforms(transform: str, raw: object, result: object) -> None:
    assert TRANSFORMS[transform].read(raw) == result  # type: ignore[arg-type]


def test_only_yes_and_no_can_be_negated() -> None:
    with pytest.raises(ValueError, match="neither true nor false"):
        TRANSFORMS["negate"].read("maybe")
