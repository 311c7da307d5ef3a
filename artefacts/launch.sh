#!/bin/sh
# EvPower in one file: below this script follows a compressed directory of programs and libraries (docs/artefacts.md).
# It is unpacked once, and replaces this process: its id and its signals are those of the command that was started.
set -eu
name='@NAME@'
payload_line='@LINE@'

# A directory that root or we own, and nobody else may write.
trusted() {
    [ -d "$1" ] || return 1
    owner=$(stat -c %u -- "$1")
    [ "$owner" = 0 ] || [ "$owner" = "$(id -u)" ] || return 1
    case $(stat -c %A -- "$1") in ?????w*|????????w*) return 1 ;; esac
}

# All or nothing: two that start at once make one.
unpack() (
    umask 022
    mkdir -p -- "$1" 2>/dev/null && [ -w "$1" ] && trusted "$1" || return 1
    making=$(mktemp -d -- "$1/.making-XXXXXX") || return 1
    trap 'rm -rf -- "$making"' EXIT
    trap 'exit 1' HUP INT TERM
    tail -n "+$payload_line" -- "$0" | gzip -dc | tar -C "$making" --no-same-owner -xf - || return 1
    chmod 755 "$making"
    mv -T -- "$making" "$1/$name" 2>/dev/null || [ -x "$1/$name/evpower" ]
)

# Root's place is everybody's; systemd gives a service one of its own; people have theirs at home.
tried=
for place in /usr/local/lib/evpower "${CACHE_DIRECTORY:+${CACHE_DIRECTORY%%:*}/programs}" \
    "${XDG_CACHE_HOME:-${HOME:-}/.cache}/evpower"; do
    case $place in /?*) ;; *) continue ;; esac
    if { trusted "$place/$name" && trusted "$place" && [ -x "$place/$name/evpower" ]; } || unpack "$place"; then
        exec "$place/$name/evpower" "$@"
    fi
    tried="$tried $place"
done
echo "evpower: no place to unpack its programs to; tried:$tried" >&2
exit 1
