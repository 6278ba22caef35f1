from __future__ import annotations

import pytest

from lbcheck.dialects.haproxy import recognises, references
from lbcheck.text import Source

YES = [
    "global\n    maxconn 100\n",
    "defaults\n  mode http\n",
    "# a comment\ndefaults base\n  timeout client 5s\n",
    "frontend web\n  bind :80\n",
    "backend app\n  server a 10.0.0.1:80\n",
    "listen l :80\n  server a 10.0.0.1:80\n",
    "backend app from base # why\r\n  balance roundrobin\r\n",
    "global\n  {{ extra }}\n  log 127.0.0.1 local0\n{% for b in pools %}\nbackend {{ b }}\n  mode tcp\n{% endfor %}\n",
    "frontend web\n  acl x path_reg ^/[a-z]\n",
    "backend app\n  server a 10.0.0.1:80 # {\n",
    "resolvers dns\n  nameserver a 10.0.0.1:53\n",
    "peers p\n  peer a 10.0.0.1:1024\n",
]
NO = [
    "",
    "frontend web\nmode http\n  [section]  \n",
    "frontend web\nmode http\nlocation / {   # nginx\n",
    "frontend\n",
    "[metadata]\nname = x\n\n[options]\nglobal\nlog = 1\n",
    "[tox]\nenvlist = py\n",
    "Port 22\nHostKey /etc/ssh/key\nUser nobody\n",
    "http {\n    upstream backend {\n        server 10.0.0.1:80;\n    }\n}\n",
    "global {\n  log x\n}\n",
    "frontend web\nis a word\n",
    "upstream backend x\nserver a b;\n",
    "global:\n  resolve_timeout: 5m\nroute:\n  receiver: x\n",
    "backend = x\nmode tcp\n",
]


@pytest.mark.parametrize("text", YES)
def test_a_config_is_recognised_by_its_content(text):
    assert recognises(Source("x.cfg", text))


@pytest.mark.parametrize("text", NO)
def test_look_alikes_are_left_alone(text):
    assert not recognises(Source("x.cfg", text))


def test_files_that_a_config_names():
    text = (
        "use_backend %[path,map_beg(/etc/h/a.map,b)]\nacl x src -f /etc/h/list\nfilter spoe engine e config spoe.cfg\n"
    )
    assert references(Source("x.cfg", text)) == ["/etc/h/a.map", "/etc/h/list", "spoe.cfg"]
