"""The next decision record gets the next number and a line in the index."""

from pathlib import Path

from toolkit.commands.new_adr import start


def test_the_next_record(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("| record |\n", "utf-8")
    (tmp_path / "0007-an-earlier-one.md").write_text("", "utf-8")

    path = start(tmp_path, "Use a FIFO queue: order matters!", "2026-01-31")

    assert path.name == "0008-use-a-fifo-queue-order-matters.md"
    assert path.read_text("utf-8").startswith("# 8. Use a FIFO queue: order matters!\n")
    assert "Status: proposed, 2026-01-31" in path.read_text("utf-8")
    index = (tmp_path / "README.md").read_text("utf-8")
    assert index.endswith(
        f"| [0008]({path.name}) | Use a FIFO queue: order matters! | proposed |\n"
    )
