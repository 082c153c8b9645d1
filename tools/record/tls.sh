#!/bin/bash
# Records TLS between openssl's server and client, and HTTPS between nginx and curl:
# tests/golden/tls.
. "$(dirname "$0")/network.sh"

keys=$SCRATCH/keys
mkdir "$keys"
export OPENSSL_CONF=$SCRATCH/openssl.cnf
cat >"$OPENSSL_CONF" <<'CONF'
[req]
distinguished_name = name
prompt = no
[name]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:FALSE
keyUsage = digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth
subjectAltName = DNS:www.weir.test,DNS:*.weir.test,IP:192.0.2.80,IP:2001:db8::80
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[client]
basicConstraints = CA:FALSE
extendedKeyUsage = clientAuth
subjectAltName = email:keeper@weir.test
CONF

key() { # name, sort
    case $2 in
    rsa) openssl genrsa -out "$keys/$1.key" 2048 2>/dev/null ;;
    ecdsa) openssl ecparam -name prime256v1 -genkey -noout -out "$keys/$1.key" ;;
    ed25519) openssl genpkey -algorithm ed25519 -out "$keys/$1.key" ;;
    esac
}
certificate() { # name, sort of key, subject, extensions, issuer
    key "$1" "$2"
    openssl req -new -key "$keys/$1.key" -subj "$3" -out "$keys/$1.csr"
    if [ "$5" = "$1" ]; then
        openssl x509 -req -in "$keys/$1.csr" -key "$keys/$1.key" -days 3650 -set_serial 1 \
            -extfile "$OPENSSL_CONF" -extensions "$4" -out "$keys/$1.pem" 2>/dev/null
    else
        openssl x509 -req -in "$keys/$1.csr" -CA "$keys/$5.pem" -CAkey "$keys/$5.key" -days 3650 \
            -CAcreateserial -extfile "$OPENSSL_CONF" -extensions "$4" -out "$keys/$1.pem" 2>/dev/null
    fi
}
certificate root rsa '/C=CZ/O=Weir Test/CN=Weir Test Root' authority root
certificate inner rsa '/C=CZ/O=Weir Test/CN=Weir Test Intermediate' authority root
certificate rsa rsa '/C=CZ/O=Weir Test/OU=Gates/CN=www.weir.test' server inner
certificate ecdsa ecdsa '/CN=www.weir.test' server inner
certificate ed25519 ed25519 '/CN=www.weir.test' server inner
certificate keeper rsa '/O=Weir Test/CN=Gate Keeper/emailAddress=keeper@weir.test' client inner
certificate self rsa '/CN=self.weir.test' server self
cat "$keys/inner.pem" "$keys/root.pem" >"$keys/chain.pem"
cat "$keys/rsa.pem" "$keys/chain.pem" >"$keys/rsa-full.pem"

mkdir "$SCRATCH/logs" "$SCRATCH/site"
echo '{"name": "weir"}' >"$SCRATCH/site/data.json"
cat >"$SCRATCH/nginx.conf" <<CONF
user root;
daemon off;
worker_processes 1;
pid $SCRATCH/nginx.pid;
error_log $SCRATCH/logs/error.log;
events {}
http {
    access_log off;
    client_body_temp_path $SCRATCH/body;
    proxy_temp_path $SCRATCH/proxy;
    fastcgi_temp_path $SCRATCH/fastcgi;
    uwsgi_temp_path $SCRATCH/uwsgi;
    scgi_temp_path $SCRATCH/scgi;
    server {
        listen 443 ssl http2;
        listen [::]:443 ssl http2;
        root $SCRATCH/site;
        ssl_certificate $keys/rsa-full.pem;
        ssl_certificate_key $keys/rsa.key;
        ssl_protocols TLSv1.2 TLSv1.3;
    }
}
CONF

network_up

port=4430
rsa=(-cert "$keys/rsa.pem" -key "$keys/rsa.key" -cert_chain "$keys/chain.pem")
ecdsa=(-cert "$keys/ecdsa.pem" -key "$keys/ecdsa.key" -cert_chain "$keys/chain.pem")
ed25519=(-cert "$keys/ed25519.pem" -key "$keys/ed25519.key" -cert_chain "$keys/chain.pem")

# A server on a port of its own, and a client that talks a little to the last one.
server() { port=$((port + 1)); serve openssl s_server -accept $port "$@"; wait_for_port $port; }
name=(-servername www.weir.test)
client() { # options; waits until the server has answered and closed
    printf 'GET / HTTP/1.0\r\n\r\n' | in_client timeout 5 openssl s_client -connect $SERVER4:$port \
        "${name[@]}" -ign_eof "$@" >"$SCRATCH/client.log" 2>&1 || true
}
brief() { # options; closes by itself
    (sleep 0.3; echo hello; sleep 0.3) | in_client timeout 5 openssl s_client -connect $SERVER4:$port \
        "${name[@]}" "$@" >"$SCRATCH/client.log" 2>&1 || true
}
twice() { client "$@" -sess_out "$SCRATCH/session"; client "$@" -sess_in "$SCRATCH/session"; }
early() {
    brief "$@" -sess_out "$SCRATCH/session"
    echo 'early words' >"$SCRATCH/early"
    brief "$@" -sess_in "$SCRATCH/session" -early_data "$SCRATCH/early"
}
nameless() { local name=(-noservername); client "$@"; }

server -www "${rsa[@]}" -tls1_2
record tls/openssl-tls12-rsa tcp client -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256
record tls/openssl-tls12-plain-rsa tcp client -tls1_2 -cipher AES256-SHA256
record tls/openssl-tls12-resumed-ticket tcp twice -tls1_2
server -www "${rsa[@]}" -tls1_2 -no_ticket
record tls/openssl-tls12-resumed-id tcp twice -tls1_2
server -www "${ecdsa[@]}" -tls1_2
record tls/openssl-tls12-ecdsa tcp client -tls1_2
server -www "${rsa[@]}" -tls1_3
record tls/openssl-tls13 tcp client -tls1_3
record tls/openssl-tls13-resumed tcp twice -tls1_3
record tls/openssl-no-sni tcp nameless -tls1_3
server -www "${ed25519[@]}" -tls1_3 -groups P-384
record tls/openssl-tls13-retry tcp client -tls1_3 -groups X25519:P-384
server "${rsa[@]}" -tls1_3 -early_data
record tls/openssl-tls13-early-data tcp early -tls1_3
server -www "${rsa[@]}" -alpn h2,http/1.1
record tls/openssl-alpn-h2 tcp client -tls1_2 -alpn h2,http/1.1
record tls/openssl-alpn-http11 tcp client -tls1_2 -alpn http/1.1
server -www "${rsa[@]}" -Verify 3 -CAfile "$keys/root.pem"
record tls/openssl-client-certificate-tls12 tcp client -tls1_2 -cert "$keys/keeper.pem" -key "$keys/keeper.key" \
    -cert_chain "$keys/inner.pem"
record tls/openssl-client-certificate-tls13 tcp client -tls1_3 -cert "$keys/keeper.pem" -key "$keys/keeper.key" \
    -cert_chain "$keys/inner.pem"
record tls/openssl-no-client-certificate tcp client -tls1_2
server -www "${rsa[@]}" -cipher 'DEFAULT:@SECLEVEL=0' -min_protocol TLSv1
record tls/openssl-tls10 tcp client -tls1 -cipher 'DEFAULT:@SECLEVEL=0'
record tls/openssl-tls11 tcp client -tls1_1 -cipher 'DEFAULT:@SECLEVEL=0'
server -www "${ecdsa[@]}" -tls1_2
record tls/openssl-no-shared-cipher tcp client -tls1_2 -cipher AES128-SHA
record tls/openssl-wrong-version tcp client -tls1_3
server -www -cert "$keys/self.pem" -key "$keys/self.key"
record tls/openssl-unknown-authority tcp client -tls1_2 -verify_return_error -CAfile "$keys/root.pem"

serve nginx -c "$SCRATCH/nginx.conf" -p "$SCRATCH"
wait_for_port 443
curl=(in_client curl -s -o /dev/null --cacert "$keys/root.pem" --resolve "www.weir.test:443:$SERVER4")
record tls/nginx-https-h2 tcp "${curl[@]}" https://www.weir.test/data.json
record tls/nginx-https-http11 tcp "${curl[@]}" --http1.1 --tls-max 1.2 https://www.weir.test/data.json
record tls/nginx-https-ipv6 tcp "${curl[@]}" "https://[$SERVER6]/data.json"
record tls/nginx-http-to-https tcp "${curl[@]}" "http://$SERVER4:443/"

port=$((port + 1))
serve openssl s_server -accept $port -dtls1_2 -quiet "${rsa[@]}"
sleep 0.5
record tls/openssl-dtls12 udp brief -dtls1_2
