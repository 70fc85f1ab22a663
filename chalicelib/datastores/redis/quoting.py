"""How words enter redis-cli: as digits, quoted here and nowhere else."""


def command(*words: str) -> str:
    """Return a line for redis-cli's standard input, whatever the words hold."""
    return " ".join(f'"{_digits(word)}"' for word in words) + "\n"


def _digits(word: str) -> str:
    return "".join(f"\\x{each:02x}" for each in word.encode())
