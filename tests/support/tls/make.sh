#!/bin/sh
# Makes the certificates of this folder again. They are for tests on loopback only, valid from 2020 to 2120 whatever the
# clock of the machine says, and their keys are public: trust them nowhere.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/index"
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index\nnew_certs_dir=%s\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nunique_subject=no\ncopy_extensions=copy\n[p]\norganizationName=optional\ncommonName=supplied\n[authority]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n' \
    "$work" "$work" >"$work/conf"

key_and_request() { # name subject
    openssl req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj "$2" \
        -addext "subjectAltName=DNS:${2##*CN=}" -keyout "$work/$1.key" -out "$work/$1.csr"
}
sign() { # name, then how
    name=$1
    shift
    openssl ca -batch -notext -config "$work/conf" -startdate 20200101000000Z -enddate 21200101000000Z \
        -in "$work/$name.csr" -out "$work/$name.crt" "$@"
}
key_and_request ca "/CN=csms-test-authority"
sign ca -selfsign -keyfile "$work/ca.key" -extensions authority
for pair in server=localhost station=CS-1; do
    key_and_request "${pair%=*}" "/O=csms tests/CN=${pair#*=}"
    sign "${pair%=*}" -cert "$work/ca.crt" -keyfile "$work/ca.key"
done
# Signed by nobody that we know, for the name of a station that we do.
key_and_request stranger "/CN=CS-1"
sign stranger -selfsign -keyfile "$work/stranger.key"

cp "$work/ca.crt" ca.pem
for name in server station stranger; do cat "$work/$name.crt" "$work/$name.key" >"$name.pem"; done
