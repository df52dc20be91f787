# SPDX-License-Identifier: Apache-2.0
"""What the schema of the API cannot say of two parameters together, for schemathesis.

A month that is asked for has begun, and days are in order, 400 at the most. Cases that are well-formed but for that are
moved into the past; all others are left as they are.
"""
import datetime

import schemathesis

LONGEST = datetime.timedelta(days=399)


def day(text):
    """The day that a parameter names; None for what names none."""
    try:
        return datetime.date.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def move_month(query, today):
    """Moves a month that has not begun to the same month of a year before."""
    try:
        year, month = int(str(query["year"])), int(str(query["month"]))
    except (KeyError, ValueError):
        return
    if (today.year, today.month) < (year, month) <= (2100, 12):
        query["year"] = type(query["year"])(2024 + year % (today.year - 2024))


def move_page(query, today):
    """Moves the month of a page, 2026-03, as above."""
    first = day(f"{query.get('month')}-01")
    if first and today < first and 2024 <= first.year <= 2100:
        query["month"] = f"{2024 + first.year % (today.year - 2024)}-{first.month:02}"


def move_days(query, today):
    """Puts two days in order, neither far from each other nor in the future."""
    first, last = day(query.get("from")), day(query.get("to"))
    if first is None or last is None or min(first, last).year < 2024 or max(first, last).year > 2100:
        return
    first, last = sorted(min(moment, today) for moment in (first, last))
    query["from"], query["to"] = str(first), str(min(last, first + LONGEST))


@schemathesis.hook
def map_case(context, case):
    """Moves a case into the past."""
    if isinstance(case.query, dict):
        today = datetime.datetime.now(datetime.timezone.utc).date()
        move_month(case.query, today)
        move_page(case.query, today)
        move_days(case.query, today)
    return case
