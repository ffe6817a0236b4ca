"""The work of each job kind. Work runs in the sandbox and uses only files and parameters.

Each kind has one module. `understudy.job_kinds` refers to its function as ``module:function``. Modules in
this package must not import the database, the store, the settings or the job kinds (`[tool.importlinter]`).
"""
