"""What people see is asked for here: named questions, answered in plain rows. Nothing else reads tables for them."""

from sqlalchemy import Engine as Engine

from monitor.queries.digests import digest as digest
from monitor.queries.digests import digests as digests
from monitor.queries.digests import remember_digest as remember_digest
from monitor.queries.objects import claim as claim
from monitor.queries.objects import claims as claims
from monitor.queries.objects import notice as notice
from monitor.queries.objects import organisation as organisation
from monitor.queries.objects import product as product
from monitor.queries.registered import registered as registered
from monitor.queries.sources import source_rows as source_rows
from monitor.queries.standing import runs as runs
from monitor.queries.standing import sources as sources
from monitor.queries.standing import standing as standing
from monitor.queries.week import week as week
