"""Imputation of missing values, given the known values of a row.

Several particles per row pass through the chain. Each particle draws the missing values. Where the value is
known, the particle is instead weighted by the probability of that value, given the preceding columns. One
particle is chosen with a probability proportional to the particle's weight, so that the imputed values also
agree with known values later in the chain (Rubin 1987; Gordon et al. 1993).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.kernels import drawing, hashing, hierarchy, restricting
from understudy.kernels.hashing import StreamRows
from understudy.kernels.restricting import Restricted, WeightedCodes
from understudy.synthesizers.blocks import map_in_order
from understudy.synthesizers.contexts import SampleContext
from understudy.synthesizers.entities.groups import Entities
from understudy.synthesizers.entities.imputation import Complete, EntityFiller, fill_columns, fill_determined
from understudy.synthesizers.rules import Rules, bound, equalize, find_unequal, imply, recover, solve
from understudy.synthesizers.tree_chain.chain import Link
from understudy.synthesizers.tree_chain.difference_columns import typical_differences
from understudy.synthesizers.tree_chain.encoding import (
    UNKNOWN,
    KnownCodes,
    encode_values,
    find_known_levels,
)
from understudy.synthesizers.tree_chain.identifier_values import read_identifiers
from understudy.synthesizers.tree_chain.imputed_values import LOG_IMPOSSIBLE, Consistency, is_missing, prefer
from understudy.synthesizers.tree_chain.rule_enforcement import RuleEnforcer
from understudy.transformers.base import ArrowArray, Codes, NumberedRows, RowNumbers, consecutive_rows
from understudy.transformers.table import Drawn, TableTransformer

N_PARTICLES = 64
# Maximum number of times that rows are redrawn because a value repeats within an entity.
N_REPEATS_MAX = 24
# Number of rows that are imputed at a time.
N_ROWS_BLOCK = 1024
# Code of missing values in columns that have missing values.
CODE_MISSING = 0
# Hash stream for choosing particles, and first hash stream for deriving the seeds of draws.
TAKING, DRAWS = 1 << 40, 1 << 41

Weights = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
# Function that returns the probability that the refinement accepts each proposal, given its coarse codes.
Accept = Callable[[npt.NDArray[np.uint8]], Weights]


@dataclass(frozen=True)
class _Step:
    """Step for one column of the chain. Each particle draws the value, or is weighted by its known value.

    Parameters
    ----------
    link : Link
        Conditional distribution of the column.
    position : int
        Position of the column in the chain.
    rows : array of shape (n_particles, n_columns)
        Coarse codes of the preceding columns.
    own : array of shape (n_particles,)
        Codes of the column. Known codes are set, and unknown codes are written when they are drawn.
    """

    link: Link
    position: int
    rows: npt.NDArray[np.uint8]
    own: Codes


@dataclass(frozen=True)
class _Particles:
    """Particles for some rows, and the seed of their draws.

    Parameters
    ----------
    seed : int
        Seed of the draw.
    numbers : array of shape (n_particles,)
        Numbers of the particles.
    of_values : NumberedRows
        Row number of each particle, with which its codes are decoded.
    """

    seed: int
    numbers: RowNumbers
    of_values: NumberedRows


@dataclass(frozen=True)
class Imputer:
    """Sampler for the missing values of a table."""

    links: Sequence[Link]
    table: TableTransformer
    enforcer: RuleEnforcer
    accept: Accept
    entities: Entities

    def complete(self, block: pa.RecordBatch, row_numbers: RowNumbers, seed: int) -> pa.RecordBatch:
        """Return rows with imputed values. Columns with only missing values stay missing."""
        given = dict(zip(block.schema.names, block.columns, strict=True))
        schema = self.enforcer.visible_schema(self.table.schema).to_arrow()
        gaps = np.flatnonzero(np.any([is_missing(array) for array in given.values()], axis=0))
        if not len(gaps):
            return pa.RecordBatch.from_arrays(block.columns, schema=schema)
        rows = {name: array.take(pa.array(gaps, pa.int64())) for name, array in given.items()}
        numbers = row_numbers[gaps]
        drawn = self._draw(rows, seed, numbers)
        columns = [_fill(array, gaps, rows[name], drawn[name]) for name, array in given.items()]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def _draw(self, rows: dict[str, ArrowArray], seed: int, numbers: RowNumbers) -> dict[str, ArrowArray]:
        """Return all columns of the rows, with drawn values in every cell."""
        names, n = self.table.schema.names, len(numbers)
        typical = typical_differences(self.enforcer.rules, self.table, n)
        rules = self.enforcer.rules
        implied, stays_missing = imply(rules, rows)
        rows = rows | {name: implied[name] for name in rules.value_rules.columns}
        assumed = recover(rules, solve(rules, rows, {}), typical)
        known = {
            link.column: self._encode(names[link.column], assumed, link.column, n) for link in self.links
        }
        # A derived column is missing where its difference or ratio is missing.
        measured = {own.target: own.name for own in rules.measured}
        for name, gaps in stays_missing.items():
            j = names.index(measured.get(name, name))
            if j in known and getattr(self.table.columns[j], "has_missing", False):
                known[j][gaps] = CODE_MISSING
        levels = find_known_levels(assumed, known, self.table)
        particle = np.repeat(np.arange(n), N_PARTICLES)
        own = (numbers[:, None] * np.uint64(N_PARTICLES) + consecutive_rows(0, N_PARTICLES)).ravel()
        of_values = NumberedRows(numbers, levels=levels)
        particles = _Particles(seed, own, of_values.take(particle))
        codes, log_weight = self._walk({j: c[particle] for j, c in known.items()}, particles)
        log_weight += self._log_equal(rows, codes, particle)
        log_weight += self._log_consistent(rows, codes, particles, particle)
        taken = np.arange(n) * N_PARTICLES + _take(log_weight.reshape(n, N_PARTICLES), seed, numbers)
        chosen = {j: c[taken] for j, c in codes.items()}
        columns = self.table.decode_columns(sorted(chosen), chosen, seed, of_values)
        # Derived values are computed from known values where they exist, and from drawn values otherwise.
        rows = recover(rules, solve(rules, rows, rules.derive(columns)), columns)
        merged = {n: prefer(rows[n], own) if n in rows else own for n, own in columns.items()}
        derived = rules.derive(equalize(rules, rows, merged))
        columns |= {name: derived[name] for name in self.enforcer.replaced | rules.value_rules.columns}
        terms = {name for formula in rules.formulas for name in formula.terms if name in rows}
        columns |= {name: prefer(rows[name], columns[name]) for name in terms - set(rules.derived)}
        if rules.inequalities:
            final = {n: prefer(rows[n], own) for n, own in columns.items() if n in rows}
            columns |= bound(rules, rows, final).arrays
        if self.table.composed:
            final = {n: prefer(rows[n], own) for n, own in columns.items() if n in rows}
            columns |= self.table.compose(final, Drawn(chosen, seed, of_values))
        return columns

    def _encode(self, name: str, assumed: dict[str, ArrowArray], column: int, n: int) -> KnownCodes:
        if name in self.enforcer.hidden:
            return np.full(n, UNKNOWN, np.int32)
        return encode_values(name, assumed[name], self.table.columns[column])

    def _log_equal(self, rows: dict[str, ArrowArray], codes: dict[int, Codes], particle: Int64s) -> Weights:
        """Return the log weights of particles, which are low where known values contradict an equality."""
        log_weight = np.zeros(len(particle))
        unequal = find_unequal(self.enforcer.rules, rows)
        for rule, column, applies in self.enforcer.coded.equalities:
            broken = unequal[self.enforcer.rules.value_rules.equalities.index(rule)]
            if broken.any():
                log_weight += np.where(applies[codes[column]] & broken[particle], LOG_IMPOSSIBLE, 0.0)
        return log_weight

    def _log_consistent(
        self, rows: dict[str, ArrowArray], codes: dict[int, Codes], particles: _Particles, particle: Int64s
    ) -> Weights:
        """Return the log weights of particles, based on rules between drawn values and known values."""
        consistency = Consistency(self.enforcer, rows)
        if not consistency.is_needed:
            return np.zeros(len(particle))
        columns = self.table.decode_columns(sorted(codes), codes, particles.seed, particles.of_values)
        return consistency.log_weight(columns, particle)

    def _walk(self, known: dict[int, KnownCodes], particles: _Particles) -> tuple[dict[int, Codes], Weights]:
        """Return the codes of the particles, and the log probabilities of their known values."""
        seed, numbers, n = particles.seed, particles.numbers, len(particles.numbers)
        codes = {link.column: np.zeros(n, np.uint16) for link in self.links}
        rows, log_weight = np.zeros((n, len(self.links)), np.uint8), np.zeros(n)
        for position, link in enumerate(self.links):
            is_known = known[link.column] != UNKNOWN
            own = codes[link.column]
            own[is_known] = known[link.column][is_known].astype(np.uint16)
            if link.source >= 0:
                looked_up = link.look_up(codes, seed, particles.of_values)
                log_weight += np.where(is_known & (looked_up != own), LOG_IMPOSSIBLE, 0.0)
                own[~is_known] = looked_up[~is_known]
            elif len(link.child):
                step = _Step(link, position, rows, own)
                log_weight[is_known] += self._log_probability(step, np.flatnonzero(is_known))
                self._draw_unknown(step, np.flatnonzero(~is_known), seed, numbers)
                self._force(position, codes, known)
            rows[:, position] = link.coarse[own]
        log_weight += np.where(self.enforcer.coded.holds(codes, n), 0.0, LOG_IMPOSSIBLE)
        return codes, log_weight + np.log(np.maximum(self.accept(rows), 1e-9))

    def _force(self, position: int, codes: dict[int, Codes], known: dict[int, KnownCodes]) -> None:
        """Set the unknown codes of a column that follow from drawn values of preceding columns."""
        column = self.links[position].column
        preceding = {link.column for link in self.links[:position]}
        for forced in self.enforcer.coded.forced:
            if forced.column == column and forced.source in preceding:
                applies = forced.applies[codes[forced.source]] & (known[forced.source] == UNKNOWN)
                codes[column][applies & (known[column] == UNKNOWN)] = forced.code

    def _log_probability(self, step: _Step, at: Int64s) -> Weights:
        """Return the log probability of each particle's known code, given the preceding columns."""
        out = np.zeros(len(at))
        if len(at):
            link = step.link
            paths = hierarchy.find_paths(link.child, len(link.coarse))
            known = step.own[at]
            drawing.add_log_probability(step.rows[at], step.position, link.conditional, paths, known, out)
        return out

    def _draw_unknown(self, step: _Step, at: Int64s, seed: int, numbers: RowNumbers) -> None:
        """Draw values for some particles. A missing value is drawn only if the column has no other code."""
        if not len(at):
            return
        link, own = step.link, step.own
        has_value = np.ones(len(link.coarse), np.bool_)
        if len(has_value) > 1:
            has_value[: int(getattr(self.table.columns[link.column], "has_missing", False))] = False
        some, drawn = step.rows[at], np.zeros(len(at), np.uint16)
        draws = StreamRows(np.uint64(seed), np.uint64(link.column), numbers[at])
        within = Restricted(link.conditional, restricting.restrict(link.child, has_value))
        restricting.draw_within(some, step.position, draws, within, WeightedCodes(drawn, np.ones(len(at))))
        own[at] = drawn


def draw_completed(
    imputer: Imputer, rows: pa.Table, seed: int, n_draws: int, context: SampleContext
) -> Iterator[pa.RecordBatch]:
    """Yield the completed rows of a table, once for each draw."""
    # The input may have missing values even in columns that are not nullable in the schema.
    output = imputer.enforcer.visible_schema(imputer.table.schema).to_arrow()
    open_schema = pa.schema([field.with_nullable(True) for field in output])

    filler = EntityFiller(imputer.entities, imputer.enforcer.visible_schema(imputer.table.schema))
    given = read_identifiers(rows.cast(open_schema).combine_chunks(), imputer.table)
    known = _fill_certain(filler, given, imputer.enforcer.rules)
    for draw in range(n_draws):
        own_seed = int(hashing.stream_key(np.uint64(seed), np.uint64(DRAWS + draw)))

        def complete(some: pa.Table, numbers: RowNumbers, own_seed: int = own_seed) -> pa.Table:
            return pa.Table.from_batches(_complete_blocks(imputer, some, numbers, own_seed, context))

        filled = filler.fill_drawn(known, complete)
        completed = _complete_blocks(imputer, filled, consecutive_rows(0, rows.num_rows), own_seed, context)
        if not filler.has_positions or not rows.num_rows:
            yield from completed
            continue
        whole = pa.Table.from_batches(list(completed))
        yield from _without_repeats(filler, filled, whole, complete).to_batches()


def _fill_certain(filler: EntityFiller, rows: pa.Table, rules: Rules) -> pa.Table:
    """Fill in the missing values that follow from formulas, functional dependencies or entities."""
    given = {name: rows.column(name).combine_chunks() for name in rows.column_names}
    rows = fill_columns(rows, solve(rules, given, {}))
    # A label can determine the code that determines another column.
    for _ in range(2):
        rows = filler.fill_known(fill_determined(rows, rules))
    return fill_determined(rows, rules)


def _without_repeats(filler: EntityFiller, given: pa.Table, rows: pa.Table, complete: Complete) -> pa.Table:
    """Return completed rows. Rows that repeat a value that must be distinct within an entity are redrawn."""
    for attempt in range(N_REPEATS_MAX):
        repeats = filler.find_repeats(rows, given)
        if not len(repeats):
            break
        # Different row numbers result in different draws.
        numbers = repeats.astype(np.uint64) + np.uint64((attempt + 1) * rows.num_rows)
        drawn = complete(given.take(pa.array(repeats, pa.int64())), numbers)
        place = np.arange(rows.num_rows)
        place[repeats] = rows.num_rows + np.arange(len(repeats))
        rows = pa.concat_tables([rows, drawn.cast(rows.schema)]).take(pa.array(place, pa.int64()))
    return rows


def _complete_blocks(
    imputer: Imputer, rows: pa.Table, numbers: RowNumbers, seed: int, context: SampleContext
) -> Iterator[pa.RecordBatch]:
    whole = rows.combine_chunks()

    def complete(start: int) -> pa.RecordBatch:
        part = whole.slice(start, N_ROWS_BLOCK).combine_chunks().to_batches()[0]
        return imputer.complete(part, numbers[start : start + N_ROWS_BLOCK], seed)

    return map_in_order(complete, range(0, rows.num_rows, N_ROWS_BLOCK), context=context)


def _take(log_weight: Weights, seed: int, numbers: RowNumbers) -> npt.NDArray[np.int64]:
    """Return the index of one particle per row, chosen with a probability proportional to its weight."""
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    sums = np.cumsum(weight, axis=1)
    words = np.empty(len(numbers), np.uint64)
    hashing.hash_rows(np.uint64(seed), np.uint64(TAKING), numbers, words)
    points = (words >> np.uint64(11)) * 2.0**-53 * sums[:, -1]
    taken: npt.NDArray[np.int64] = (sums <= points[:, None]).sum(axis=1)
    last: npt.NDArray[np.int64] = np.minimum(taken, weight.shape[1] - 1)
    return last


def _fill(given: ArrowArray, gaps: npt.NDArray[np.int64], own: ArrowArray, drawn: ArrowArray) -> ArrowArray:
    """Return a column with its missing values replaced. `own` and `drawn` contain only the rows in `gaps`."""
    missing = is_missing(own)
    if not missing.any():
        return given
    values = drawn.filter(pa.array(missing))
    source = np.arange(len(given))
    source[gaps[missing]] = len(given) + np.arange(len(values))
    # `pyarrow.compute.replace_with_mask` does not support durations.
    filled: ArrowArray = pa.concat_arrays([given, values]).take(pa.array(source, pa.int64()))
    return filled
