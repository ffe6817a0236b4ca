"""The parameters of jobs and synthesizers, which the API, the command line and all processes share.

One file for each kind of job. Nothing here imports the database or the engine (`[tool.importlinter]`).
"""
