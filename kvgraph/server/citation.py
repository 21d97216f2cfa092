"""How to cite a release: in words, and for BibTeX."""

from dataclasses import dataclass
from datetime import date

from ..releases import Release

AUTHOR = "kvgraph curators"
TITLE = "kvgraph: An open knowledge graph of knowledge valorisation"


@dataclass(frozen=True)
class Citation:
    """``text`` follows APA (7th edition, data sets); ``url`` stays as long as the release is kept."""

    text: str
    bibtex: str
    url: str

    @classmethod
    def of(cls, release: Release, host_url: str) -> "Citation":
        """The citation of a release on the host of that address, which ends in a slash."""
        built = date.fromisoformat(release.manifest["built"][:10])
        url = f"{host_url}release/{release.id}/"
        text = f"{AUTHOR}. ({built:%Y, %B} {built.day}). {TITLE} (Release {release.id}) [Data set]. {url}"
        fields = {
            "author": f"{{{AUTHOR}}}",
            "title": f"{{{TITLE}}}",
            "year": f"{built:%Y}",
            "month": f"{built:%b}".lower(),
            "version": release.id.replace("_", r"\_"),
            "url": url,
            "note": "Data set, CC BY 4.0",
        }
        lines = [f"  {name} = {value if name == 'month' else f'{{{value}}}'}," for name, value in fields.items()]
        return cls(text, "\n".join([f"@misc{{kvgraph-{release.id},", *lines, "}"]), url)
