from __future__ import annotations

import time

import pytest

from lbcheck.places import excerpt
from lbcheck.redaction import WINDOW, masked, ranges, secrets, without
from lbcheck.text import Source

SECRETS = [
    ("stats auth admin:s3cret", "s3cret"),
    ("user bob insecure-password hunter2 groups a", "hunter2"),
    ("user bob password $5$abc/def", "$5$abc/def"),
    ('http-request set-header Authorization "Basic dXNlcjpwYXNz" if x', "Basic dXNlcjpwYXNz"),
    ("http-request add-header X-Api-Key k3y", "k3y"),
    ("http-check send meth GET uri /h?token=abc", "abc"),
    ('http-check send hdr Authorization "Bearer abcdef12345"', "Bearer abcdef12345"),
    (r"option httpchk GET / HTTP/1.0\r\nAuthorization:\ Basic\ dXNlcjpwYXNz", r"\ Basic\ dXNlcjpwYXNz"),
    ("dynamic-cookie-key mykeymykey", "mykeymykey"),
    (r'tcp-check send "AUTH hunter2\r\n"', "hunter2"),
    ("setenv DB_PASSWORD abc", "abc"),
    ("acl ok req.hdr(X-Token) -m str abc", "abc"),
    ("use_backend x if { hdr(x-api-key) -i abc }", "abc"),
    ('proxy_set_header Authorization "Basic abc123";', "Basic abc123"),
    ("proxy_set_header X-Token  s3cr3t;", "s3cr3t"),
    ('proxy_set_header Cookie "session=1";', "session=1"),
    ('auth_http_header X-Auth-Key "secret_string";', "secret_string"),
    ("fastcgi_param DB_PASSWORD hunter2;", "hunter2"),
    ('set $api_key "abc";', "abc"),
    ('if ($http_x_api_key != "abcdef") {', "abcdef"),
    ("secure_link_secret word;", "word"),
    ('secure_link_md5 "$secure_link_expires$uri word";', "$secure_link_expires$uri word"),
    ("proxy_pass http://bob:pw@10.0.0.1:80/;", "pw"),
    ("env API_TOKEN=abc;", "abc"),
    ("    password: hunter2", "hunter2"),
    ('"api_key": "xyz",', "xyz"),
    ("  - token: abc", "abc"),
    ("client_secret = 'abc'", "abc"),
    ("basic_auth bob hunter3", "bob hunter3"),
    ("      inline_string: hunter2", "hunter2"),
    ('"inlineBytes": "aHVudGVyMg==",', "aHVudGVyMg=="),
]

PLAIN = [
    "proxy_set_header Authorization $http_authorization;",
    'proxy_set_header Cookie "";',
    "server_tokens off;",
    "ssl_password_file /etc/p;",
    "auth_basic_user_file /etc/ht;",
    'auth_basic "hello world";',
    "ssl_certificate_key /etc/k.pem;",
    "limit_req_zone $http_authorization zone=a:10m rate=1r/s;",
    "cookie SRV insert indirect nocache",
    "server a 10.0.0.1:80 cookie s1 check",
    "capture request header Authorization len 32",
    "stick on cookie(JSESSIONID)",
    "balance hdr(Authorization)",
    "hash $cookie_session consistent;",
    "map $http_token $pool {",
    "# a token bucket, Basic authentication",
    "upstream app { server 10.0.0.1:8080 weight=10; }",
    "timeout client 30s",
]


@pytest.mark.parametrize(("line", "secret"), SECRETS)
def test_secrets_are_masked_and_nothing_else(line, secret):
    assert masked(line, ranges(line)) == line.replace(secret, "*" * len(secret))


@pytest.mark.parametrize("line", PLAIN)
def test_plain_lines_stay(line):
    assert masked(line, ranges(line)) == line


def test_key_text_is_masked_whole():
    text = "a: |\n  -----BEGIN RSA PRIVATE KEY-----\n  MIIEow\n  abc=\n  -----END RSA PRIVATE KEY-----\nb: MIIEow\n"
    source = Source("lb.yaml", text)
    assert [excerpt(source, number) for number in range(1, 7)] == [
        "a: |",
        "*" * 33,
        "*" * 8,
        "*" * 6,
        "*" * 31,
        "b: MIIEow",
    ]


def test_key_text_without_an_end_is_masked_to_the_end():
    assert excerpt(Source("x", "-----BEGIN PRIVATE KEY-----\nabc\n"), 2) == "***"


def test_long_lines_are_cut():
    source = Source("x", "a" * (WINDOW * 2))
    assert excerpt(source, 1) == "a" * WINDOW


def test_words_are_replaced_as_words():
    source = Source("x", "stats auth admin:of\nstats auth admin:hunter2\n")
    assert secrets(source, 1, 2) == ["hunter2", "of"]
    assert without('the value "hunter2" of offset', ["hunter2", "of"]) == 'the value "***" *** offset'
    assert without("no such host: http://bob:pw@host/", []) == "no such host: http://bob:**@host/"


HEAVY = (
    "token",
    "$token=",
    "acl token ",
    "hdr(",
    '"key',
    "key\\",
    ";- key",
    "://a:",
    "?token=",
    "password ",
    "set $key",
)


@pytest.mark.parametrize("line", [*(word * 2000 for word in HEAVY), " " * 8000 + "key"])
def test_no_line_costs_more_than_linear_time(line):
    source = Source("x", line)
    began = time.process_time()
    excerpt(source, 1)
    assert time.process_time() - began < 0.2
