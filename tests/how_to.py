"""What the how-tos tell people to type, so that tests begin with the same."""

from pathlib import Path

_PAGES = Path(__file__).parent.parent / "docs/how-to"


def commands(page: str, language: str) -> list[str]:
    """The statements in the page's blocks of that language, without their semicolons."""
    blocks = (_PAGES / f"{page}.md").read_text().split(f"```{language}\n")[1:]
    statements = (statement.strip() for block in blocks for statement in block.split("```")[0].split(";\n"))
    return [statement for statement in statements if statement]
