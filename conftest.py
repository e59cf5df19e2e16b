"""The top of a checkout: `pytest` runs the project's own tests, `pytest --inventory FILE` the guide's (tests_infra/).

Which of the two it is, the plugin decides (`run.items.collection.aim`); both work from any folder, so nothing
may stand here that pytest allows at its root folder only, such as `pytest_plugins`.
"""
