"""Cards and tags of the app in a fleet file (safe by default 9)."""

from __future__ import annotations

from typing import Any

import pytest

from evpower.db.pool import Pool
from evpower.errors import InvalidRequest
from tests.network_file.test_apply import imported, rows
from tests.worlds.by_hand import by_hand

PHONE = "+996555000001"
CLIENTS = f'''
[[clients]]
id = "one"
phone = "{PHONE}"
[[clients]]
id = "two"
'''
TAGS = "SELECT id_tag, tag_type, client_id, status FROM evpower.ocpp_authorization"


def tag(id_tag: str, **fields: str) -> str:
    stated = "".join(f'{name} = "{value}"\n' for name, value in fields.items())
    return f'[[id_tags]]\nid_tag = "{id_tag}"\n{stated}'


async def with_app_tag(pool: Pool, id_tag: str) -> dict[str, Any]:
    """Two clients; the first has started a charge from the app with this tag."""
    await imported(pool, CLIENTS)
    row = {"id_tag": id_tag, "tag_type": "app", "client_id": "one", "status": "Accepted"}
    async with by_hand(pool) as conn:
        await conn.execute(
            "INSERT INTO evpower.ocpp_authorization (id_tag, tag_type, client_id, status, created_at)"
            " VALUES (%(id_tag)s, %(tag_type)s, %(client_id)s, %(status)s, now())",
            row,
        )
    return row


async def refused(pool: Pool, text: str, **options: bool) -> list[str]:
    with pytest.raises(InvalidRequest) as caught:
        await imported(pool, text, **options)
    return [field for field, _ in caught.value.fields]


@pytest.mark.parametrize("move_app_tags", [False, True])
@pytest.mark.parametrize("text", [PHONE, PHONE.removeprefix("+"), "+77011234567"])
async def test_a_phone_number_is_no_card(pool: Pool, text: str, move_app_tags: bool) -> None:
    """A client's of the same file, with and without its plus, or any in E.164's writing."""
    file = CLIENTS + tag("CARD") + tag(text, client_id="two")
    assert await refused(pool, file, move_app_tags=move_app_tags) == ["id_tags[1].id_tag"]
    assert await rows(pool, TAGS) == []


async def test_digits_that_are_no_clients_phone_are_a_card(pool: Pool) -> None:
    await imported(pool, CLIENTS + tag("0412345678", client_id="two"))
    assert [row["id_tag"] for row in await rows(pool, TAGS)] == ["0412345678"]


@pytest.mark.parametrize("id_tag", ["EV0123456789ABCD", PHONE])
async def test_a_tag_of_the_app_is_moved_to_another_client_by_the_flag_alone(pool: Pool, id_tag: str) -> None:
    row = await with_app_tag(pool, id_tag)
    text = tag(id_tag.lower(), client_id="two")
    assert await refused(pool, text) == ["id_tags[0].client_id"]
    assert await rows(pool, TAGS) == [row]
    await imported(pool, text, move_app_tags=True)
    assert await rows(pool, TAGS) == [{**row, "client_id": "two"}]


@pytest.mark.parametrize("move_app_tags", [False, True])
async def test_a_tag_of_the_app_never_becomes_a_card(pool: Pool, move_app_tags: bool) -> None:
    """It would open stations by itself from then on."""
    row = await with_app_tag(pool, PHONE)
    assert await refused(pool, tag(PHONE, tag_type="rfid"), move_app_tags=move_app_tags) == ["id_tags[0].tag_type"]
    assert await rows(pool, TAGS) == [row]


async def test_a_tag_of_the_app_may_be_blocked(pool: Pool) -> None:
    row = await with_app_tag(pool, PHONE)
    await imported(pool, tag(PHONE, client_id="one", status="Blocked"))
    assert await rows(pool, TAGS) == [{**row, "status": "Blocked"}]


async def test_an_id_that_was_merged_is_written_no_more(pool: Pool) -> None:
    """An alias has no name and no phone; the message names whose it is."""
    await imported(pool, CLIENTS)
    async with by_hand(pool) as conn:
        await conn.execute("UPDATE clients SET phone = NULL, merged_into = 'two' WHERE id = 'one'")
    with pytest.raises(InvalidRequest) as caught:
        await imported(pool, CLIENTS + tag("CARD", client_id="two") + tag("OTHER", client_id="one"))
    wrong = "was merged into two: write that id"
    assert list(caught.value.fields) == [("clients[0].id", wrong), ("id_tags[1].client_id", wrong)]
    assert await rows(pool, "SELECT phone FROM clients WHERE id = 'one'") == [{"phone": None}]
