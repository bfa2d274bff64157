"""How a table's name is stored: two characters of a small alphabet in one of UTF-16, after a mark that means table."""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
PAIR, SINGLE, TABLE = 0x3800, 0x4800, "\u4840"

SUMMARY = "\x05SummaryInformation"


def stored_name(table: str) -> str:
    """The name of the stream that holds `table`, which is written in the alphabet as every table's name is."""
    pairs = (table[at : at + 2] for at in range(0, len(table), 2))
    return TABLE + "".join(map(_packed, pairs))


def _packed(pair: str) -> str:
    first, *second = (ALPHABET.index(character) for character in pair)
    return chr(PAIR + first + (second[0] << 6)) if second else chr(SINGLE + first)
