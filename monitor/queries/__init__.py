"""What people see is asked for here: named questions, answered in plain rows. Nothing else reads tables for them."""

from sqlalchemy import Engine as Engine

from monitor.queries.alerts import alert_rows as alert_rows
from monitor.queries.digests import digest as digest
from monitor.queries.digests import digests as digests
from monitor.queries.digests import remember_digest as remember_digest
from monitor.queries.feeds import feed_entries as feed_entries
from monitor.queries.feeds import feed_frame as feed_frame
from monitor.queries.market import market as market
from monitor.queries.market import site as site
from monitor.queries.objects import claim as claim
from monitor.queries.objects import claims as claims
from monitor.queries.objects import notice as notice
from monitor.queries.objects import organisation as organisation
from monitor.queries.objects import product as product
from monitor.queries.outbox import letter_of as letter_of
from monitor.queries.outbox import letters as letters
from monitor.queries.outbox import outbox_standing as outbox_standing
from monitor.queries.outbox import suppressions as suppressions
from monitor.queries.outbox import waiting_letters as waiting_letters
from monitor.queries.page_address import find_page as find_page
from monitor.queries.pages import page as page
from monitor.queries.products import ProductRow as ProductRow
from monitor.queries.products import claims_by_fact as claims_by_fact
from monitor.queries.products import product_facts as product_facts
from monitor.queries.products import products as products
from monitor.queries.reach import cluster_of as cluster_of
from monitor.queries.reach import reach as reach
from monitor.queries.registered import registered as registered
from monitor.queries.sources import source_rows as source_rows
from monitor.queries.standing import runs as runs
from monitor.queries.standing import sources as sources
from monitor.queries.standing import standing as standing
from monitor.queries.week import last_learnt as last_learnt
from monitor.queries.week import week as week
