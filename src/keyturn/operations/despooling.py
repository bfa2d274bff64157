"""What becomes of a bundle that has arrived, by its kind."""

from collections.abc import Mapping

from keyturn.operations import content_below, handing_down, reports_above, site_control_exchange
from keyturn.operations.bundles import Handler
from keyturn.operations.hierarchy import learn
from keyturn.operations.site_credentials import believe, take
from keyturn.site.bundles import Kind

HANDLERS: Mapping[Kind, Handler] = {
    Kind.SITES: learn,
    Kind.CREDENTIALS: take,
    Kind.PROOFS: believe,
    Kind.CONTROL: site_control_exchange.take,
    Kind.SOFTWARE: handing_down.take,
    Kind.WANTED: content_below.answer,
    Kind.CONTENT: content_below.take,
    Kind.REPORTS: reports_above.take,
}
"""All others wait to be collected."""
