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
#: Words behind a keyword of a proxy: the second word, of the rules of TCP the third (`tcp-request content ACTION`).
WORDS = {
    "option": _by_keyword(
        {
            (2, 8): "forwarded",
            (3, 1): "accept-unsafe-violations-in-http-request accept-unsafe-violations-in-http-response",
            (3, 2): "http-drop-request-trailers http-drop-response-trailers",
            (3, 4): "use-small-buffers",
        }
    ),
    "balance": _by_keyword({(2, 9): "log-hash sticky"}),
    "compression": _by_keyword({(2, 8): "algo-req algo-res direction type-req type-res", (3, 2): "minsize-req"}),
    "filter": _by_keyword({(2, 7): "bwlim-in bwlim-out", (3, 4): "comp-req comp-res"}),
    "mode": _by_keyword({(2, 9): "log", (3, 1): "spop", (3, 4): "haterm"}),
    "timeout": _by_keyword({(2, 9): "client-hs"}),
    "http-request": _by_keyword(
        {
            (2, 7): "set-bandwidth-limit",
            (2, 8): "sc-add-gpc",
            (3, 0): "set-bc-mark set-bc-tos set-fc-mark set-fc-tos",
            (3, 1): "do-log set-retries",
            (3, 2): "pause",
            (3, 4): "add-headers-bin del-headers-bin set-headers-bin",
        }
    ),
    "http-response": _by_keyword(
        {
            (2, 7): "set-bandwidth-limit",
            (2, 8): "sc-add-gpc",
            (2, 9): "set-timeout",
            (3, 0): "set-fc-mark set-fc-tos",
            (3, 1): "do-log",
            (3, 2): "pause",
            (3, 4): "add-headers-bin del-headers-bin set-headers-bin",
        }
    ),
    "http-after-response": _by_keyword(
        {
            (2, 8): """
                del-acl del-map sc-add-gpc sc-inc-gpc sc-inc-gpc0 sc-inc-gpc1 sc-set-gpt sc-set-gpt0 set-log-level
                set-map
            """,
            (3, 1): "do-log",
            (3, 4): "add-headers-bin del-headers-bin set-headers-bin",
        }
    ),
    "tcp-request": _by_keyword(
        {
            (2, 7): "set-bandwidth-limit",
            (2, 8): "sc-add-gpc",
            (2, 9): "attach-srv",
            (3, 0): "set-bc-mark set-bc-tos set-fc-mark set-fc-tos",
            (3, 1): "do-log set-retries",
        }
    ),
    "tcp-response": _by_keyword(
        {
            (2, 7): "set-bandwidth-limit",
            (2, 8): "sc-add-gpc",
            (3, 0): "set-fc-mark set-fc-tos",
            (3, 1): "do-log",
        }
    ),
}
#: Words that may stand anywhere behind a keyword.
ARGUMENTS = {
    "hash-type": _by_keyword({(2, 9): "none"}),
    "log": _by_keyword({(3, 1): "profile"}),
    "retry-on": _by_keyword({(3, 2): "421"}),
    "stick-table": _by_keyword({(3, 1): "brates-factor", (3, 2): "recv-only"}),
}
#: Multiplexers that `proto` names.
PROTOCOLS = _by_keyword({(3, 4): "qmux"})
#: What stands before the `@` of an address, or before its `+`.
ADDRESSES = _by_keyword({(2, 8): "quic+", (2, 9): "backend@ rhttp@", (3, 1): "abnsz@ mptcp@ mptcp4@ mptcp6@"})
#: Keywords of sections that are no proxies.
BY_SECTION = {
    "global": GLOBAL,
    "cache": _by_keyword({(3, 5): "early-hints"}),
    "peers": _by_keyword({(2, 7): "shards"}),
}
#: Sections.
SECTIONS = _by_keyword(
    {
        (3, 0): "crt-store",
        (3, 1): "log-profile traces",
        (3, 2): "acme",
        (3, 4): "healthcheck",
    }
)
#: Fetches.
FETCHES = _by_keyword(
    {
        (2, 8): """
            bc_rtt bc_rttvar quic_enabled ssl_c_r_dn ssl_ocsp_certid ssl_ocsp_certname ssl_ocsp_fail_cnt
            ssl_ocsp_status ssl_ocsp_status_str ssl_ocsp_success_cnt
        """,
        (2, 9): """
            accept_date acl act_conn bc.timer.connect bs.id bytes_in bytes_out cur_client_timeout
            fc.timer.handshake fc.timer.total fc_pp_tlv fs.id pid req.cook_names req.timer.hdr
            req.timer.idle req.timer.queue req.timer.tq request_date res.cook_names res.timer.data
            res.timer.hdr server_status ssl_bc_curve ssl_fc_curve txn.conn_retries txn.id32
            txn.sess_term_state txn.status txn.timer.total txn.timer.user
        """,
        (3, 0): """
            bc_be_queue bc_glitches bc_nb_streams bc_setting_streams_limit bc_srv_queue bs.aborted
            bs.rst_code fc_glitches fc_nb_streams fc_settings_streams_limit fs.aborted fs.rst_code
            sc0_glitch_cnt sc0_glitch_rate sc1_glitch_cnt sc1_glitch_rate sc2_glitch_cnt sc2_glitch_rate
            sc_glitch_cnt sc_glitch_rate src_glitch_cnt src_glitch_rate ssl_bc_client_early_traffic_secret
            ssl_bc_client_handshake_traffic_secret ssl_bc_client_traffic_secret_0
            ssl_bc_early_exporter_secret ssl_bc_exporter_secret ssl_bc_server_handshake_traffic_secret
            ssl_bc_server_traffic_secret_0 txn.redispatched uptime
        """,
        (3, 1): """
            bc_err_name bs.debug_str fc_err_name fs.debug_str last_entity spoe.engine-id ssl_c_san
            ssl_fc_sigalgs_bin ssl_fc_supported_versions_bin waiting_entity
        """,
        (3, 2): """
            bc_reused req.ssl_cipherlist req.ssl_keyshare_groups req.ssl_sigalgs req.ssl_supported_groups
            sc0_key sc1_key sc2_key sc_key term_events
        """,
        (3, 3): "req.bytes_in req.bytes_out res.bytes_in res.bytes_out ssl_bc_sni ssl_fc_early_rcvd",
        (3, 4): """
            bc_settings_streams_limit be_connect_timeout be_queue_timeout be_tarpit_timeout cpu_usage_grp
            cpu_usage_proc cpu_usage_thr cur_connect_timeout cur_queue_timeout cur_tarpit_timeout
            dump_all_vars fc_saved_syn fe_tarpit_timeout ssl_fc_crtname tgroup
        """,
        (3, 5): "be_max_retries cur_max_retries ssl_c_policies",
    }
)
#: Converters.
CONVERTERS = _by_keyword(
    {
        (2, 7): "x509_v_err_str",
        (2, 8): "param rfc7239_field rfc7239_is_valid rfc7239_n2nn rfc7239_n2np",
        (2, 9): "ms_ltime ms_utime us_ltime us_utime",
        (3, 0): """
            aes_gcm_enc map_beg_key map_dir_key map_dom_key map_end_key map_int_key map_ip_key map_reg_key
            map_str_key map_sub_key table_glitch_cnt table_glitch_rate
        """,
        (3, 1): "date rfc7239_nn rfc7239_np when",
        (3, 2): """
            table_clr_gpc table_clr_gpc0 table_clr_gpc1 table_inc_gpc table_inc_gpc0 table_inc_gpc1
        """,
        (3, 3): "base2 jwt_verify_cert le2dec srv_is_up",
        (3, 4): """
            aes_cbc_dec aes_cbc_enc eth.data eth.dst eth.hdr eth.proto eth.src eth.vlan fe_exists ip.data
            ip.df ip.dst ip.fp ip.hdr ip.proto ip.src ip.tos ip.ttl ip.ver jwt_decrypt_cert jwt_decrypt_jwk
            jwt_decrypt_secret reverse reverse_dom tcp.dst tcp.flags tcp.options.mss tcp.options.sack
            tcp.options.tsopt tcp.options.tsval tcp.options.wscale tcp.options.wsopt tcp.options_list
            tcp.seq tcp.src tcp.win
        """,
        (3, 5): "has_ctl",
    }
)
#: Fetches and converters that took fewer arguments before.
ARITIES: dict[tuple[str, int], Version] = {
    ("req.body_param", 2): (2, 8),
    ("url_param", 3): (2, 8),
    ("urlp", 3): (2, 8),
    ("urlp_val", 3): (2, 8),
    ("query", 1): (3, 1),
    ("aes_gcm_dec", 5): (3, 3),
    ("aes_gcm_enc", 5): (3, 3),
}
#: Converters that took numbers only before, and now take the names of variables too.
VARIABLES = _by_keyword({(2, 9): "bytes"})
#: `option httpchk METHOD URI VERSION HOST`.
HTTPCHK_HOST: Version = (3, 1)
