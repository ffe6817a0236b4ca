"""The work of each kind of job, which runs in the sandbox and uses only files and parameters.

Each kind has one module, to whose function `understudy.job_kinds` refers as ``module:function``. Modules in
this package must not import the database, the store, the settings or the job kinds (`[tool.importlinter]`).
"""
