"""What every store promises, as one suite to inherit: an adapter's whole test is its `url` fixture.

Each part stands in `store/`, beside the fixed cast that all of them play with.
"""

from tests.contract.store.bundles import HeldCredentialsContract, KnownSitesContract, QueuesContract
from tests.contract.store.chained_events import ChainedEventsContract
from tests.contract.store.clients import AttemptsContract, ClientsContract, EventsContract, PeopleContract
from tests.contract.store.escrow import EscrowContract
from tests.contract.store.estates import EstatesContract
from tests.contract.store.handed_down import HandedDownContract
from tests.contract.store.holders import HoldersContract
from tests.contract.store.inboxes import InboxesContract
from tests.contract.store.leases import LeasesContract
from tests.contract.store.passwords import AdoptionContract, VaultContract
from tests.contract.store.planning import PlanningContract
from tests.contract.store.push_requests import LogonKeysContract, PushRequestsContract
from tests.contract.store.sharing import SharingContract
from tests.contract.store.site_control import SiteControlContract
from tests.contract.store.software import ConsentsContract, FactsContract, SoftwareContract
from tests.contract.store.software_status import AdvertisementReportsContract, PolicyIssuesContract
from tests.contract.store.source_readings import SourceReadingsContract
from tests.contract.store.status_messages import ComponentsContract, StatusMessagesContract


class StoreContract(
    EstatesContract,
    PlanningContract,
    LeasesContract,
    VaultContract,
    AdoptionContract,
    EscrowContract,
    HoldersContract,
    ClientsContract,
    PeopleContract,
    EventsContract,
    ChainedEventsContract,
    AttemptsContract,
    InboxesContract,
    SharingContract,
    SiteControlContract,
    StatusMessagesContract,
    ComponentsContract,
    PushRequestsContract,
    LogonKeysContract,
    QueuesContract,
    KnownSitesContract,
    HeldCredentialsContract,
    SoftwareContract,
    ConsentsContract,
    FactsContract,
    PolicyIssuesContract,
    AdvertisementReportsContract,
    HandedDownContract,
    SourceReadingsContract,
):
    pass
