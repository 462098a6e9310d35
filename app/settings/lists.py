"""Settings that hold several values."""


def listed(text: str) -> list[str]:
    """Return what stands between the commas."""
    return [part.strip() for part in text.split(",") if part.strip()]
