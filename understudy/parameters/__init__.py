"""Parameters of jobs and synthesizers, shared by the API, the command line and all processes.

There is one module per kind of job. None of them imports the database or the engine (`[tool.importlinter]`).
"""
