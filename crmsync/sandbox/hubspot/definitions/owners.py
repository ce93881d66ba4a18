"""Owners: the portal's users as records point to them."""

from __future__ import annotations

from typing import Any

from crmsync.sandbox.hubspot.data.database import Database
from crmsync.sandbox.hubspot.stamps import wire

FIRST_OWNER_ID, FIRST_USER_ID = 156_644_386, 5_555_888


class Owners:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_id: dict[str, dict[str, Any]] = {name: body for _, name, body in database.documents("owner")}

    def create(self, email: str, first: str, last: str, now_ms: int, *, archived: bool = False) -> str:
        owner_id = str(self._database.take("owner", FIRST_OWNER_ID))
        user_id = self._database.take("user", FIRST_USER_ID)
        owner = {
            "id": owner_id,
            "email": email,
            "type": "PERSON",
            "firstName": first,
            "lastName": last,
            "userId": None if archived else user_id,
            "userIdIncludingInactive": user_id,
            "createdAt": wire(now_ms),
            "updatedAt": wire(now_ms),
            "archived": archived,
        }
        self._save(owner)
        return owner_id

    def archive(self, owner_id: str, now_ms: int) -> None:
        self._save({**self._by_id[owner_id], "userId": None, "archived": True, "updatedAt": wire(now_ms)})

    def _save(self, owner: dict[str, Any]) -> None:
        self._by_id[owner["id"]] = owner
        self._database.save_document("owner", "", owner["id"], owner)

    def find(self, owner_id: str) -> dict[str, Any] | None:
        return self._by_id.get(owner_id)

    def by_user(self, user_id: str) -> dict[str, Any] | None:
        matches = (o for o in self._by_id.values() if user_id == str(o["userIdIncludingInactive"]))
        return next(matches, None)

    def page(self, *, archived: bool, email: str | None, after: int, limit: int) -> list[dict[str, Any]]:
        """In order of id, starting at ``after``."""
        chosen = (o for o in self._by_id.values() if o["archived"] == archived and int(o["id"]) >= after)
        matching = (o for o in chosen if not email or o["email"].lower() == email.lower())
        return sorted(matching, key=lambda o: int(o["id"]))[:limit]

    def ids(self) -> set[str]:
        return set(self._by_id)
