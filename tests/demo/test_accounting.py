"""The account: three books against the gate's count."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from linewatch.core.messages import Cause, Verdict
from linewatch.demo.accounting import Book, Entry, balance, outcomes

FIRED = tuple(range(41, 61))


def entry(seq: int, cause: Cause = Cause.OK, counter: int | None = None) -> Entry:
    return Entry(seq, Verdict.PASS if cause is Cause.OK else Verdict.REJECT, cause, counter)


def books(causes: list[Cause]) -> tuple[Book, Book, Book]:
    """Three books that agree."""
    plain = tuple(entry(seq, cause) for seq, cause in enumerate(causes, start=1))
    counted = tuple(replace(one, counter=FIRED[one.seq - 1]) for one in plain)
    return Book("wire", plain), Book("rejecter", plain), Book("log", counted)


causes = st.lists(st.sampled_from(list(Cause)), min_size=1, max_size=len(FIRED))


@given(causes)
def test_books_that_agree_hold_and_add_up(given_causes: list[Cause]) -> None:
    account = balance(FIRED[: len(given_causes)], books(given_causes))
    assert account.holds
    assert account.passed == given_causes.count(Cause.OK)
    assert account.reject_defect == given_causes.count(Cause.DEFECT)
    assert sum(account.failsafe.values()) == sum(cause.is_failsafe for cause in given_causes)
    assert account.decided == account.triggers == len(given_causes)


@given(causes, st.integers(0, 2), st.data())
def test_a_part_that_one_book_lacks_is_missing(given_causes: list[Cause], which: int, data: st.DataObject) -> None:
    seq = data.draw(st.integers(1, len(given_causes)))
    found = list(books(given_causes))
    found[which] = replace(found[which], entries=tuple(one for one in found[which].entries if one.seq != seq))
    account = balance(FIRED[: len(given_causes)], found)
    assert account.missing == (seq,)
    assert not account.holds


@given(causes, st.integers(0, 2), st.data())
def test_a_part_that_one_book_has_twice_is_double(given_causes: list[Cause], which: int, data: st.DataObject) -> None:
    found = list(books(given_causes))
    again = data.draw(st.sampled_from(found[which].entries))
    found[which] = replace(found[which], entries=(*found[which].entries, again))
    account = balance(FIRED[: len(given_causes)], found)
    assert account.duplicates == (again.seq,)
    assert not account.holds
    assert account.decided == account.triggers


@given(causes, st.integers(0, 2), st.data())
def test_books_that_name_different_answers_are_disputed(
    given_causes: list[Cause], which: int, data: st.DataObject
) -> None:
    found = list(books(given_causes))
    changed = data.draw(st.sampled_from(found[which].entries))
    other = entry(changed.seq, data.draw(st.sampled_from([cause for cause in Cause if cause is not changed.cause])))
    entries = tuple(other if one is changed else one for one in found[which].entries)
    found[which] = replace(found[which], entries=entries)
    account = balance(FIRED[: len(given_causes)], found)
    assert account.disputed == (changed.seq,)
    assert not account.holds


def test_an_answer_for_a_part_that_never_came_does_not_hold() -> None:
    found = [replace(book, entries=(*book.entries, entry(3))) for book in books([Cause.OK, Cause.DEFECT])]
    account = balance(FIRED[:2], found)
    assert account.duplicates == (3,)
    assert account.decided == 2
    assert not account.holds


def test_the_answer_of_another_part_is_noticed_by_the_gates_counter() -> None:
    wire, rejecter, log = books([Cause.OK, Cause.OK])
    swapped = tuple(replace(one, counter=FIRED[2 - one.seq]) for one in log.entries)
    account = balance(FIRED[:2], [wire, rejecter, replace(log, entries=swapped)])
    assert account.disputed == (1, 2)
    assert not account.holds


def test_a_part_that_no_book_knows_is_missing_from_the_sum() -> None:
    account = balance(FIRED[:3], books([Cause.OK, Cause.OK]))
    assert (account.missing, account.decided, account.triggers) == ((3,), 2, 3)
    assert not account.holds


def test_nothing_fired_and_nothing_written_holds() -> None:
    assert balance((), [Book("wire", ()), Book("log", ())]).holds


def test_the_first_book_that_knows_a_part_tells_its_outcome() -> None:
    wire = Book("wire", (entry(2, Cause.TIMEOUT),))
    log = Book("log", (entry(2), entry(1, Cause.DEFECT)))
    assert outcomes([wire, log]) == {1: entry(1, Cause.DEFECT), 2: entry(2, Cause.TIMEOUT)}
