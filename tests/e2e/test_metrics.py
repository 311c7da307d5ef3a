"""A started server's figures: as Prometheus scrapes them at the phones' listener, and at the control socket."""

from __future__ import annotations

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.process import Server
from tests.e2e.street import CLIENT, Phone, charger_at


def figures(text: str) -> dict[str, float]:
    families = text_string_to_metric_families(text)
    return {sample.name: sample.value for family in families for sample in family.samples if not sample.labels}


async def test_both_doors_tell_how_the_server_does(server: Server) -> None:
    async with charger_at(server) as charger:
        await charger.plug()
        await Phone(server).start(energy_kwh=5)
        await charger.has_begun()
        await charger.has_delivered_messages()
        async with httpx2.AsyncClient(base_url=server.http_url, timeout=10) as client:
            public = await client.get("/metrics")
        transport = httpx2.AsyncHTTPTransport(uds=str(server.control_socket))
        async with httpx2.AsyncClient(transport=transport, base_url="http://evpower", timeout=10) as client:
            control = await client.get("/control/metrics")
    for response in (public, control):
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        seen = figures(response.text)
        assert seen["evpower_database_up"] == 1
        assert 'evpower_connected_chargers{version="1.6"} 1.0' in response.text
        assert seen["evpower_journal_rows_total"] >= seen["evpower_journal_batches_total"] > 0
        assert (
            'evpower_ocpp_commands_total{action="RemoteStartTransaction",outcome="accepted",version="1.6"} 1.0'
            in response.text
        )
        assert 'evpower_sessions{phase="charging"} 1.0' in response.text
        assert CLIENT not in response.text
