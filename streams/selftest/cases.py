"""All cases: what is tried at a gate, and what has to land."""

from streams.selftest.case import Case
from streams.selftest.table import content, honest, identity, letters, odd, policies, routes, surroundings

CASES: tuple[Case, ...] = (
    *routes.CASES,
    *identity.CASES,
    *content.CASES,
    *letters.CASES,
    *policies.CASES,
    *surroundings.CASES,
    *odd.CASES,
    *honest.CASES,
)
