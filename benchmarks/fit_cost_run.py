"""Print the CPU seconds of the first and the second fit in a process, as JSON, once for each line of input.

    python benchmarks/fit_cost_run.py TABLE.parquet PRESET

`benchmarks.fit_cost` runs this file with two versions of the package, so it may use only modules that exist
in both. This process reads the table, infers the schema and loads the compiled kernels. For each line of
input, it forks a process that fits the table twice. None of the preparation is measured.
"""

import json
import os
import resource
import sys

import pyarrow as pa
import pyarrow.parquet as pq

from understudy.kernels.compilation import compile_kernels
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.contexts import FitContext
from understudy.synthesizers.datasets import fit_table
from understudy.tables.inference import infer_table
from understudy.tables.schema import TableSchema


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and its finished child processes."""
    usages = [resource.getrusage(own) for own in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(parameters: TreeChainParameters, table: pa.Table, schema: TableSchema) -> list[float]:
    """Fit the table twice in this process, and return the CPU seconds of each fit."""
    seconds = []
    for _ in range(2):
        begin = cpu_seconds()
        fit_table(parameters, table, schema, context=FitContext(seed=1))
        seconds.append(cpu_seconds() - begin)
    return seconds


def main() -> None:
    """Fork a process that measures and prints, for each line of input."""
    path, preset = sys.argv[1:]
    # A forked process has only one thread, so it must not wait for the threads that read files.
    table = pq.read_table(path, use_threads=False)
    schema = infer_table(table).schema.model_copy(update={"subject": ()})
    parameters = TreeChainParameters.model_validate({"name": "tree_chain", "preset": preset})
    compile_kernels()
    for _ in sys.stdin:
        if not (process := os.fork()):
            print(json.dumps(measure(parameters, table, schema)), flush=True)
            os._exit(0)
        _, status = os.waitpid(process, 0)
        if status:
            sys.exit("A fit failed. The forked process printed the error.")


if __name__ == "__main__":
    main()
