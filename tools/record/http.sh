#!/bin/bash
# Records HTTP between nginx, a small HTTP/1.0 server, and curl or raw sockets: tests/golden/http.
. "$(dirname "$0")/network.sh"

site=$SCRATCH/site
mkdir -p "$site/up"
python3 - "$site" <<'PY'
import random, struct, sys, zlib
site = sys.argv[1]
generator = random.Random(1)
words = 'water weir stream dam river flow gate lock mill race pool bank reed stone bridge'.split()
def prose(n):
    text = ''
    while len(text) < n:
        text += ' '.join(generator.choice(words) for _ in range(12)) + '.\n'
    return text[:n].encode()
def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
def png(width, height):
    rows = b''.join(b'\0' + generator.randbytes(3 * width) for _ in range(height))
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0))
            + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))
files = {
    'index.html': b'<!doctype html>\n<title>A weir</title>\n<link rel=stylesheet href=style.css>\n'
                  b'<h1>NAME</h1>\n<img src=picture.png>\n',
    'style.css': b'body { margin: 2em; font-family: serif }\n',
    'picture.png': png(16, 16),
    'long.txt': prose(20000),
    'large.bin': generator.randbytes(300000),
    'upload.txt': prose(5000),
    'data.json': b'{"name": "weir", "height_m": 1.5, "gates": [1, 2, 3]}\n',
}
for name, content in files.items():
    open(f'{site}/{name}', 'wb').write(content)
PY

mkdir "$SCRATCH/logs"
cat >"$SCRATCH/nginx.conf" <<CONF
user root;
daemon off;
worker_processes 1;
pid $SCRATCH/nginx.pid;
error_log $SCRATCH/logs/error.log;
events {}
http {
    types { text/html html; text/css css; text/plain txt; image/png png; application/json json; }
    default_type application/octet-stream;
    access_log off;
    client_body_temp_path $SCRATCH/body;
    proxy_temp_path $SCRATCH/proxy;
    fastcgi_temp_path $SCRATCH/fastcgi;
    uwsgi_temp_path $SCRATCH/uwsgi;
    scgi_temp_path $SCRATCH/scgi;
    gzip_types text/plain application/json;
    server {
        listen 80;
        listen [::]:80;
        listen 8080 http2;
        root $site;
        location /old { return 301 /index.html; }
        location = /chunked.html { alias $site/index.html; sub_filter NAME Weir; }
        location /packed/ { alias $site/; gzip on; gzip_min_length 1; }
        location /up/ { dav_methods PUT DELETE; client_max_body_size 1m; }
        location /form { return 200 "taken\n"; }
        location /empty { return 204; }
    }
}
CONF

cat >"$SCRATCH/old_server.py" <<'PY'
# HTTP/1.0 without a length: the body ends where the connection does.
import socket
listener = socket.create_server(('192.0.2.80', 8000))
while True:
    connection, _ = listener.accept()
    request = b''
    while b'\r\n\r\n' not in request:
        request += connection.recv(4096)
    connection.sendall(b'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nThe end is where it is.\n')
    connection.close()
PY

cat >"$SCRATCH/raw.py" <<'PY'
# Sends bytes as they are told, and reads until the other side is done or enough was read.
import socket, struct, sys
text, enough = sys.argv[1].encode().decode('unicode_escape').encode('latin1'), int(sys.argv[2])
connection = socket.create_connection(('192.0.2.80', 80))
connection.sendall(text)
got = 0
while got < enough:
    data = connection.recv(min(65536, enough - got))
    if not data:
        break
    got += len(data)
if enough < 1 << 20:  # gone in the middle: the kernel answers what is unread with RST
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
connection.close()
PY

network_up
serve nginx -c "$SCRATCH/nginx.conf" -p "$SCRATCH"
serve python3 "$SCRATCH/old_server.py"
wait_for_port 80
wait_for_port 8000

base=http://192.0.2.80
curl=(in_client curl -s -o /dev/null)
all=$((1 << 20))

record http/nginx-keepalive tcp "${curl[@]}" $base/ -o /dev/null $base/style.css -o /dev/null $base/picture.png
record http/nginx-head tcp "${curl[@]}" -I $base/long.txt
record http/nginx-not-found tcp "${curl[@]}" $base/nothing/here?q=1
record http/nginx-redirect tcp "${curl[@]}" -L $base/old
record http/nginx-chunked tcp "${curl[@]}" $base/chunked.html
record http/nginx-gzip tcp "${curl[@]}" --compressed $base/packed/long.txt -o /dev/null $base/packed/data.json
record http/nginx-range tcp "${curl[@]}" -r 100-199 $base/long.txt --next -s -o /dev/null -r 0-9,-10 $base/long.txt
record http/nginx-expect tcp "${curl[@]}" -H 'Expect: 100-continue' --data-binary "@$site/upload.txt" $base/form
record http/nginx-form tcp "${curl[@]}" -d 'name=weir&height=1.5' -A 'form filler/1.0' -e $base/ $base/form
record http/nginx-upload tcp "${curl[@]}" -T "$site/picture.png" $base/up/picture.png \
    --next -s -o /dev/null -X DELETE $base/up/picture.png --next -s -o /dev/null $base/empty
record http/nginx-multipart tcp "${curl[@]}" -F "file=@$site/picture.png;type=image/png" -F note=hello $base/form
record http/nginx-large tcp "${curl[@]}" $base/large.bin
record http/nginx-aborted tcp in_client python3 "$SCRATCH/raw.py" \
    'GET /large.bin HTTP/1.1\r\nHost: weir.test\r\n\r\n' 30000
record http/nginx-pipelined tcp in_client python3 "$SCRATCH/raw.py" \
    'GET / HTTP/1.1\r\nHost: weir.test\r\n\r\nHEAD /long.txt HTTP/1.1\r\nHost: weir.test\r\n\r\nGET /data.json HTTP/1.1\r\nHost: weir.test\r\n\r\nGET /gone HTTP/1.1\r\nHost: weir.test\r\nConnection: close\r\n\r\n' $all
record http/nginx-bad-request tcp in_client python3 "$SCRATCH/raw.py" 'GET\x00 / nonsense\r\n\r\n' $all
record http/python-http10 tcp "${curl[@]}" --http1.0 $base:8000/until-close
record http/nginx-ipv6 tcp "${curl[@]}" "http://[$SERVER6]/data.json"
record http/nginx-h2c tcp "${curl[@]}" --http2-prior-knowledge $base:8080/data.json
