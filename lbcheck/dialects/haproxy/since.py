"""Since which version HAProxy has what, for everything that is newer than 2.6 (the sources of each version)."""

from __future__ import annotations

Version = tuple[int, int]


def _by_keyword(by_version: dict[Version, str]) -> dict[str, Version]:
    return {word: version for version, text in by_version.items() for word in text.split()}


#: Keywords of proxies.
PROXY = _by_keyword(
    {
        (3, 0): "guid",
        (3, 1): "log-steps quic-initial",
        (3, 2): "hash-preserve-affinity ssl-f-use",
        (3, 4): "filter-sequence force-be-switch",
        (3, 5): "be-unpublished",
    }
)
#: Keywords of the global section.
GLOBAL = _by_keyword(
    {
        (2, 7): "anonkey quick-exit trace tune.peers.max-updates-at-once",
        (2, 8): """
            httpclient.resolvers.disabled no-quic prealloc-fd ssl-default-bind-client-sigalgs
            ssl-default-bind-sigalgs tune.disable-fast-forward tune.h2.be.initial-window-size
            tune.h2.be.max-concurrent-streams tune.h2.fe.initial-window-size
            tune.h2.fe.max-concurrent-streams tune.listener.default-shards tune.lua.burst-timeout
            tune.memory.hot-size tune.quic.max-frame-loss tune.quic.socket-owner
            tune.ssl.ocsp-update.maxdelay tune.ssl.ocsp-update.mindelay tune.stick-counters
        """,
        (2, 9): """
            httpclient.retries httpclient.timeout.connect limited-quic setcap
            ssl-default-server-client-sigalgs ssl-default-server-curves ssl-default-server-sigalgs
            tune.disable-zero-copy-forwarding tune.events.max-events-at-once tune.h1.zero-copy-fwd-recv
            tune.h1.zero-copy-fwd-send tune.h2.zero-copy-fwd-send tune.lua.log.loggers tune.lua.log.stderr
            tune.max-checks-per-thread tune.pt.zero-copy-forwarding tune.quic.zero-copy-fwd-send
            tune.rcvbuf.backend tune.rcvbuf.frontend tune.sndbuf.backend tune.sndbuf.frontend
        """,
        (3, 0): """
            expose-deprecated-directives harden.reject-privileged-ports.quic
            harden.reject-privileged-ports.tcp http-err-codes http-fail-codes key-base ocsp-update.disable
            ocsp-update.httpproxy ocsp-update.maxdelay ocsp-update.mindelay ocsp-update.mode
            ssl-security-level stats-file thread-hard-limit tune.applet.zero-copy-forwarding
            tune.h2.be.glitches-threshold tune.h2.fe.glitches-threshold tune.h2.fe.max-total-streams
            tune.quic.cc-hystart tune.quic.frontend.glitches-threshold tune.quic.reorder-ratio
            tune.ring.queues
        """,
        (3, 1): """
            force-cfg-parser-pause h1-do-not-close-on-insecure-transfer-encoding tune.bufsize.small
            tune.h2.be.rxbuf tune.h2.fe.rxbuf tune.quic.cc.cubic.min-losses tune.quic.disable-udp-gso
            tune.quic.frontend.default-max-window-size tune.renice.runtime tune.renice.startup
            warn-blocked-traffic-after
        """,
        (3, 2): """
            acme.scheduler cpu-policy cpu-set debug.counters dns-accept-family stress-level
            tune.epoll.mask-events tune.glitches.kill.cpu-usage tune.lua.bool-sample-conversion
            tune.max-rules-at-once tune.notsent-lowat.client tune.notsent-lowat.server
            tune.quic.disable-tx-pacing tune.quic.frontend.max-data-size tune.quic.frontend.max-tx-mem
            tune.quic.frontend.stream-data-ratio tune.takeover-other-tg-connections
        """,
        (3, 3): """
            noktls shm-stats-file shm-stats-file-max-objects ssl-passphrase-cmd
            tune.quic.be.cc.cubic-min-losses tune.quic.be.cc.hystart tune.quic.be.cc.max-frame-loss
            tune.quic.be.cc.max-win-size tune.quic.be.cc.reorder-ratio tune.quic.be.max-idle-timeout
            tune.quic.be.sec.glitches-threshold tune.quic.be.stream.data-ratio
            tune.quic.be.stream.max-concurrent tune.quic.be.stream.rxbuf tune.quic.be.tx.pacing
            tune.quic.be.tx.udp-gso tune.quic.fe.cc.cubic-min-losses tune.quic.fe.cc.hystart
            tune.quic.fe.cc.max-frame-loss tune.quic.fe.cc.max-win-size tune.quic.fe.cc.reorder-ratio
            tune.quic.fe.max-idle-timeout tune.quic.fe.sec.glitches-threshold
            tune.quic.fe.sec.retry-threshold tune.quic.fe.sock-per-conn tune.quic.fe.stream.data-ratio
            tune.quic.fe.stream.max-concurrent tune.quic.fe.stream.rxbuf tune.quic.fe.tx.pacing
            tune.quic.fe.tx.udp-gso tune.quic.listen tune.quic.mem.tx-max
        """,
        (3, 4): """
            cpu-affinity jwt.decrypt_alg_list jwt.decrypt_enc_list max-threads-per-group tune.bufsize.large
            tune.cli.max-payload-size tune.defaults.purge tune.h1.be.glitches-threshold
            tune.h1.fe.glitches-threshold tune.h2.be.max-frames-at-once tune.h2.fe.max-frames-at-once
            tune.h2.fe.max-rst-at-once tune.h2.log-errors tune.lua.openlibs tune.quic.fe.stream.max-total
            tune.ssl.certificate-compression tune.streams-elasticity
        """,
        (3, 5): """
            51degrees-allow-unmatched 51degrees-difference 51degrees-drift 51degrees-use-performance-graph
            51degrees-use-predictive-graph deviceatlas-cache-size tune.fd.tables
            tune.ssl.keyupdate-rate-limit
        """,
    }
)
#: `option X`.
OPTIONS = _by_keyword(
    {
        (2, 8): "forwarded",
        (3, 1): "accept-unsafe-violations-in-http-request accept-unsafe-violations-in-http-response",
        (3, 2): "http-drop-request-trailers http-drop-response-trailers",
        (3, 4): "use-small-buffers",
    }
)
#: Options of servers.
SERVER = _by_keyword(
    {
        (2, 7): "shard",
        (2, 9): "client-sigalgs curves log-bufsize set-proxy-v2-tlv-fmt sigalgs",
        (3, 0): "guid hash-key pool-conn-name",
        (3, 1): "init-state",
        (3, 2): "check-pool-conn-name check-reuse-pool idle-ping no-check-reuse-pool strict-maxconn",
        (3, 3): """
            cc check-sni-auto ktls no-check-sni-auto no-renegotiate no-sni-auto renegotiate sni-auto
            tcp-md5sig
        """,
        (3, 4): "healthcheck quic-cc-algo",
        (3, 5): "from",
    }
)
#: Options of `bind`.
BIND = _by_keyword(
    {
        (2, 7): "quic-cc-algo",
        (2, 8): "client-sigalgs no-alpn sigalgs",
        (2, 9): "nbconn quic-socket",
        (3, 0): "default-crt guid-prefix",
        (3, 2): "idle-ping label no-strict-sni tls-tickets",
        (3, 3): "cc ech ktls tcp-md5sig",
        (3, 4): "tcp-ss",
    }
)
#: Actions of `http-request` and the like.
ACTIONS = _by_keyword(
    {
        (2, 7): "set-bandwidth-limit",
        (2, 8): "sc-add-gpc",
        (2, 9): "attach-srv",
        (3, 0): "set-bc-mark set-bc-tos set-fc-mark set-fc-tos",
        (3, 1): "do-log set-retries",
        (3, 2): "pause",
        (3, 4): "add-headers-bin del-headers-bin set-headers-bin",
    }
)
#: Algorithms of `balance`.
BALANCE = _by_keyword(
    {
        (2, 9): "log-hash sticky",
    }
)
#: Sections.
SECTIONS = _by_keyword(
    {
        (3, 0): "crt-store",
        (3, 1): "log-profile traces",
        (3, 2): "acme",
        (3, 4): "healthcheck",
    }
)
