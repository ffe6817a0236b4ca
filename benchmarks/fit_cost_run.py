"""Print the CPU seconds of the first and the second fit in this process, as JSON.

    python benchmarks/fit_cost_run.py TABLE.parquet PRESET

`benchmarks.fit_cost` runs this file with two versions of the package, so it may use only modules that exist
in both. The time to infer the schema and to load the compiled kernels is not measured.
"""

import json
import resource
import sys

import pyarrow.parquet as pq

from understudy.kernels.compilation import compile_kernels
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.contexts import FitContext
from understudy.synthesizers.datasets import fit_table
from understudy.tables.inference import infer_table


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and its finished child processes."""
    usages = [resource.getrusage(own) for own in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main() -> None:
    """Fit the table twice, and print the CPU seconds of each fit."""
    path, preset = sys.argv[1:]
    table = pq.read_table(path)
    schema = infer_table(table).schema.model_copy(update={"subject": ()})
    parameters = TreeChainParameters.model_validate({"name": "tree_chain", "preset": preset})
    compile_kernels()
    seconds = []
    for _ in range(2):
        begin = cpu_seconds()
        fit_table(parameters, table, schema, context=FitContext(seed=1))
        seconds.append(cpu_seconds() - begin)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
