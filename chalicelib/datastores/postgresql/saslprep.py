"""SASLprep (RFC 4013) as PostgreSQL has it: both sides prepare a password so, before either hashes it."""

import stringprep
import unicodedata

PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,
)


def saslprep(password: str) -> str:
    """Return the password prepared; as it is if SASLprep forbids it: PostgreSQL's own clients do so too."""
    if password.isascii():
        return password
    mapped = "".join(" " if stringprep.in_table_c12(each) else each for each in password if not _is_nothing(each))
    prepared = unicodedata.normalize("NFKC", mapped)
    is_forbidden = any(is_in(each) for each in prepared for is_in in PROHIBITED) or not _reads_one_way(prepared)
    return password if is_forbidden or not prepared else prepared


def _is_nothing(character: str) -> bool:
    """A space of zero width is in both tables; PostgreSQL asks for spaces first."""
    return stringprep.in_table_b1(character) and not stringprep.in_table_c12(character)


def _reads_one_way(text: str) -> bool:
    """Where a letter is read from right to left, all are, and the first and the last are such letters."""
    if not any(stringprep.in_table_d1(each) for each in text):
        return True
    ends = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    return ends and not any(stringprep.in_table_d2(each) for each in text)
