"""The pages and the API for those who share: signing in, contributing, reviewing. What is here is personal, and no cache keeps it."""

from . import accounts, api, contributing, curating, sessions, tools

BLUEPRINTS = (accounts.blueprint, contributing.blueprint, api.blueprint, curating.blueprint, tools.blueprint)

for _blueprint in BLUEPRINTS:
    sessions.guard(_blueprint, programs=_blueprint is api.blueprint)
