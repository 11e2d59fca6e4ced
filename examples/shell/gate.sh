#!/usr/bin/env bash
# examples/shell/gate.sh: hand a change in and wait for its decision, on any runner with git, OpenSSH and Python 3.11.
# Its exit code is the check: 0 passes, everything else does not. docs/ci.md tells the codes.
#
# The environment says what is judged, from the runner's own knowledge, never from the change's:
#   HEAD_SHA  the commit, in full                     TARGET   the branch to land on: main
#   NUMBER    the forge's number of the change        OPENER   who opened it: gitea:octocat
#   PUSHERS   who pushed a part of it: gitea:octocat gitea:hubot
# TWOHAND_SETTINGS names a settings.toml that the change cannot write; with engine = "kafka" it holds the [kafka] of a
# principal with the roles source and gateway, without it all is decided here. TIMEOUT is how long to wait: 20m.
set -euo pipefail
: "${HEAD_SHA:?}" "${TARGET:?}" "${NUMBER:?}" "${OPENER:?}" "${PUSHERS:?}"

git fetch --no-tags origin "+refs/heads/$TARGET:refs/remotes/origin/$TARGET" "$HEAD_SHA" \
    '+refs/twohand/reviews/*:refs/twohand/reviews/*'
git remote set-head origin --auto

read -ra pushers <<< "$PUSHERS"
change=(--base "origin/$TARGET" --head "$HEAD_SHA" --target "refs/heads/$TARGET" --change "$NUMBER" --opened-by "$OPENER"
    "${pushers[@]/#/--pushed-by=}")
twohand submit "${change[@]}"
exec twohand gate "${change[@]}" --timeout "${TIMEOUT:-20m}"
