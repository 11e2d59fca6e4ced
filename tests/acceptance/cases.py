"""The table of cases: what a change and its reviewers may try, and what the law answers.

Sources: the forty cases and the reproduced bypasses of our study of merge gates (`gates`), the black-box cases of our
study of direct peers (`peers`), and what an attacker would try near each of them (`near`).
"""

from tests.acceptance.case import Case
from tests.acceptance.table import (
    bypasses,
    content,
    doors,
    elsewhere,
    hands,
    near,
    peers_content,
    peers_hands,
    peers_policy,
    voices,
)

ELSEWHERE = elsewhere.CASES
CASES: tuple[Case, ...] = (
    *hands.CASES, *content.CASES, *voices.CASES, *bypasses.CASES, *peers_hands.CASES, *peers_content.CASES, *peers_policy.CASES,
    *near.CASES, *doors.CASES,
)  # fmt: skip
