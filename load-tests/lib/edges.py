"""The edges that are compared, nginx, HAProxy and Gatepost, with the same duties, and the origin behind them."""

import subprocess

import gatepost
from processes import free_port
from rounds import Server

BODY = "0123456789" * 10

ORIGIN = """
daemon off; worker_processes 1; pid origin.pid; error_log stderr; user root;
events {{ worker_connections 8192; }}
http {{
  upstream nothing {{ server 127.0.0.1:{port}; keepalive 64; }}
  access_log off; sendfile on; keepalive_requests 1000000000; keepalive_timeout 300s; default_type text/plain;
  server {{
    listen 127.0.0.1:{port};
    client_max_body_size 0;
    location / {{ return 200 "{body}"; }}
    location = /big {{ root .; }}
    location = /sink {{
      client_body_buffer_size 2m;
      proxy_pass http://nothing/; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_pass_request_body off; proxy_set_header Content-Length "";
    }}
    location = /duties {{
      return 200 "$http_x_forwarded_for|$http_x_forwarded_proto|$http_x_forwarded_host|$http_x_forwarded_port|$http_x_request_id";
    }}
  }}
}}
"""

NGINX = """
daemon off; worker_processes 1; pid nginx.pid; error_log stderr; user root; worker_rlimit_nofile 40000;
events {{ worker_connections 30000; }}
http {{
  log_format json escape=json '{{"@timestamp":"$time_iso8601","event":{{"duration_s":"$request_time","dataset":"edge.access"}},'
    '"http":{{"version":"$server_protocol","request":{{"id":"$request_id","method":"$request_method","bytes":"$request_length",'
    '"referrer":"$http_referer"}},"response":{{"status_code":"$status","bytes":"$bytes_sent","body":{{"bytes":"$body_bytes_sent"}}}}}},'
    '"url":{{"original":"$request_uri","domain":"$host","scheme":"$scheme"}},"source":{{"ip":"$remote_addr","port":"$remote_port"}},'
    '"user_agent":{{"original":"$http_user_agent"}},"tls":{{"version":"$ssl_protocol","cipher":"$ssl_cipher"}},'
    '"destination":{{"address":"$upstream_addr"}},"upstream":{{"status":"$upstream_status","seconds":"$upstream_response_time",'
    '"connect_s":"$upstream_connect_time"}}}}';
  access_log access.json json buffer=64k flush=1s;
  client_max_body_size 0; proxy_request_buffering off; proxy_max_temp_file_size 0; proxy_buffer_size 16k; proxy_buffers 8 32k;
  keepalive_requests 1000000000; keepalive_timeout 300s; http2_max_concurrent_streams 128;
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 128; keepalive_requests 1000000000; keepalive_timeout 300s; }}
  server {{
    listen 127.0.0.1:{port}{tls};
    {certificate}
    location / {{
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Request-Id $request_id;
      add_header X-Request-Id $request_id always;
    }}
  }}
}}
"""

HAPROXY = """
global
  nbthread 1
  maxconn {most}
  no strict-limits
  log stdout len 4096 format raw local0
  ssl-default-bind-options ssl-min-ver TLSv1.3
  tune.h2.max-concurrent-streams 128
defaults
  mode http
  log global
  timeout connect 2s
  timeout client 300s
  timeout server 60s
  timeout http-keep-alive 300s
  http-reuse always
  option splice-auto
  option dontlognull
  unique-id-format %{{+X}}o%ci%cp%Ts%rt%pid
  log-format '{{"@timestamp":"%[date(0,ms),utime(%%Y-%%m-%%dT%%H:%%M:%%S)]","event":{{"duration_ms":%Ta,"dataset":"edge.access"}},"http":{{"version":"%HV","request":{{"id":"%ID","method":%{{+Q}}HM,"bytes":%U}},"response":{{"status_code":%ST,"bytes":%B}}}},"url":{{"original":"%[capture.req.uri,json(utf8s)]","domain":"%[capture.req.hdr(0),json(utf8s)]"}},"source":{{"ip":"%ci","port":%cp}},"user_agent":{{"original":"%[capture.req.hdr(1),json(utf8s)]"}},"tls":{{"version":"%sslv","cipher":"%sslc"}},"destination":{{"address":"%si:%sp"}},"termination":"%ts","upstream":{{"ms":%Tr,"connect_ms":%Tc}}}}'
frontend edge
  bind 127.0.0.1:{port}{tls}
  http-request capture req.hdr(Host) len 128
  http-request capture req.hdr(User-Agent) len 256
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Request-Id %[unique-id]
  http-response set-header X-Request-Id %[unique-id]
  default_backend origin
backend origin
  server origin 127.0.0.1:{origin} maxconn 1024
"""

GATEPOST = """
{listener}
admin: {{ address: 127.0.0.1:{admin} }}
catalog: {{ file: catalog/services.yaml }}
access-log: {{ output: "file:access.json", format: ecs }}
timeouts: {{ idle: 300s }}
threads: 1
"""

SERVICES = """
services:
  - name: web
    tags: [ "gatepost.route=/" ]
    instances: [ {{ id: web-1, address: 127.0.0.1, port: {origin} }} ]
"""


def start_nginx(processes, mode, origin):
    port = free_port()
    tls = {"h1": "", "tls": " ssl", "h2": " ssl http2"}[mode]
    certificate = f"""ssl_certificate {processes.folder}/edge.pem; ssl_certificate_key {processes.folder}/edge.key; ssl_protocols TLSv1.3;"""
    folder = processes.file("nginx/nginx.conf", NGINX.format(port=port, origin=origin, tls=tls, certificate=certificate if tls else "")).parent
    process = processes.start("nginx", ["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"], under_test=True)
    return Server("nginx", process.pid, port, folder / "access.json", note="JSON access log, buffer=64k flush=1s")


def start_haproxy(processes, mode, origin, most=7000):
    port = free_port()
    tls = {"h1": "", "tls": " ssl crt {} alpn http/1.1", "h2": " ssl crt {} alpn h2"}[mode].format(processes.folder / "edge-both.pem")
    path = processes.file("haproxy/haproxy.cfg", HAPROXY.format(port=port, origin=origin, tls=tls, most=most))
    log = processes.file("haproxy/access.json", "")
    process = processes.start("haproxy", ["haproxy", "-db", "-f", path], under_test=True, stdout=log)
    return Server("haproxy", process.pid, port, log, note="JSON log-format to stdout, a file; nbthread 1")


def start_gatepost(processes, mode, origin, services=SERVICES):
    port = free_port()
    listener = f"http: {{ address: 127.0.0.1:{port} }}"
    if mode != "h1":
        listener = f"https: {{ address: 127.0.0.1:{port}, certificates: [ {{ certificate: ../edge.pem, key: ../edge.key }} ] }}"
    processes.file("gatepost/catalog/services.yaml", services.format(origin=origin))
    admin = free_port()
    process = gatepost.start(processes, GATEPOST.format(listener=listener, admin=admin))
    return Server("gatepost", process.pid, port, processes.folder / "gatepost/access.json", note="JSON (ECS) access log to a file; threads: 1", admin=admin)


START = {"gatepost": start_gatepost, "nginx": start_nginx, "haproxy": start_haproxy}


def make_certificate(processes):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "edge.key", "-out", "edge.pem"],
        cwd=processes.folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    processes.file("edge-both.pem", (processes.folder / "edge.pem").read_text() + (processes.folder / "edge.key").read_text())


def start_origin(processes):
    """nginx on the load core; returns its port. It serves `/big`, 1 MiB, and answers `/sink` when it has read the whole request."""
    port = free_port()
    folder = processes.file("origin/nginx.conf", ORIGIN.format(port=port, body=BODY)).parent
    (folder / "big").write_bytes(b"0123456789abcdef" * 65536)
    processes.start("origin", ["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"], under_test=False)
    return port
