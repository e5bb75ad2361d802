# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of one list, and whether they are the whole list. Pure.

A part of the list that is taken for the whole would lead to duplicates and to incomplete exports, so
an API that contradicts itself ends in an error.

Source: Cloudflare API reference, `result_info` of lists.
"""

from __future__ import annotations

import typing as t

MAX_PAGES = 1000

# An API that ignores `per_page` or limits it without a word may return pages of these sizes.
USUAL_PAGE_SIZES = frozenset((10, 20, 25, 50, 100, 200, 250, 500))


class InconsistentList(ValueError):
    """The pages contradict each other; the message says how."""


class Pages:
    """Collects the pages of a list, in order.

    Attributes:
        count: how many pages there are so far.
        records: all records so far, by ID.
        is_complete: whether the list ends with the last page that was added.
        per_page: how many records to ask for. After the first page, as many as it has: an API that
            returned fewer than it was asked for may count its pages by either number.
    """

    def __init__(self, per_page: int) -> None:
        self.records: dict[str, dict[str, t.Any]] = {}
        self.count = 0
        self.is_complete = False
        self.per_page = per_page
        self._total: int | None = None

    @property
    def has_all(self) -> bool:
        """Whether there are as many records as the API said that the list has."""
        return self._total == len(self.records)

    def add(self, page: t.Sequence[dict[str, t.Any]], result_info: t.Mapping[str, t.Any]) -> None:
        """Add the next page, with what the API says about it.

        Raises:
            InconsistentList: it contradicts what the API said before.
        """
        self.count += 1
        total = _number(result_info.get("total_count"))
        # Past its end, an API may count nothing.
        if page or total:
            self._note_total(total)
        self._add_records(page)
        known, total = len(self.records), self._total
        if total is not None and (known > total or (known < total and not page)):
            raise InconsistentList(f"its total_count is {total}, but it contains {known} entries")
        count = _number(result_info.get("count")) or 0
        if count > known:
            raise InconsistentList(
                f"the count of page {self.count} is {count}, but it contains {known}"
            )
        self.is_complete = not page or (self.has_all and not self._is_full(page, result_info))
        if self.count == 1 and page:
            self.per_page = min(self.per_page, len(page))
        if self.count == MAX_PAGES and not self.is_complete:
            raise InconsistentList(f"it does not end within {MAX_PAGES} pages")

    def _note_total(self, total: int | None) -> None:
        if total is None:
            return
        if self._total not in (None, total):
            raise InconsistentList(
                f"its total_count changes from {self._total} to {total} between two pages"
            )
        self._total = total

    def _add_records(self, page: t.Sequence[dict[str, t.Any]]) -> None:
        new = {record["id"]: record for record in page}
        repeated = len(page) - len(set(new) - set(self.records))
        if repeated:
            cause = ", as if the parameter page was ignored" if repeated == len(page) else ""
            raise InconsistentList(
                f"{repeated} of the {len(page)} entries of page {self.count} are repeated{cause}"
            )
        self.records.update(new)

    def _is_full(
        self, page: t.Sequence[dict[str, t.Any]], result_info: t.Mapping[str, t.Any]
    ) -> bool:
        """Return whether another page may follow, whatever `total_count` says."""
        # The API may allow fewer records on a page than it was asked for, and count only these.
        size = _number(result_info.get("per_page"))
        if size is None or len(page) >= min(size, self.per_page):
            return True
        return self.count == 1 and len(page) in USUAL_PAGE_SIZES


def _number(value: t.Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
