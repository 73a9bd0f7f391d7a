"""What `verify` asks of the dashboard: its sums are those of orders, documents and parcels."""

from sphinx.core.proofs import Proof, proves
from sphinx.dashboard import rollups


@proves("statistics")
def _sums(proof: Proof) -> None:
    for table in rollups.differences():
        proof.checked += table.rows
        if table.wrong:
            proof.faults.append(
                f"{table.table} : {table.wrong} sommes ne sont pas celles des pièces ; "
                "lancez « manage.py rebuild_statistics »"
            )
