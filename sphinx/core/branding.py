"""What makes printed documents the firm's own: logo and colour."""

from base64 import b64encode

from sphinx.core.services import company

Brand = dict[str, str]
_PNG = b"\x89PNG"


def brand() -> Brand:
    """`logo` as a data: image, blank without one, and `colour`, for print/base.html."""
    firm = company()
    logo = bytes(firm.logo)
    kind = "png" if logo.startswith(_PNG) else "jpeg"
    return {
        "logo": f"data:image/{kind};base64,{b64encode(logo).decode()}" if logo else "",
        "colour": firm.colour,
        # What the logo says to those who don't see it.
        "firm_name": firm.name,
    }
