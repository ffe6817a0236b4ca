"""The work of every kind of job: what runs in the sandbox, on files and parameters.

One file for each kind; `understudy.job_kinds` names its function as ``module:function``. Nothing here may
import the database, the store, the settings or the job kinds (`[tool.importlinter]`).
"""
