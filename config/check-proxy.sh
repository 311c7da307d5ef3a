#!/bin/sh
# Run nginx with config/nginx.conf in front of a running server, and send it an HTTP request and two chargers' handshakes.
#
#   config/check-proxy.sh STATION_ID [HTTP] [OCPP] [PORT]
#
# STATION_ID  a station the server knows and that may connect without a password
# HTTP, OCPP  where the server listens           (127.0.0.1:8080, 127.0.0.1:9000)
# PORT        where nginx listens meanwhile      (18999)
#
# Needs nginx and curl; not root. Exit code 0 when every check passed.
set -eu

station=${1:?usage: config/check-proxy.sh STATION_ID [HTTP] [OCPP] [PORT]}
http=${2:-127.0.0.1:8080}
ocpp=${3:-127.0.0.1:9000}
port=${4:-18999}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)

stop() {
    [ -f "$work/nginx.pid" ] && kill "$(cat "$work/nginx.pid")" 2>/dev/null
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' INT TERM

sed -e "s/server 127\.0\.0\.1:8080;/server $http;/" -e "s/server 127\.0\.0\.1:9000;/server $ocpp;/" \
    -e "s/listen 80;/listen 127.0.0.1:$port;/" "$here/nginx.conf" > "$work/evpower.conf"
cat > "$work/nginx.conf" <<END
pid $work/nginx.pid;
error_log $work/error.log;
events {}
http {
    access_log off;
    client_body_temp_path $work/body;
    proxy_temp_path $work/proxy;
    fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi;
    scgi_temp_path $work/scgi;
    include $work/evpower.conf;
}
END
nginx -t -q -e "$work/error.log" -p "$work" -c "$work/nginx.conf"
nginx -e "$work/error.log" -p "$work" -c "$work/nginx.conf"

failed=0
check() { # what, expected status, curl arguments…
    what=$1 expected=$2
    shift 2
    # A socket that was opened stays open until --max-time; curl has told its status by then.
    status=$(curl --silent --output /dev/null --write-out '%{http_code}' --max-time 3 "$@") || true
    if [ "$status" = "$expected" ]; then
        echo "ok      $what ($status)"
    else
        echo "FAILED  $what: $status instead of $expected"
        failed=1
    fi
}
handshake() { # what, expected status, path
    check "$1" "$2" --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \
        -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' -H 'Sec-WebSocket-Protocol: ocpp1.6' --path-as-is \
        "http://127.0.0.1:$port$3"
}
# The station's first character as %XX: the charger's listener must be the one to decode it.
rest=${station#?}
first=$(printf '%%%02X' "'${station%"$rest"}")

check "the API answers" 200 "http://127.0.0.1:$port/health"
check "the metrics are not for the world" 404 "http://127.0.0.1:$port/metrics"
handshake "a charger connects" 101 "/ws/$station"
handshake "a percent-encoded identity arrives as it was sent" 101 "/ws/$first$rest"
handshake "an unknown charger is refused by the chargers' listener" 404 "/ws/no-such-station-$$"
exit $failed
