"""Names as statements have them."""


def identifier(name: str) -> str:
    return f"[{name.replace(']', ']]')}]"


def text(written: str) -> str:
    return "N'" + written.replace("'", "''") + "'"
